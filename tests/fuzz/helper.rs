//! The helper as a compromised engine meets it: a stream of messages, and tables that nothing but a
//! complete and sound transaction may change.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::unix::net::UnixStream;
use std::path::Path;

use config::Config;
use imsg::{Channel, HelperMessage, Input, MAX_IMSGSIZE, Output, VERSION};
use pf::{Directory, Simulated, Table};
use prefix::{Kind, Shield};
use tempfile::TempDir;

use crate::input::{self, clear, scratch};
use crate::programs::helper::dispatch::{self, Dispatcher};

/// What no block table may touch here: two networks that overlap, and one of each family more.
const PROTECTED: [&str; 4] = ["9.9.9.8/29", "9.9.0.0/16", "203.0.113.7", "2001:db8::/32"];
/// Prefixes that a table may have here.
const MAX_ENTRIES: usize = 200;
/// Entries of both tables, of old and new together: never so many.
const LIMIT: usize = 10_000;
/// Octets that may wait for the engine, more than any input here asks for.
const QUEUE: usize = 4 << 20;
/// Longer inputs are left alone.
const LONGEST: usize = 16 << 10;
/// Names of the tables: block, allow, and one more to block.
const NAMES: [&str; 3] = ["B", "A", "C"];

const HELLO: u32 = 1;
const BEGIN: u32 = 2;
const ENTRIES: u32 = 3;
const COMMIT: u32 = 4;
const STATS: u32 = 5;
const MEND: u32 = 7;
const OPEN: u32 = 8;
/// Repairs that an engine may ask for in a minute, which no run lasts.
const MOST_MENDS: u32 = 120 * NAMES.len() as u32;

/// A stream of messages to the helper. When the first octet is odd, the others are the stream; else
/// each message is one octet of type, one of length, and its payload, and gets its header here.
pub fn imsg_stream(data: &[u8]) -> bool {
    if data.len() > LONGEST {
        return false;
    }
    let mut input = input::Input(data);
    let stream = if input.octet() & 1 == 1 { input.0.to_vec() } else { framed(input) };
    let mut model = Model::default();
    model.read(&stream);
    RIG.with_borrow_mut(|rig| rig.compare(&stream, &model));
    !model.dropped && model.sets.iter().any(Option::is_some)
}

fn framed(mut input: input::Input<'_>) -> Vec<u8> {
    let mut stream = Vec::new();
    while !input.is_empty() {
        let (kind, len) = (u32::from(input.octet()), usize::from(input.octet()));
        let payload = input.take(len);
        for word in [kind, 16 + payload.len() as u32, stream.len() as u32, 0] {
            stream.extend(word.to_ne_bytes());
        }
        stream.extend(payload);
    }
    stream
}

thread_local! {
    static RIG: RefCell<Rig> = RefCell::new(Rig::new());
}

/// What is made once: a folder for the tables, and the configuration.
struct Rig {
    scratch: TempDir,
    config: Config,
}

impl Rig {
    fn new() -> Self {
        let text = format!(
            "device_id = \"tdid_abcd1234\"\n[tables]\nbackend = \"simulated\"\n\
             [log]\nenabled = false\n[guard]\nmax_entries = {MAX_ENTRIES}\n"
        );
        let config = Config::parse(&text, Path::new("fuzz.toml")).unwrap();
        Self { scratch: scratch(), config }
    }

    /// Feeds the octets to a new dispatcher as the loop of the helper does, and compares what it
    /// does with the model.
    fn compare(&mut self, stream: &[u8], model: &Model) {
        let folder = self.scratch.path();
        clear(folder);
        let mut dispatcher = Dispatcher {
            config: self.config.clone(),
            tables: NAMES.map(|name| Table::new("", name, kind(name)).unwrap()).into(),
            pf: Box::new(Simulated::open(folder, LIMIT).unwrap()),
            directory: Directory::open(folder).unwrap(),
            shield: Shield::from_iter(PROTECTED.map(|net| net.parse().unwrap())),
            engine: dispatch::Engine::default(),
        };
        let (ours, engine) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        engine.set_nonblocking(true).unwrap();
        let mut to_helper = engine.try_clone().unwrap();
        let mut channel = Channel::new(ours.into(), QUEUE);
        let mut engine =
            Engine { channel: Channel::new(engine.into(), 0), answers: model.answers() };

        engine.channel.expect_fd();
        let mut why = None;
        to_helper.write_all(stream).unwrap();
        while why.is_none() && matches!(channel.read().unwrap(), Input::Data) {
            why = loop {
                match channel.next() {
                    Err(error) => break Some(error.to_string()),
                    Ok(None) => break None,
                    Ok(Some(frame)) => {
                        if let Err(offence) = dispatcher.dispatch(&frame, &mut channel) {
                            break Some(offence.to_string());
                        }
                        while channel.flush().unwrap() != Output::Sent {
                            engine.read();
                        }
                        engine.read();
                    }
                }
            };
            while channel.flush().unwrap() != Output::Sent {
                engine.read();
            }
            engine.read();
        }
        assert_eq!(why.is_some(), model.dropped, "{why:?}");
        assert!(engine.answers.is_empty(), "not answered: {:?}", engine.answers);
        assert_eq!(files(folder), model.files());
    }
}

/// What a table is for.
fn kind(name: &str) -> Kind {
    if name == "A" { Kind::Allow } else { Kind::Block }
}

/// Every file of a folder.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read_to_string(entry.path()).unwrap())
        })
        .collect()
}

/// The engine's end: reads the answers, which must be messages and say what is expected.
struct Engine {
    channel: Channel,
    answers: VecDeque<Answer>,
}

impl Engine {
    fn read(&mut self) {
        while matches!(self.channel.read().unwrap(), Input::Data) {
            while let Some(frame) = self.channel.next().unwrap() {
                let request = frame.peerid;
                let message = HelperMessage::read(frame).expect("an answer is no message");
                let expected = self.answers.pop_front().expect("an answer to nothing");
                assert_eq!(request, expected.request);
                expected.compare(message);
            }
        }
    }
}

/// An answer as it should be.
#[derive(Clone, Debug)]
struct Answer {
    request: u32,
    kind: u32,
    /// What is in the file; `None` where there is none.
    text: Option<String>,
}

impl Answer {
    fn compare(self, message: HelperMessage) {
        match (self.kind, message) {
            (COMMIT | MEND, HelperMessage::Changed(_)) | (STATS, HelperMessage::Stats(_)) => {}
            (MEND, HelperMessage::Failed(_)) => {}
            (OPEN, HelperMessage::File(file)) => {
                let text = io::read_to_string(fs::File::from(file)).unwrap();
                assert_eq!(Some(text), self.text);
            }
            (OPEN, HelperMessage::Failed(failed)) => assert_eq!(None, self.text, "{failed}"),
            (kind, message) => panic!("{message:?} in answer to {kind}"),
        }
    }
}

/// A prefix as a span of addresses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Span {
    v6: bool,
    first: u128,
    last: u128,
    len: u8,
}

impl Span {
    /// From packed octets, `None` when they are no prefix.
    fn of(packed: &[u8]) -> Option<Self> {
        let (len, addr) = packed.split_last()?;
        let bits = addr.len() * 8;
        let first = addr.iter().fold(0u128, |value, octet| value << 8 | u128::from(*octet));
        let host = bits.checked_sub(usize::from(*len))?;
        let last = (0..host).fold(first, |value, bit| value | 1 << bit);
        let canonical = (0..host).all(|bit| first >> bit & 1 == 0);
        canonical.then_some(Self { v6: bits == 128, first, last, len: *len })
    }

    fn meets(&self, other: &Self) -> bool {
        self.v6 == other.v6 && self.first <= other.last && other.first <= self.last
    }

    fn text(&self) -> String {
        let (addr, host) = match self.v6 {
            true => (Ipv6Addr::from_bits(self.first).to_string(), 128),
            false => (Ipv4Addr::from_bits(self.first as u32).to_string(), 32),
        };
        if self.len == host { addr } else { format!("{addr}/{}", self.len) }
    }

    /// How much of the span lies in another, in addresses, as a number that cannot overflow.
    fn within(&self, first: u128, last: u128) -> f64 {
        let (from, to) = (self.first.max(first), self.last.min(last));
        if from > to { 0.0 } else { (to - from) as f64 + 1.0 }
    }
}

/// A transaction as far as it has come.
struct Open {
    table: usize,
    purpose: u8,
    announced: usize,
    set: Vec<Span>,
}

/// A second reading of the rules over the octets of a stream.
#[derive(Default)]
struct Model {
    greeted: bool,
    open: Option<Open>,
    mends: u32,
    dropped: bool,
    sets: [Option<Vec<String>>; NAMES.len()],
    previous: [Option<Vec<String>>; NAMES.len()],
    answers: Vec<Answer>,
}

impl Model {
    fn answers(&self) -> VecDeque<Answer> {
        self.answers.iter().cloned().collect()
    }

    /// The files that there must be.
    fn files(&self) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        for (table, name) in NAMES.into_iter().enumerate() {
            if let Some(set) = &self.sets[table] {
                files.insert(format!("{name}.pftable"), lines(set));
                files.insert(format!("{name}.simulated"), lines(set));
            }
            if let Some(set) = &self.previous[table] {
                files.insert(format!("{name}.pftable.prev"), lines(set));
            }
        }
        files
    }

    fn read(&mut self, stream: &[u8]) {
        let mut rest = stream;
        while rest.len() >= 16 && !self.dropped {
            let word = |at: usize| u32::from_ne_bytes(rest[at..at + 4].try_into().unwrap());
            let (kind, len, request) = (word(0), word(4), word(8));
            let size = (len & 0x7fff_ffff) as usize;
            if !(16..=MAX_IMSGSIZE).contains(&size) {
                self.dropped = true;
                return;
            }
            let Some(payload) = rest.get(16..size) else { return };
            // no descriptor ever comes
            self.dropped = len != size as u32
                || (!self.greeted && kind != HELLO)
                || self.message(kind, request, payload).is_none();
            rest = &rest[size..];
        }
    }

    /// Reads a message; `None` when it is an offence.
    fn message(&mut self, kind: u32, request: u32, payload: &[u8]) -> Option<()> {
        let mut text = None;
        match (kind, payload) {
            (HELLO, payload) => {
                let again = std::mem::replace(&mut self.greeted, true);
                return (!again && payload == VERSION.to_ne_bytes()).then_some(());
            }
            (BEGIN, &[table @ 0..=2, purpose @ 0..=2, a, b, c, d]) => {
                let announced = u32::from_ne_bytes([a, b, c, d]) as usize;
                if self.open.is_some() || announced > MAX_ENTRIES || (table != 1 && announced == 0)
                {
                    return None;
                }
                let table = table.into();
                self.open = Some(Open { table, purpose, announced, set: Vec::new() });
                return Some(());
            }
            (ENTRIES, payload) => return self.open.as_mut()?.add(payload),
            (COMMIT, []) => {
                let open = self.open.take()?;
                let set = open.complete()?;
                if open.purpose != 1 && self.sets[open.table].as_ref() != Some(&set) {
                    let before = self.sets[open.table].replace(set);
                    if open.purpose == 0 {
                        self.previous[open.table] = before.or(self.previous[open.table].take());
                    }
                }
            }
            (OPEN, &[what @ 0..=2, table @ 0..=2]) => {
                let of = if what == 1 { &self.previous } else { &self.sets };
                text = of[usize::from(table)].as_deref().map(lines);
            }
            (MEND, [0..=2]) => {
                self.mends += 1;
                if self.mends > MOST_MENDS {
                    return None;
                }
            }
            (STATS, []) | (OPEN, [3, 0 | 1] | [4, _]) => {}
            _ => return None,
        }
        self.answers.push(Answer { request, kind, text });
        Some(())
    }
}

impl Open {
    fn add(&mut self, payload: &[u8]) -> Option<()> {
        let (family, packed) = payload.split_first()?;
        let size = match family {
            4 => 5,
            6 => 17,
            _ => return None,
        };
        if packed.is_empty() || packed.len() % size != 0 {
            return None;
        }
        for packed in packed.chunks(size) {
            let span = Span::of(packed)?;
            let protected = PROTECTED.iter().any(|net| span.meets(&named(net)));
            let narrow = span.len >= if span.v6 { 19 } else { 8 };
            if !narrow
                || (self.table != 1 && protected)
                || self.set.iter().any(|before| before.meets(&span) || *before > span)
                || self.set.len() == self.announced
            {
                return None;
            }
            self.set.push(span);
        }
        Some(())
    }

    /// The lines of the table, if it is whole and not too much.
    fn complete(&self) -> Option<Vec<String>> {
        let sum = |v6, first: u128, last: u128| -> f64 {
            let spans = self.set.iter().filter(|span| span.v6 == v6);
            spans.map(|span| span.within(first, last)).sum()
        };
        let (v4, all6) = (sum(false, 0, u128::MAX), sum(true, 0, u128::MAX));
        let global6 = sum(true, 0x2000 << 112, 0x4000 << 112);
        // Sums of fewer than 2^53 powers of two that are all multiples of the smallest one in
        // question: floating point is exact enough to compare them.
        let too_much = match self.table {
            1 => v4 > 2f64.powi(24) || all6 > 2f64.powi(24 + 64),
            _ => v4 > (2f64.powi(32) / 5.0).floor() || global6 > 2f64.powi(13 + 96),
        };
        let texts: Vec<String> = self.set.iter().map(Span::text).collect();
        assert_eq!(texts.iter().collect::<BTreeSet<_>>().len(), texts.len());
        (texts.len() == self.announced && !too_much).then_some(texts)
    }
}

/// The text of a table file.
fn lines(set: &[String]) -> String {
    set.iter().map(|net| format!("{net}\n")).collect()
}

/// A protected network as a span.
fn named(text: &str) -> Span {
    let (addr, len) = text.split_once('/').unwrap_or((text, "32"));
    let octets = match addr.parse().unwrap() {
        std::net::IpAddr::V4(addr) => addr.octets().to_vec(),
        std::net::IpAddr::V6(addr) => addr.octets().to_vec(),
    };
    Span::of(&[octets, vec![len.parse().unwrap()]].concat()).unwrap()
}
