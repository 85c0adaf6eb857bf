//! The dispatcher as a compromised engine meets it: raw octets over a pair of sockets, and the
//! simulated tables in a directory as witness of what they did.

use std::collections::BTreeMap;
use std::fs;
use std::io::{IoSlice, Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;
use std::path::Path;

use imsg::{Input, MAX_IMSGSIZE, MAX_PAYLOAD, VERSION};
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use pf::Simulated;
use prefix::{Kind, Prefix};
use proptest::prelude::*;
use proptest::sample::{Index, subsequence};

use super::*;

/// What no block table may touch here.
const PROTECTED: &str = "9.9.9.8/29";
/// Prefixes that a set may have here.
const MAX_ENTRIES: usize = 6;
/// The tables: block, allow, and one more to block.
const NAMES: [(&str, Kind); 3] = [("B", Kind::Block), ("A", Kind::Allow), ("C", Kind::Block)];
/// Octets that may wait for the engine.
const QUEUE: usize = 1 << 20;
/// The descriptor mark and the numbers of the messages, as imsg has them on the wire.
const FD_MARK: u32 = 0x8000_0000;
const HELLO: u32 = 1;
const BEGIN: u32 = 2;
const ENTRIES: u32 = 3;
const COMMIT: u32 = 4;
const STATS: u32 = 5;
const MEND: u32 = 7;
const OPEN: u32 = 8;
/// What may be opened: the file of a table, that of the set before, what the kernel has, a list of the
/// administrator, a packet log.
const TABLE: u8 = 0;
const KERNEL: u8 = 2;
const LOCAL: u8 = 3;
const LOG: u8 = 4;

/// A dispatcher, the helper's end of the channel, and the engine's, which is ours here.
struct Rig {
    scratch: tempfile::TempDir,
    dispatcher: Dispatcher,
    channel: Channel,
    engine: UnixStream,
}

impl Rig {
    fn new(queue: usize) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let text = format!(
            "device_id = \"tdid_abcd1234\"\n[tables]\ndirectory = \"{}\"\nbackend = \
             \"simulated\"\n[log]\nenabled = false\n[guard]\nmax_entries = {MAX_ENTRIES}\n\
             allow_max_coverage = 4294967296\n",
            scratch.path().display()
        );
        let config = Config::parse(&text, Path::new("test.toml")).unwrap();
        let net = PROTECTED.parse().unwrap();
        let dispatcher = Dispatcher {
            config,
            tables: NAMES.map(|(name, kind)| Table::new("", name, kind).unwrap()).into(),
            pf: Box::new(Simulated::open(scratch.path(), 1000).unwrap()),
            directory: Directory::open(scratch.path()).unwrap(),
            shield: Shield::from_iter([net]),
            engine: Engine::default(),
        };
        let (ours, engine) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        engine.set_nonblocking(true).unwrap();
        Self { scratch, dispatcher, channel: Channel::new(ours.into(), queue), engine }
    }

    /// Sends octets as the engine and serves them as the loop of the helper does; the reason for
    /// which the engine is dropped. Answers are sent, and read away, as long as it is not.
    fn feed(&mut self, octets: &[u8]) -> Result<(), String> {
        for part in octets.chunks(16 << 10) {
            self.engine.write_all(part).unwrap();
            self.serve()?;
        }
        Ok(())
    }

    fn serve(&mut self) -> Result<(), String> {
        assert_eq!(self.channel.read().unwrap(), Input::Data);
        while let Some(frame) = self.channel.next().map_err(|error| error.to_string())? {
            let served = self.dispatcher.dispatch(&frame, &mut self.channel);
            served.map_err(|offence| offence.to_string())?;
            self.channel.flush().unwrap();
            let mut answers = [0; 4096];
            while self.engine.read(&mut answers).is_ok_and(|octets| octets > 0) {}
        }
        Ok(())
    }

    /// Every file of the directory.
    fn files(&self) -> BTreeMap<String, String> {
        let entries = fs::read_dir(self.scratch.path()).unwrap().map(Result::unwrap);
        entries
            .map(|entry| {
                let text = fs::read_to_string(entry.path()).unwrap();
                (entry.file_name().into_string().unwrap(), text)
            })
            .collect()
    }
}

/// A message, or what pretends to be one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Message {
    kind: u32,
    /// Instead of the true one.
    len: Option<u32>,
    payload: Vec<u8>,
}

impl Message {
    fn new(kind: u32, payload: impl Into<Vec<u8>>) -> Self {
        Self { kind, len: None, payload: payload.into() }
    }

    fn octets(&self) -> Vec<u8> {
        let len = self.len.unwrap_or(16 + self.payload.len() as u32);
        let mut octets = [self.kind, len, 7, 1].map(u32::to_ne_bytes).concat();
        octets.extend(&self.payload);
        octets
    }
}

fn octets(messages: &[Message]) -> Vec<u8> {
    messages.iter().flat_map(Message::octets).collect()
}

fn hello() -> Message {
    Message::new(HELLO, VERSION.to_ne_bytes())
}

fn begin(table: u8, purpose: u8, entries: u32) -> Message {
    Message::new(BEGIN, [&[table, purpose], &entries.to_ne_bytes()[..]].concat())
}

/// Prefixes as they stand, a message for each run of one family.
fn entries(set: &[Prefix]) -> Vec<Message> {
    let is_v4 = |net: &Prefix| matches!(net, Prefix::V4(_));
    let run = |run: &[Prefix]| {
        let mut payload = vec![if is_v4(&run[0]) { 4 } else { 6 }];
        for net in run {
            match net.addr() {
                std::net::IpAddr::V4(addr) => payload.extend(addr.octets()),
                std::net::IpAddr::V6(addr) => payload.extend(addr.octets()),
            }
            payload.push(net.len());
        }
        Message::new(ENTRIES, payload)
    };
    set.chunk_by(|a, b| is_v4(a) == is_v4(b)).map(run).collect()
}

/// A whole transaction; sound when the set is.
fn transaction(table: u8, purpose: u8, set: &[Prefix]) -> Vec<Message> {
    let mut all = vec![begin(table, purpose, set.len() as u32)];
    all.extend(entries(set));
    all.push(Message::new(COMMIT, []));
    all
}

fn prefixes(text: &str) -> Vec<Prefix> {
    text.split_whitespace().map(|word| word.parse().unwrap()).collect()
}

fn lines(set: &[Prefix]) -> String {
    set.iter().map(|net| format!("{net}\n")).collect()
}

/// A second reading of the rules, over raw octets: the tables that must come of them, by number,
/// and whether the engine is dropped.
fn model(octets: &[u8]) -> ([Option<String>; 3], bool) {
    let mut tables = [None, None, None];
    let (mut greeted, mut open) = (false, None::<(u8, u8, usize, Vec<Prefix>)>);
    let mut rest = octets;
    loop {
        let Some((head, behind)) = rest.split_at_checked(16) else { return (tables, false) };
        let word = |at: usize| u32::from_ne_bytes(head[at..at + 4].try_into().unwrap());
        let (kind, len) = (word(0), word(4));
        let size = (len & !FD_MARK) as usize;
        if !(16..=MAX_IMSGSIZE).contains(&size) {
            return (tables, true);
        }
        let Some((payload, behind)) = behind.split_at_checked(size - 16) else {
            return (tables, false);
        };
        rest = behind;
        let fine = len & FD_MARK == 0
            && (greeted || kind == HELLO)
            && match (kind, payload) {
                (HELLO, payload) => {
                    let again = std::mem::replace(&mut greeted, true);
                    !again && payload == VERSION.to_ne_bytes()
                }
                (BEGIN, &[table @ 0..=2, purpose @ 0..=2, a, b, c, d]) => {
                    let count = u32::from_ne_bytes([a, b, c, d]) as usize;
                    let fine = open.is_none() && count <= MAX_ENTRIES && (table == 1 || count > 0);
                    open = Some((table, purpose, count, Vec::new()));
                    fine
                }
                (ENTRIES, payload) => match &mut open {
                    Some((table, _, count, set)) => {
                        take(payload, set).is_some() && may(*table, set) && set.len() <= *count
                    }
                    None => false,
                },
                (COMMIT, &[]) => match open.take() {
                    Some((table, purpose, count, set)) => {
                        if purpose != 1 && set.len() == count {
                            tables[table as usize] = Some(lines(&set));
                        }
                        set.len() == count
                    }
                    None => false,
                },
                (STATS, &[]) | (OPEN, &[LOG, _] | &[TABLE..=KERNEL, 0..=2]) => true,
                (MEND, &[0..=2]) | (OPEN, &[LOCAL, 0 | 1]) => true,
                _ => false,
            };
        if !fine {
            return (tables, true);
        }
    }
}

/// Appends packed prefixes; `None` when they are none.
fn take(payload: &[u8], set: &mut Vec<Prefix>) -> Option<()> {
    let (family, packed) = payload.split_first()?;
    let size = match family {
        4 => 5,
        6 => 17,
        _ => return None,
    };
    if packed.is_empty() || packed.len() % size != 0 {
        return None;
    }
    for net in packed.chunks(size) {
        let (addr, len) = net.split_at(size - 1);
        let addr: std::net::IpAddr = match family {
            4 => <[u8; 4]>::try_from(addr).ok()?.into(),
            _ => <[u8; 16]>::try_from(addr).ok()?.into(),
        };
        set.push(Prefix::new(addr, len[0])?);
    }
    Some(())
}

/// Whether a table may have these prefixes in this order, by looking at every pair.
fn may(table: u8, set: &[Prefix]) -> bool {
    let is_v4 = |net: &Prefix| matches!(net, Prefix::V4(_));
    let meet = |a: &Prefix, b: &Prefix| {
        is_v4(a) == is_v4(b) && (a.contains(b.addr()) || b.contains(a.addr()))
    };
    let protected = PROTECTED.parse().unwrap();
    set.iter().enumerate().all(|(index, net)| {
        let floor = if is_v4(net) { 8 } else { 16 };
        let fits = |before: &Prefix| !meet(before, net) && before < net;
        net.len() >= floor
            && set[..index].iter().all(fits)
            && (table == 1 || !meet(&protected, net))
    })
}

/// Feeds octets to a new dispatcher and compares with the model.
fn compare(octets: &[u8]) {
    let mut rig = Rig::new(QUEUE);
    let fed = rig.feed(octets);
    let (tables, dropped) = model(octets);
    assert_eq!(fed.is_err(), dropped, "{fed:?}");
    let files = rig.files();
    let known = ["pftable", "pftable.prev", "simulated"];
    for ((name, _), expected) in NAMES.into_iter().zip(tables) {
        for kind in ["pftable", "simulated"] {
            assert_eq!(files.get(&format!("{name}.{kind}")), expected.as_ref(), "{name}.{kind}");
        }
    }
    for name in files.keys() {
        let (table, kind) = name.split_once('.').unwrap();
        let sound = NAMES.iter().any(|(known, _)| table == *known) && known.contains(&kind);
        assert!(sound, "{name} is left");
    }
}

/// Sets that are sound most of the time: this order is ascending, and few of these may not be.
fn any_set() -> impl Strategy<Value = Vec<Prefix>> {
    let sound = prefixes("1.1.1.1 2.0.0.0/8 5.5.4.0/24 9.9.9.7 9.9.9.16 2a0b::/48 2a0c::1 fd00::");
    let all = prefixes(
        "1.1.1.1 2.0.0.0/8 2.1.1.1 5.5.4.0/24 9.9.9.9 9.9.9.0/24 64.0.0.0/7 2a00::/12 2a0b::/48 \
         2a0b::1 fd00::",
    );
    prop_oneof![
        6 => subsequence(sound, 0..=MAX_ENTRIES),
        1 => subsequence(all.clone(), 0..=MAX_ENTRIES + 1),
        1 => subsequence(all, 0..=MAX_ENTRIES).prop_shuffle(),
    ]
}

/// One thing that an engine may do.
fn any_deed() -> impl Strategy<Value = Vec<Message>> {
    let small = |kind| {
        proptest::collection::vec(0u8..4, 0..4)
            .prop_map(move |payload| vec![Message::new(kind, payload)])
    };
    prop_oneof![
        8 => (0u8..3, prop_oneof![3 => Just(0u8), 1 => Just(1), 1 => Just(2)], any_set())
            .prop_map(|(table, purpose, set)| transaction(table, purpose, &set)),
        1 => Just(vec![Message::new(STATS, [])]),
        3 => (TABLE..LOG, 0u8..3).prop_map(|(what, index)| vec![Message::new(OPEN, [what, index])]),
        1 => (0u8..3).prop_map(|table| vec![Message::new(MEND, [table])]),
        1 => (0u8..30).prop_map(|n| vec![Message::new(OPEN, [LOG, n])]),
        1 => prop_oneof![0u32..13, 99u32..118, any::<u32>()].prop_flat_map(small),
    ]
}

/// What is done to a sound sequence: a message goes, comes twice, changes its place or its length,
/// or an octet of it changes.
#[derive(Clone, Debug)]
enum Spoil {
    Remove(Index),
    Repeat(Index),
    Swap(Index, Index),
    Splice(Index, Vec<Message>),
    Length(Index, u32),
    Octet(Index, Index, u8),
}

fn any_spoil() -> impl Strategy<Value = Spoil> {
    let index = any::<Index>;
    prop_oneof![
        index().prop_map(Spoil::Remove),
        index().prop_map(Spoil::Repeat),
        (index(), index()).prop_map(|(a, b)| Spoil::Swap(a, b)),
        (index(), any_deed()).prop_map(|(at, deed)| Spoil::Splice(at, deed)),
        (index(), prop_oneof![0u32..40, 16380u32..16390, any::<u32>()])
            .prop_map(|(at, len)| Spoil::Length(at, len)),
        (index(), index(), any::<u8>()).prop_map(|(at, octet, to)| Spoil::Octet(at, octet, to)),
    ]
}

fn spoil(messages: &mut Vec<Message>, spoil: Spoil) {
    let count = messages.len();
    match spoil {
        Spoil::Remove(at) => drop(messages.remove(at.index(count))),
        Spoil::Repeat(at) => messages.insert(at.index(count), messages[at.index(count)].clone()),
        Spoil::Swap(a, b) => messages.swap(a.index(count), b.index(count)),
        Spoil::Splice(at, deed) => drop(messages.splice(at.index(count)..at.index(count), deed)),
        Spoil::Length(at, len) => messages[at.index(count)].len = Some(len),
        Spoil::Octet(at, octet, to) => {
            let payload = &mut messages[at.index(count)].payload;
            if !payload.is_empty() {
                let at = octet.index(payload.len());
                payload[at] = to;
            }
        }
    }
    if messages.is_empty() {
        messages.push(hello());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn only_whole_sound_transactions_change_anything(
        deeds in proptest::collection::vec(any_deed(), 0..6),
        spoils in proptest::collection::vec(any_spoil(), 0..3),
    ) {
        let mut messages: Vec<Message> = std::iter::once(hello()).chain(deeds.concat()).collect();
        for each in spoils {
            spoil(&mut messages, each);
        }
        compare(&octets(&messages));
    }

    #[test]
    fn noise_changes_nothing(noise in proptest::collection::vec(any::<u8>(), 0..200)) {
        let greeted = [hello().octets(), noise.clone()].concat();
        for octets in [noise, greeted] {
            let mut rig = Rig::new(QUEUE);
            if !octets.is_empty() {
                let _ = rig.feed(&octets);
            }
            prop_assert!(rig.files().is_empty());
        }
    }
}

/// A greeted rig with a block table.
fn with_a_table() -> Rig {
    let mut rig = Rig::new(QUEUE);
    let all = [vec![hello()], transaction(0, 0, &prefixes("1.1.1.1 2a0b::/48"))].concat();
    assert_eq!(rig.feed(&octets(&all)), Ok(()));
    let names: Vec<String> = rig.files().into_keys().collect();
    assert_eq!(names, ["B.pftable", "B.simulated"]);
    rig
}

/// Feeds messages to a rig that has a table, and gives the reason of the drop after a look at
/// whether everything is as before.
fn dropped(messages: &[Message]) -> String {
    let mut rig = with_a_table();
    let before = rig.files();
    let why = rig.feed(&octets(messages)).unwrap_err();
    assert_eq!(rig.files(), before, "{why}");
    why
}

#[test]
fn an_engine_that_does_not_greet_first_or_alike_is_dropped() {
    let mut rig = Rig::new(QUEUE);
    let why = rig.feed(&Message::new(STATS, []).octets());
    assert_eq!(why, Err("a request before the greeting".into()));
    assert_eq!(dropped(&[hello()]), "message of unknown type 1");
    let mut rig = Rig::new(QUEUE);
    let other = Message::new(HELLO, (VERSION + 1).to_ne_bytes());
    assert_eq!(rig.feed(&other.octets()), Err("it speaks another version of the protocol".into()));
}

#[test]
fn messages_out_of_order_are_offences() {
    let one = prefixes("3.3.3.3");
    let commit = Message::new(COMMIT, []);
    assert_eq!(dropped(&[begin(0, 0, 1), begin(0, 0, 1)]), "a second transaction");
    assert_eq!(dropped(&[begin(0, 0, 1), begin(1, 0, 0)]), "a second transaction");
    assert_eq!(dropped(std::slice::from_ref(&commit)), "a commit of no transaction");
    assert_eq!(dropped(&entries(&one)), "prefixes of no transaction");
    let mut twice = transaction(1, 1, &one);
    twice.push(commit);
    assert_eq!(dropped(&twice), "a commit of no transaction");
}

#[test]
fn every_set_that_may_not_be_is_an_offence() {
    for (set, why) in [
        ("2.2.2.2 1.1.1.1", "1.1.1.1 is out of order"),
        ("9.9.9.9", "9.9.9.9 touches a protected network"),
        ("9.0.0.0/8", "9.0.0.0/8 touches a protected network"),
        ("0.0.0.0/0", "0.0.0.0/0 is wider than /8 (see min_prefix_v4 in [guard])"),
        ("::/0", "::/0 is wider than /19 (see min_prefix_v6 in [guard])"),
        ("2a0b::1 1.1.1.1", "1.1.1.1 is out of order"),
        (
            "1.0.0.1 1.0.0.3 1.0.0.5 1.0.0.7 1.0.0.9 1.0.1.1 1.0.1.3",
            "7 entries, more than 6 (see max_entries in [guard])",
        ),
        ("", "nothing would be blocked (threatstopctl test shows what the lists hold)"),
    ] {
        assert_eq!(dropped(&transaction(0, 0, &prefixes(set))), why);
        assert_eq!(dropped(&transaction(0, 1, &prefixes(set))), why);
        assert_eq!(dropped(&transaction(0, 2, &prefixes(set))), why);
        assert_eq!(dropped(&transaction(2, 0, &prefixes(set))), why);
    }
    let mut few = transaction(0, 0, &prefixes("3.3.3.3 4.4.4.4"));
    few[0] = begin(0, 0, 3);
    assert_eq!(dropped(&few), "2 prefixes of 3 announced");
    few[0] = begin(0, 0, 1);
    assert_eq!(dropped(&few), "more prefixes than the 1 announced");
}

#[test]
fn what_is_no_message_is_an_offence() {
    for message in [
        Message::new(0, []),
        Message::new(12, []),
        Message::new(101, VERSION.to_ne_bytes()),
        Message::new(u32::MAX, []),
        begin(3, 0, 1),
        begin(16, 0, 1),
        begin(255, 1, 1),
        begin(0, 3, 1),
        Message::new(BEGIN, [0, 0, 1]),
        Message::new(COMMIT, [0]),
        Message::new(OPEN, []),
        Message::new(OPEN, [TABLE]),
        Message::new(OPEN, [TABLE, 3]),
        Message::new(OPEN, [TABLE, 0, 0]),
        Message::new(OPEN, [KERNEL, 3]),
        Message::new(OPEN, [LOCAL, 2]),
        Message::new(OPEN, [5, 0]),
        Message::new(HELLO, VERSION.to_ne_bytes()),
        Message::new(OPEN, *b"../../etc/passwd"),
        Message::new(MEND, [3]),
        Message { len: Some(15), ..Message::new(STATS, []) },
        Message { len: Some(MAX_IMSGSIZE as u32 + 1), ..Message::new(STATS, []) },
        // a descriptor announced and none sent
        Message { len: Some(16 | FD_MARK), ..Message::new(STATS, []) },
    ] {
        let why = dropped(std::slice::from_ref(&message));
        assert!(why.starts_with("message of "), "{message:?}: {why}");
    }
    // the largest message there can be is only too large for its type
    let why = dropped(&[Message::new(STATS, vec![0; MAX_PAYLOAD])]);
    assert_eq!(why, "message of type 5: payload not in form");
}

#[test]
fn a_descriptor_is_an_offence_and_does_not_stay_open() {
    let mut rig = with_a_table();
    let null = fs::File::open("/dev/null").unwrap();
    let message = Message { len: Some(16 | FD_MARK), ..Message::new(STATS, []) };
    let send = |message: &Message, engine: &UnixStream| {
        let (octets, fds) = (message.octets(), [null.as_raw_fd()]);
        let rights = [ControlMessage::ScmRights(&fds)];
        let iov = [IoSlice::new(&octets)];
        sendmsg::<()>(engine.as_raw_fd(), &iov, &rights, MsgFlags::empty(), None).unwrap();
    };
    send(&message, &rig.engine);
    let why = rig.serve().unwrap_err();
    assert_eq!(why, "message of type 5: descriptor missing or not asked for");
    // nor does one that no message announces do anything
    let mut rig = with_a_table();
    for _ in 0..200 {
        send(&Message::new(STATS, []), &rig.engine);
        assert_eq!(rig.serve(), Ok(()));
    }
}

#[test]
fn files_are_opened_for_an_engine_that_takes_them() {
    let mut rig = with_a_table();
    let ask = Message::new(OPEN, [TABLE, 0]);
    for _ in 0..50 {
        assert_eq!(rig.feed(&ask.octets()), Ok(()));
    }
    let serve = |rig: &mut Rig| {
        rig.engine.write_all(&ask.octets()).unwrap();
        assert_eq!(rig.channel.read().unwrap(), Input::Data);
        let frame = rig.channel.next().unwrap().unwrap();
        let served = rig.dispatcher.dispatch(&frame, &mut rig.channel);
        assert!(rig.channel.waiting_fds() <= imsg::MOST_WAITING);
        served.map_err(|why| why.to_string())
    };
    // while one takes nothing few files wait for it, and those leave first when it has taken what has come
    while rig.channel.waiting_fds() < imsg::MOST_WAITING {
        assert_eq!(serve(&mut rig), Ok(()));
    }
    let mut answers = [0; 4096];
    while rig.engine.read(&mut answers).is_ok_and(|octets| octets > 0) {}
    assert_eq!(serve(&mut rig), Ok(()));
    // one that goes on like that is dropped
    let why = std::iter::repeat_with(|| serve(&mut rig)).find_map(Result::err).unwrap();
    assert_eq!(why, imsg::ImsgError::Overflow.to_string());
}

#[test]
fn repairs_have_a_rate() {
    let mut rig = with_a_table();
    let ask = Message::new(MEND, [0]).octets();
    for _ in 0..MOST_MENDS * NAMES.len() {
        assert_eq!(rig.feed(&ask), Ok(()));
    }
    assert_eq!(rig.feed(&ask), Err("it asks for too many repairs".into()));
    rig.dispatcher.engine.mends.0 = Instant::now().checked_sub(Duration::from_secs(60));
    assert_eq!(rig.feed(&ask), Ok(()));
}

#[test]
fn a_set_that_is_published_or_found_is_service() {
    let one = prefixes("3.3.3.3");
    let mut rig = Rig::new(QUEUE);
    for (messages, served) in
        [(vec![hello()], false), (transaction(0, 1, &one), false), (transaction(0, 0, &one), true)]
    {
        assert_eq!(rig.feed(&octets(&messages)), Ok(()));
        assert_eq!(rig.dispatcher.engine.served, served);
    }
    let mut rig = with_a_table();
    rig.dispatcher.engine.served = false;
    let same = transaction(0, 0, &prefixes("1.1.1.1 2a0b::/48"));
    assert_eq!(rig.feed(&octets(&same)), Ok(()));
    assert!(rig.dispatcher.engine.served);
}

/// What ends states is told when a table has got something new, and only then.
#[test]
fn what_is_new_in_a_table_is_noted() {
    let mut rig = Rig::new(QUEUE);
    rig.feed(&hello().octets()).unwrap();
    for (messages, added) in [
        (transaction(0, 0, &prefixes("1.0.0.0/24 2.0.0.0/24")), true),
        (transaction(0, 0, &prefixes("1.0.0.0/24 2.0.0.0/24")), false),
        (transaction(0, 0, &prefixes("1.0.0.0/24")), false),
        (transaction(0, 1, &prefixes("3.0.0.0/24")), false),
        (transaction(0, 0, &prefixes("3.0.0.0/24")), true),
    ] {
        rig.feed(&octets(&messages)).unwrap();
        assert_eq!(std::mem::take(&mut rig.dispatcher.engine.added), added, "{messages:?}");
    }
    // somebody empties the table, and it is mended
    fs::write(rig.scratch.path().join("B.simulated"), "").unwrap();
    assert!(!rig.dispatcher.engine.added);
    rig.feed(&Message::new(MEND, [0]).octets()).unwrap();
    assert!(rig.dispatcher.engine.added);
}

#[test]
fn an_engine_that_asks_and_does_not_read_is_dropped() {
    let mut rig = with_a_table();
    let queue = 64 << 10;
    rig.channel = {
        let (ours, engine) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        rig.engine = engine;
        Channel::new(ours.into(), queue)
    };
    let question = Message::new(STATS, []).octets();
    let mut asked = 0;
    let why = loop {
        rig.engine.write_all(&question).unwrap();
        asked += 1;
        assert!(asked < 100_000, "it may ask for ever");
        assert_eq!(rig.channel.read().unwrap(), Input::Data);
        let frame = rig.channel.next().unwrap().unwrap();
        let served = rig.dispatcher.dispatch(&frame, &mut rig.channel);
        assert!(rig.channel.queued() <= queue);
        if let Err(why) = served {
            break why;
        }
        rig.channel.flush().unwrap();
    };
    assert_eq!(why.to_string(), "the other process does not read its messages");
}

/// What is asked for and what is in it, read from the descriptor that came.
fn opened(rig: &mut Rig, what: u8, index: u8) -> Result<String, String> {
    rig.engine.write_all(&Message::new(OPEN, [what, index]).octets()).unwrap();
    assert_eq!(rig.channel.read().unwrap(), Input::Data);
    let frame = rig.channel.next().unwrap().unwrap();
    rig.dispatcher.dispatch(&frame, &mut rig.channel).unwrap();
    rig.channel.flush().unwrap();
    let mut engine = Channel::new(rig.engine.try_clone().unwrap().into(), QUEUE);
    engine.expect_fd();
    assert_eq!(engine.read().unwrap(), Input::Data);
    match HelperMessage::read(engine.next().unwrap().unwrap()).unwrap() {
        HelperMessage::Failed(failed) => Err(failed.to_string()),
        HelperMessage::File(fd) => Ok(std::io::read_to_string(fs::File::from(fd)).unwrap()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_table_is_listed_by_descriptor_as_its_files_are() {
    let mut rig = with_a_table();
    let set = lines(&prefixes("1.1.1.1 2a0b::/48"));
    assert_eq!(opened(&mut rig, TABLE, 0), Ok(set.clone()));
    assert_eq!(opened(&mut rig, KERNEL, 0), Ok(set.clone()));
    // what the kernel has is told of the kernel
    fs::write(rig.scratch.path().join("B.simulated"), "2.2.2.2\n").unwrap();
    assert_eq!(opened(&mut rig, KERNEL, 0), Ok("2.2.2.2\n".into()));
    assert_eq!(opened(&mut rig, TABLE, 0), Ok(set));
    let names: Vec<String> = rig.files().into_keys().collect();
    assert_eq!(names, ["B.pftable", "B.simulated"]);
    for (what, index, why) in [
        (TABLE, 1, "/A.pftable: open: No such file or directory"),
        (1, 0, "/B.pftable.prev: open: No such file or directory"),
        (KERNEL, 1, "A: DIOCRSETADDRS: No such process"),
        (LOCAL, 0, "no such file in the configuration"),
        // it is not enabled
        (LOG, 0, "no such file in the configuration"),
    ] {
        let told = opened(&mut rig, what, index).unwrap_err();
        assert!(told.ends_with(why), "{told}");
    }
}

/// A packet log, as it is named and as newsyslog(8) leaves it; and what is no log.
#[test]
fn packet_logs_are_opened_by_their_places() {
    let mut rig = Rig::new(QUEUE);
    rig.feed(&hello().octets()).unwrap();
    let logs = tempfile::tempdir().unwrap();
    let log = &mut rig.dispatcher.config.log;
    (log.enabled, log.file) = (true, logs.path().join("pflog"));
    let names: Vec<String> = log
        .files()
        .map(|path| path.strip_prefix(logs.path()).unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(names[..4], ["pflog", "pflog.0", "pflog.0.gz", "pflog.1"]);
    assert_eq!(names[names.len() - 2..], ["pflog.9", "pflog.9.gz"]);
    for (place, name) in (0..).zip(&names) {
        fs::write(logs.path().join(name), name).unwrap();
        assert_eq!(opened(&mut rig, LOG, place), Ok(name.clone()));
    }
    for place in [names.len() as u8, u8::MAX] {
        let why = "no such file in the configuration";
        assert_eq!(opened(&mut rig, LOG, place), Err(why.into()));
    }
    fs::remove_file(logs.path().join("pflog")).unwrap();
    std::os::unix::fs::symlink("pflog.0", logs.path().join("pflog")).unwrap();
    assert!(opened(&mut rig, LOG, 0).is_err(), "a link was followed");
    fs::remove_file(logs.path().join("pflog")).unwrap();
    fs::create_dir(logs.path().join("pflog")).unwrap();
    assert!(opened(&mut rig, LOG, 0).unwrap_err().ends_with("/pflog: not a regular file"));
}

#[test]
fn an_unfinished_transaction_leaves_nothing() {
    let mut rig = with_a_table();
    let before = rig.files();
    let set = prefixes("3.3.3.3 4.4.4.4");
    let messages = transaction(0, 0, &set);
    assert_eq!(rig.feed(&octets(&messages[..2])), Ok(()));
    // other requests in between are served
    assert_eq!(rig.feed(&octets(&[Message::new(STATS, []), Message::new(MEND, [0])])), Ok(()));
    assert_eq!(rig.files(), before);
    assert_eq!(rig.feed(&octets(&messages[2..])), Ok(()));
    assert_eq!(rig.files()["B.pftable"], lines(&set));
    assert_eq!(rig.files()["B.simulated"], lines(&set));
}

#[test]
fn a_message_may_come_octet_by_octet() {
    let mut rig = Rig::new(QUEUE);
    let set = prefixes("3.3.3.3 2a0b::1");
    for octet in octets(&[vec![hello()], transaction(0, 0, &set)].concat()) {
        assert_eq!(rig.feed(&[octet]), Ok(()));
    }
    assert_eq!(rig.files()["B.pftable"], lines(&set));
}

#[test]
fn what_pf_does_not_take_is_an_answer_and_no_offence() {
    let mut rig = with_a_table();
    fs::write(rig.scratch.path().join("simulated.conf"), "const B\n").unwrap();
    let before = rig.files();
    assert_eq!(rig.feed(&octets(&transaction(0, 0, &prefixes("3.3.3.3")))), Ok(()));
    assert_eq!(rig.files(), before);
}
