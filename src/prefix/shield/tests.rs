use proptest::prelude::*;

use super::*;

/// Prefixes of 192.0.2.0/24 and of a /120 of 2001:db8::/32, where many meet.
fn nets(most: usize) -> impl Strategy<Value = Vec<Prefix>> {
    let net = |(host, len, v6): (u8, u8, bool)| match v6 {
        false => Prefix::masked([192, 0, 2, host].into(), 24 + len),
        true => Prefix::masked([0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(host)].into(), 120 + len),
    };
    let net = (any::<u8>(), 0_u8..=8, any::<bool>()).prop_filter_map("a length", net);
    proptest::collection::vec(net, 0..most)
}

proptest! {
    /// Fails when a network is passed that a later prefix meets, or one is met that shares nothing.
    #[test]
    fn ascending_prefixes_meet_what_each_meets_alone(protected in nets(8), mut set in nets(40)) {
        let shield: Shield = protected.iter().copied().collect();
        set.sort_unstable();
        let mut passed = 0;
        for net in set {
            let meets = |one: &Prefix| one.contains(net.addr()) || net.contains(one.addr());
            prop_assert_eq!(shield.touches(net, &mut passed), protected.iter().any(meets), "{}", net);
            let is_in = protected.iter().any(|one| one.contains(net.addr()));
            prop_assert_eq!(shield.contains(net.addr()), is_in, "{}", net.addr());
        }
    }
}
