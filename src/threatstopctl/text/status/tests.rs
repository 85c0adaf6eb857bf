use control::{Attempt, HeldReason, ListStatus, PfStatus, Spool, Update, Upload};

use super::*;
use crate::narrow::WIDE;
use crate::tests::{NOW, full_status};

/// The full status without anything that is wrong.
fn good_status() -> Status {
    let mut status = full_status();
    status.pf.warnings.clear();
    status.pf.ways_out.clear();
    status.pf.mended.clear();
    status.pf.error = None;
    status.held.clear();
    status.suspects = Suspects::default();
    for source in &mut status.sources {
        (source.state, source.error) = (SourceState::Good, None);
        source.lists.iter_mut().for_each(|list| list.state = SourceState::Good);
    }
    status.servers[1].last = None;
    if let Some(last) = &mut status.update.last {
        last.why = None;
    }
    status.update.failures = 0;
    status.upload.failing = None;
    (status.upload.gaps, status.upload.damaged) = (0, 0);
    status
}

#[test]
fn everything_is_as_it_should_be() {
    let text = "\
ok: blocking 26424 prefixes, policy 12m old, log confirmed 3m ago

version  service up  engine up  restarts  pf       table-entries limit
0.1.0    3h 12m      5m                2  enabled               200000

table             entries  changed    packets in/out  used by
ThreatSTOP-Block    26424  12m ago           1234/56  2 rules, 1 anchor
ThreatSTOP-Allow        1  2d 1h ago             7/8  1 rule

run     state  last     result              last good  next
update  idle   12m ago  published in 0.31s  12m ago    in 47m
upload  on     3m ago   confirmed           3m ago     in 12m

server          state          asked    at
192.124.129.42  ready          12m ago  192.124.129.42:53
ns.example.net  not asked yet

spool     used        dropped
2 slices  12K of 64M        0
";
    assert_eq!(render(&good_status(), NOW, WIDE), text);
    assert!(text.lines().all(|line| line.len() <= 80));
    assert!(good_status().is_well());
}

/// Fails when the verdict is not the first line, or a sentence stands twice.
#[test]
fn what_is_wrong_comes_first_with_its_way_out() {
    let mut status = full_status();
    status.pf.enabled = Some(false);
    status.update.state = "failing".into();
    status.pf.warnings.push("the policy is 4 hours old: no answer".into());
    status.pf.ways_out.push("threatstopctl test tries servers and lists".into());
    if let Some(last) = &mut status.update.last {
        last.result = "failed".into();
        last.why = Some("no answer".into());
    }
    if let Some(last) = &mut status.upload.last {
        (last.ok, last.text) = (false, "connection refused".into());
    }
    let text = "\
warning: pf is disabled: nothing is blocked
         pfctl -e, and rcctl enable pf for the next boot
warning: the policy is 4 hours old: no answer
         threatstopctl test tries servers and lists

version  service up  engine up  restarts  pf        table-entries limit
0.1.0    3h 12m      5m                2  disabled               200000
limits could not be read

table             entries  changed    packets in/out  used by
ThreatSTOP-Block    26424  12m ago           1234/56  2 rules, 1 anchor
ThreatSTOP-Allow        1  2d 1h ago             7/8  1 rule
mended 5m ago: pf table <B> had been changed
suspect hosts: 2 in the last day, such as 10.0.0.23

run     state    last     result                       last good  next
update  failing  12m ago  failed in 0.31s, 3 in a row  12m ago    in 47m
upload  on       3m ago   failed                       3m ago     in 12m
upload: connection refused

server          state    asked    at                   failures
ns.example.net  failing  5s ago   [2001:db8::53]:5353         1
192.124.129.42  ready    12m ago  192.124.129.42:53

source       state    asked    last good   lists   why
policy       held     12m ago  12m ago     1 of 2
local_block  failing  12m ago  3h 12m ago          /etc/mine:2: 8.0.0.3/33: longer than 32

spool     used        dropped  gaps in the log  damaged files
2 slices  12K of 64M        0                1              2

held back                    since      why
list basic.threatstop.local  1h 5m ago  Keeping the previous list basic.threatstop.local: 26424 -> 12 entries, more than 50 % fewer (update -f to accept)
block table                  1h 5m ago  Keeping the previous block list: 30000 -> 12 entries, more than 50 % fewer (update -f to accept)
";
    assert_eq!(render(&status, NOW, WIDE), text);
    assert!(!status.is_well());
}

#[test]
fn what_is_not_known_is_called_so() {
    let mut status = good_status();
    status.pf = PfStatus {
        enabled: None,
        backend: "simulated".into(),
        reload: true,
        limit: None,
        error: None,
        warnings: vec!["no policy yet, nothing is blocked".into()],
        ways_out: vec!["threatstopctl test tries servers and lists".into()],
        mended: Vec::new(),
    };
    status.engine.restarts = None;
    for table in &mut status.tables {
        (table.present, table.entries, table.changed) = (None, None, None);
        (table.blocked_packets, table.passed_packets, table.used) = (None, None, None);
    }
    status.tables[0].present = Some(false);
    status.update = Update {
        state: "waiting for provisioning".into(),
        last: None,
        last_good: None,
        next: Some(NOW),
        failures: 0,
    };
    status.upload = Upload {
        enabled: false,
        off: None,
        last: None,
        last_good: None,
        next: None,
        failing: None,
        gaps: 0,
        damaged: 0,
    };
    status.servers.clear();
    status.spool = Spool::default();
    let text = "\
warning: no policy yet, nothing is blocked
         threatstopctl test tries servers and lists

version  service up  engine up  pf                   table-entries limit
0.1.0    3h 12m      5m         unknown (simulated)              unknown

table               entries  changed  packets in/out  used by
ThreatSTOP-Block  not in pf  never           unknown  unknown
ThreatSTOP-Allow    unknown  never           unknown  unknown

run     state    last   last good  next
update  waiting  never  never      now
upload  off      never  never
";
    assert_eq!(render(&status, NOW, WIDE), text);
}

fn first_line(status: &Status) -> String {
    render(status, NOW, WIDE).lines().next().unwrap_or_default().to_owned()
}

#[test]
fn the_verdict_says_how_well_it_is() {
    let mut status = good_status();
    status.upload.last_good = None;
    status.upload.last = None;
    assert_eq!(first_line(&status), "ok: blocking 26424 prefixes, policy 12m old, no log sent yet");
    status.upload.enabled = false;
    assert_eq!(first_line(&status), "ok: blocking 26424 prefixes, policy 12m old");
    status.held = full_status().held;
    assert_eq!(
        first_line(&status),
        "ok: blocking 26424 prefixes, policy 12m old, 2 lists or tables held back"
    );
    status.held.truncate(1);
    assert_eq!(
        first_line(&status),
        "ok: blocking 26424 prefixes, policy 12m old, list basic.threatstop.local held back"
    );
    status.sources.remove(0);
    assert!(first_line(&status).starts_with("ok: blocking 26424 prefixes, lists 12m old, "));
    status.sources = good_status().sources;
    status.held[0].reason = HeldReason::Rollback;
    status.pf.reload = false;
    assert_eq!(
        first_line(&status),
        "ok: 26424 prefixes in the files, pf is left alone, policy 12m old, rolled back"
    );
    let mut status = good_status();
    status.upload.last = Some(Attempt { at: NOW, ok: false, text: "no".into() });
    status.upload.failing = Some(NOW - 7200);
    assert_eq!(
        first_line(&status),
        "ok: blocking 26424 prefixes, policy 12m old, log failing for 2h"
    );
}

/// Fails when many tables, servers, sources and held lists make the page long.
#[test]
fn a_dozen_lines_whatever_is_configured() {
    let mut status = good_status();
    let block = TableStatus { direction: Direction::In, ..status.tables[0].clone() };
    status.tables.extend(vec![block; 14]);
    let mut server = status.servers[0].clone();
    status.servers = vec![server.clone(); 15];
    if let Some(last) = &mut server.last {
        last.error = Some("no answer".into());
    }
    status.servers.push(server);
    let text = render(&status, NOW, WIDE);
    assert!(text.lines().filter(|line| !line.is_empty()).count() <= 20, "{text}");
    assert!(text.contains("\n12 more tables with 317088 entries\n"), "{text}");
    assert!(text.contains("\n12 more servers, none of them failing\n"), "{text}");
    assert!(text.contains("no answer"), "the one that fails is shown: {text}");
    assert!(text.starts_with("ok: blocking 396360 prefixes, "), "{text}");
    assert!(!text.contains("source "), "they are good: {text}");

    let bad = full_status();
    let held = Held { list: Some("a.list".into()), ..bad.held[0].clone() };
    status.held = vec![held; 64];
    let list = ListStatus { name: "a.list".into(), ..bad.sources[0].lists[1].clone() };
    let source = SourceStatus { lists: vec![list; 20], ..bad.sources[0].clone() };
    status.sources.extend(vec![source; 20]);
    let text = render(&status, NOW, WIDE);
    assert!(text.lines().filter(|line| !line.is_empty()).count() <= 32, "{text}");
    assert!(text.contains("\npolicy  held   12m ago  12m ago    20 of 20\n"), "{text}");
    assert!(text.contains("\n16 more sources like these, 2 are good: threatstopctl show lists\n"));
    assert!(text.contains("\n60 more are held back: threatstopctl show lists\n"), "{text}");
    let verdict = text.lines().next().unwrap_or_default();
    assert!(verdict.ends_with(", 64 lists or tables held back"), "{text}");
}

/// Fails when it is not to be seen that nobody has been asked yet.
#[test]
fn a_source_that_was_not_asked_yet_is_called_so() {
    let mut status = good_status();
    let source = &mut status.sources[0];
    (source.last, source.last_good, source.state) = (None, None, SourceState::Failing);
    let text = render(&status, NOW, WIDE);
    assert!(text.contains("\npolicy  not asked yet  never  never      0 of 2\n"), "{text}");
}

#[test]
fn a_sentence_cannot_pretend_to_be_a_line_of_its_own() {
    let mut status = good_status();
    status.held = full_status().held;
    status.held[0].text = "refused\nupdate  idle".into();
    status.pf.warnings = vec!["a\nok: b".into()];
    let text = render(&status, NOW, WIDE);
    assert!(text.contains("refused?update  idle\n") && text.starts_with("warning: a?ok: b\n"));
}

/// Fails when long names make the lines longer than a terminal is wide, but for reasons, which are whole.
#[test]
fn long_names_are_cut() {
    let mut status = full_status();
    let why = "x ".repeat(100).trim_end().to_owned();
    for (table, begin) in status.tables.iter_mut().zip(["A", "B"]) {
        table.name = begin.to_owned() + &"2345678901".repeat(3);
        (table.direction, table.blocked_packets) = (Direction::In, Some([12_345_678; 2]));
    }
    status.sources[1].name = "y".repeat(200);
    status.sources[1].error = Some(why.clone());
    let text = render(&status, NOW, WIDE);
    for begin in ["A234", "B234", "yyyy"] {
        let line = text.lines().find(|line| line.starts_with(begin)).unwrap();
        assert!(line.trim_end_matches(&why).trim_end().len() <= WIDE, "{line}");
    }
    assert!(text.contains(&why), "{text}");
}
