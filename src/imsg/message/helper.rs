//! What the helper tells the engine.

use core::fmt;
use core::net::{IpAddr, Ipv6Addr};
use std::os::fd::OwnedFd;

use nix::errno::Errno;
use prefix::Prefix;

use super::Fields;
use crate::channel::Channel;
use crate::frame::{Frame, ImsgError, MAX_PAYLOAD};

/// Longest text of a failure in octets; what is longer is cut.
const MAX_TEXT: usize = 1024;
/// Octets of an interface name, as in net/if.h (`IFNAMSIZ`).
const NAME: usize = 16;

/// Why a network is protected from being blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Of no use or of great harm when blocked on any host (`prefix::reserved`).
    Reserved = 0,
    /// The network of an interface, or the other end of a point-to-point one.
    Interface = 1,
    /// A policy server.
    Server = 2,
    /// The proxy or the log server.
    Upload = 3,
    /// A nameserver of resolv.conf.
    Nameserver = 4,
    /// `guard.never_block`.
    NeverBlock = 5,
}

/// A network that no block table may touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protected {
    /// The network, in canonical form.
    pub net: Prefix,
    /// Why no list may block it.
    pub reason: Reason,
    /// The interface for [`Reason::Interface`], else empty; at most 15 octets.
    pub name: String,
}

impl Protected {
    /// Octets on the wire: family, length, reason, padding, address, name.
    const WIRE: usize = 4 + 16 + NAME;
    /// Most of them in one message.
    pub const CAPACITY: usize = MAX_PAYLOAD / Self::WIRE;
}

/// What the engine must know besides the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// `table-entries` of the kernel as it was at start.
    pub table_entries: u32,
    /// Besides 0, the user that counts as root on the control socket: who started the helper.
    pub owner: u32,
    /// Whether the helper runs as root, so that the engine has to become the configured user.
    pub privileged: bool,
}

/// What a set or a repair changed in a table and its file or, for a trial, would change; the default
/// value where both had it already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The file had another set, or none.
    pub file: bool,
    /// The kernel had no such table.
    pub created: bool,
    /// Prefixes that came into the kernel's table, or were negated there and are plain again.
    pub added: u32,
    /// Prefixes that went from it.
    pub deleted: u32,
}

/// What it was that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Nothing that has a number: the words say all.
    Words = 0,
    /// A call on a file.
    File = 1,
    /// A request to pf.
    Pf = 2,
    /// The one by which pf would make a table.
    Creation = 3,
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// What it was that failed.
    pub of: Of,
    /// The error number, which tells what helps together with `of`. ENOMEM of pf is a set that does not
    /// fit; for what is in words it is the number that comes nearest.
    pub errno: Errno,
    /// A publication failed, the file has the new set and did not take the old one back, which pf still
    /// has. Else nothing was touched, or is as it was again.
    pub differ: bool,
    /// On what, and which call; or all in words.
    pub what: String,
}

impl Failed {
    /// What no call said, in words that are a whole.
    pub fn words(errno: Errno, what: impl Into<String>) -> Self {
        Self { of: Of::Words, errno, differ: false, what: what.into() }
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.of {
            Of::Words => f.write_str(&self.what),
            _ => write!(f, "{}: {}", self.what, self.errno.desc()),
        }
    }
}

impl core::error::Error for Failed {}

/// The state of one table in the kernel (`struct pfr_tstats`, net/pfvar.h).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableStat {
    /// Whether the table exists.
    pub present: bool,
    /// Prefixes in it, as the kernel counts them.
    pub entries: u32,
    /// Rules that refer to it.
    pub rules: u32,
    /// Anchors that name it, or have their own; with no rule and no anchor, nothing is blocked.
    pub anchors: u32,
    /// When its counters began, epoch seconds.
    pub since: u64,
    /// Packets, in and out, that rules blocked because of it.
    pub blocked: [u64; 2],
    /// Packets, in and out, that match rules saw because of it.
    pub matched: [u64; 2],
    /// Packets, in and out, that rules passed because of it.
    pub passed: [u64; 2],
}

/// The answer to `TableStats`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Whether pf is enabled.
    pub running: bool,
    /// All tables, by their numbers.
    pub tables: Vec<TableStat>,
}

/// A message from the helper, behind its greeting ([`super::greet`]). Two have a descriptor.
#[derive(Debug)]
pub enum HelperMessage {
    /// Networks that the helper will refuse to block.
    Protected(Vec<Protected>),
    /// What the engine must know before it gives up its privileges, and the control socket, bound and
    /// listening: everything was sent, and work may begin.
    Start(Start, OwnedFd),
    /// A file that was asked for.
    File(OwnedFd),
    /// What a transaction or a repair changed.
    Changed(Changes),
    /// The state of pf.
    Stats(Stats),
    /// Why what was asked for was not done.
    Failed(Failed),
}

const PROTECTED: u32 = 104;
const FILE: u32 = 105;
const START: u32 = 107;
const CHANGED: u32 = 108;
const STATS: u32 = 109;
const FAILED: u32 = 110;

fn write_text(text: &str, out: &mut Vec<u8>) {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    out.extend_from_slice(&text.as_bytes()[..end]);
}

fn read_text(fields: &mut Fields<'_>) -> Result<String, ImsgError> {
    let octets = fields.remaining();
    if octets.len() > MAX_TEXT {
        return Err(fields.bad());
    }
    String::from_utf8(octets.to_vec()).map_err(|_| fields.bad())
}

fn write_words(words: &[u64], out: &mut Vec<u8>) {
    for word in words {
        out.extend_from_slice(&word.to_ne_bytes());
    }
}

impl HelperMessage {
    /// Queues the message, with its descriptor, as the answer to `peerid`.
    ///
    /// # Errors
    /// Those of [`Channel::queue`].
    pub fn queue(self, channel: &mut Channel, peerid: u32) -> Result<(), ImsgError> {
        let mut out = Vec::new();
        let (kind, fd) = self.write(&mut out);
        channel.queue(kind, peerid, &out, fd)
    }

    fn write(self, out: &mut Vec<u8>) -> (u32, Option<OwnedFd>) {
        match self {
            Self::Protected(networks) => {
                networks.iter().for_each(|network| network.write(out));
                (PROTECTED, None)
            }
            Self::Start(start, listener) => {
                out.extend_from_slice(&start.table_entries.to_ne_bytes());
                out.extend_from_slice(&start.owner.to_ne_bytes());
                out.push(start.privileged.into());
                (START, Some(listener))
            }
            Self::File(file) => (FILE, Some(file)),
            Self::Changed(Changes { file, created, added, deleted }) => {
                out.extend_from_slice(&[file, created].map(u8::from));
                out.extend_from_slice(&added.to_ne_bytes());
                out.extend_from_slice(&deleted.to_ne_bytes());
                (CHANGED, None)
            }
            Self::Stats(stats) => {
                out.push(stats.running.into());
                stats.tables.iter().for_each(|table| table.write(out));
                (STATS, None)
            }
            Self::Failed(failed) => {
                failed.write(out);
                (FAILED, None)
            }
        }
    }

    /// Reads a message of the helper.
    ///
    /// # Errors
    /// For an unknown type, another size than the type has, a field out of range, or a descriptor
    /// where none belongs or the other way round.
    pub fn read(frame: Frame) -> Result<Self, ImsgError> {
        let Frame { kind, payload, mut fd, .. } = frame;
        let mut fields = Fields::new(kind, &payload);
        let mut descriptor = || fd.take().ok_or(ImsgError::Descriptor(kind));
        let message = match kind {
            PROTECTED => Self::Protected(fields.all(Protected::read)?),
            START => {
                let (table_entries, owner) = (fields.u32()?, fields.u32()?);
                let start = Start { table_entries, owner, privileged: fields.flag()? };
                Self::Start(start, descriptor()?)
            }
            FILE => Self::File(descriptor()?),
            CHANGED => Self::Changed(Changes {
                file: fields.flag()?,
                created: fields.flag()?,
                added: fields.u32()?,
                deleted: fields.u32()?,
            }),
            STATS => {
                Self::Stats(Stats { running: fields.flag()?, tables: fields.all(TableStat::read)? })
            }
            FAILED => Self::Failed(Failed::read(&mut fields)?),
            kind => return Err(ImsgError::Kind(kind)),
        };
        fields.end()?;
        if fd.is_some() { Err(ImsgError::Descriptor(kind)) } else { Ok(message) }
    }
}

impl Failed {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.of as u8, self.differ.into()]);
        out.extend_from_slice(&(self.errno as u32).to_ne_bytes());
        write_text(&self.what, out);
    }

    fn read(fields: &mut Fields<'_>) -> Result<Self, ImsgError> {
        let of = match fields.u8()? {
            0 => Of::Words,
            1 => Of::File,
            2 => Of::Pf,
            3 => Of::Creation,
            _ => return Err(fields.bad()),
        };
        let differ = fields.flag()?;
        let errno = Errno::from_raw(fields.u32()?.cast_signed());
        Ok(Self { of, errno, differ, what: read_text(fields)? })
    }
}

impl Protected {
    fn write(&self, out: &mut Vec<u8>) {
        let (family, octets) = match self.net.addr() {
            IpAddr::V4(addr) => (4, addr.to_ipv6_compatible().octets()),
            IpAddr::V6(addr) => (6, addr.octets()),
        };
        out.extend_from_slice(&[family, self.net.len(), self.reason as u8, 0]);
        out.extend_from_slice(&octets);
        let mut name = [0; NAME];
        for (to, from) in name[..NAME - 1].iter_mut().zip(self.name.bytes()) {
            *to = from;
        }
        out.extend_from_slice(&name);
    }

    fn read(fields: &mut Fields<'_>) -> Result<Self, ImsgError> {
        let [family, len, reason, _] = fields.array::<4>()?;
        let addr = Ipv6Addr::from(fields.array::<16>()?);
        let name = fields.array::<NAME>()?;
        let addr = match (family, addr.to_ipv4()) {
            (4, Some(v4)) => IpAddr::V4(v4),
            (6, _) => IpAddr::V6(addr),
            _ => return Err(fields.bad()),
        };
        let reason = match reason {
            0 => Reason::Reserved,
            1 => Reason::Interface,
            2 => Reason::Server,
            3 => Reason::Upload,
            4 => Reason::Nameserver,
            5 => Reason::NeverBlock,
            _ => return Err(fields.bad()),
        };
        let net = Prefix::new(addr, len).ok_or_else(|| fields.bad())?;
        let end = name.iter().position(|&octet| octet == 0).ok_or_else(|| fields.bad())?;
        Ok(Self { net, reason, name: String::from_utf8_lossy(&name[..end]).into_owned() })
    }
}

impl TableStat {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::from(self.present));
        for count in [self.entries, self.rules, self.anchors] {
            out.extend_from_slice(&count.to_ne_bytes());
        }
        write_words(&[self.since], out);
        [self.blocked, self.matched, self.passed].iter().for_each(|both| write_words(both, out));
    }

    fn read(fields: &mut Fields<'_>) -> Result<Self, ImsgError> {
        Ok(Self {
            present: fields.flag()?,
            entries: fields.u32()?,
            rules: fields.u32()?,
            anchors: fields.u32()?,
            since: fields.u64()?,
            blocked: [fields.u64()?, fields.u64()?],
            matched: [fields.u64()?, fields.u64()?],
            passed: [fields.u64()?, fields.u64()?],
        })
    }
}
