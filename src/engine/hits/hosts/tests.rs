use super::*;

fn host(last: u8) -> IpAddr {
    IpAddr::from([10, 0, 0, last])
}

const FAR: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 7));

/// Who sent comes first, also when he was sent to far more seldom than others.
#[test]
fn who_sent_comes_first() {
    let mut hosts = Hosts::default();
    for at in 0..5 {
        hosts.add(host(1), Direction::In, at, Some(FAR));
    }
    hosts.add(host(2), Direction::Out, 7, Some(FAR));
    hosts.add(host(2), Direction::In, 9, None);
    let sorted = hosts.sorted();
    let both = Count { r#in: 1, out: 1, last: 9 };
    assert_eq!(sorted[0], Host { address: host(2), count: both, far: None });
    let entered = Count { r#in: 5, out: 0, last: 4 };
    assert_eq!(sorted[1], Host { address: host(1), count: entered, far: Some(FAR) });
    assert_eq!(hosts.suspects(86_407), (1, Some(host(2))));
    assert_eq!(hosts.suspects(86_408), (0, None), "what came in makes nobody suspect");
    assert_eq!(hosts.suspects(u64::MAX), (0, None));
}

/// A scan of two hundred thousand of our addresses, in which one host answers the call of a listed address once.
#[test]
fn a_scan_hides_no_host() {
    let mut hosts = Hosts::default();
    hosts.add(host(23), Direction::Out, 1, Some(FAR));
    for number in 0..200_000_u32 {
        let target = std::net::Ipv4Addr::from(0x0a01_0000 + number).into();
        hosts.add(target, Direction::In, 2, Some(FAR));
    }
    let sorted = hosts.sorted();
    assert_eq!((sorted.len(), sorted[0].address), (HOSTS, host(23)));
    assert_eq!(hosts.suspects(0), (1, Some(host(23))));
    assert!(hosts.error() <= 200);
}
