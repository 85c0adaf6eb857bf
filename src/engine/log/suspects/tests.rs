use pflog::Direction;

use super::*;

fn hit(host: u32, at: u32) -> Hit<'static> {
    Hit {
        address: Some([198, 51, 100, 7].into()),
        host: Some(std::net::Ipv4Addr::from(0x0a00_0000 + host).into()),
        way: Direction::Out,
        tables: &[],
        lists: &["basic"],
        direction: Direction::Out,
        protocol: None,
        port: None,
        at,
    }
}

/// A thousand hosts within the hour are twenty events and one more, and those of the next hour are told
/// of again; what is of yesterday is not.
#[test]
fn a_flood_of_hosts_is_told_in_a_few_words() {
    let dir = tempfile::tempdir().unwrap();
    let events = Events::load(dir.path());
    let mut suspects = Suspects::default();
    const NOW: u32 = 1_700_000_000;
    for host in 0..1000 {
        suspects.add(&hit(host, NOW));
        if host % 7 == 0 {
            suspects.tell(&events, NOW.into());
        }
    }
    suspects.tell(&events, NOW.into());
    assert_eq!(events.next() - 1, 21);
    let first = events.get(1).unwrap();
    assert_eq!(
        (first.event.as_str(), first.subject.as_deref()),
        ("new suspect host", Some("10.0.0.0"))
    );
    let text = "host 10.0.0.0 sends to a blocked address: 198.51.100.7, listed by basic \
                (threatstopctl show hits)";
    assert_eq!(first.text, text);
    assert_eq!(events.get(21).unwrap().subject, None);

    suspects.add(&hit(1, NOW + 3600));
    suspects.add(&hit(2, NOW - 90_000));
    suspects.tell(&events, u64::from(NOW) + 3600);
    assert_eq!(events.next() - 1, 22);
    assert_eq!(events.get(22).unwrap().subject.as_deref(), Some("10.0.0.1"));
}
