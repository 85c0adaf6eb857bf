//! How fast records become text: a file of 500,000 records, made of the captures again and
//! again, is read and printed; when a tcpdump is installed, it does the same in the same run.
//! (Another system's tcpdump prints other text, at the pace of a tcpdump.)

use std::error::Error;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pflog::{Lines, Printer, Reader, Stamp};

const RECORDS: usize = 500_000;
const RUNS: usize = 5;
const CAPTURES: [&[u8]; 2] =
    [include_bytes!("../tests/data/captured.pcap"), include_bytes!("../tests/data/generated.pcap")];
const FILE_HEADER: usize = 24;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::temp_dir().join(format!("pflog-bench-{}.pcap", std::process::id()));
    let result = write_file(&path).and_then(|()| measure(&path));
    fs::remove_file(&path)?;
    result
}

/// Writes the file, record by record until there are enough.
fn write_file(path: &Path) -> Result<(), Box<dyn Error>> {
    let mut records = Vec::new();
    for capture in CAPTURES {
        let mut reader = Reader::new();
        let mut rest = capture;
        loop {
            while let Some(record) = reader.record()? {
                records.push(record.offset as usize..record.end as usize);
            }
            let count = rest.read(reader.room())?;
            if count == 0 {
                break;
            }
            reader.filled(count);
        }
    }
    // The ranges of the second capture begin where its offsets start again.
    let mut file = std::io::BufWriter::new(File::create(path)?);
    file.write_all(CAPTURES[0].get(..FILE_HEADER).unwrap_or_default())?;
    let mut capture = CAPTURES.len() - 1;
    for range in records.iter().cycle().take(RECORDS) {
        if range.start == FILE_HEADER {
            capture = (capture + 1) % CAPTURES.len();
        }
        file.write_all(CAPTURES[capture].get(range.clone()).unwrap_or_default())?;
    }
    file.flush()?;
    Ok(())
}

fn measure(path: &Path) -> Result<(), Box<dyn Error>> {
    let (mut own, mut octets) = (Duration::MAX, 0);
    let mut other = None;
    for _ in 0..RUNS {
        let start = Instant::now();
        octets = print_file(path)?;
        own = own.min(start.elapsed());
        if let Some(time) = tcpdump(path) {
            other = Some(other.map_or(time, |best: Duration| best.min(time)));
        }
    }
    report("pflog", own);
    println!("{octets} octets of text");
    match other {
        Some(time) => {
            report("tcpdump -n -e -r", time);
            println!("{:.1} times as fast", time.as_secs_f64() / own.as_secs_f64());
        }
        None => println!("no tcpdump to compare with"),
    }
    Ok(())
}

fn report(what: &str, time: Duration) {
    let seconds = time.as_secs_f64();
    println!(
        "{what}: {RECORDS} records in {seconds:.3} s, {:.0} a second, {:.0} ns each",
        RECORDS as f64 / seconds,
        1e9 * seconds / RECORDS as f64,
    );
}

/// Reads and prints a file to /dev/null and returns how many octets the text has.
fn print_file(path: &Path) -> Result<usize, Box<dyn Error>> {
    let mut file = File::open(path)?;
    let mut null = fs::OpenOptions::new().write(true).open("/dev/null")?;
    let mut reader = Reader::new();
    let mut printer = Printer::new(Stamp::Time, 0);
    let mut text = Lines::default();
    let mut octets = 0;
    loop {
        while let Some(record) = reader.record()? {
            printer.print(&record, &mut text);
        }
        octets += text.len();
        null.write_all(&text)?;
        text.clear();
        let count = file.read(reader.room())?;
        if count == 0 {
            return Ok(octets);
        }
        reader.filled(count);
    }
}

/// The time that tcpdump takes, if there is one.
fn tcpdump(path: &Path) -> Option<Duration> {
    let start = Instant::now();
    let status = Command::new("tcpdump")
        .args(["-n", "-e", "-r"])
        .arg(path)
        .env("TZ", "UTC0")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.ok().filter(|status| status.success()).map(|_| start.elapsed())
}
