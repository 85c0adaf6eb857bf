//! The checks against recorded situations, each of which differs from one that is in order in a
//! single thing.

use std::fs;

use control::{ListStatus, SourceKind, SourceState, SourceStatus};
use serde_json::Value;

use super::host::Kind;
use super::report::Verdict;
use super::*;
use crate::client::ClientError;

mod filter;
mod recorded;

use recorded::{ALLOW, BLOCK, CONFIG, NOW, Recorded, dated, file};

/// A document with all there can be.
pub fn document() -> Value {
    let mut report = Report::default();
    report.ok("pf", "pf is enabled");
    report.document()
}

fn report(host: &Recorded) -> Report {
    examine(host, Path::new(CONFIG)).unwrap()
}

/// What is not in order, without its verdict and word.
fn texts(report: &Report, wanted: Verdict) -> Vec<&str> {
    let of = report.findings.iter().filter(|finding| finding.verdict == wanted);
    of.map(|finding| finding.text.as_str()).collect()
}

/// Asserts that a change to the situation that is in order makes these checks fail and no others,
/// and that there are no notes.
#[track_caller]
fn assert_fails(change: impl FnOnce(&mut Recorded), wanted: &[&str]) {
    let mut host = Recorded::fine();
    change(&mut host);
    let report = report(&host);
    assert_eq!(texts(&report, Verdict::Fail), wanted);
    assert_eq!(texts(&report, Verdict::Note), [""; 0]);
}

/// The same for notes: nothing fails.
#[track_caller]
fn assert_notes(change: impl FnOnce(&mut Recorded), wanted: &[&str]) {
    let mut host = Recorded::fine();
    change(&mut host);
    let report = report(&host);
    assert_eq!(texts(&report, Verdict::Note), wanted);
    assert_eq!(texts(&report, Verdict::Fail), [""; 0]);
}

/// tables.kill_states: who mends things should not be the first whose states end.
#[test]
fn a_session_that_could_be_cut() {
    let with =
        |more: &str| format!("device_id = \"tdid_abcd1234\"\n[tables]\nkill_states = true\n{more}");
    let note = "tables.kill_states is true and guard.never_block empty: a list in error would cut \
                the session that could mend it: put the addresses that this host is administered \
                from into never_block";
    let set = |host: &mut Recorded, more: &str| {
        host.text(CONFIG, &with(more));
        host.exits(STATES, 0, "");
    };
    assert_notes(|host| set(host, ""), &[note]);
    let protects = "[guard]\nnever_block = [\"198.51.100.7\"]\n";
    assert_notes(|host| set(host, protects), &[]);
    let nothing = "tables.kill_states is true and tables.reload false: pf gets nothing that states \
                   could end for: set tables.reload to true, or tables.kill_states to false";
    assert_notes(|host| host.text(CONFIG, &with("reload = false\n")), &[nothing]);
}

/// How it is asked whether there is what ends states.
const STATES: &str = "/usr/bin/pgrep threatstopd-sta";

/// It has died, and updates go on without it: only here is that said as long as it is so.
#[test]
fn what_ends_states_is_looked_for() {
    let text = "device_id = \"tdid_abcd1234\"\n[tables]\nkill_states = true\n\
                [guard]\nnever_block = [\"198.51.100.7\"]\n";
    let with = |status| {
        move |host: &mut Recorded| {
            host.text(CONFIG, text);
            host.exits(STATES, status, "pgrep: no\n");
        }
    };
    assert_fails(with(0), &[]);
    assert_fails(
        with(1),
        &["threatstopd-states is not running: states of what becomes blocked do not end: \
           threatstopctl reload starts it again, threatstopctl flush ends them now"],
    );
    assert_fails(with(3), &["pgrep threatstopd-sta: pgrep: no"]);
}

#[test]
fn everything_is_in_order() {
    let report = report(&Recorded::fine());
    let lines = [
        ("daemon", concat!("threatstopd ", env!("CARGO_PKG_VERSION"), " answers, up 3h 12m")),
        ("config", "/etc/threatstopd.toml is in order"),
        ("user", "user _threatstop exists"),
        ("directory", "directory /var/db/threatstop is in order"),
        ("file", "/var/db/threatstop/ThreatSTOP-Allow.pftable has 1 prefix"),
        ("file", "/var/db/threatstop/ThreatSTOP-Block.pftable has 4 prefixes"),
        ("pf", "pf is enabled"),
        ("limit", "table-entries limit 400000 is enough for 2 x 5"),
        ("rules", "rules refer to the tables, and log"),
        ("table", "pf table <ThreatSTOP-Allow> is equal to its file (1)"),
        ("table", "pf table <ThreatSTOP-Block> is equal to its file (4)"),
        ("state", "directory /var/threatstop is in order"),
        ("log", "/var/log/pflog was written 42s ago"),
        ("log", "pflogd is running"),
        ("ca_file", "/etc/ssl/cert.pem has certificates"),
        ("upload", "the last upload was confirmed 3m ago"),
        ("boot", "threatstopd is started at boot"),
        ("clock", "the clock is not behind the files"),
    ];
    let found: Vec<(&str, &str)> =
        report.findings.iter().map(|finding| (finding.what, finding.text.as_str())).collect();
    assert_eq!(found, lines);
    assert!(report.findings.iter().all(|finding| finding.verdict == Verdict::Ok));
    assert_eq!(report.summary(), "0 of 18 failed");
}

/// What is a note is not counted.
#[test]
fn the_last_line() {
    let mut report = Report::default();
    assert_eq!(report.summary(), "0 of 0 failed");
    report.ok("pf", "a");
    report.fail("pf", "b");
    report.note("pf", "c");
    report.fail("pf", "d");
    assert_eq!(report.summary(), "2 of 3 failed");
}

#[test]
fn the_document_counts_the_failures() {
    let mut host = Recorded::fine();
    host.says("/sbin/pfctl -s info", recorded::DISABLED);
    host.exits("/usr/sbin/rcctl get threatstopd status", 1, "");
    let document = report(&host).document();
    assert_eq!(document["failed"], 1);
    let checks = document["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 18);
    let failed: Vec<&Value> = checks.iter().filter(|check| check["ok"] == false).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["what"], "pf");
}

#[test]
fn the_configuration() {
    let missing = |text: &str| format!("{CONFIG}: {text}");
    for (change, wanted) in [
        (
            (&|host: &mut Recorded| drop(host.files.remove(Path::new(CONFIG))))
                as &dyn Fn(&mut Recorded),
            missing(
                "No such file or directory: install -m 600 \
                 /usr/local/share/examples/threatstopd/threatstopd.toml /etc/threatstopd.toml",
            ),
        ),
        (&|host| host.at(CONFIG).kind = Kind::Other, missing("not a regular file")),
        (
            &|host| host.text(CONFIG, "device_id = \"tdid_abcd1234\"\nintervall = 1\n"),
            format!(
                "{CONFIG}:2: unknown key \"intervall\"; did you mean \"interval\"?: mend the line, \
                 then threatstopd -n -f {CONFIG}"
            ),
        ),
    ] {
        let mut host = Recorded::fine();
        change(&mut host);
        let report = report(&host);
        let failed = texts(&report, Verdict::Fail);
        // whether there is a near key is the configuration's affair
        let near = |text: &str| text.replace("; did you mean \"interval\"?", "");
        let failed: Vec<String> = failed.into_iter().map(near).collect();
        assert_eq!(failed, [near(&wanted)]);
        let notes = texts(&report, Verdict::Note);
        assert_eq!(notes, ["what depends on the configuration was not looked at"]);
        let whats: Vec<&str> = report.findings.iter().map(|finding| finding.what).collect();
        assert_eq!(whats, ["daemon", "config", "config", "clock"]);
    }
    // these are wrong, and the rest is looked at all the same
    assert_fails(
        |host| host.at(CONFIG).mode = 0o644,
        &[
            "/etc/threatstopd.toml: mode 0644: group or others have access, and it holds the device \
           id: chmod 600 /etc/threatstopd.toml",
        ],
    );
    assert_fails(
        |host| host.at(CONFIG).uid = 1000,
        &["/etc/threatstopd.toml: owned by uid 1000, neither root nor the user who starts the \
           program: chown root /etc/threatstopd.toml && chmod 600 /etc/threatstopd.toml"],
    );
}

#[test]
fn the_user() {
    assert_fails(
        |host| host.exits("/usr/bin/id -u _threatstop", 1, "id: _threatstop: no such user\n"),
        &["user _threatstop does not exist: reinstall the package, or set user in \
           /etc/threatstopd.toml"],
    );
}

#[test]
fn the_directories() {
    let path = "/var/db/threatstop";
    assert_fails(
        |host| host.at(path).mode = 0o755,
        &["/var/db/threatstop: mode 0755: others have access: chmod 700 /var/db/threatstop"],
    );
    assert_fails(
        |host| host.at(path).uid = 540,
        &["/var/db/threatstop: owned by uid 540, not root: chown root /var/db/threatstop"],
    );
    assert_fails(
        |host| host.at(path).kind = Kind::Other,
        &["/var/db/threatstop: not a directory: remove it, then threatstopctl setup, then rcctl \
           restart threatstopd"],
    );
    assert_fails(
        |host| drop(host.files.remove(Path::new(path))),
        &[
            "/var/db/threatstop: No such file or directory: threatstopctl setup, then rcctl restart \
           threatstopd",
        ],
    );
    let path = "/var/threatstop";
    assert_fails(
        |host| drop(host.files.remove(Path::new(path))),
        &["/var/threatstop: No such file or directory: install -d -o _threatstop -g _threatstop \
           -m 700 /var/threatstop"],
    );
    assert_fails(
        |host| host.at(path).mode = 0o755,
        &["/var/threatstop: mode 0755: chmod 700 /var/threatstop"],
    );
    assert_fails(
        |host| host.at(path).uid = 0,
        &["/var/threatstop: owned by uid 0, not by the engine: chown _threatstop /var/threatstop"],
    );
}

#[test]
fn the_table_files() {
    assert_fails(
        |host| drop(host.files.remove(Path::new(BLOCK))),
        &["/var/db/threatstop/ThreatSTOP-Block.pftable: missing, and a pf.conf that names it is \
           not loaded: threatstopctl update"],
    );
    assert_fails(
        |host| host.at(BLOCK).kind = Kind::Other,
        &["/var/db/threatstop/ThreatSTOP-Block.pftable: not a regular file: remove it, then \
           threatstopctl update"],
    );
    assert_fails(
        |host| (host.at(ALLOW).mode, host.at(ALLOW).uid) = (0o644, 1000),
        &[
            "/var/db/threatstop/ThreatSTOP-Allow.pftable: owned by uid 1000, not root: chown root \
             /var/db/threatstop/ThreatSTOP-Allow.pftable",
            "/var/db/threatstop/ThreatSTOP-Allow.pftable: mode 0644: chmod 600 \
             /var/db/threatstop/ThreatSTOP-Allow.pftable",
        ],
    );
    for (text, why) in [
        ("192.0.2.1\nexample.org\n", "line 2: not a numeric IP address"),
        ("198.51.100.0/24\n192.0.2.1\n", "192.0.2.1 is not in its order"),
        ("192.0.2.1/32\n", "its lines are not as they are written"),
        ("192.0.2.1", "its lines are not as they are written"),
        ("# a comment\n", "line 1: not a numeric IP address"),
    ] {
        let wanted = format!("{BLOCK}: {why}: threatstopctl update");
        assert_fails(|host| host.text(BLOCK, text), &[&wanted]);
    }
    // what nobody has published yet
    assert_fails(
        |host| {
            host.text(BLOCK, "");
            host.says("/sbin/pfctl -t ThreatSTOP-Block -T show", "");
        },
        &["/var/db/threatstop/ThreatSTOP-Block.pftable: empty: nothing is blocked: threatstopctl \
           update"],
    );
}

#[test]
fn the_lists_of_the_administrator() {
    let named = "device_id = \"tdid_abcd1234\"\n\
                 policy.local_allow = \"/etc/allowed\"\n\
                 policy.local_block = \"/etc/blocked\"\n";
    let there = |host: &mut Recorded| {
        host.text(CONFIG, named);
        for path in ["/etc/allowed", "/etc/blocked"] {
            host.files.insert(path.into(), (file(0o644, 1000), Vec::new()));
        }
    };
    assert_fails(there, &[]);
    assert_fails(
        |host| {
            there(host);
            host.files.remove(Path::new("/etc/allowed"));
            host.at("/etc/blocked").kind = Kind::Directory;
        },
        &[
            "/etc/allowed: No such file or directory: its last copy stays, if there is one: create it, or \
             unset policy.local_allow in /etc/threatstopd.toml",
            "/etc/blocked: not a regular file: its last copy stays, if there is one: create it, or unset \
             policy.local_block in /etc/threatstopd.toml",
        ],
    );
}

#[test]
fn pf_itself() {
    assert_fails(
        |host| host.says("/sbin/pfctl -s info", recorded::DISABLED),
        &["pf is disabled: nothing is blocked: pfctl -e, and rcctl enable pf for the next boot"],
    );
    assert_fails(
        |host| host.says("/sbin/pfctl -s info", "Something else\n"),
        &["pfctl -s info: no line with \"Status:\": is it OpenBSD's pfctl?"],
    );
    assert_fails(
        |host| {
            host.exits("/sbin/pfctl -s info", 1, "pfctl: /dev/pf: No such file or directory\n");
        },
        &["pfctl -s info: pfctl: /dev/pf: No such file or directory"],
    );
    assert_fails(
        |host| {
            let why = "/sbin/pfctl: takes too long";
            host.programs.insert("/sbin/pfctl -s info".into(), Err(why.into()));
        },
        &["/sbin/pfctl: takes too long"],
    );
}

#[test]
fn the_limit() {
    let command = "/sbin/pfctl -s memory";
    let table: String = (0..100_001_u32)
        .map(|n| format!("{}\n", std::net::Ipv4Addr::from(0x0b00_0000 + 2 * n)))
        .collect();
    assert_fails(
        |host| {
            host.says(command, &recorded::LIMITS.replace("400000", "200000"));
            host.text(BLOCK, &table);
            host.shows("ThreatSTOP-Block", &table);
        },
        &["table-entries limit 200000 is too small for 100002 prefixes, which pfctl -f \
           /etc/pf.conf holds twice: put \"set limit table-entries 400000\" above the tables of \
           /etc/pf.conf, then pfctl -f /etc/pf.conf"],
    );
    let mut host = Recorded::fine();
    host.says(command, &recorded::LIMITS.replace("hard limit   400000", "unlimited"));
    assert!(texts(&report(&host), Verdict::Ok).contains(&"table-entries has no limit"));
    assert_fails(
        |host| host.says(command, "states        hard limit   100000\n"),
        &["pfctl -s memory: no line of table-entries: is it OpenBSD's pfctl?"],
    );
    assert_fails(
        |host| host.says(command, &recorded::LIMITS.replace("400000", "many")),
        &["pfctl -s memory: limit of many?"],
    );
}

const SETUP: &str =
    "put the lines of threatstopctl setup into /etc/pf.conf, then pfctl -f /etc/pf.conf";

#[test]
fn file_and_kernel() {
    let differs = "pf table <ThreatSTOP-Block> lacks 2 prefixes of its file, and has 1 that are \
                   not in it";
    let kernel = "203.0.113.7\n2001:db8:bad::/48\n198.51.100.0/25\n";
    assert_fails(
        |host| host.shows("ThreatSTOP-Block", kernel),
        &[&format!("{differs}: threatstopctl update")],
    );
    assert_fails(
        |host| host.shows("ThreatSTOP-Block", "!203.0.113.7\n198.51.100.0/24\n"),
        &["pf table <ThreatSTOP-Block> lacks 3 prefixes of its file, and has 1 that are not in \
           it: threatstopctl update"],
    );
    assert_fails(
        |host| host.shows("ThreatSTOP-Block", ""),
        &["pf table <ThreatSTOP-Block> lacks 4 prefixes of its file, and has 0 that are not in \
           it: threatstopctl update"],
    );
    assert_notes(
        |host| {
            host.shows("ThreatSTOP-Block", kernel);
            let text = "device_id = \"tdid_abcd1234\"\n[tables]\nreload = false\n";
            host.text(CONFIG, text);
        },
        &[&format!(
            "{differs}, and tables.reload is false: pfctl -t ThreatSTOP-Block -T replace -f {BLOCK}"
        )],
    );
    let command = "/sbin/pfctl -t ThreatSTOP-Block -T show";
    // with a dot or without, and behind it what pfctl(8) fails to put back as it ends
    for why in ["Table does not exist.", "Table does not exist", "Anchor does not exist"] {
        let also = "pfctl: DIOCSETLIMIT (states): Permission denied\n";
        assert_fails(
            |host| host.exits(command, 255, &format!("pfctl: {why}\n{also}")),
            &[&format!("pf has no table <ThreatSTOP-Block>: {SETUP}")],
        );
    }
    assert_fails(|host| host.says(command, "   em0\n"), &["em0: not a numeric IP address"]);
}

#[test]
fn the_packet_log() {
    let log = "/var/log/pflog";
    assert_fails(
        |host| host.at(log).mtime = NOW - 3 * 86_400,
        &["/var/log/pflog was written 3d ago: see tcpdump -n -e -ttt -i pflog0 whether pf logs, \
           then rcctl restart pflogd"],
    );
    assert_notes(|host| host.at(log).mtime = NOW - 7200, &["/var/log/pflog was written 2h ago"]);
    assert_fails(
        |host| drop(host.files.remove(Path::new(log))),
        &["/var/log/pflog: No such file or directory: rcctl enable pflogd && rcctl start pflogd"],
    );
    assert_fails(
        |host| host.at(log).kind = Kind::Other,
        &["/var/log/pflog: not a regular file: remove it, then rcctl restart pflogd"],
    );
    assert_fails(
        |host| host.exits("/usr/bin/pgrep -x pflogd", 1, ""),
        &["pflogd is not running: no hit is reported: rcctl enable pflogd && rcctl start pflogd"],
    );
    assert_notes(
        |host| {
            let text = "device_id = \"tdid_abcd1234\"\n[log]\nenabled = false\n";
            host.text(CONFIG, text);
            host.exits("/usr/bin/pgrep -x pflogd", 1, "");
        },
        &["log.enabled is false: no hit is reported"],
    );
}

#[test]
fn the_clock() {
    let set = "rcctl enable ntpd && rcctl start ntpd, and see ntpctl -s status";
    let mut host = Recorded::fine();
    host.now = 86_400;
    let report = report(&host);
    let wanted = format!("the clock shows the year 1970: {set}");
    assert!(texts(&report, Verdict::Fail).contains(&wanted.as_str()));
    assert_fails(
        |host| host.at(BLOCK).mtime = NOW + 7200,
        &[&format!("{BLOCK} was written 2h in the future: the clock is wrong, or was: {set}")],
    );
    assert_fails(|host| host.at(BLOCK).mtime = NOW + 200, &[]);
}

fn stopped(host: &mut Recorded) {
    host.status = Err("/var/run/threatstopd.sock: No such file or directory".into());
}

/// What helps while threatstopd(8) runs does not when it does not, and the other way round.
#[test]
fn advice_without_the_daemon() {
    let start = "rcctl start threatstopd, then threatstopctl update";
    let advice = |change: &dyn Fn(&mut Recorded), wanted: &str| {
        let mut host = Recorded::fine();
        stopped(&mut host);
        change(&mut host);
        let report = report(&host);
        let failed = texts(&report, Verdict::Fail);
        assert_eq!(failed.len(), 2, "{failed:?}");
        assert!(failed[0].ends_with(": rcctl start threatstopd"), "{failed:?}");
        assert!(failed[1].ends_with(&format!(": {wanted}")), "{wanted}: {failed:?}");
    };
    let setup = "threatstopctl setup";
    advice(&|host| drop(host.files.remove(Path::new(BLOCK))), setup);
    advice(&|host| host.at(BLOCK).kind = Kind::Other, &format!("remove it, then {setup}"));
    advice(
        &|host| drop(host.files.remove(Path::new("/var/db/threatstop"))),
        "threatstopctl setup makes it with the table files",
    );
    advice(&|host| host.text(BLOCK, "example.org\n"), start);
    advice(&|host| host.shows("ThreatSTOP-Block", "192.0.2.1\n"), start);
}

#[test]
fn the_last_upload() {
    let attempt = |host: &mut Recorded, ok, text: &str| {
        let last = control::Attempt { at: NOW - 120, ok, text: text.into() };
        host.status.as_mut().unwrap().upload.last = Some(last);
    };
    let way_out = "threatstopctl upload tries again, threatstopctl test looks at the log host";
    assert_fails(|host| attempt(host, true, "fine"), &[]);
    assert_fails(
        |host| {
            attempt(host, false, "403 Forbidden.");
            host.status.as_mut().unwrap().upload.last_good = Some(NOW - 7200);
        },
        &[&format!(
            "the last upload failed 2m ago, and the last that was confirmed is 2h old: 403 \
             Forbidden: {way_out}"
        )],
    );
    assert_fails(
        |host| {
            attempt(host, false, "no answer");
            host.status.as_mut().unwrap().upload.last_good = None;
        },
        &[&format!(
            "the last upload failed 2m ago, and none was ever confirmed: no answer: {way_out}"
        )],
    );
    assert_notes(
        |host| host.status.as_mut().unwrap().upload.last = None,
        &["nothing has been uploaded yet"],
    );
}

#[test]
fn the_certificates() {
    let feed = "[policy]\nblock = []\nallow = []\n[log]\nenabled = false\n[https]\n\
                ca_file = \"/etc/ssl/own.pem\"\n[[feed]]\nname = \"drop\"\n\
                url = \"https://lists.example/drop\"\n";
    let mut host = Recorded::fine();
    host.text(CONFIG, feed);
    assert_eq!(
        texts(&report(&host), Verdict::Fail),
        [
            "/etc/ssl/own.pem: No such file or directory: no feed comes: name a file of certificates as \
          ca_file in [https] of /etc/threatstopd.toml"
        ]
    );
    let path = "/etc/ssl/cert.pem";
    let fails = |change: &dyn Fn(&mut Recorded), why: &str| {
        let way_out = "sysmerge(8) puts that of base there";
        assert_fails(change, &[&format!("{path}: {why}: nothing can be uploaded: {way_out}")]);
    };
    fails(&|host| drop(host.files.remove(Path::new(path))), "No such file or directory");
    fails(&|host| host.text(path, "# -----BEGIN CERTIFICATE-----\n"), "no certificate in it");
    assert_fails(
        |host| {
            let text = "device_id = \"tdid_abcd1234\"\n[https]\nca_file = \"/etc/ssl/own.pem\"\n";
            host.text(CONFIG, text);
        },
        &["/etc/ssl/own.pem: No such file or directory: nothing can be uploaded: name a file of \
           certificates as ca_file in [https] of /etc/threatstopd.toml"],
    );
}

/// Fails when a feed that fails, or whose server is blocked, is no note, or is one without its way out.
#[test]
fn the_feeds() {
    let with = |host: &mut Recorded, error: Option<&str>| {
        let feed = "[[feed]]\nname = \"drop\"\nurl = \"https://lists.example/drop\"\n";
        host.text(CONFIG, &format!("device_id = \"tdid_abcd1234\"\n{feed}"));
        let status = host.status.as_mut().unwrap();
        status.sources = vec![SourceStatus {
            name: "drop".into(),
            kind: SourceKind::Feed,
            state: if error.is_some() { SourceState::Failing } else { SourceState::Good },
            last: None,
            last_good: None,
            next: None,
            error: error.map(ToOwned::to_owned),
            lists: vec![ListStatus {
                name: "drop".into(),
                entries: None,
                changed: None,
                state: SourceState::Failing,
            }],
        }];
    };
    let mut host = Recorded::fine();
    with(&mut host, None);
    let found = report(&host);
    let feeds: Vec<_> = found.findings.iter().filter(|finding| finding.what == "feed").collect();
    assert_eq!(feeds.len(), 1);
    assert_eq!((feeds[0].verdict, &*feeds[0].text), (Verdict::Ok, "the feed is in order"));
    let why = "lists.example: HTTP status 404: there is no such list: is url right?";
    for (entries, copy) in [(Some(7), "its copy stays"), (None, "there is no copy of it")] {
        assert_notes(
            |host| {
                with(host, Some(why));
                host.status.as_mut().unwrap().sources[0].lists[0].entries = entries;
            },
            &[&format!("feed drop: {why}: {copy}; threatstopctl test tries it")],
        );
    }
    let blocked = "feed drop: its server lists.example is blocked: 192.0.2.7 is in the block table";
    assert_notes(
        |host| {
            with(host, None);
            let pf = &mut host.status.as_mut().unwrap().pf;
            pf.warnings = vec!["pf is disabled".into(), blocked.into()];
            pf.ways_out = vec!["pfctl -e".into(), "threatstopctl allow 192.0.2.7".into()];
        },
        &[&format!("{blocked}: threatstopctl allow 192.0.2.7")],
    );
}

/// On another system one line says all.
#[test]
fn a_system_without_pf() {
    assert_fails(
        |host| {
            host.files.remove(Path::new("/sbin/pfctl"));
            // of these none may be asked
            host.programs.retain(|command, _| command.starts_with("/usr/bin/id"));
        },
        &["there is no pf on this system: backend = \"simulated\" in [tables] of \
           /etc/threatstopd.toml is for trying out"],
    );
}

#[test]
fn the_daemon_and_the_next_boot() {
    assert_fails(
        stopped,
        &[
            "threatstopd does not answer: /var/run/threatstopd.sock: No such file or directory: rcctl \
           start threatstopd",
        ],
    );
    // no start beside one that runs
    assert_fails(
        |host| host.status = Err(ClientError::Form("missing field `pf`".into()).to_string()),
        &[
            "threatstopd does not answer: the answer is not in form: missing field `pf`; does another \
           version of threatstopd still run? rcctl restart threatstopd",
        ],
    );
    assert_notes(
        |host| host.status.as_mut().unwrap().version = "0.0.9".into(),
        &[concat!(
            "threatstopd 0.0.9 runs, and ",
            env!("CARGO_PKG_VERSION"),
            " is installed: rcctl restart threatstopd"
        )],
    );
    let command = "/usr/sbin/rcctl get threatstopd status";
    assert_notes(
        |host| host.exits(command, 1, ""),
        &["threatstopd is not started at boot: rcctl enable threatstopd"],
    );
    assert_notes(
        |host| host.exits(command, 2, "rcctl: service threatstopd does not exist\n"),
        &["rcctl: service threatstopd does not exist: reinstall the package"],
    );
}

#[test]
fn simulated_tables() {
    let simulated = |host: &mut Recorded, settings: &str| {
        let text = "device_id = \"tdid_abcd1234\"\n[tables]\nbackend = \"simulated\"\n";
        host.text(CONFIG, &format!("{text}{settings}"));
        for path in [ALLOW, BLOCK] {
            let content = host.files[Path::new(path)].1.clone();
            let path = path.replace(".pftable", ".simulated");
            host.files.insert(path.into(), (file(0o600, 0), content));
        }
        // of these none may be asked
        host.programs.retain(|command, _| command.starts_with("/usr/bin/id"));
    };
    let note = "tables are simulated: pf, its rules and pflogd were not looked at";
    assert_notes(|host| simulated(host, ""), &[note]);
    let block = BLOCK.replace(".pftable", ".simulated");
    for (change, wanted) in [
        (
            (&|host: &mut Recorded| host.text(&block, "192.0.2.1\n")) as &dyn Fn(&mut Recorded),
            "pf table <ThreatSTOP-Block> lacks 4 prefixes of its file, and has 1 that are not in \
             it: threatstopctl update"
                .to_owned(),
        ),
        (
            &|host| drop(host.files.remove(Path::new(&block))),
            format!("{block}: No such file or directory: threatstopctl update"),
        ),
    ] {
        let mut host = Recorded::fine();
        simulated(&mut host, "");
        change(&mut host);
        assert_eq!(texts(&report(&host), Verdict::Fail), [wanted]);
    }
    let mut host = Recorded::fine();
    simulated(&mut host, "simulated_limit = 9\n");
    let wanted = "simulated_limit 9 is too small for 2 x 5: set it to 10 in [tables] of \
                  /etc/threatstopd.toml, then threatstopctl reload";
    assert_eq!(texts(&report(&host), Verdict::Fail), [wanted]);
}

#[test]
fn somebody_else_than_root() {
    let mut host = Recorded::fine();
    host.uid = 1000;
    host.at(CONFIG).uid = 1000;
    let why = examine(&host, Path::new(CONFIG)).unwrap_err().to_string();
    assert_eq!(why, "doctor: need root privileges");
}

/// The host that the tests run on: what comes from it is what the system says.
#[test]
fn the_real_host() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("sock");
    let host = System { socket: &socket };
    let (path, link) = (dir.path().join("file"), dir.path().join("link"));
    fs::write(&path, "12345").unwrap();
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert_eq!(host.read(&path, 5).unwrap(), b"12345");
    assert_eq!(host.read(&path, 4).unwrap_err().to_string(), "larger than 4 octets");
    let (stat, lstat) = (host.stat(&link).unwrap(), host.lstat(&link).unwrap());
    assert_eq!((stat.kind, lstat.kind), (Kind::File, Kind::Other));
    assert_eq!(stat.uid, host.uid());
    assert!(stat.mtime.abs_diff(host.now()) < 60);
    assert_eq!(host.lstat(dir.path()).unwrap().kind, Kind::Directory);
    assert_eq!(dated(file(0o600, 0), 7).mtime, 7);
}
