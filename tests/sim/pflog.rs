//! Packet logs as pflogd(8) of OpenBSD/amd64 writes them (pcap, little-endian, link type 117).

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Time of the first packet, where packets are not of now.
const FIRST: u32 = 1_700_000_000;

/// The file header: version 2.4, snapshot length 160, DLT_PFLOG.
pub fn file_header() -> Vec<u8> {
    let words = [0xa1b2_c3d4_u32, 4 << 16 | 2, 0, 0, 160, 117];
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// A logged TCP segment with SYN: rule 4 of the main ruleset, on em0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Seconds since the Epoch.
    pub seconds: u32,
    /// Microseconds.
    pub micros: u32,
    /// Whether it left.
    pub out: bool,
    /// Where it came from.
    pub source: Ipv4Addr,
    /// Where it went.
    pub destination: Ipv4Addr,
    /// Port it went to.
    pub port: u16,
    /// Anchor of the rule, "" for the main ruleset.
    pub anchor: &'static str,
}

impl Packet {
    /// The record.
    pub fn record(&self) -> Vec<u8> {
        let mut header = [0_u8; 100];
        header[..4].copy_from_slice(&[100, 2, 1, 0]);
        header[4..7].copy_from_slice(b"em0");
        header[20..20 + self.anchor.len()].copy_from_slice(self.anchor.as_bytes());
        header[36..40].copy_from_slice(&4_u32.to_be_bytes());
        let subrule = if self.anchor.is_empty() { u32::MAX } else { 0 };
        header[40..44].copy_from_slice(&subrule.to_be_bytes());
        header[44..48].copy_from_slice(&u32::MAX.to_le_bytes());
        header[48..52].copy_from_slice(&100_000_u32.to_le_bytes());
        header[60] = if self.out { 2 } else { 1 };
        let mut packet = [0_u8; 40];
        packet[..12].copy_from_slice(&[0x45, 0, 0, 40, 0, 7, 0x40, 0, 64, 6, 0, 0]);
        packet[12..16].copy_from_slice(&self.source.octets());
        packet[16..20].copy_from_slice(&self.destination.octets());
        packet[20..22].copy_from_slice(&40_000_u16.to_be_bytes());
        packet[22..24].copy_from_slice(&self.port.to_be_bytes());
        packet[24..28].copy_from_slice(&self.micros.to_be_bytes());
        packet[32] = 0x50;
        packet[33] = 2;
        packet[34..36].copy_from_slice(&16384_u16.to_be_bytes());
        let length = (header.len() + packet.len()) as u32;
        let words = [self.seconds, self.micros, length, length];
        let words = words.iter().flat_map(|word| word.to_le_bytes());
        words.chain(header).chain(packet).collect()
    }

    /// The line of `tcpdump -n -e -tt` for it.
    pub fn line(&self) -> String {
        let rule = match self.anchor {
            "" => "4".to_owned(),
            anchor => format!("4.{anchor}.0"),
        };
        format!(
            "{}.{:06} rule {rule}/(match) block {} on em0: {}.40000 > {}.{}: S \
             {micros}:{micros}(0) win 16384 (DF)",
            self.seconds,
            self.micros,
            if self.out { "out" } else { "in" },
            self.source,
            self.destination,
            self.port,
            micros = self.micros
        )
    }
}

/// A packet log that is written, rotated and compressed as pflogd(8) and newsyslog(8) do it.
#[derive(Debug)]
pub struct PacketLog {
    path: PathBuf,
    file: File,
    /// Whether packets have the time at which they are added.
    of_now: bool,
    written: Vec<Packet>,
}

impl PacketLog {
    /// Makes an empty one, readable by its owner alone.
    pub fn create(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let file = open(&path);
        Self { path, file, of_now: false, written: Vec::new() }
    }

    /// The same whose packets have the time at which they are added.
    pub fn create_of_now(path: impl Into<PathBuf>) -> Self {
        Self { of_now: true, ..Self::create(path) }
    }

    /// All packets so far, of all generations.
    pub fn written(&self) -> &[Packet] {
        &self.written
    }

    /// The place of a packet, of which this is the line of `tcpdump -n -e -tt`; `None` when none is.
    pub fn number(&self, line: &str) -> Option<u32> {
        let (seconds, _) = line.split_once('.')?;
        let number = seconds.parse::<u32>().ok()?.checked_sub(FIRST)?;
        self.written.get(number as usize)?.line().eq(line).then_some(number)
    }

    /// Adds packets, each a second and a bit after the one before, or a bit alone where they are of
    /// now, from the source given.
    pub fn append(&mut self, count: u32, source: Ipv4Addr) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock that is set");
        let first = self.written.len() as u32;
        let packet = |number: u32| Packet {
            seconds: if self.of_now { now.as_secs() as u32 } else { FIRST + number },
            micros: number % 1_000_000,
            out: false,
            source,
            destination: Ipv4Addr::new(192, 0, 2, 1),
            port: 22,
            anchor: "",
        };
        self.add((first..first + count).map(packet).collect());
    }

    /// Adds packets as they are.
    pub fn add(&mut self, packets: Vec<Packet>) {
        let mut octets = match self.file.metadata().expect("look at the log").len() {
            0 => file_header(),
            _ => Vec::new(),
        };
        octets.extend(packets.iter().flat_map(Packet::record));
        self.written.extend(packets);
        self.file.write_all(&octets).expect("write to the log");
    }

    /// Adds octets as they are, such as the beginning of a record or what is none.
    pub fn append_octets(&mut self, octets: &[u8]) {
        self.file.write_all(octets).expect("write to the log");
    }

    /// Renames FILE to FILE.0, FILE.0 to FILE.1 and so on, and makes FILE anew. pflogd(8) goes on
    /// with the old file until [`PacketLog::reopen`].
    pub fn rotate(&mut self) {
        for suffix in ["", ".gz"] {
            let _ = fs::remove_file(self.name(&format!(".9{suffix}")));
        }
        for generation in (0..9).rev() {
            for suffix in ["", ".gz"] {
                let name = |generation| self.name(&format!(".{generation}{suffix}"));
                let _ = fs::rename(name(generation), name(generation + 1));
            }
        }
        fs::rename(&self.path, self.name(".0")).expect("rename the log");
        drop(open(&self.path));
    }

    /// Renames FILE to a name that is not FILE.n, as a script with dates does, and makes FILE anew.
    pub fn rotate_to(&mut self, suffix: &str) {
        fs::rename(&self.path, self.name(suffix)).expect("rename the log");
        drop(open(&self.path));
    }

    /// What SIGHUP does to pflogd(8).
    pub fn reopen(&mut self) {
        self.file = open(&self.path);
    }

    /// Compresses FILE.0.
    pub fn compress(&self) {
        let plain = self.name(".0");
        let packed = File::create(self.name(".0.gz")).expect("make a compressed file");
        let mut encoder = flate2::write::GzEncoder::new(packed, flate2::Compression::default());
        let text = fs::read(&plain).expect("read a rotated log");
        encoder.write_all(&text).and_then(|()| encoder.try_finish()).expect("compress");
        fs::remove_file(&plain).expect("remove what was compressed");
    }

    /// Copies FILE to FILE.0 and truncates it, as some do.
    pub fn copy_and_truncate(&mut self) {
        fs::copy(&self.path, self.name(".0")).expect("copy the log");
        self.truncate();
    }

    /// Copies FILE to FILE.copy, and adds there from now on.
    pub fn copy(&mut self) {
        let copy = self.name(".copy");
        fs::copy(&self.path, &copy).expect("copy the log");
        self.file = open(&copy);
    }

    /// Puts the copy in the place of FILE.
    pub fn replace_by_copy(&self) {
        fs::rename(self.name(".copy"), &self.path).expect("rename the copy");
    }

    /// Truncates FILE.
    pub fn truncate(&mut self) {
        self.cut(0);
    }

    /// Truncates what is added to, to so many octets.
    pub fn cut(&mut self, octets: u64) {
        self.file.set_len(octets).expect("truncate the log");
    }

    fn name(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(suffix);
        name.into()
    }
}

fn open(path: &Path) -> File {
    let mut options = OpenOptions::new();
    let opened = options.create(true).append(true).mode(0o600).open(path);
    opened.unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}
