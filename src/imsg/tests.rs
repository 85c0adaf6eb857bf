use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;

use nix::errno::Errno;
use prefix::{Kind, Net, Prefix};
use proptest::prelude::*;

use super::*;

fn pair() -> (Channel, UnixStream) {
    let (a, b) = UnixStream::pair().unwrap();
    a.set_nonblocking(true).unwrap();
    (Channel::new(a.into(), 1 << 20), b)
}

fn channels() -> (Channel, Channel) {
    let (a, b) = pair();
    b.set_nonblocking(true).unwrap();
    (a, Channel::new(b.into(), 1 << 20))
}

fn take(channel: &mut Channel) -> Frame {
    loop {
        if let Some(frame) = channel.next().unwrap() {
            return frame;
        }
        assert_eq!(channel.read().unwrap(), Input::Data);
    }
}

fn scratch_file(text: &str) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.rewind().unwrap();
    file
}

#[test]
fn every_engine_message_arrives_as_it_was_sent() {
    let net = Net::<u32>::new(0x0102_0300, 24).unwrap();
    let all = [
        EngineMessage::TableBegin { table: TableId::ALLOW, entries: 7, purpose: Purpose::Repair },
        EngineMessage::TableEntries(Entries::split(&[net]).next().unwrap()),
        EngineMessage::TableCommit,
        EngineMessage::TableStats,
        EngineMessage::TableMend { table: TableId::BLOCK },
        EngineMessage::Open(FileId::Table(TableId::BLOCK)),
        EngineMessage::Open(FileId::Previous(TableId::ALLOW)),
        EngineMessage::Open(FileId::Kernel(TableId::ALLOW)),
        EngineMessage::Open(FileId::Local(Kind::Allow)),
        EngineMessage::Open(FileId::Log(20)),
    ];
    let (mut a, mut b) = channels();
    for (number, message) in all.iter().enumerate() {
        message.queue(&mut a, number as u32).unwrap();
    }
    assert_eq!(a.flush().unwrap(), Output::Sent);
    for (number, message) in all.iter().enumerate() {
        let frame = take(&mut b);
        assert_eq!(frame.peerid, number as u32);
        assert_eq!(&EngineMessage::read(&frame, 2).unwrap(), message);
    }
}

#[test]
fn what_failed_is_said_with_its_number() {
    assert_eq!(failed(Of::Pf).to_string(), "T: DIOCRSETADDRS: No space left on device");
    assert_eq!(Failed::words(Errno::EPERM, "not so").to_string(), "not so");
}

fn failed(of: Of) -> Failed {
    Failed { of, differ: true, ..Failed::words(Errno::ENOSPC, "T: DIOCRSETADDRS") }
}

/// A descriptor of a file with this text.
fn file(text: &str) -> OwnedFd {
    scratch_file(text).into()
}

/// What a descriptor leads to, in its place.
fn shown(message: HelperMessage) -> String {
    let text = |fd| std::io::read_to_string(File::from(fd)).unwrap();
    match message {
        HelperMessage::Start(start, fd) => format!("{start:?} {}", text(fd)),
        HelperMessage::File(fd) => text(fd),
        other => format!("{other:?}"),
    }
}

#[test]
fn every_helper_message_arrives_as_it_was_sent() {
    let all = || {
        let stat = TableStat { present: true, entries: 5, blocked: [1, 2], ..Default::default() };
        let start = Start { table_entries: 200_000, owner: 1000, privileged: true };
        let net = |net: &str, reason, name: &str| Protected {
            net: net.parse().unwrap(),
            reason,
            name: name.into(),
        };
        [
            HelperMessage::Protected(vec![
                net("10.0.0.0/8", Reason::Interface, "em0"),
                net("::1", Reason::Reserved, ""),
            ]),
            HelperMessage::Start(start, file("control")),
            HelperMessage::File(file("pflog")),
            HelperMessage::Changed(Changes { file: false, created: true, added: 2, deleted: 3 }),
            HelperMessage::Stats(Stats { running: true, tables: vec![] }),
            HelperMessage::Stats(Stats {
                running: false,
                tables: vec![stat, TableStat::default(), stat],
            }),
            HelperMessage::Failed(Failed::words(Errno::ENOENT, "gone")),
            HelperMessage::Failed(failed(Of::File)),
            HelperMessage::Failed(failed(Of::Pf)),
            HelperMessage::Failed(failed(Of::Creation)),
        ]
    };
    let (mut a, mut b) = channels();
    all().iter().for_each(|_| b.expect_fd());
    for message in all() {
        message.queue(&mut a, 5).unwrap();
    }
    assert_eq!(a.flush().unwrap(), Output::Sent);
    for message in all() {
        let frame = take(&mut b);
        assert_eq!(frame.peerid, 5);
        assert_eq!(shown(HelperMessage::read(frame).unwrap()), shown(message));
    }
}

#[test]
fn a_descriptor_comes_with_the_messages_that_have_one_and_with_no_other() {
    let octets = |message: HelperMessage| {
        let (mut a, mut b) = channels();
        b.expect_fd();
        message.queue(&mut a, 0).unwrap();
        a.flush().unwrap();
        take(&mut b)
    };
    let frame = octets(HelperMessage::File(file("without")));
    let without = Frame { fd: None, ..frame };
    assert!(matches!(HelperMessage::read(without), Err(ImsgError::Descriptor(105))));
    let frame = octets(HelperMessage::Failed(failed(Of::File)));
    let with = Frame { fd: Some(file("with")), ..frame };
    assert!(matches!(HelperMessage::read(with), Err(ImsgError::Descriptor(110))));
}

#[test]
fn the_first_message_is_the_greeting_of_this_version() {
    let (mut a, mut b) = channels();
    greet(&mut a).unwrap();
    EngineMessage::TableStats.queue(&mut a, 0).unwrap();
    a.flush().unwrap();
    let mut frame = take(&mut b);
    assert!(greeted(&frame).is_ok());
    for payload in [(VERSION + 1).to_ne_bytes().to_vec(), vec![], vec![0; 5]] {
        frame.payload = payload;
        assert!(matches!(greeted(&frame), Err(ImsgError::Version)));
    }
    assert!(matches!(greeted(&take(&mut b)), Err(ImsgError::Greeting)));
}

#[test]
fn a_text_is_cut_at_its_bound_between_characters() {
    let (mut a, mut b) = channels();
    let failed = Failed::words(Errno::EIO, "ü".repeat(2000));
    HelperMessage::Failed(failed).queue(&mut a, 0).unwrap();
    a.flush().unwrap();
    match HelperMessage::read(take(&mut b)).unwrap() {
        HelperMessage::Failed(failed) => assert_eq!(failed.what, "ü".repeat(512)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_descriptor_goes_to_its_own_message() {
    let (mut a, mut b) = channels();
    b.expect_fd();
    for text in ["one", "two", "three"] {
        a.queue(1, 0, b"before", None).unwrap();
        a.queue(2, 0, text.as_bytes(), Some(scratch_file(text).into())).unwrap();
    }
    a.flush().unwrap();
    for text in ["one", "two", "three"] {
        assert!(take(&mut b).fd.is_none());
        let mut read = String::new();
        File::from(take(&mut b).fd.unwrap()).read_to_string(&mut read).unwrap();
        assert_eq!(read, text);
    }
}

#[test]
fn a_message_may_come_octet_by_octet() {
    let (mut channel, mut peer) = pair();
    let mut octets = Vec::new();
    frame::Header { kind: 7, len: 20, peerid: 1, has_fd: false }.write(&mut octets);
    octets.extend_from_slice(b"abcd");
    for octet in octets {
        assert!(channel.next().unwrap().is_none());
        peer.write_all(&[octet]).unwrap();
        assert_eq!(channel.read().unwrap(), Input::Data);
    }
    assert_eq!(channel.next().unwrap().unwrap().payload, b"abcd");
    assert_eq!(channel.read().unwrap(), Input::WouldBlock);
    drop(peer);
    assert_eq!(channel.read().unwrap(), Input::Closed);
}

#[test]
fn lengths_outside_the_bounds_are_refused() {
    for len in [0u32, 15, MAX_IMSGSIZE as u32 + 1, 0x7fff_ffff] {
        let (mut channel, mut peer) = pair();
        let mut octets = [0u8; 16];
        octets[4..8].copy_from_slice(&len.to_ne_bytes());
        peer.write_all(&octets).unwrap();
        channel.read().unwrap();
        assert!(matches!(channel.next(), Err(ImsgError::Length(l)) if l == len));
    }
}

#[test]
fn an_announced_descriptor_that_does_not_come_is_an_error() {
    let (mut channel, mut peer) = pair();
    channel.expect_fd();
    let mut octets = Vec::new();
    frame::Header { kind: 7, len: 16, peerid: 1, has_fd: true }.write(&mut octets);
    peer.write_all(&octets).unwrap();
    channel.read().unwrap();
    assert!(matches!(channel.next(), Err(ImsgError::Descriptor(7))));
}

/// Sends an octet with the write end of a pipe so many times over; gives the read end, at whose end is
/// whoever has them all closed.
fn send_writers(peer: &UnixStream, copies: usize) -> std::io::PipeReader {
    use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
    let (reader, writer) = std::io::pipe().unwrap();
    let raw = vec![writer.as_raw_fd(); copies];
    let control = [ControlMessage::ScmRights(&raw)];
    let octets = [std::io::IoSlice::new(b"x")];
    sendmsg::<()>(peer.as_raw_fd(), &octets, &control, MsgFlags::empty(), None).unwrap();
    reader
}

fn is_at_its_end(reader: &mut std::io::PipeReader) -> bool {
    use nix::fcntl::{FcntlArg, OFlag, fcntl};
    fcntl(&*reader, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
    reader.read(&mut [0]).is_ok_and(|count| count == 0)
}

#[test]
fn who_expects_no_descriptor_is_given_none() {
    let (mut channel, peer) = pair();
    let mut reader = send_writers(&peer, 1);
    assert!(!is_at_its_end(&mut reader));
    assert_eq!(channel.read().unwrap(), Input::Data);
    // the kernel has disposed of it
    assert!(is_at_its_end(&mut reader));
    assert!(channel.fds.is_empty());
}

#[test]
fn descriptors_that_nobody_announced_are_closed() {
    let (mut channel, peer) = pair();
    channel.expect_fd();
    let mut readers: Vec<_> = (0..50)
        .map(|_| {
            let reader = send_writers(&peer, 250);
            assert_eq!(channel.read().unwrap(), Input::Data);
            reader
        })
        .collect();
    // some wait for a message
    assert!(is_at_its_end(&mut readers[49]));
    drop(channel);
    assert!(readers.iter_mut().all(is_at_its_end));
}

#[test]
fn what_is_received_closes_on_exec() {
    use nix::fcntl::{FcntlArg, FdFlag, fcntl};
    let (mut channel, peer) = pair();
    channel.expect_fd();
    send_writers(&peer, 3);
    assert_eq!(channel.read().unwrap(), Input::Data);
    assert_eq!(channel.fds.len(), 3);
    for fd in &channel.fds {
        assert_eq!(fcntl(fd, FcntlArg::F_GETFD).unwrap(), FdFlag::FD_CLOEXEC.bits());
    }
}

#[test]
fn a_descriptor_is_expected_until_its_answer() {
    let (mut a, mut b) = channels();
    EngineMessage::Open(FileId::Log(0)).queue(&mut b, 1).unwrap();
    for (text, expected) in [("one", true), ("two", false)] {
        a.queue(1, 0, &[], Some(scratch_file(text).into())).unwrap();
        a.flush().unwrap();
        b.read().unwrap();
        assert_eq!(b.next().is_ok_and(|frame| frame.unwrap().fd.is_some()), expected, "{text}");
        b.answered_fd();
    }
}

#[test]
fn the_engine_may_send_no_descriptor() {
    let (mut a, mut b) = channels();
    a.queue(4, 0, &[], Some(scratch_file("x").into())).unwrap();
    a.flush().unwrap();
    b.read().unwrap();
    assert!(matches!(b.next(), Err(ImsgError::Descriptor(4))));
}

#[test]
fn messages_with_a_descriptor_are_counted_until_they_are_sent() {
    let (mut a, _b) = channels();
    a.queue(1, 0, &[], None).unwrap();
    for text in ["four", "five"] {
        a.queue(1, 0, &[], Some(scratch_file(text).into())).unwrap();
    }
    assert_eq!(a.waiting_fds(), 2);
    a.flush().unwrap();
    assert_eq!(a.waiting_fds(), 0);
}

#[test]
fn who_does_not_read_cannot_make_us_keep_more_than_the_limit() {
    let (mut channel, _peer) = pair();
    let payload = [0; MAX_PAYLOAD];
    let failed = (0..1000).find(|_| channel.queue(1, 0, &payload, None).is_err());
    assert_eq!(failed, Some((1 << 20) / MAX_IMSGSIZE));
    assert_eq!(channel.flush().unwrap(), Output::Full);
}

#[test]
fn a_large_set_is_split_and_comes_together_again() {
    let v4: Vec<_> = (0..10_000u32).map(|n| Net::host(n * 2)).collect();
    let v6: Vec<_> = (0..3_000u128).map(|n| Net::host(n * 2)).collect();
    let set: Vec<Prefix> =
        v4.iter().copied().map(Prefix::V4).chain(v6.iter().copied().map(Prefix::V6)).collect();
    let (mut a, mut b) = channels();
    for part in Entries::split(&v4).chain(Entries::split(&v6)) {
        EngineMessage::TableEntries(part).queue(&mut a, 0).unwrap();
    }
    let mut back = Vec::new();
    while back.len() < set.len() {
        a.flush().unwrap();
        match EngineMessage::read(&take(&mut b), 2).unwrap() {
            EngineMessage::TableEntries(part) => back.extend(part.prefixes().map(Option::unwrap)),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(back, set);
}

fn any_frame() -> impl Strategy<Value = Frame> {
    let payload = proptest::collection::vec(any::<u8>(), 0..200);
    (prop_oneof![0u32..12, 99u32..118, any::<u32>()], payload).prop_map(|(kind, payload)| Frame {
        kind,
        peerid: 0,
        payload,
        fd: None,
    })
}

proptest! {
    #[test]
    fn reading_any_payload_never_panics(frame in any_frame()) {
        let _ = EngineMessage::read(&frame, 2);
        let _ = HelperMessage::read(frame);
    }

    #[test]
    fn what_is_read_from_any_octets_is_bounded(octets: Vec<u8>) {
        let (mut channel, mut peer) = pair();
        peer.write_all(&octets).unwrap();
        drop(peer);
        while channel.read().unwrap() == Input::Data {
            while let Ok(Some(frame)) = channel.next() {
                prop_assert!(frame.payload.len() <= MAX_PAYLOAD);
            }
        }
    }

    #[test]
    fn a_protected_network_survives_the_way(addr: u128, len in 0u8..=128, v4: bool) {
        let net = if v4 {
            Prefix::V4(Net::masked(addr as u32, len.min(32)).unwrap())
        } else {
            Prefix::V6(Net::masked(addr, len).unwrap())
        };
        let (mut a, mut b) = channels();
        let network = Protected { net, reason: Reason::Nameserver, name: "vlan100".into() };
        HelperMessage::Protected(vec![network.clone()]).queue(&mut a, 0).unwrap();
        a.flush().unwrap();
        match HelperMessage::read(take(&mut b)).unwrap() {
            HelperMessage::Protected(networks) => prop_assert_eq!(networks, [network]),
            other => panic!("{other:?}"),
        }
    }
}
