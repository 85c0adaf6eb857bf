//! States that behave as pf's do, for trying out and for tests: the file `states.simulated` in the
//! table directory, a state a line.
//!
//! ```text
//! # ID CREATOR INTERFACE PROTO in|out RDOMAIN ADDRESS PORT ADDRESS PORT [ADDRESS PORT ADDRESS PORT]
//! 1 7 em0 6 in 0 203.0.113.9 40000 192.0.2.1 22
//! ```
//!
//! Numbers are decimal. The addresses are those of pf's keys, in pf's order: first the wire's, then
//! the stack's where it differs. The initiator is the first one of a state that came in, and the
//! second one of a state that goes out. `securelevel 2` in `simulated.conf` keeps them from ending.

use std::fs;
use std::io::ErrorKind::NotFound;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use nix::errno::Errno::{self, EINVAL, EIO, EPERM};
use pf::{Directory, PfrAddr, Table};

use crate::abi::{
    AF_INET, AF_INET6, PF_IN, PF_OP_EQ, PF_OP_RRG, PF_OUT, PFR_FB_MATCH, PfiocStateKill, RuleAddr,
    State, StateKey,
};
use crate::{Error, Pf};

/// What pf puts in place of a creator of 0: this host.
const HOST: [u8; 4] = 1u32.to_be_bytes();

/// The states of a simulated pf.
#[derive(Debug)]
pub struct Simulated {
    path: PathBuf,
    directory: Directory,
}

impl Simulated {
    /// A pf whose tables and states are files of the directory.
    ///
    /// # Errors
    /// When it cannot be opened, or belongs to somebody else.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let directory = Directory::open(path);
        let directory =
            directory.map_err(|error| Error { errno: error.errno, what: error.to_string() })?;
        Ok(Self { path: path.to_owned(), directory })
    }

    fn file(&self) -> PathBuf {
        self.path.join("states.simulated")
    }

    /// Its lines, each with its state; comments and empty lines have none.
    fn lines(&self) -> Result<Vec<(String, Option<State>)>, Error> {
        let file = self.file();
        let shown = file.display();
        let text = match fs::read_to_string(&file) {
            Err(error) if error.kind() == NotFound => String::new(),
            read => read.map_err(|error| {
                let errno = Errno::try_from(error).unwrap_or(EIO);
                Error { errno, what: format!("{shown}: {}", errno.desc()) }
            })?,
        };
        let line = |(number, line): (usize, &str)| {
            if line.is_empty() || line.starts_with('#') {
                return Ok((line.to_owned(), None));
            }
            let none = || {
                let what = format!("{shown}:{}: not a state: see threatstopctl(8)", number + 1);
                Error { errno: EINVAL, what }
            };
            parse(line).map(|state| (line.to_owned(), Some(state))).ok_or_else(none)
        };
        text.lines().enumerate().map(line).collect()
    }

    /// Leaves the states that this takes.
    fn retain(&self, mut keep: impl FnMut(&State) -> bool) -> nix::Result<u32> {
        let lines = self.lines().map_err(|error| error.errno)?;
        let (mut text, mut gone) = (String::new(), 0);
        for (line, state) in lines {
            if state.is_none_or(|state| keep(&state)) {
                text.extend([line.as_str(), "\n"]);
            } else {
                gone += 1;
            }
        }
        if gone > 0 {
            let beside = self.path.join(".states.simulated.tmp");
            let write = || fs::write(&beside, text).and_then(|()| fs::rename(&beside, self.file()));
            write().map_err(|error| Errno::try_from(error).unwrap_or(EIO))?;
        }
        Ok(gone)
    }
}

impl Pf for Simulated {
    fn states(&self) -> Result<Vec<State>, Error> {
        Ok(self.lines()?.into_iter().filter_map(|(_, state)| state).collect())
    }

    fn test(&self, table: &Table, addrs: &mut [PfrAddr]) -> nix::Result<()> {
        let set = self.directory.load(table, "simulated").map_err(|error| error.errno);
        // nothing has that name; what is there and is no table gets mended
        let set = set.map_err(|errno| if errno == Errno::ENOENT { Errno::ESRCH } else { errno })?;
        let set: Vec<_> = set.iter().filter_map(PfrAddr::prefix).collect();
        for addr in addrs {
            // marked is none
            let host = addr.prefix().ok_or(EINVAL)?;
            let next = set.partition_point(|net| *net <= host);
            let found = next.checked_sub(1).is_some_and(|at| set[at].contains(host.addr()));
            addr.marks[1] = if found { PFR_FB_MATCH } else { 0 };
        }
        Ok(())
    }

    /// As DIOCKILLSTATES in pf_ioctl.c: by number, else by a hash that is not there, else whatever matches.
    fn kill(&self, request: &mut PfiocStateKill) -> nix::Result<u32> {
        let conf = fs::read_to_string(self.path.join("simulated.conf")).unwrap_or_default();
        if conf.lines().any(|line| line == "securelevel 2") {
            return Err(EPERM);
        }
        self.retain(|state| !ends(request, state))
    }
}

/// Whether pf, asked so, ends this state.
pub fn ends(request: &PfiocStateKill, state: &State) -> bool {
    if request.id != [0; 8] {
        let creator = if request.creator == [0; 4] { HOST } else { request.creator };
        return (state.id, state.creator) == (request.id, creator);
    }
    let equal = [&request.from, &request.to].iter().all(|end| end.port_op == PF_OP_EQ);
    // what it looks up then has no hash, and no key is equal to it
    let looks_up = request.af != 0 && request.proto != 0 && equal;
    !looks_up && matches(request, state)
}

/// Whether pf, on a walk over all states, takes this one.
fn matches(request: &PfiocStateKill, state: &State) -> bool {
    let (key, first) = (&state.keys[state.first()], state.first());
    let octets = if key.af == AF_INET { 4 } else { 16 };
    let masked = |end: &RuleAddr, addr: [u8; 16]| {
        (0..octets).all(|at| (end.addr[at] ^ addr[at]) & end.mask[at] == 0)
    };
    let port = |end: &RuleAddr, port| match end.port_op {
        PF_OP_EQ => port == end.ports[0],
        PF_OP_RRG => (end.ports[0]..=end.ports[1]).contains(&port),
        _ => true,
    };
    (request.af == 0 || request.af == key.af)
        && (request.proto == 0 || request.proto == i32::from(state.proto))
        && request.rdomain.to_be_bytes() == key.rdomain
        && masked(&request.from, key.addrs[first])
        && masked(&request.to, key.addrs[1 - first])
        && port(&request.from, key.ports[first])
        && port(&request.to, key.ports[1 - first])
        && (request.interface[0] == 0 || request.interface == state.interface)
}

/// Reads a line.
fn parse(line: &str) -> Option<State> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [id, creator, name, proto, direction, rdomain, ends @ ..] = words.as_slice() else {
        return None;
    };
    let mut interface = [0; 16];
    interface[..15].get_mut(..name.len())?.copy_from_slice(name.as_bytes());
    let direction = match *direction {
        "in" => PF_IN,
        "out" => PF_OUT,
        _ => return None,
    };
    let rdomain = rdomain.parse().ok()?;
    let wire = key(ends.get(..4)?, rdomain)?;
    let stack = if ends.len() == 4 { wire } else { key(&ends[4..], rdomain)? };
    Some(State {
        id: id.parse::<u64>().ok()?.to_be_bytes(),
        creator: creator.parse::<u32>().ok()?.to_be_bytes(),
        interface,
        keys: [wire, stack],
        af: wire.af,
        proto: proto.parse().ok()?,
        direction,
        ..State::NONE
    })
}

/// A key of pf's: address, port, address, port, and the routing domain of both.
fn key(words: &[&str], rdomain: u16) -> Option<StateKey> {
    let [one, of_one, other, of_other] = words else { return None };
    let [(af, one), (of_it, other)] = [one, other].map(|addr| match addr.parse().ok() {
        Some(IpAddr::V4(addr)) => {
            let mut octets = [0; 16];
            octets[..4].copy_from_slice(&addr.octets());
            (AF_INET, octets)
        }
        Some(IpAddr::V6(addr)) => (AF_INET6, addr.octets()),
        None => (0, [0; 16]),
    });
    let port = |text: &str| Some(text.parse::<u16>().ok()?.to_be_bytes());
    let ports = [port(of_one)?, port(of_other)?];
    let rdomain = rdomain.to_be_bytes();
    (af != 0 && af == of_it).then_some(StateKey { addrs: [one, other], ports, rdomain, af, pad: 0 })
}

#[cfg(test)]
mod tests;
