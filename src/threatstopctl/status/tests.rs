use super::*;
use crate::tests::{NOW, full_status};

#[test]
fn everything_is_as_it_should_be() {
    let text = "\
version:        0.1.0, up 3h 12m
pf:             enabled, table-entries limit 200000
block table:    ThreatSTOP-Block, 26424 entries, changed 12m ago
block rules:    2 rules, 1 anchor
block packets:  blocked 1234 in, 56 out; passed 0 in, 0 out
allow table:    ThreatSTOP-Allow, 1 entry, changed 2d 1h ago
allow rules:    1 rule
allow packets:  blocked 0 in, 0 out; passed 7 in, 8 out
update:         idle, last good 12m ago, next in 47m
last update:    published, 12m ago, took 0.31s, from 192.124.129.42:53, ttl 2h
upload:         enabled, last good 3m ago, next in 12m
last upload:    confirmed, 3m ago
server:         192.124.129.42, answered 12m ago as 192.124.129.42:53
server:         ns.example.net, not asked yet
spool:          2 slices, 12K of 64M, 0 dropped
";
    let mut status = full_status();
    status.pf.warnings.clear();
    status.pf.error = None;
    status.held.clear();
    status.servers[1].last = None;
    if let Some(last) = &mut status.update.last {
        last.why = None;
    }
    status.update.failures = 0;
    (status.upload.gaps, status.upload.damaged) = (0, 0);
    assert_eq!(render(&status, NOW), text);
    assert!(text.lines().all(|line| line.len() <= 80));
}

#[test]
fn what_is_wrong_comes_first_or_below_its_topic() {
    let mut status = full_status();
    status.pf.enabled = Some(false);
    status.update.state = "held back".into();
    if let Some(last) = &mut status.update.last {
        last.result = "held back".into();
    }
    if let Some(last) = &mut status.upload.last {
        (last.ok, last.text) = (false, "connection refused".into());
    }
    let text = "\
warning:        pf is disabled: nothing is blocked
version:        0.1.0, up 3h 12m
pf:             disabled, table-entries limit 200000
                limits could not be read
block table:    ThreatSTOP-Block, 26424 entries, changed 12m ago
block rules:    2 rules, 1 anchor
block packets:  blocked 1234 in, 56 out; passed 0 in, 0 out
allow table:    ThreatSTOP-Allow, 1 entry, changed 2d 1h ago
allow rules:    1 rule
allow packets:  blocked 0 in, 0 out; passed 7 in, 8 out
update:         held back, 3 failures, last good 12m ago, next in 47m
last update:    held back, 12m ago, took 0.31s, from 192.124.129.42:53, ttl 2h
                26424 -> 12 entries
upload:         enabled, last good 3m ago, next in 12m
packet log:     1 gap, 2 damaged files
last upload:    failed, 3m ago
                connection refused
server:         192.124.129.42, answered 12m ago as 192.124.129.42:53
server:         ns.example.net, failed 5s ago as [2001:db8::53]:5353, 1 failure in a row
                no answer
spool:          2 slices, 12K of 64M, 0 dropped
held back:      block, 1h 5m ago
                Keeping the previous block list: 26424 -> 12 entries, more than 50 % fewer (update -f to accept)
";
    assert_eq!(render(&status, NOW), text);
}

#[test]
fn what_is_not_known_is_called_so() {
    let unknown = |name: &str| TableStatus {
        name: name.into(),
        present: None,
        entries: None,
        changed: None,
        blocked_packets: None,
        passed_packets: None,
        used: None,
    };
    let mut status = full_status();
    status.pf = PfStatus {
        enabled: None,
        backend: "simulated".into(),
        limit: None,
        error: None,
        warnings: Vec::new(),
    };
    status.tables.block = TableStatus { present: Some(false), ..unknown("ThreatSTOP-Block") };
    status.tables.allow = unknown("ThreatSTOP-Allow");
    status.update = Update {
        state: "waiting for provisioning".into(),
        last: None,
        last_good: None,
        next: Some(NOW),
        failures: 0,
    };
    status.upload =
        Upload { enabled: false, last: None, last_good: None, next: None, gaps: 0, damaged: 0 };
    status.servers.clear();
    status.spool = Spool::default();
    status.held.clear();
    let text = "\
version:        0.1.0, up 3h 12m
pf:             unknown (simulated), table-entries limit unknown
block table:    ThreatSTOP-Block, not in pf
block rules:    unknown
block packets:  blocked unknown; passed unknown
allow table:    ThreatSTOP-Allow, unknown
allow rules:    unknown
allow packets:  blocked unknown; passed unknown
update:         waiting for provisioning, last good never, next now
last update:    never
upload:         disabled, last good never
last upload:    never
spool:          0 slices, 0 of 0, 0 dropped
";
    assert_eq!(render(&status, NOW), text);
}

#[test]
fn a_sentence_cannot_pretend_to_be_a_topic() {
    let mut status = full_status();
    status.held[0].text = "refused\nupdate:         idle".into();
    let text = render(&status, NOW);
    assert!(text.contains("refused?update:         idle\n"), "{text}");
}
