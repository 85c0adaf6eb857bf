//! An engine that is not ours any more: it begins as the engine does, and then does what the file
//! `word` beside it says. For the cases of `hostile_engine`, which install it as threatstopd-engine.
//!
//! What it does is what somebody could do who has taken over the engine: all of its descriptors are
//! his, and so is its way to end.
//!
//! * In: the file `word`, and what monitor and helper give to an engine.
//! * Out: messages, octets, descriptors and ends that a good engine never has.
//! * Never: be installed by anything but a case.

// It stops at the first thing that is not as expected; there is nobody to hand an error to.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs::{self, File};
use std::io::IoSlice;
use std::os::fd::{AsRawFd as _, OwnedFd, RawFd};
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use imsg::process::{self, Inherited};
use imsg::{Channel, Frame, HelperMessage, Input, VERSION, signals, told};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::signal::{Signal, raise};
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use nix::unistd::write;

/// Descriptors that Linux takes with one message (SCM_MAX_FD).
const MOST: usize = 253;
/// The top bit of a length: a descriptor belongs to the message.
const MARK: u32 = 1 << 31;

/// Every message that the helper knows, in form: its type and its payload.
fn requests() -> Vec<(u32, Vec<u8>)> {
    let begin = [&[0, 1][..], &1u32.to_ne_bytes()].concat();
    vec![
        (1, VERSION.to_ne_bytes().to_vec()),
        (2, begin),
        (3, vec![4, 198, 18, 0, 1, 32]),
        (4, Vec::new()),
        (5, Vec::new()),
        (7, vec![0]),
        (8, vec![4, 0]),
        (10, vec![0]),
    ]
}

fn request(kind: u32) -> Vec<u8> {
    let (_, payload) = requests().into_iter().find(|(found, _)| *found == kind).unwrap();
    frame(kind, 0, &payload)
}

/// A message; `more` goes on top of its length.
fn frame(kind: u32, more: u32, payload: &[u8]) -> Vec<u8> {
    let len = 16 + u32::try_from(payload.len()).unwrap();
    let head = [kind, len.wrapping_add(more), 7, 0].map(u32::to_ne_bytes).concat();
    [&head[..], payload].concat()
}

struct Engine {
    channel: Channel,
    alive: OwnedFd,
    words: OwnedFd,
}

fn main() {
    let own = PathBuf::from(std::env::args_os().next().unwrap());
    let word = fs::read_to_string(own.with_file_name("word")).unwrap();
    let word: Vec<_> = word.split_whitespace().collect();
    let number = |at: usize| word[at].parse::<u32>().unwrap();
    if word[0] == "exit-early" {
        std::process::exit(number(1).cast_signed());
    }
    let Inherited { peer, told, alive, words, .. } = process::inherited().unwrap();
    if word[0] != "deaf" {
        told::configuration(&told).unwrap().unwrap();
    }
    let mut engine = Engine { channel: Channel::new(peer, 1 << 20), alive, words };
    if word[0] == "pipes" {
        engine.pipes();
    }
    let _listener = engine.begin();
    if word[0] != "ungreeted" && engine.send(&request(1)).is_err() {
        // another reload was faster
        return;
    }
    engine.say_alive();
    match word[0] {
        "sit" | "deaf" => {}
        "ungreeted" => engine.send(&request(5)).unwrap(),
        "garbage" => engine.send(&[0xa5; 4096]).unwrap(),
        "length" => {
            let words = [5, number(1), 7, 0].map(u32::to_ne_bytes).concat();
            engine.send(&words).unwrap();
        }
        // a repair of a table, and its file
        "table" => engine.send(&frame(7, 0, &[number(1) as u8])).unwrap(),
        "file" => engine.send(&frame(8, 0, &[0, number(1) as u8])).unwrap(),
        "half" => engine.send(&request(8)[..11]).unwrap(),
        "head" => engine.send(&request(5)[..9]).unwrap(),
        "begin" => {
            engine.send(&frame(2, 0, &[&[0, 0][..], &1000u32.to_ne_bytes()].concat())).unwrap();
            engine.send(&request(3)).unwrap();
        }
        "marked" => {
            let kind = number(1);
            let (_, payload) = requests().into_iter().find(|(found, _)| *found == kind).unwrap();
            engine.send_with(&frame(kind, MARK, &payload), 1).unwrap();
        }
        "descriptors" => engine.descriptors(),
        "unread" if word.len() > 3 => {
            engine.flood(&frame(8, 0, &[number(3) as u8, 0]), number(2));
        }
        "unread" => engine.flood(&request(number(1)), number(2)),
        "pipes" => {}
        "exit" => std::process::exit(number(1).cast_signed()),
        "dies" => raise(Signal::SIGKILL).unwrap(),
        "stopped" => raise(Signal::SIGSTOP).unwrap(),
        "stays" => engine.stay(),
        "closes" => {
            let Engine { channel, alive, words } = engine;
            drop(channel);
            signals::block().unwrap();
            loop {
                let _ = (write(&alive, b"a"), &words);
                sleep(Duration::from_secs(1));
            }
        }
        "plants" => {
            let spool = PathBuf::from(word[1]);
            for name in [".lock", "lock"] {
                let _ = fs::remove_file(spool.join(name));
                let _ = fs::create_dir(spool.join(name));
            }
            std::process::exit(1);
        }
        word => panic!("what is {word}?"),
    }
    engine.sit();
}

impl Engine {
    /// Takes what the helper says first; gives the control socket.
    fn begin(&mut self) -> OwnedFd {
        self.channel.expect_fd();
        imsg::greeted(&self.frame()).unwrap();
        let listener = loop {
            if let HelperMessage::Start(_, listener) = self.answer() {
                break listener;
            }
        };
        self.channel.answered_fd();
        listener
    }

    fn answer(&mut self) -> HelperMessage {
        HelperMessage::read(self.frame()).unwrap()
    }

    /// The next message of the helper's; ends this process where none can come any more.
    fn frame(&mut self) -> Frame {
        loop {
            if let Some(frame) = self.channel.next().unwrap() {
                return frame;
            }
            signals::wait(&mut [signals::watch(&self.channel, true, false)], None).unwrap();
            if matches!(self.channel.read(), Ok(Input::Closed) | Err(_)) {
                std::process::exit(0);
            }
        }
    }

    fn say_alive(&self) {
        let _ = write(&self.alive, b"a");
    }

    fn send(&self, octets: &[u8]) -> nix::Result<()> {
        self.send_with(octets, 0)
    }

    /// Sends all octets, with so many descriptors at the first of them.
    fn send_with(&self, mut octets: &[u8], descriptors: usize) -> nix::Result<()> {
        let null = File::open("/dev/null").unwrap();
        let mut fds: Vec<RawFd> = vec![null.as_raw_fd(); descriptors];
        while !octets.is_empty() {
            let rights = [ControlMessage::ScmRights(&fds)];
            let control = if fds.is_empty() { &[][..] } else { &rights };
            let (iov, flags) = ([IoSlice::new(octets)], MsgFlags::MSG_NOSIGNAL);
            match sendmsg::<()>(self.channel.as_raw_fd(), &iov, control, flags, None) {
                Ok(count) => {
                    octets = &octets[count..];
                    fds.clear();
                }
                Err(Errno::EAGAIN | Errno::ETOOMANYREFS) => {
                    self.say_alive();
                    let room = signals::watch(&self.channel, false, true);
                    signals::wait(&mut [room], Some(Duration::from_secs(5))).unwrap();
                }
                Err(errno) => return Err(errno),
            }
        }
        Ok(())
    }

    /// Descriptors that no message has: as many as go at once with whole messages, and with the first
    /// half of one. Says how many answers came.
    fn descriptors(&mut self) {
        let ask = request(5);
        for round in 0..40 {
            if round % 2 == 0 {
                self.send_with(&ask, MOST).unwrap();
            } else {
                self.send_with(&ask[..5], MOST).unwrap();
                self.send_with(&ask[5..], 1).unwrap();
            }
            assert!(matches!(self.answer(), HelperMessage::Stats(_)));
        }
        eprintln!("hostile: 40 answers");
    }

    /// So many requests, of which no answer is read.
    fn flood(&self, ask: &[u8], count: u32) {
        for _ in 0..count {
            if self.send(ask).is_err() {
                return;
            }
        }
    }

    /// Garbage in all that can be written to, as much as goes; who else writes there is to wait.
    fn pipes(&self) {
        for fd in [&self.alive, &self.words] {
            while write(fd, &[0x1b; 4096]).is_ok() {}
        }
        fcntl(&self.words, FcntlArg::F_SETFL(OFlag::empty())).unwrap();
    }

    /// Heeds nothing that can be left unheeded.
    fn stay(&self) -> ! {
        signals::block().unwrap();
        loop {
            self.say_alive();
            sleep(Duration::from_secs(1));
        }
    }

    /// Lives until the helper closes the socket.
    fn sit(&self) {
        loop {
            let mut fds = [signals::watch(&self.channel, false, false)];
            signals::wait(&mut fds, Some(Duration::from_secs(5))).unwrap();
            if fds[0].revents != 0 {
                return;
            }
            self.say_alive();
        }
    }
}
