use proptest::prelude::*;

use super::*;
use crate::net::Net;
use crate::set::PrefixSet;

/// As helper and engine ask of a whole set.
fn check(
    bounds: &Bounds,
    kind: Kind,
    set: &PrefixSet,
    shield: &Shield,
    allowed: impl Fn(IpAddr) -> bool,
) -> Result<(), Refusal> {
    bounds.count(kind, set.len() as u64)?;
    let mut tally = Tally::new(kind, bounds);
    set.iter().try_for_each(|net| tally.add(net, bounds, shield))?;
    tally.end(bounds, shield, allowed)
}

fn bounds() -> Bounds {
    Bounds {
        floor: Floor { v4: 8, v6: 19 },
        max_entries: 1_000_000,
        max_coverage: 20,
        max_coverage_v6: 8192,
        allow_max_coverage: 1 << 24,
        expect: Vec::new(),
    }
}

fn nets(text: &str) -> Vec<Prefix> {
    text.split_whitespace().map(|word| word.parse().unwrap()).collect()
}

fn set(nets: &[Prefix]) -> PrefixSet {
    let (mut v4, mut v6) = (Vec::new(), Vec::new());
    for net in nets {
        match net {
            Prefix::V4(net) => v4.push(*net),
            Prefix::V6(net) => v6.push(*net),
        }
    }
    PrefixSet::new(v4, v6).unwrap()
}

fn refused(kind: Kind, text: &str, bounds: &Bounds) -> Option<String> {
    let checked = check(bounds, kind, &set(&nets(text)), &Shield::default(), |_| false);
    checked.err().map(|refusal| refusal.to_string())
}

/// What IANA has given to the registries of 2000::/3, as prefixes not wider than /16 were its
/// registry written out: all IPv6 that anybody uses.
fn all_ipv6_in_use() -> Vec<Prefix> {
    let mut all: Vec<Prefix> = nets(
        "2001::/23 2001:200::/23 2001:400::/23 2001:600::/23 2001:800::/22 2001:c00::/23 \
         2001:e00::/23 2001:1200::/23 2001:1400::/22 2001:1800::/23 2001:1a00::/23 2001:1c00::/22 \
         2001:2000::/19 2001:4000::/23 2001:4200::/23 2001:4400::/23 2001:4600::/23 2001:4800::/23 \
         2001:4a00::/23 2001:4c00::/23 2001:5000::/20 2001:8000::/19 2001:a000::/20 2001:b000::/20 \
         2003::/18",
    );
    // 2400::/12, 2600::/12, 2610::/23, 2620::/23, 2630::/12, 2800::/12, 2a00::/11, 2c00::/12
    for (first, count) in [(0x2400u128, 16u128), (0x2600, 16), (0x2630, 16), (0x2800, 16)] {
        all.extend((0..count).map(|n| Net::new((first + n) << 112, 16).map(Prefix::V6).unwrap()));
    }
    all.extend(nets("2610::/23 2620::/23"));
    all.extend((0u128..32).map(|n| Net::new((0x2a00 + n) << 112, 16).map(Prefix::V6).unwrap()));
    all.extend((0u128..16).map(|n| Net::new((0x2c00 + n) << 112, 16).map(Prefix::V6).unwrap()));
    all.sort_unstable();
    all
}

#[test]
fn all_ipv6_in_use_is_too_much() {
    // 1.4 percent of 2000::/3, so that no percentage would see it
    let all = all_ipv6_in_use();
    let low = Bounds { floor: Floor { v4: 8, v6: 16 }, ..bounds() };
    let checked = check(&low, Kind::Block, &set(&all), &Shield::default(), |_| false);
    assert!(matches!(checked, Err(Refusal::Covers(Excess::Networks { .. }))), "{checked:?}");
    // nor is it let through by the floor of old
    let checked = check(&bounds(), Kind::Block, &set(&all), &Shield::default(), |_| false);
    assert!(matches!(checked, Err(Refusal::Wide { .. })), "{checked:?}");
    // at the floor of now, which makes more prefixes of it, one eighth of it is too much
    let cut: Vec<Prefix> = (0..2u128 << 3)
        .map(|n| Net::new((0x2a00 << 112) + (n << 109), 19).map(Prefix::V6).unwrap())
        .collect();
    let checked = check(&bounds(), Kind::Block, &set(&cut), &Shield::default(), |_| false);
    let words = "it covers 131072 networks of IPv6 (/32), more than 8192 (see max_coverage_v6 in \
                 [guard])";
    assert_eq!(checked.unwrap_err().to_string(), words);
}

#[test]
fn messages_name_what_and_the_key() {
    let block = |text: &str| refused(Kind::Block, text, &bounds()).unwrap();
    assert_eq!(
        block(""),
        "nothing would be blocked (threatstopctl test shows what the lists hold)"
    );
    assert_eq!(block("8.0.0.0/7"), "8.0.0.0/7 is wider than /8 (see min_prefix_v4 in [guard])");
    assert_eq!(block("2a00::/18"), "2a00::/18 is wider than /19 (see min_prefix_v6 in [guard])");
    let few = Bounds { max_entries: 1, ..bounds() };
    assert_eq!(
        refused(Kind::Allow, "1.1.1.1 2.2.2.2", &few).unwrap(),
        "2 entries, more than 1 (see max_entries in [guard])"
    );
    assert_eq!(refused(Kind::Allow, "", &few), None);
}

#[test]
fn an_expected_address_may_be_missing_where_it_is_protected_or_allowed() {
    let expect = nets("9.9.9.9 2001:db8::1 1.1.1.1").iter().map(|net| net.addr()).collect();
    let bounds = Bounds { expect, ..bounds() };
    let missing = |text: &str, shield: &str, allowed: &str| {
        let shield = Shield::from_iter(nets(shield));
        let allowed = nets(allowed);
        let checked = check(&bounds, Kind::Block, &set(&nets(text)), &shield, |addr| {
            allowed.iter().any(|net| net.contains(addr))
        });
        checked.err().map(|refusal| refusal.to_string())
    };
    let all = "1.0.0.0/8 9.9.9.9 2001:db8::/32";
    assert_eq!(missing(all, "", ""), None);
    let words = |addr: &str| Some(format!("{addr} is missing (see expect in [guard])"));
    assert_eq!(missing("9.9.9.8 9.9.9.10 2001:db8::1", "", ""), words("1.1.1.1"));
    assert_eq!(missing("1.1.1.1 9.9.9.8 2001:db8::1", "", ""), words("9.9.9.9"));
    assert_eq!(missing("1.1.1.1 9.9.9.8/29", "", ""), words("2001:db8::1"));
    assert_eq!(missing("2.2.2.2", "9.9.0.0/16", "1.1.1.0/24 2001:db8::1"), None);
    assert_eq!(missing("2.2.2.2", "9.9.0.0/16", "1.1.1.0/24"), words("2001:db8::1"));
    // an allow table is asked for nothing
    let checked = check(&bounds, Kind::Allow, &set(&[]), &Shield::default(), |_| false);
    assert_eq!(checked, Ok(()));
}

proptest! {
    /// As looked for in all prefixes, one expected address after the other.
    #[test]
    fn expected_addresses_are_found(
        mut cuts in proptest::collection::vec(0u32..300, 0..40),
        expect in proptest::collection::vec(0u32..300, 0..8),
        shield in 0u32..300,
        allowed in 0u32..300,
    ) {
        cuts.sort_unstable();
        cuts.dedup();
        let host = |n: u32| Prefix::host(core::net::Ipv4Addr::from_bits(0x0500_0000 + n).into());
        let nets: Vec<Prefix> = [999].iter().chain(&cuts).map(|n| host(*n)).collect();
        let mut nets = nets;
        nets.sort_unstable();
        let expect: Vec<IpAddr> = expect.into_iter().map(|n| host(n).addr()).collect();
        let bounds = Bounds { expect: expect.clone(), ..bounds() };
        // a protected address is in no block table
        nets.retain(|net| *net != host(shield));
        let shielded = Shield::from_iter([host(shield)]);
        let checked =
            check(&bounds, Kind::Block, &set(&nets), &shielded, |addr| host(allowed).contains(addr));
        let lacks = |addr: &IpAddr| !nets.iter().any(|net| net.contains(*addr));
        let excused = |addr: &IpAddr| [shield, allowed].iter().any(|n| host(*n).contains(*addr));
        let missing = expect.iter().filter(|addr| lacks(addr) && !excused(addr)).min();
        prop_assert_eq!(checked, missing.map_or(Ok(()), |addr| Err(Refusal::Missing(*addr))));
    }
}
