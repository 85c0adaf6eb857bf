//! The manual held against the tool: every command, option and JSON field stands in it, and none
//! that there is not.

use std::collections::BTreeSet;

use control::{
    Action, AddressHits, Attempt, Attempted, Change, Check, DayReport, DayTable, Direction,
    EngineStatus, Event, Failure, Forgotten, Held, HeldReason, Hits, HitsOfDays, HostHits, Kept,
    LastUpdate, ListHits, ListReport, ListShown, ListStatus, Lists, Mended, Missed, MissedOfDays,
    Overlap, OwnEntry, PfStatus, PortHits, ProtocolHits, Reply, Report, Request, RunCounts,
    ServerStatus, Show, SourceKind, SourceState, SourceStatus, Spool, Status, SuspectHost,
    Suspects, TableKind, TableReport, TableSize, TableStatus, Tested, Trouble, Update, Updated,
    Upload, UploadCounts, Uploaded, UsedBy, Warned, Why,
};
use serde_json::{Value, json};

use crate::OPTIONS;
use crate::advice::Advice;
use crate::commands::{COMMANDS, Operands, options};
use crate::doctor;
use crate::ending::Ending;
use crate::import;
use crate::json::Json;
use crate::output::{Output as _, Part};
use crate::setup;

const MANUAL: &str = include_str!("threatstopctl.8");

/// The time of the samples in epoch seconds.
pub const NOW: u64 = 1_795_000_000;

/// A status in which every field is there.
pub fn full_status() -> Status {
    let allow = TableStatus {
        name: "ThreatSTOP-Allow".into(),
        kind: TableKind::Allow,
        direction: Direction::Both,
        present: Some(true),
        entries: Some(1),
        changed: Some(NOW - 176_400),
        blocked_packets: Some([0, 0]),
        passed_packets: Some([7, 8]),
        used: Some(UsedBy { rules: 1, anchors: 0 }),
    };
    let block = TableStatus {
        name: "ThreatSTOP-Block".into(),
        kind: TableKind::Block,
        entries: Some(26_424),
        changed: Some(NOW - 720),
        blocked_packets: Some([1234, 56]),
        passed_packets: Some([0, 0]),
        used: Some(UsedBy { rules: 2, anchors: 1 }),
        ..allow.clone()
    };
    let server = |server: &str, address: &str, ago, error: Option<&str>| ServerStatus {
        server: server.into(),
        last: Some(Attempted {
            at: NOW - ago,
            address: Some(address.into()),
            error: error.map(Into::into),
        }),
        failures: error.map_or(0, |_| 1),
    };
    let held = Held {
        table: Some("block".into()),
        list: None,
        reason: HeldReason::Change,
        since: NOW - 3900,
        text: "Keeping the previous block list: 30000 -> 12 entries, more than 50 % fewer (update \
               -f to accept)"
            .into(),
        can_force: true,
    };
    Status {
        version: "0.1.0".into(),
        uptime: 11_520,
        config: Some("/etc/threatstopd.toml".into()),
        engine: EngineStatus { uptime: 300, restarts: Some(2) },
        pf: PfStatus {
            enabled: Some(true),
            backend: "pf".into(),
            reload: true,
            limit: Some(200_000),
            error: Some("limits could not be read".into()),
            warnings: vec!["pf is disabled: nothing is blocked".into()],
            ways_out: vec!["pfctl -e, and rcctl enable pf for the next boot".into()],
            mended: vec![Mended { at: NOW - 300, text: "pf table <B> had been changed".into() }],
        },
        tables: vec![block, allow],
        sources: vec![
            SourceStatus {
                name: "policy".into(),
                kind: SourceKind::Policy,
                state: SourceState::Held,
                last: Some(NOW - 720),
                last_good: Some(NOW - 720),
                next: Some(NOW + 2820),
                error: None,
                lists: vec![
                    ListStatus { state: SourceState::Good, ..held_list("dns.threatstop.local", 1) },
                    held_list("basic.threatstop.local", 26_424),
                ],
            },
            SourceStatus {
                name: "local_block".into(),
                kind: SourceKind::Local,
                state: SourceState::Failing,
                last: Some(NOW - 720),
                last_good: Some(NOW - 11_520),
                next: None,
                error: Some("/etc/mine:2: 8.0.0.3/33: longer than 32".into()),
                lists: vec![ListStatus {
                    state: SourceState::Failing,
                    ..held_list("local_block", 12)
                }],
            },
        ],
        update: Update {
            state: "idle".into(),
            last: Some(LastUpdate {
                started: NOW - 720,
                seconds: 0.31,
                result: "published".into(),
                why: Some("26424 -> 12 entries".into()),
                server: Some("192.124.129.42:53".into()),
                ttl: Some(7200),
            }),
            last_good: Some(NOW - 720),
            next: Some(NOW + 2820),
            failures: 3,
        },
        upload: Upload {
            enabled: true,
            off: None,
            last: Some(Attempt {
                at: NOW - 180,
                ok: true,
                text: "Log file uploaded successfully for tdid_abcd1234".into(),
            }),
            last_good: Some(NOW - 180),
            next: Some(NOW + 720),
            failing: Some(NOW - 3600),
            gaps: 1,
            damaged: 2,
        },
        servers: vec![
            server("192.124.129.42", "192.124.129.42:53", 720, None),
            server("ns.example.net", "[2001:db8::53]:5353", 5, Some("no answer")),
        ],
        spool: Spool { slices: 2, octets: 12_288, limit: 64 << 20, dropped: 0 },
        held: vec![
            Held {
                table: None,
                list: Some("basic.threatstop.local".into()),
                text:
                    "Keeping the previous list basic.threatstop.local: 26424 -> 12 entries, more \
                       than 50 % fewer (update -f to accept)"
                        .into(),
                ..held.clone()
            },
            held,
        ],
        suspects: Suspects { hosts: 2, last: Some("10.0.0.23".parse().unwrap()) },
    }
}

/// A list that is held, of so many entries.
fn held_list(name: &str, entries: u64) -> ListStatus {
    let changed = Some(NOW - 720);
    ListStatus { name: name.into(), entries: Some(entries), changed, state: SourceState::Held }
}

/// All lists of a source each of whose columns is known.
pub fn full_lists() -> Lists {
    let hits = HitsOfDays { day: Some(1), week: Some(7), all: Some(35) };
    Lists {
        lists: vec![ListShown {
            list: "basic.threatstop.local".into(),
            source: "policy".into(),
            table: "block".into(),
            entries: Some(26_424),
            unique: Some(1234),
            hits,
            changed: Some(NOW - 720),
            age: Some(720),
            state: SourceState::Good,
        }],
        overlaps: Some(vec![Overlap {
            lists: ["drop".into(), "basic.threatstop.local".into()],
            entries: 1200,
            percent: 98,
        }]),
    }
}

fn updated(dry_run: bool) -> Updated {
    Updated {
        started: NOW,
        seconds: 0.31,
        server: Some("192.124.129.42:53".into()),
        dry_run,
        block: Change { entries: 26_424, added: 12, removed: 3 },
        allow: Change::default(),
        warnings: vec!["pf is disabled: nothing is blocked".into()],
        undone: vec!["policy".into()],
    }
}

/// The document that `-j` prints for a request when the engine ends with `done` after a part of
/// each kind.
fn document(request: Request, done: impl serde::Serialize) -> Value {
    let mut out = Vec::new();
    let mut json = Json::new(&mut out, Advice::default());
    for part in [Part::Table, Part::Add, Part::Remove] {
        json.prefixes(part, vec!["192.0.2.1".parse().unwrap()]).unwrap();
    }
    let (what, subject) = ("server".into(), "192.124.129.42".into());
    let text = "DNS Server 192.124.129.42 is ready.".into();
    json.check(Check { what, subject, ok: true, text }).unwrap();
    let ending = Ending::read(&request, serde_json::to_value(done).unwrap()).unwrap();
    json.end(&ending).unwrap();
    serde_json::from_slice(&out).unwrap()
}

/// Hits in which every field is there.
pub fn full_hits() -> Hits {
    Hits {
        since: NOW - 720,
        monitoring: false,
        r#in: 3,
        out: 1,
        addresses: vec![AddressHits {
            address: "192.0.2.7".parse().unwrap(),
            r#in: 3,
            out: 1,
            last: NOW,
            lists: vec!["basic.threatstop.local".into()],
        }],
        lists: vec![ListHits { list: "basic.threatstop.local".into(), r#in: 3, out: 1 }],
        protocols: vec![ProtocolHits { protocol: "tcp".into(), r#in: 3, out: 1 }],
        ports: vec![PortHits { protocol: "tcp".into(), port: 22, r#in: 3, out: 1 }],
        hosts: vec![HostHits {
            address: "10.0.0.23".parse().unwrap(),
            out: 1,
            r#in: 3,
            last: NOW,
            far: Some("192.0.2.7".parse().unwrap()),
            lists: vec!["basic.threatstop.local".into()],
        }],
        missed: Missed { addresses: 1, ports: 2, hosts: 3 },
    }
}

/// A report of two days, in which every field is there; nothing is known of the first one.
pub fn full_report() -> Report {
    let size = |entries| TableSize { entries, v4: Some(256 * entries), v6: Some(12) };
    let (runs, uploads) =
        (RunCounts { good: 21, failed: 2, held: 1 }, UploadCounts { confirmed: 90, failed: 6 });
    let date = |day: &str| format!("2026-11-{day}");
    Report {
        at: NOW,
        date: date("18 12:00"),
        since: NOW - 130_000,
        period: 2,
        verdict: "warning: pf is disabled: nothing is blocked".into(),
        warnings: vec![Warned {
            text: "pf is disabled: nothing is blocked".into(),
            way_out: "pfctl -e, and rcctl enable pf for the next boot".into(),
        }],
        monitoring: false,
        r#in: Some(12_345),
        out: Some(7),
        runs,
        uploads,
        days: vec![
            DayReport { date: date("17"), ..DayReport::default() },
            DayReport {
                date: date("18"),
                r#in: Some(12_345),
                out: Some(7),
                suspects: Some(1),
                runs: Some(runs),
                uploads: Some(uploads),
                tables: vec![DayTable {
                    table: "block".into(),
                    size: size(26_424),
                    added: 35,
                    deleted: 23,
                }],
            },
        ],
        tables: vec![TableReport {
            table: "block".into(),
            name: "ThreatSTOP-Block".into(),
            kind: TableKind::Block,
            size: Some(size(26_424)),
            before: Some(size(26_412)),
            added: 35,
            deleted: 23,
        }],
        lists: vec![ListReport {
            list: "basic.threatstop.local".into(),
            source: "policy".into(),
            table: "block".into(),
            entries: Some(26_424),
            r#in: Some(12_000),
            out: Some(7),
            renewed: 3,
            state: SourceState::Held,
        }],
        others: vec![ListHits { list: "unlisted".into(), r#in: 345, out: 0 }],
        protocols: vec![ProtocolHits { protocol: "tcp".into(), r#in: 12_345, out: 7 }],
        ports: vec![PortHits { protocol: "tcp".into(), port: 22, r#in: 12_345, out: 7 }],
        suspects: 1,
        hosts: vec![SuspectHost {
            address: "10.0.0.23".parse().unwrap(),
            out: 7,
            r#in: 2,
            last: NOW - 720,
            date: date("18 11:48"),
            far: Some("198.51.100.7".parse().unwrap()),
        }],
        missed: MissedOfDays { lists: 1, ports: 12, hosts: 3 },
        failures: vec![Trouble {
            time: NOW - 3900,
            date: date("18 10:55"),
            event: "held".into(),
            text:
                "Keeping the previous list basic.threatstop.local: 26424 -> 12 entries, more than \
                   50 % fewer (update -f to accept)"
                    .into(),
        }],
        left_out: 4,
        lost: 8,
    }
}

/// The document of `show own` with one entry.
fn shown_own(entry: OwnEntry) -> Value {
    let mut out = Vec::new();
    let mut json = Json::new(&mut out, Advice::default());
    json.own(vec![entry]).unwrap();
    json.end(&Ending::Own).unwrap();
    serde_json::from_slice(&out).unwrap()
}

/// The fields of a document in the manner of the manual: `held[].text`.
fn fields(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let dot = if path.is_empty() { "" } else { "." };
                fields(value, &format!("{path}{dot}{name}"), found);
            }
        }
        Value::Array(array) => {
            for value in array {
                fields(value, &format!("{path}[]"), found);
            }
        }
        _ => {
            found.insert(path.to_owned());
        }
    }
}

/// The fields that the manual lists in a subsection, or behind the words that introduce them.
fn listed(heading: &str) -> BTreeSet<String> {
    let (_, section) = MANUAL.split_once(&format!("\n{heading}\n")).expect(heading);
    let end = section.find("\n.El").expect(heading);
    let items = section[..end].lines().filter_map(|line| line.strip_prefix(".It Va "));
    items.map(str::to_owned).collect()
}

#[test]
fn every_field_of_a_document_stands_in_the_manual() {
    let said = OwnEntry {
        prefix: "192.0.2.7".into(),
        action: Action::Block,
        since: NOW,
        until: Some(NOW),
        uid: 0,
        reason: "ssh".into(),
    };
    let why = Why {
        address: "192.0.2.7".parse().unwrap(),
        blocked: true,
        prefix: Some("192.0.2.0/24".into()),
        tables: vec!["ThreatSTOP-Block".into()],
        lists: vec!["basic.threatstop.local".into()],
        items: vec!["192.0.2.0/23".into()],
        since: Some(NOW),
        allowed_by: vec!["dns.threatstop.local".into()],
        protected_by: Some("192.0.2.0/24, network of em0".into()),
        text: "192.0.2.7 is blocked".into(),
        own: vec![said.clone()],
    };
    let kept = Kept {
        prefix: "192.0.2.7".into(),
        until: Some(NOW),
        kept: true,
        blocked: false,
        why: Some("allowed by own".into()),
    };
    let block = Request::Block { prefix: "192.0.2.7".into(), seconds: None, reason: String::new() };
    let forgotten =
        Forgotten { forgotten: 1, blocked: Some(true), why: Some("listed by basic".into()) };
    let shown = json!({ "table": "block", "entries": 1 });
    let changed = json!({ "at": NOW, "added": 1, "removed": 1 });
    let dry_run = Request::Update { sources: Vec::new(), force: false, dry_run: true };
    let imported = import::import(b"tdid=tdid_abcd1234", "threatstop.conf").unwrap();
    let uploaded = Uploaded {
        slices: 1,
        records: 2,
        octets: 3,
        left: 0,
        request: Some(vec!["POST / HTTP/1.1".into()]),
    };
    let hits = Request::Show { what: Show::Hits };
    let event = Event {
        number: 1,
        time: NOW,
        event: "held".into(),
        subject: Some("basic".into()),
        text: "Keeping the previous list".into(),
    };
    let documents = [
        (".Ss allow, block", document(block, kept)),
        (".Ss capture", json!({ "toml": "" })),
        (".Ss decode", json!({ "lines": [""] })),
        (".Ss doctor", doctor::tests::document()),
        (".Ss forget", document(Request::Forget { prefix: None }, forgotten)),
        (".Ss import", import::document(&imported)),
        (".Ss log, reload", document(Request::Reload { broken: None }, json!({}))),
        (".Ss metrics", document(Request::Metrics {}, json!({ "text": "# EOF" }))),
        (".Ss report", document(Request::Report { days: 2 }, full_report())),
        (".Ss rollback", document(Request::Rollback {}, updated(false))),
        (".Ss setup", setup::tests::document()),
        (
            ".Ss show allow, show block, show of a table",
            document(Request::Show { what: Show::Block }, shown),
        ),
        (".Ss show diff", document(Request::Show { what: Show::Diff }, changed)),
        (".Ss show hits", document(hits, full_hits())),
        (".Ss show lists", document(Request::Show { what: Show::Overlaps }, full_lists())),
        (".Ss show own", shown_own(said)),
        (".Ss status", document(Request::Status {}, full_status())),
        (".Ss test", document(Request::Test {}, Tested { tried: 1, failed: 0 })),
        (".Ss update", document(dry_run, updated(true))),
        (".Ss upload", document(Request::Upload { dry_run: true }, uploaded)),
        (".Ss watch", serde_json::to_value(event).unwrap()),
        (".Ss why", serde_json::to_value(why).unwrap()),
    ];
    for (heading, document) in documents {
        let mut there = BTreeSet::new();
        fields(&document, "", &mut there);
        let mut told = listed(heading);
        if heading == ".Ss update" {
            told.extend(listed(".Ss rollback"));
        }
        // told once for both tables
        if told.remove("allow") {
            let twins: Vec<String> = told
                .iter()
                .filter(|field| field.starts_with("block"))
                .map(|field| field.replacen("block", "allow", 1))
                .collect();
            told.extend(twins);
        }
        assert_eq!(told, there, "{heading}");
    }
    let failure = Reply::Error(Failure { what: "update".into(), why: "no".into() });
    let mut there = BTreeSet::new();
    fields(&serde_json::to_value(failure).unwrap(), "", &mut there);
    assert_eq!(listed("When a command is not done, the object is:"), there);
}

#[test]
fn every_command_stands_in_the_manual_and_no_other() {
    let told: Vec<&str> = MANUAL.lines().filter(|line| line.starts_with(".It Cm ")).collect();
    let there: Vec<String> = COMMANDS
        .iter()
        .map(|command| {
            let mut item = format!(".It Cm {}", command.word);
            let (alone, valued) = options(command);
            let mut optional: Vec<String> = Vec::new();
            optional.extend((!alone.is_empty()).then(|| format!("Fl {alone}")));
            optional.extend(valued.iter().map(|(letter, value)| format!("Fl {letter} Ar {value}")));
            let mut last = String::new();
            match command.operands {
                Operands::None(_) => {}
                Operands::One(name, _) => last = format!(" Ar {name}"),
                Operands::Some(name, _) => last = format!(" Ar {name} ..."),
                Operands::Any(name, _) => optional.push(format!("Ar {name} ...")),
                Operands::Maybe(name, _) => optional.push(format!("Ar {name}")),
                Operands::Two(one, two, _) => last = format!(" Ar {one} Op Ar {two}"),
                Operands::Word(table) => {
                    let words: Vec<&str> = table.iter().map(|(word, _)| *word).collect();
                    last = format!(" Cm {}", words.join(" | "));
                }
                Operands::Shown(words, name, _) => {
                    let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                    last = format!(" Cm {} Ns | Ns Ar {name} ...", words.join(" | "));
                }
            }
            // Op goes on to the end of the line
            if last.is_empty() {
                last = optional.pop().map_or(last, |option| format!(" Op {option}"));
            }
            for option in optional {
                item += &format!(" Oo {option} Oc");
            }
            item + &last
        })
        .collect();
    assert_eq!(told, there);
}

#[test]
fn every_option_stands_in_the_manual_and_no_other() {
    // the tool's own list comes first, then those of the commands in their order
    let letters = |options: &str| {
        let mut letters: Vec<char> = options.chars().filter(|letter| *letter != ':').collect();
        letters.sort_by_key(|letter| (letter.to_ascii_lowercase(), *letter));
        letters
    };
    let commands = COMMANDS.iter().flat_map(|command| letters(command.options));
    let there: Vec<char> = letters(OPTIONS).into_iter().chain(commands).collect();
    let told: Vec<char> = MANUAL
        .lines()
        .filter_map(|line| line.strip_prefix(".It Fl "))
        .filter_map(|item| item.chars().next())
        .collect();
    assert_eq!(told, there);
    assert!(MANUAL.contains("\n.Op Fl jV\n.Op Fl s Ar socket\n"));
}

#[test]
fn the_manual_names_the_default_socket() {
    assert!(MANUAL.contains(&format!(".Pa {} .", config::DEFAULT_SOCKET)));
}
