//! Reports to be laid out: of nothing, of a day, of all days, as many as there may be, and with names
//! of somebody who wants to be more than a name. Addresses are those of documentation (RFC 5737, RFC
//! 3849).

use control::{
    DayReport, DayTable, ListHits, ListReport, MissedOfDays, PortHits, ProtocolHits, Report,
    RunCounts, SourceState, SuspectHost, TableKind, TableReport, TableSize, Trouble, UploadCounts,
    Warned,
};

/// The 28th of November 2026, late in the evening.
const AT: u64 = 1_795_904_100;
const DAY: u64 = 24 * 60 * 60;

/// All of them, each with a name for a file.
pub fn all() -> Vec<(&'static str, Report)> {
    vec![
        ("nothing", nothing()),
        ("day", day()),
        ("month", month()),
        ("full", full()),
        ("hostile", hostile()),
    ]
}

/// A service that has just begun, and of which nothing is known.
pub fn nothing() -> Report {
    Report {
        verdict: "warning: no policy yet, nothing is blocked: policy: no answer".into(),
        warnings: vec![Warned {
            text: "no policy yet, nothing is blocked: policy: no answer".into(),
            way_out: "threatstopctl test; is there a route, and may TCP port 53 go out?".into(),
        }],
        days: dates(7).map(|date| DayReport { date, ..DayReport::default() }).collect(),
        ..empty(7)
    }
}

/// The first day, on which somebody tries it out.
pub fn day() -> Report {
    let size = TableSize { entries: 26_424, v4: Some(3_400_512), v6: Some(0) };
    let now = DayTable { table: "block".into(), size, added: 26_424, deleted: 0 };
    Report {
        monitoring: true,
        days: vec![DayReport { tables: vec![now], ..counted(dates(1).next().unwrap(), 311, 0) }],
        tables: vec![table("block", "ThreatSTOP-Block", None, Some(size))],
        lists: vec![list("basic.threatstop.local", "policy", 26_424, 311, 0)],
        r#in: Some(311),
        out: Some(0),
        runs: RunCounts { good: 24, failed: 0, held: 0 },
        ports: vec![port("tcp", 23, 300, 0), port("udp", 53, 1, 0)],
        protocols: vec![protocol("tcp", 300, 0), protocol("udp", 1, 0), protocol("icmp", 10, 0)],
        ..empty(1)
    }
}

/// All days, of which some were without power, and one without a packet.
pub fn month() -> Report {
    let days: Vec<DayReport> = dates(35)
        .enumerate()
        .map(|(at, date)| match at {
            11 | 12 => DayReport { date, ..DayReport::default() },
            18 => DayReport { tables: sizes(at), ..counted(date, 0, 0) },
            _ => {
                let out = if at % 9 == 4 { 40 + 7 * at as u64 } else { 0 };
                let came = wave(at, 900, 4200) + if at == 27 { 9000 } else { 0 };
                DayReport { tables: sizes(at), ..counted(date, came, out) }
            }
        })
        .collect();
    let last = |table: usize| sizes(34).get(table).map(|known| known.size);
    let first = |table: usize| sizes(0).get(table).map(|known| known.size);
    let changed = |added, deleted, table| TableReport { added, deleted, ..table };
    Report {
        verdict: "ok: blocking 36904 prefixes, policy 12m old, log confirmed 9m ago".into(),
        r#in: Some(days.iter().filter_map(|day| day.r#in).sum()),
        out: Some(days.iter().filter_map(|day| day.out).sum()),
        runs: RunCounts { good: 778, failed: 9, held: 2 },
        uploads: UploadCounts { confirmed: 775, failed: 3 },
        days,
        tables: vec![
            changed(5210, 2894, table("block", "ThreatSTOP-Block", first(0), last(0))),
            changed(3120, 3377, table("scanners", "scanners", first(1), last(1))),
            TableReport {
                kind: TableKind::Allow,
                ..changed(4, 1, table("allow", "ThreatSTOP-Allow", first(2), last(2)))
            },
        ],
        lists: vec![
            list("basic.threatstop.local", "policy", 26_424, 71_840, 260),
            list("drop", "drop", 1_612, 18_011, 553),
            list("scanners", "scanners", 12_931, 30_126, 0),
            list("botnets.threatstop.local", "policy", 804, 2_218, 331),
            ListReport {
                r#in: None,
                out: None,
                table: "allow".into(),
                renewed: 2,
                ..list("dns.threatstop.local", "policy", 9, 0, 0)
            },
            ListReport {
                state: SourceState::Stale,
                ..list("forum-spam.example.net", "forum-spam.example.net", 5_320, 640, 12)
            },
        ],
        others: vec![ListHits { list: "unlisted".into(), r#in: 204, out: 3 }],
        protocols: vec![
            protocol("tcp", 88_119, 902),
            protocol("udp", 11_504, 188),
            protocol("icmp", 1_733, 0),
            protocol("ipv6-icmp", 41, 2),
        ],
        ports: vec![
            port("tcp", 23, 24_410, 0),
            port("tcp", 22, 19_873, 0),
            port("tcp", 445, 14_020, 6),
            port("tcp", 3389, 9_114, 0),
            port("tcp", 8080, 6_381, 0),
            port("udp", 5060, 5_977, 0),
            port("udp", 123, 3_120, 0),
            port("tcp", 443, 911, 702),
            port("tcp", 6667, 12, 188),
            port("udp", 53, 88, 188),
        ],
        suspects: 4,
        hosts: vec![
            host("192.0.2.23", 702, 911, 3_900, "203.0.113.9"),
            host("192.0.2.114", 188, 12, 93_000, "198.51.100.77"),
            host("2001:db8:0:12::a7", 190, 40, 400_000, "2001:db8:bad:1::1"),
            host("192.0.2.40", 12, 0, 1_800_000, "198.51.100.4"),
        ],
        missed: MissedOfDays { lists: 0, ports: 57, hosts: 0 },
        failures: vec![
            trouble(
                24,
                "failed",
                "policy: no server answered: 192.0.2.53: connect: Connection refused",
            ),
            trouble(24, "recovered", "policy: server 192.0.2.53 answers again"),
            trouble(
                13,
                "held",
                "Keeping the previous list basic.threatstop.local: 26424 -> 12 entries, more than 50 \
                 % fewer (update -f to accept)",
            ),
            trouble(12, "recovered", "basic.threatstop.local: 26391 entries"),
            trouble(
                2,
                "upload failing",
                "log.example.net: certificate has expired (is the clock right? date)",
            ),
        ],
        lost: 12,
        ..empty(35)
    }
}

/// As much as there may be.
pub fn full() -> Report {
    let name = |at: usize| format!("table-{at}-of-a-long-name");
    let size = |at: usize| TableSize {
        entries: wave(at, 1000, 900_000),
        v4: Some(wave(at, 5000, 90_000_000)),
        v6: Some(wave(at, 10, 8000)),
    };
    let of_day = |at: usize| {
        (0..16).map(move |table| DayTable {
            table: name(table),
            size: size(at + table),
            added: wave(at, 10, 5000),
            deleted: wave(at, 10, 4000),
        })
    };
    Report {
        days: dates(35)
            .enumerate()
            .map(|(at, date)| DayReport {
                tables: of_day(at).collect(),
                ..counted(date, wave(at, 1 << 20, 1 << 24), wave(at + 3, 0, 1 << 12))
            })
            .collect(),
        tables: (0..16)
            .map(|at| table(&name(at), &name(at), Some(size(at)), Some(size(at + 34))))
            .collect(),
        lists: (0..250)
            .map(|at| list(&format!("list-{at}.threatstop.local"), "policy", 5000, 7 * at, at))
            .collect(),
        others: (0..20)
            .map(|at| ListHits { list: format!("gone-{at}"), r#in: at, out: 0 })
            .collect(),
        protocols: (0..20).map(|at| protocol(&at.to_string(), 1000 - at, at)).collect(),
        ports: (0..20).map(|at| port("tcp", 1000 + at, 9000 - u64::from(at), 3)).collect(),
        suspects: 64 * 35,
        hosts: (0..20)
            .map(|at| host(&format!("2001:db8::{at:x}"), 99_000 - at, at, at * 999, "192.0.2.1"))
            .collect(),
        failures: (0..100)
            .map(|at| trouble(34 - at / 3, "failed", &format!("policy: no server answered ({at})")))
            .collect(),
        left_out: 900,
        lost: 12,
        r#in: Some(1 << 28),
        out: Some(1 << 16),
        ..empty(35)
    }
}

/// What a name must not become: markup, another name, or the end of the page.
pub const NAMES: [&str; 8] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "&amp;&lt;b&gt;",
    "' onmouseover='alert(1)",
    "nul\0esc\u{1b}[2Jtab\tline\nend",
    "right\u{202e}txt.exe\u{2066}\u{200b}",
    "</title></style></svg></table>--><!--",
    "{{ 7 * 7 }}{% include \"page.css\" %}",
];

/// Every text that somebody else has chosen is one of [`NAMES`], or long; every number is the largest.
pub fn hostile() -> Report {
    let long = "x".repeat(300);
    let names: Vec<String> = NAMES.map(String::from).into_iter().chain([long]).collect();
    named(&names)
}

/// Every text that somebody else has chosen is one of these, in their order and over again.
pub fn named(names: &[String]) -> Report {
    let name = |at: usize| names[at % names.len()].clone();
    let all = |number: usize| (0..number).map(name);
    let most = TableSize { entries: u64::MAX, v4: Some(u64::MAX), v6: Some(u64::MAX) };
    let of_day =
        |name: String| DayTable { table: name, size: most, added: u64::MAX, deleted: u64::MAX };
    Report {
        verdict: name(0),
        warnings: all(9).map(|name| Warned { text: name.clone(), way_out: name }).collect(),
        r#in: Some(u64::MAX),
        out: Some(u64::MAX),
        days: all(9)
            .map(|name| DayReport {
                tables: all(9).map(of_day).collect(),
                ..counted(name, u64::MAX, u64::MAX)
            })
            .collect(),
        tables: all(9).map(|name| table(&name, &name, None, Some(most))).collect(),
        lists: all(9).map(|name| list(&name, &name, u64::MAX, u64::MAX, u64::MAX)).collect(),
        others: all(9).map(|list| ListHits { list, r#in: u64::MAX, out: u64::MAX }).collect(),
        protocols: all(9).map(|name| protocol(&name, u64::MAX, 1)).collect(),
        ports: all(9).map(|name| port(&name, u16::MAX, 1, u64::MAX)).collect(),
        suspects: u64::MAX,
        hosts: vec![host("2001:db8:1111:2222:3333:4444:5555:6666", u64::MAX, u64::MAX, 0, "::")],
        missed: MissedOfDays { lists: u64::MAX, ports: u64::MAX, hosts: u64::MAX },
        failures: all(9)
            .map(|name| Trouble { time: 0, date: name.clone(), event: name.clone(), text: name })
            .collect(),
        left_out: u64::MAX,
        lost: u64::MAX,
        ..empty(9)
    }
}

fn empty(period: u32) -> Report {
    Report {
        at: AT,
        date: "2026-11-28 22:15".into(),
        since: AT - u64::from(period - 1) * DAY - 81_300,
        period,
        verdict: "ok: blocking 26424 prefixes, policy 12m old".into(),
        ..Report::default()
    }
}

/// So many dates, of which the last is the 28th of November.
fn dates(days: usize) -> impl Iterator<Item = String> {
    let october = (25..=31).map(|day| format!("2026-10-{day}"));
    october.chain((1..=28).map(|day| format!("2026-11-{day:02}"))).skip(35 - days)
}

/// A number between two, that goes up and down.
fn wave(at: usize, least: u64, most: u64) -> u64 {
    let part = [21, 38, 33, 47, 60, 52, 18, 24, 41, 70, 64, 55, 100, 30];
    least + (most - least) / 100 * part[at * 5 % part.len()]
}

/// The tables of [`month`] on a day.
fn sizes(at: usize) -> Vec<DayTable> {
    let all: [(&str, u64); 3] = [
        ("block", 24_108 + 66 * at as u64 + wave(at, 0, 500)),
        ("scanners", if at < 20 { 13_188 } else { 9_100 } + wave(at, 0, 3900)),
        ("allow", if at < 9 { 6 } else { 9 }),
    ];
    all.into_iter()
        .map(|(table, entries)| DayTable {
            table: table.into(),
            size: TableSize { entries, v4: Some(entries * 128), v6: Some(entries / 97) },
            added: wave(at, 0, 300),
            deleted: wave(at + 1, 0, 200),
        })
        .collect()
}

fn counted(date: String, came: u64, went: u64) -> DayReport {
    DayReport {
        date,
        r#in: Some(came),
        out: Some(went),
        suspects: Some(went.min(3)),
        runs: Some(RunCounts { good: 24, failed: came % 2, held: 0 }),
        uploads: Some(UploadCounts { confirmed: 24, failed: 0 }),
        tables: Vec::new(),
    }
}

fn table(word: &str, name: &str, before: Option<TableSize>, now: Option<TableSize>) -> TableReport {
    TableReport {
        table: word.into(),
        name: name.into(),
        kind: TableKind::Block,
        size: now,
        before,
        added: now.map_or(0, |now| now.entries),
        deleted: 0,
    }
}

fn list(list: &str, source: &str, entries: u64, came: u64, went: u64) -> ListReport {
    ListReport {
        list: list.into(),
        source: source.into(),
        table: "block".into(),
        entries: Some(entries),
        r#in: Some(came),
        out: Some(went),
        renewed: 31,
        state: SourceState::Good,
    }
}

fn protocol(protocol: &str, came: u64, went: u64) -> ProtocolHits {
    ProtocolHits { protocol: protocol.into(), r#in: came, out: went }
}

fn port(protocol: &str, port: u16, came: u64, went: u64) -> PortHits {
    PortHits { protocol: protocol.into(), port, r#in: came, out: went }
}

fn host(address: &str, went: u64, came: u64, ago: u64, far: &str) -> SuspectHost {
    SuspectHost {
        address: address.parse().unwrap(),
        out: went,
        r#in: came,
        last: AT - ago,
        date: format!("{} 09:41", dates(35).nth(34 - (ago / DAY) as usize).unwrap()),
        far: far.parse().ok(),
    }
}

fn trouble(days_ago: u64, event: &str, text: &str) -> Trouble {
    let date = dates(35).nth(34 - days_ago as usize).unwrap();
    Trouble {
        time: AT - days_ago * DAY,
        date: format!("{date} 14:07"),
        event: event.into(),
        text: text.into(),
    }
}
