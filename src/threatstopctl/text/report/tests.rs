use control::{
    DayTable, ListHits, PortHits, ProtocolHits, RunCounts, SourceState, TableKind, TableSize,
    Trouble, Warned,
};

use super::*;
use crate::tests::full_report;

/// The text without other options in commands; none of its lines is too long.
#[track_caller]
fn text(of: &Report) -> String {
    let text = render(of, &Advice::default(), WIDE);
    let long = text.lines().find(|line| line.chars().count() > WIDE);
    assert!(long.is_none(), "{long:?}");
    assert!(text.lines().all(|line| line == line.trim_end()), "{text}");
    assert!(!text.contains("\n\n\n") && text.ends_with('\n'), "{text}");
    text
}

/// Nothing is known, and nothing is configured.
fn nothing(period: u32) -> Report {
    let day = |day| DayReport { date: format!("2026-10-{day:02}"), ..DayReport::default() };
    Report {
        period,
        verdict: "ok: blocking 0 prefixes, policy of unknown age".into(),
        days: (1..=period).map(day).collect(),
        ..Report::default()
    }
}

#[test]
fn everything_that_there_is_has_its_place() {
    let expected = "\
warning: pf is disabled: nothing is blocked
         pfctl -e, and rcctl enable pf for the next boot

2 days, 2026-11-17 to 2026-11-18: 12345 packets blocked in, 7 out.
Runs: 21 good, 2 failed, 1 held back. Uploads: 90 confirmed, 6 failed.

table             entries  change  added  deleted  addresses  change  v6 /32
ThreatSTOP-Block    26424     +12     35       23    6764544   +3072      12

day            in  out  hosts  added  deleted  runs  failed  held
2026-11-17      -    -      -      -        -     -       -     -
2026-11-18  12345    7      1     35       23    24       2     1

list                    entries     in  out  renewed  state
basic.threatstop.local    26424  12000    7        3  held
unlisted                           345    0

protocol     in  out
tcp       12345    7

port       in  out
22/tcp  12345    7

suspect host  out  in  last              with
10.0.0.23       7   2  2026-11-18 11:48  198.51.100.7

Not counted: at most 1 of a list, 12 of a port, 3 of a host.

Not kept any more: 8 events of before, see the log.
Left out: 4 failures before these, see the log.
2026-11-18 10:55 held: Keeping the previous list basic.threatstop.local: 26424
  -> 12 entries, more than 50 % fewer (update -f to accept)
";
    assert_eq!(text(&full_report()), expected);
}

/// Where nothing is known, that is said, and no table stands empty.
#[test]
fn nothing_is_said_in_few_lines() {
    let expected = "\
ok: blocking 0 prefixes, policy of unknown age

1 day, 2026-10-01: packets were not counted, for the packet log is not followed.

day         in  out  hosts  added  deleted  runs  failed  held
2026-10-01   -    -      -      -        -     -       -     -

Nothing failed or was held back.
";
    assert_eq!(text(&nothing(1)), expected);
    let quiet = Report { r#in: Some(0), out: Some(0), ..nothing(35) };
    let said = text(&quiet);
    assert!(said.contains("\n35 days, 2026-10-01 to 2026-10-35: 0 packets blocked in, 0 out.\n"));
    assert!(said.contains("\nNo host on this side has sent to an address in a block table.\n"));
    assert_eq!(said.lines().filter(|line| line.starts_with("2026-10-")).count(), 35);
    // what fails since before is not said to be good
    let runs = RunCounts { good: 0, failed: 24, held: 0 };
    let said = text(&Report { runs, ..nothing(1) });
    assert!(!said.contains("Nothing failed") && said.contains("0 good, 24 failed"), "{said}");
}

/// With tables.monitor nobody can take what was counted for blocked.
#[test]
fn what_would_have_been_blocked_is_called_so() {
    let said = text(&Report { monitoring: true, ..full_report() });
    let expected = "2 days, 2026-11-17 to 2026-11-18: 12345 packets in and 7 out would have been \
                    blocked; with tables.monitor nothing is.";
    assert!(said.split_whitespace().collect::<Vec<_>>().join(" ").contains(expected), "{said}");
    assert!(!said.contains("packets blocked"), "{said}");
}

/// A month in which everything is as large and as long as it can be, with names that are made to mislead.
#[test]
fn whatever_names_and_numbers_are_lines_stay_short() {
    let evil = |n: usize| format!("\u{1b}[31m{n}<script>\u{7}\r\n{}{n}", "x".repeat(230));
    let size = TableSize { entries: 20_000_000, v4: Some(1 << 32), v6: Some(536_870_912) };
    let mut report = nothing(35);
    (report.r#in, report.out) = (Some(u64::MAX), Some(u64::MAX));
    report.warnings = vec![
        Warned { text: evil(1), way_out: "threatstopctl test tries servers and lists".into() },
        Warned { text: "x".repeat(900), way_out: "y ".repeat(300) },
    ];
    for day in &mut report.days {
        (day.r#in, day.out, day.suspects) = (Some(u64::MAX), Some(u64::MAX), Some(64));
        day.runs = Some(RunCounts { good: u64::MAX / 4, failed: 1_000_000, held: 1_000_000 });
        day.tables = vec![DayTable { table: evil(1), size, added: u64::MAX, deleted: u64::MAX }];
    }
    let table = |n| TableReport {
        table: evil(n),
        name: evil(n),
        kind: TableKind::Block,
        size: Some(size),
        before: Some(TableSize { entries: 0, v4: Some(0), v6: Some(0) }),
        added: u64::MAX,
        deleted: u64::MAX,
    };
    report.tables = (0..16).map(table).collect();
    let list = |n| ListReport {
        list: evil(n),
        source: evil(n),
        table: evil(n),
        entries: Some(u64::MAX),
        r#in: Some(u64::MAX / 100),
        out: Some(u64::MAX / 100),
        renewed: u64::MAX,
        state: SourceState::Failing,
    };
    report.lists = (0..60).map(list).collect();
    report.others = vec![ListHits { list: evil(1000), r#in: u64::MAX / 4, out: u64::MAX / 4 }];
    report.protocols = vec![ProtocolHits { protocol: evil(1), r#in: u64::MAX, out: u64::MAX }];
    let port = |port| PortHits { protocol: "ipv6-icmp".into(), port, r#in: u64::MAX, out: 0 };
    report.ports = (65_500..65_520).map(port).collect();
    let host = |n: u8| SuspectHost {
        address: [0xfd00, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, n.into()].into(),
        out: u64::MAX,
        r#in: u64::MAX,
        last: 0,
        date: "2026-10-01 12:00".into(),
        far: Some([0x2a00, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, n.into()].into()),
    };
    (report.hosts, report.suspects) = ((0..20).map(host).collect(), 99);
    let trouble = |n| Trouble {
        time: 0,
        date: "2026-10-01 12:00".into(),
        event: "upload failing".into(),
        text: evil(n),
    };
    report.failures = (0..100).map(trouble).collect();
    let said = text(&report);
    let plain = |c: char| c == '\n' || !c.is_control();
    assert!(said.chars().all(plain), "{said:?}");
    assert!(said.starts_with("warning: ?[31m1<script>???xxx"), "{said}");
    assert!(said.contains("\n         threatstopctl test tries servers and lists\n"), "{said}");
    assert!(said.contains("\n41 more lists: threatstopctl show lists\n"), "{said}");
    assert!(said.contains("\n89 more suspect hosts\n"), "{said}");
    assert!(said.contains("\nLeft out: 80 failures before these, see the log.\n"), "{said}");
    assert!(said.contains("  last\n") && said.contains("fd00:ffff:"), "the far end is left out");
}

/// A table without a set before it has come as a whole, one that was not measured says so, and one that
/// has lost something is not said to have grown.
#[test]
fn changes_are_told_apart_from_what_is_unknown() {
    let of = |entries, v4| Some(TableSize { entries, v4, v6: Some(0) });
    let table = |name: &str, size, before| TableReport {
        table: name.into(),
        name: name.into(),
        kind: TableKind::Block,
        size,
        before,
        added: 0,
        deleted: 0,
    };
    let all = [
        table("new", of(7, Some(70)), None),
        table("less", of(7, Some(70)), of(9, Some(1000))),
        table("same", of(7, Some(70)), of(7, Some(70))),
        table("old", of(7, Some(70)), of(8, None)),
        table("none", None, None),
    ];
    let expected = "\
table  entries  change  added  deleted  addresses  change
new          7      +7      0        0         70     +70
less         7      -2      0        0         70    -930
same         7              0        0         70
old          7      -1      0        0         70       -
none         -              0        0          -
";
    assert_eq!(tables(&all, WIDE), expected);
}
