//! Packet logs to text.

use std::fs;
use std::path::Path;

use tests::harness::{Scratch, programs};

use crate::measure::{Cost, RUNS, installed, median, shell_with_peak};
use crate::report::{Comparison, Side};

const RECORDS: usize = 500_000;
/// Octets of a pcap file header, and of that of a record (pcap-savefile(5)).
const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;
const CAPTURES: [&[u8]; 2] = [
    include_bytes!("../../src/pflog/tests/data/captured.pcap"),
    include_bytes!("../../src/pflog/tests/data/generated.pcap"),
];

/// Runs the comparison: a plain file and a gzip file.
pub fn compare() -> Vec<Comparison> {
    let scratch = Scratch::new();
    let plain = scratch.path().join("pflog");
    write_log(&plain, RECORDS);
    let (file, gzip) = (plain.display(), scratch.path().join("pflog.0.gz"));
    let gzip = gzip.display();
    assert!(shell_ok(&format!("gzip -c {file} >{gzip}")), "gzip");
    let ctl = programs().threatstopctl.display();
    let tcpdump = installed("tcpdump");
    let lines = |line: String| move || shell_with_peak(&line);
    let plain = table(
        format!("Decode: {RECORDS} records to text"),
        vec![
            (
                "threatstopctl decode",
                true,
                lines(format!("TZ=UTC0 {ctl} decode {file} >/dev/null")),
            ),
            (
                "tcpdump -ne -r, TZ=UTC0",
                tcpdump,
                lines(format!("TZ=UTC0 tcpdump -ne -r {file} >/dev/null 2>&1")),
            ),
            (
                "tcpdump -ne -r, local time",
                tcpdump,
                lines(format!("tcpdump -ne -r {file} >/dev/null 2>&1")),
            ),
        ],
    );
    let zipped = table(
        format!("Decode: {RECORDS} records from gzip"),
        vec![
            (
                "threatstopctl decode",
                true,
                lines(format!("TZ=UTC0 {ctl} decode {gzip} >/dev/null")),
            ),
            ("zcat alone", installed("zcat"), lines(format!("zcat {gzip} >/dev/null"))),
            (
                "zcat | tcpdump -ne -r -, TZ=UTC0",
                tcpdump,
                lines(format!("zcat {gzip} | TZ=UTC0 tcpdump -ne -r - >/dev/null 2>&1")),
            ),
        ],
    );
    vec![plain, zipped]
}

fn table<F: Fn() -> Cost>(title: String, peers: Vec<(&str, bool, F)>) -> Comparison {
    let mut costs: Vec<Vec<Cost>> = vec![Vec::new(); peers.len()];
    for _ in 0..RUNS {
        for ((_, there, run), costs) in peers.iter().zip(&mut costs) {
            if *there {
                costs.push(run());
            }
        }
    }
    let side = |((name, there, _), costs): ((&str, bool, F), Vec<Cost>)| Side {
        name: name.into(),
        cost: if there { Ok(median(costs)) } else { Err("not installed".into()) },
    };
    let sides = peers.into_iter().zip(costs).map(side).collect();
    Comparison { title, by_cpu: false, alone: false, sides, notes: Vec::new() }
}

fn shell_ok(line: &str) -> bool {
    std::process::Command::new("/bin/sh").arg("-c").arg(line).status().is_ok_and(|s| s.success())
}

/// Writes a packet log of so many records, made of the captures again and again.
pub fn write_log(path: &Path, records: usize) {
    use std::io::Write as _;
    let all: Vec<&[u8]> = CAPTURES.iter().flat_map(|capture| records_of(capture)).collect();
    let mut file = std::io::BufWriter::new(fs::File::create(path).expect("create the log"));
    file.write_all(&CAPTURES[0][..FILE_HEADER]).expect("write the log");
    for record in all.iter().cycle().take(records) {
        file.write_all(record).expect("write the log");
    }
    file.flush().expect("write the log");
}

/// The records of a little-endian capture, with their headers.
fn records_of(capture: &[u8]) -> Vec<&[u8]> {
    let mut rest = &capture[FILE_HEADER..];
    let mut found = Vec::new();
    while rest.len() >= RECORD_HEADER {
        let length = u32::from_le_bytes([rest[8], rest[9], rest[10], rest[11]]) as usize;
        let (record, next) = rest.split_at(RECORD_HEADER + length);
        found.push(record);
        rest = next;
    }
    found
}
