//! How pf is asked to end a state.

use std::collections::HashSet;

use crate::abi::{PF_OP_EQ, PF_RULE_LABEL_SIZE, PfiocStateKill, RuleAddr, State, StateKey};

/// What no interface is called: a state that is bound to none has it as its interface.
const UNBOUND: &[u8] = b"all\0";

/// How pf finds a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// By its numbers: this one and no other.
    Number,
    /// By its key: all that have it, on its interface.
    Key,
}

/// How pf would find a state, if it can without a walk over all states.
///
/// An id of 0 has pf walk all states and end whichever match; a creator of 0 it takes for this host.
/// States with such numbers come by pfsync(4) or pfctl -L. They have a key, too, unless their
/// protocol is 0, which pf takes for any.
pub fn by(state: &State) -> Option<By> {
    if state.id != [0; 8] && state.creator != [0; 4] {
        return Some(By::Number);
    }
    let key = &state.keys[state.first()];
    (key.addr(0).is_some() && state.proto != 0).then_some(By::Key)
}

/// The request that ends a state. Whatever pf would go by, all that the state has is in it: a walk
/// over all states, were there ever one, would end this one alone.
pub fn request(state: &State, by: By) -> PfiocStateKill {
    let (key, first) = (&state.keys[state.first()], state.first());
    let end = |index: usize| RuleAddr {
        addr: key.addrs[index],
        mask: [0xff; 16],
        ports: [key.ports[index]; 2],
        port_op: PF_OP_EQ,
        ..RuleAddr::default()
    };
    let (id, creator) = match by {
        By::Number => (state.id, state.creator),
        By::Key => ([0; 8], [0; 4]),
    };
    let interface = if state.interface.starts_with(UNBOUND) { [0; 16] } else { state.interface };
    PfiocStateKill {
        id,
        creator,
        direction: state.direction,
        pad: [0; 3],
        af: key.af,
        proto: state.proto.into(),
        from: end(first),
        to: end(1 - first),
        interface,
        label: [0; PF_RULE_LABEL_SIZE],
        killed: 0,
        rdomain: u16::from_be_bytes(key.rdomain),
    }
}

/// Keys of states that live, which no request by a key may touch.
#[derive(Debug, Default)]
pub struct Living(HashSet<StateKey>);

impl Living {
    /// Adds a state.
    pub fn add(&mut self, state: &State) {
        self.0.extend(state.keys);
    }

    /// Whether a request by the key of this state would end a living one, too: pf looks for the
    /// addresses both ways round. Protocols are not looked at, which may leave one more.
    pub fn shares(&self, state: &State) -> bool {
        let key = state.keys[state.first()];
        let ([a, b], [of_a, of_b]) = (key.addrs, key.ports);
        let turned = StateKey { addrs: [b, a], ports: [of_b, of_a], ..key };
        [&key, &turned].iter().any(|key| self.0.contains(*key))
    }
}
