use std::net::Ipv4Addr;

use super::*;

fn hit(address: u32, port: u16, lists: &[&str], count: &mut Hits) {
    let direction = if port == 0 { Direction::Out } else { Direction::In };
    count.add(&Hit {
        address: Some(IpAddr::V4(Ipv4Addr::from(address))),
        host: Some(IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + u32::from(port)))),
        way: direction,
        tables: &[],
        lists,
        direction,
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
    let both = Count { r#in: 2, out: 1, last: 5 };
    assert_eq!(hits.total, both);
    let lists = hits.lists.sorted();
    assert_eq!(lists[0], ("a".into(), both, ()));
    assert_eq!(lists[1], ("b".into(), Count { r#in: 1, out: 0, last: 5 }, ()));
    assert_eq!(hits.addresses.sorted()[0].1.total(), 2);
    assert_eq!(hits.ports.sorted()[0], ((6, 22), Count { r#in: 2, out: 0, last: 5 }, ()));
    assert_eq!(hits.protocols.sorted(), [(6, both, ())]);
    let hosts = hits.hosts.sorted();
    assert_eq!(hosts[0].address, IpAddr::from([10, 0, 0, 0]));
    assert_eq!(hosts[0].far, Some(IpAddr::from([0, 0, 0, 1])));
    assert_eq!((hosts[1].count.r#in, hosts[1].far), (2, Some(IpAddr::from([0, 0, 0, 2]))));
    let text = serde_json::to_vec(&hits).unwrap();
    assert_eq!(serde_json::from_slice::<Hits>(&text).unwrap(), hits);
}

/// What an engine before this one has kept, which halved its counters and knew no hosts.
#[test]
fn what_was_counted_before_is_read() {
    let text = r#"{"since":7,"total":{"in":2,"out":0,"last":9},
        "addresses":[[["192.0.2.7",{"in":1,"out":0,"last":9}]],{"in":1,"out":0,"last":8}],
        "lists":[[],{"in":0,"out":0,"last":0}],"protocols":[[],{"in":0,"out":0,"last":0}],
        "ports":[[[[6,22],{"in":2,"out":0,"last":9}]],{"in":0,"out":0,"last":0}]}"#;
    let hits: Hits = serde_json::from_str(text).unwrap();
    assert_eq!(hits.addresses.sorted()[0].1, Count { r#in: 1, out: 0, last: 9 });
    assert_eq!(hits.ports.sorted()[0].0, (6, 22));
    assert_eq!(hits.addresses.split(0).1.total(), 2);
}

/// A hundred thousand addresses that come once do not drive out those that come often, and what is kept of
/// them stays small.
#[test]
fn the_busiest_stay_in_bounded_room() {
    let mut hits = Hits::default();
    for round in 0..100_000_u32 {
        hit(0x0b00_0000 + round, 1 + (round % 60_000) as u16, &["a"], &mut hits);
        if round % 100 == 0 {
            hit(7, 443, &["a"], &mut hits);
        }
    }
    let busiest = hits.addresses.sorted();
    assert!(busiest.len() <= COUNTED && hits.ports.sorted().len() <= COUNTED);
    assert_eq!(busiest[0].0, IpAddr::from([0, 0, 0, 7]));
    assert_eq!(busiest[0].1.total(), 1000);
    assert_eq!(hits.ports.sorted()[0].0, (6, 443));
    assert_eq!(hits.total.total(), 101_000);
    assert!(hits.addresses.error() <= 101_000 / COUNTED as u64);
    assert!(serde_json::to_vec(&hits).unwrap().len() < 1 << 20);

    // and what was counted for those that went is in the sum of all others, also over a restart
    let text = serde_json::to_vec(&hits).unwrap();
    let hits: Hits = serde_json::from_slice(&text).unwrap();
    for most in [0, 20, usize::MAX] {
        let (ports, others) = hits.ports.split(most);
        assert_eq!(ports.len(), most.min(hits.ports.sorted().len()));
        let named: u64 = ports.iter().map(|(_, count, ())| count.total()).sum();
        assert_eq!(named + others.total(), hits.total.total(), "{most}");
    }
}
