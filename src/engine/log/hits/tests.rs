use std::net::Ipv4Addr;

use super::*;

fn hit(address: u32, port: u16, lists: &[&str], count: &mut Hits) {
    count.add(&Hit {
        address: Some(IpAddr::V4(Ipv4Addr::from(address))),
        lists,
        direction: if port == 0 { Direction::Out } else { Direction::In },
        protocol: Some(6),
        port: Some(port),
        at: 5,
    });
}

#[test]
fn counts_by_everything() {
    let mut hits = Hits::default();
    hit(1, 22, &["a", "b"], &mut hits);
    hit(1, 0, &["a"], &mut hits);
    hit(2, 22, &["a"], &mut hits);
    assert_eq!(hits.total, Count { r#in: 2, out: 1, last: 5 });
    let lists = hits.lists.sorted();
    assert_eq!(lists[0], ("a".into(), Count { r#in: 2, out: 1, last: 5 }));
    assert_eq!(lists[1], ("b".into(), Count { r#in: 1, out: 0, last: 5 }));
    assert_eq!(hits.addresses.sorted()[0].1.total(), 2);
    assert_eq!(hits.ports.sorted()[0], ((6, 22), Count { r#in: 2, out: 0, last: 5 }));
    assert_eq!(hits.protocols.sorted(), [(6, Count { r#in: 2, out: 1, last: 5 })]);
    let text = serde_json::to_vec(&hits).unwrap();
    assert_eq!(serde_json::from_slice::<Hits>(&text).unwrap(), hits);
}

/// Two hundred thousand addresses that come once do not drive out those that come often.
#[test]
fn the_busiest_stay_in_bounded_room() {
    let mut hits = Hits::default();
    for round in 0..200_000_u32 {
        hit(0x0a00_0000 + round, 1 + (round % 60_000) as u16, &["a"], &mut hits);
        if round % 10 == 0 {
            hit(7, 443, &["a"], &mut hits);
        }
    }
    let busiest = hits.addresses.sorted();
    assert!(busiest.len() <= 2 * BUSIEST && hits.ports.sorted().len() <= 2 * BUSIEST);
    assert_eq!(busiest[0].0, IpAddr::V4(Ipv4Addr::from(7)));
    assert_eq!(busiest[0].1.total(), 20_000);
    assert!(hits.ports.sorted()[0].0 == (6, 443));
    assert_eq!(hits.total.total(), 220_000);
    assert!(serde_json::to_vec(&hits).unwrap().len() < 1 << 20);

    // and what was counted for those that went is in the sum of all others, also over a restart
    let text = serde_json::to_vec(&hits).unwrap();
    let hits: Hits = serde_json::from_slice(&text).unwrap();
    for most in [0, 20, usize::MAX] {
        let (ports, others) = hits.ports.split(most);
        assert_eq!(ports.len(), most.min(hits.ports.sorted().len()));
        let named: u64 = ports.iter().map(|(_, count)| count.total()).sum();
        assert_eq!(named + others.total(), hits.total.total(), "{most}");
    }
}
