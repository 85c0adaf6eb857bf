use pflog::Direction;

use super::*;
use crate::hits::Hit;

/// A packet that a host has sent at a time, to a port.
fn sent(day: &mut Day, host: [u8; 4], at: u32, port: u16) {
    let hit = Hit {
        address: Some([198, 51, 100, at as u8].into()),
        host: Some(host.into()),
        way: Direction::Out,
        tables: &[],
        lists: &["basic"],
        direction: Direction::Out,
        protocol: Some(6),
        port: Some(port),
        at,
    };
    day.add(&hit, ["block"].into_iter());
}

/// What was counted on several days is together, the busiest first, and of equal ones the latest.
#[test]
fn days_are_added_up() {
    let mut days = [Day::default(), Day::default()];
    let [one, two] = [[10, 0, 0, 1], [10, 0, 0, 2]];
    (1..=3).for_each(|at| sent(&mut days[0], one, at, 22));
    (4..=5).for_each(|at| sent(&mut days[0], two, at, 443));
    (6..=7).for_each(|at| sent(&mut days[1], two, at, 443));
    sent(&mut days[1], two, 8, 22);
    let days: Vec<&Day> = days.iter().collect();
    let ports: Vec<(u16, u64, u32)> = busiest(&days, |day| &day.ports)
        .map(|((_, port), count)| (port, count.total(), count.last))
        .collect();
    assert_eq!(ports, [(22, 4, 8), (443, 4, 7)]);
    let hosts = hosts(&days);
    let shown: Vec<(String, u64, u64, Option<IpAddr>)> = hosts
        .iter()
        .map(|host| (host.address.to_string(), host.out, host.last, host.far))
        .collect();
    let far = |n| Some([198, 51, 100, n].into());
    assert_eq!(shown, [("10.0.0.2".into(), 5, 8, far(8)), ("10.0.0.1".into(), 3, 3, far(3))]);
}

/// A day of which nothing is known has its date alone, and one on which the packet log was not followed
/// no hits.
#[test]
fn what_is_not_known_of_a_day_is_absent() {
    let number = 20_779;
    let unknown = day(&Seen { number, day: None, counted: false });
    assert_eq!(unknown, DayReport { date: "2026-11-22".into(), ..DayReport::default() });
    let known = Day::default();
    let shown = day(&Seen { number, day: Some(&known), counted: false });
    assert_eq!(
        (shown.r#in, shown.suspects, shown.runs.map(|runs| runs.good)),
        (None, None, Some(0))
    );
    let shown = day(&Seen { number, day: Some(&known), counted: true });
    assert_eq!((shown.r#in, shown.out, shown.suspects), (Some(0), Some(0), Some(0)));
}
