use control::{AddressHits, ListHits, ProtocolHits};

use super::*;
use crate::narrow::WIDE;

fn hits() -> Hits {
    Hits {
        since: 940,
        monitoring: false,
        r#in: 34,
        out: 1,
        addresses: vec![AddressHits {
            address: "198.51.100.7".parse().unwrap(),
            r#in: 34,
            out: 1,
            last: 990,
            lists: vec!["basic.threatstop.local".into()],
        }],
        lists: vec![ListHits { list: "basic.threatstop.local".into(), r#in: 34, out: 1 }],
        protocols: vec![ProtocolHits { protocol: "tcp".into(), r#in: 34, out: 1 }],
        ports: vec![PortHits { protocol: "tcp".into(), port: 22, r#in: 34, out: 1 }],
        hosts: vec![HostHits {
            address: "10.0.0.23".parse().unwrap(),
            out: 1,
            r#in: 0,
            last: 990,
            far: Some("198.51.100.7".parse().unwrap()),
            lists: vec!["basic.threatstop.local".into()],
        }],
        missed: Missed::default(),
    }
}

#[test]
fn one_table_for_each() {
    let expected = "\
counting since:  1m ago
packets:         34 in, 1 out

host       out  in  last     with          listed by
10.0.0.23    1   0  10s ago  198.51.100.7  basic.threatstop.local

list                    in  out
basic.threatstop.local  34    1

protocol  in  out
tcp       34    1

port    in  out
22/tcp  34    1

address       in  out  last     listed by
198.51.100.7  34    1  10s ago  basic.threatstop.local
";
    assert_eq!(render(&hits(), 1000, WIDE), expected);
    assert_eq!(
        render(&Hits::default(), 0, WIDE),
        "counting since:  0s ago\npackets:         0 in, 0 out\n"
    );
}

/// With tables.monitor the first line says that nothing is blocked.
#[test]
fn what_would_have_been_blocked_is_called_so() {
    let text = render(&Hits { monitoring: true, ..hits() }, 1000, WIDE);
    let line =
        "monitoring: these packets would have been blocked; with tables.monitor nothing is\n\n";
    assert_eq!(text.strip_prefix(line), Some(render(&hits(), 1000, WIDE).as_str()));
}

/// Fails when numbers that are not exact are shown as if they were.
#[test]
fn it_is_said_how_exact_numbers_are() {
    let missed = Missed { addresses: 12, ports: 0, hosts: 3 };
    let text = render(&Hits { missed, ..hits() }, 1000, WIDE);
    assert!(text.contains("\nnot counted:     at most 12 of an address, 3 of a host\n"), "{text}");
}

/// Fails when long names make the lines longer than a terminal is wide.
#[test]
fn long_names_of_lists_are_cut() {
    let mut hits = hits();
    let name = |n: u32| format!("list{n}{}.org", "x".repeat(100));
    hits.lists = vec![ListHits { list: name(1), r#in: 34, out: 1 }];
    hits.hosts[0].lists = vec![name(1)];
    hits.addresses[0].lists = vec![name(1), name(2)];
    let text = render(&hits, 1000, WIDE);
    assert!(text.lines().all(|line| line.chars().count() <= WIDE), "{text}");
    assert!(text.contains("  2 lists\n") && text.matches("list1xxx").count() == 2, "{text}");
    // in a pipe or a file, where there is room
    let whole = render(&hits, 1000, usize::MAX);
    let both = format!("  {}, {}\n", name(1), name(2));
    assert!(whole.contains(&both) && whole.matches(&name(1)).count() == 3, "{whole}");
}
