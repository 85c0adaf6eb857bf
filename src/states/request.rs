//! How pf is asked to end a state.

use std::collections::HashSet;
use std::net::SocketAddr;

use crate::abi::{IFNAMSIZ, PF_OP_RRG, PF_RULE_LABEL_SIZE, PfiocStateKill, RuleAddr, State};
use crate::key::End;

/// How pf finds a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// By its numbers: this one and no other.
    Number,
    /// By a walk over all states: those that are like it in all that a request says.
    Walk,
}

/// How pf would find a state, if it can.
///
/// An id of 0 has pf walk all states and end whichever match; a creator of 0 it takes for this host.
/// States with such numbers come by pfsync(4) or pfctl -L. A walk finds them by their key, unless
/// their protocol is 0 or their interface has no name, which pf takes for any.
pub fn by(state: &State) -> Option<By> {
    if state.id != [0; 8] && state.creator != [0; 4] {
        return Some(By::Number);
    }
    let is_whole = state.proto != 0 && state.interface[0] != 0;
    (is_whole && state.keys[state.first()].addr(0).is_some()).then_some(By::Walk)
}

/// The request that ends a state. Whatever pf goes by, all that the state has is in it.
///
/// A port is a range of one. Where both are to be equal to one, pf looks their key up in a tree, and finds
/// nothing: what it compares first is a hash of the key, which it does not make (pf_ioctl.c of
/// OpenBSD 7.8).
pub fn request(state: &State, by: By) -> PfiocStateKill {
    let (key, first) = (&state.keys[state.first()], state.first());
    let end = |index: usize| RuleAddr {
        addr: key.addrs[index],
        mask: [0xff; 16],
        ports: [key.ports[index]; 2],
        port_op: PF_OP_RRG,
        ..RuleAddr::default()
    };
    let (id, creator) = match by {
        By::Number => (state.id, state.creator),
        By::Walk => ([0; 8], [0; 4]),
    };
    PfiocStateKill {
        id,
        creator,
        direction: state.direction,
        pad: [0; 3],
        af: key.af,
        proto: state.proto.into(),
        from: end(first),
        to: end(1 - first),
        interface: state.interface,
        label: [0; PF_RULE_LABEL_SIZE],
        killed: 0,
        rdomain: u16::from_be_bytes(key.rdomain),
    }
}

/// What a walk compares of a state: its ends, its routing domain, its protocol and its interface, which is
/// "all" for a state that is bound to none.
type Likeness = ([Option<SocketAddr>; 2], [u8; 2], u8, [u8; IFNAMSIZ]);

fn likeness(state: &State) -> Likeness {
    let ends = [End::Initiator, End::Target].map(|end| state.end(end));
    (ends, state.keys[state.first()].rdomain, state.proto, state.interface)
}

/// What the states that live look like to a walk, which may end none of them.
#[derive(Debug, Default)]
pub struct Living(HashSet<Likeness>);

impl Living {
    /// Adds a state.
    pub fn add(&mut self, state: &State) {
        self.0.insert(likeness(state));
    }

    /// Whether a walk that ends this state would end a living one, too.
    pub fn shares(&self, state: &State) -> bool {
        self.0.contains(&likeness(state))
    }
}
