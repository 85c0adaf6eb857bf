//! What states need of `<net/pfvar.h>`, as OpenBSD 7.8 and 7.9 have it on 64-bit systems. Nothing
//! comes from the host's headers; `tests/abi/states.c` compares all with the real ones.

use core::ffi::{c_ulong, c_void};
use core::marker::PhantomData;
use std::ptr::NonNull;

use pf::PfiocTable;

pub const AF_INET: u8 = 2;
pub const AF_INET6: u8 = 24; // Linux has 10
pub const PF_IN: u8 = 1;
pub const PF_OUT: u8 = 2;
pub const PF_OP_EQ: u8 = 2;
pub const PF_SK_WIRE: usize = 0;
pub const PF_SK_STACK: usize = 1;
pub const PF_LIMIT_STATES: u32 = 0;
pub const PFR_FB_MATCH: u8 = 1;
pub const IFNAMSIZ: usize = 16;
pub const PF_RULE_LABEL_SIZE: usize = 64;
pub const DIOCGETSTATES: Request<PfiocStates> = iowr(25);
pub const DIOCGETLIMIT: Request<[u32; 2]> = iowr(39); // index, limit
pub const DIOCKILLSTATES: Request<PfiocStateKill> = iowr(41);
pub const DIOCRTSTADDRS: Request<PfiocTable> = iowr(73);

/// An ioctl(2) number with the type of its argument, so that the two always have the same size.
pub struct Request<T>(pub c_ulong, PhantomData<fn(T)>);

/// `_IOWR('D', number, T)` of `<sys/ioccom.h>`.
const fn iowr<T>(number: c_ulong) -> Request<T> {
    Request(0xC000_4400 | (size_of::<T>() as c_ulong) << 16 | number, PhantomData)
}

/// A state as pf exports it: `struct pfsync_state`, 264 octets, packed.
///
/// All of it is octets: so it has no padding, no alignment and no value that is none of its type.
/// Numbers are in network order. `id` and `creator` are handed back to pf as they came.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    pub(crate) id: [u8; 8],
    pub(crate) interface: [u8; IFNAMSIZ],
    pub(crate) keys: [StateKey; 2], // as on the wire, as the stack has it
    pub(crate) peers: [u8; 64],
    pub(crate) routed_to: [u8; 16],
    pub(crate) rules: [u8; 12], // rule, anchor, and one that is gone
    pub(crate) times: [u8; 8],
    pub(crate) counters: [u8; 32],
    pub(crate) creator: [u8; 4],
    pub(crate) tables: [u8; 10], // of routing, and max_mss
    pub(crate) af: u8,
    pub(crate) proto: u8,
    pub(crate) direction: u8,
    pub(crate) flags: [u8; 11],
}

/// The two ends of a state: `struct pfsync_state_key`, 40 octets.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct StateKey {
    pub addrs: [[u8; 16]; 2],
    pub ports: [[u8; 2]; 2],
    pub rdomain: [u8; 2],
    pub af: u8,
    pub pad: u8,
}

/// `struct pfioc_states`.
#[repr(C)]
#[derive(Debug, Default)]
pub struct PfiocStates {
    pub octets: usize,
    pub buffer: Option<NonNull<c_void>>,
}

/// Which states are to end: `struct pfioc_state_kill`, 224 octets.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct PfiocStateKill {
    pub(crate) id: [u8; 8],
    pub(crate) creator: [u8; 4],
    pub(crate) direction: u8,
    pub(crate) pad: [u8; 3],
    pub(crate) af: u8,
    pub(crate) proto: i32,
    pub(crate) from: RuleAddr,
    pub(crate) to: RuleAddr,
    pub(crate) interface: [u8; IFNAMSIZ],
    pub(crate) label: [u8; PF_RULE_LABEL_SIZE],
    pub(crate) killed: u32,
    pub(crate) rdomain: u16,
}

/// `struct pf_rule_addr`, an address with its mask and a port.
#[repr(C, align(8))]
#[derive(Clone, Copy, Debug, Default)]
pub struct RuleAddr {
    pub addr: [u8; 16],
    pub mask: [u8; 16],
    pub pointer: [u8; 8],
    pub kind: [u8; 8], // type, flags, and what aligns it
    pub ports: [[u8; 2]; 2],
    pub neg: u8,
    pub port_op: u8,
    pub weight: u16,
}

const _: () = assert!(size_of::<State>() == 264 && align_of::<State>() == 1);
const _: () = assert!(size_of::<PfiocStateKill>() == 224);

impl State {
    /// A state of which nothing is known.
    pub const NONE: Self = {
        let key =
            StateKey { addrs: [[0; 16]; 2], ports: [[0; 2]; 2], rdomain: [0; 2], af: 0, pad: 0 };
        Self {
            id: [0; 8],
            interface: [0; IFNAMSIZ],
            keys: [key; 2],
            peers: [0; 64],
            routed_to: [0; 16],
            rules: [0; 12],
            times: [0; 8],
            counters: [0; 32],
            creator: [0; 4],
            tables: [0; 10],
            af: 0,
            proto: 0,
            direction: 0,
            flags: [0; 11],
        }
    };
}

#[cfg(test)]
mod tests;
