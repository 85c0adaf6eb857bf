//! What states need of `<net/pfvar.h>`, as OpenBSD 7.8 and 7.9 have it on 64-bit systems. Nothing
//! comes from the host's headers; `tests/abi/states.c` compares all with the real ones.

use core::ffi::{c_ulong, c_void};
use core::marker::PhantomData;
use std::ptr::NonNull;

use pf::PfiocTable;

/// IPv4, of `<sys/socket.h>`.
pub const AF_INET: u8 = 2;
/// IPv6, likewise; Linux has 10.
pub const AF_INET6: u8 = 24;
/// The direction of a state that came in.
pub const PF_IN: u8 = 1;
/// The direction of a state that goes out.
pub const PF_OUT: u8 = 2;
/// A port that is to be just this one.
pub const PF_OP_EQ: u8 = 2;
/// A port that is to be in a range, ends included.
pub const PF_OP_RRG: u8 = 9;
/// The key of a state as on the wire, by its index.
pub const PF_SK_WIRE: usize = 0;
/// Its key as the stack has it, likewise.
pub const PF_SK_STACK: usize = 1;
/// The limit `states`, by its index.
pub const PF_LIMIT_STATES: u32 = 0;
/// What a test says of an address that the table has.
pub const PFR_FB_MATCH: u8 = 1;
/// Octets of the name of an interface, NUL included.
pub const IFNAMSIZ: usize = 16;
/// Octets of the label of a rule, NUL included.
pub const PF_RULE_LABEL_SIZE: usize = 64;
/// Gives all states.
pub const DIOCGETSTATES: Request<PfiocStates> = iowr(25);
/// Gives a limit: its index, and the number.
pub const DIOCGETLIMIT: Request<[u32; 2]> = iowr(39);
/// Ends states.
pub const DIOCKILLSTATES: Request<PfiocStateKill> = iowr(41);
/// Tests addresses against a table.
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateKey {
    /// The addresses of both ends, in network order.
    pub addrs: [[u8; 16]; 2],
    /// Their ports, in network order.
    pub ports: [[u8; 2]; 2],
    /// The routing domain, in network order.
    pub rdomain: [u8; 2],
    pub af: u8,
    pub pad: u8,
}

/// `struct pfioc_states`.
#[repr(C)]
#[derive(Debug, Default)]
pub struct PfiocStates {
    /// Octets of the buffer; pf says how many it has filled.
    pub octets: usize,
    /// Where the states go; without one pf only says how much room they take.
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
    /// The bits of the address that count.
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
