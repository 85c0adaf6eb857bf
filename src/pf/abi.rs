//! What the tables need of `<net/pfvar.h>`, as OpenBSD 7.8 and 7.9 have it on 64-bit systems.
//! Nothing comes from the host's headers; `tests/abi/probe.c` compares all with the real ones.

use core::{ffi::c_ulong, ffi::c_void, marker::PhantomData, ptr::NonNull};

use nix::{Result, errno::Errno::EINVAL};
use prefix::{Net, Prefix};

pub const AF_INET: u8 = 2;
pub const AF_INET6: u8 = 24; // Linux has 10
pub const PFR_FLAG_DUMMY: u32 = 2;
pub const PFR_FLAG_FEEDBACK: u32 = 4;
pub const PFR_TFLAG_PERSIST: u32 = 1;
pub const PFR_TFLAG_ACTIVE: u32 = 4;
pub const PF_LIMIT_TABLE_ENTRIES: u32 = 4;
pub const PF_STATUS_RUNNING: usize = 112; // of struct pf_status, in words
pub const PF_ANCHOR_MAXPATH: usize = 959;
pub const PF_TABLE_NAME_SIZE: usize = 32;
pub const DIOCGETSTATUS: Request<[u32; 130]> = iowr(21); // struct pf_status
pub const DIOCGETLIMIT: Request<[u32; 2]> = iowr(39); // index, limit
pub const DIOCRADDTABLES: Request = iowr(61);
pub const DIOCRGETTSTATS: Request = iowr(64);
pub const DIOCRSETADDRS: Request = iowr(69);

/// An ioctl(2) number with the type of its argument, so that the two always have the same size.
pub struct Request<T = PfiocTable>(pub c_ulong, PhantomData<fn(T)>);

/// `_IOWR('D', number, T)` of `<sys/ioccom.h>`.
const fn iowr<T>(number: c_ulong) -> Request<T> {
    Request(0xC000_4400 | (size_of::<T>() as c_ulong) << 16 | number, PhantomData)
}

/// One prefix of a table as pf takes it: `struct pfr_addr`, 52 octets.
#[repr(C, align(4))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PfrAddr {
    pub(crate) addr: [u8; 16],
    pub(crate) pool: [u8; 22], // interface, states, weight: for routing, not for filtering
    pub(crate) af: u8,
    pub(crate) net: u8,
    /// Negated, feedback, type.
    pub marks: [u8; 3],
    pub(crate) pad: [u8; 9],
}

/// A table by its anchor and name: `struct pfr_table`, 1,064 octets.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct PfrTable {
    pub(crate) anchor: [[u8; 32]; 32],
    pub(crate) name: [u8; PF_TABLE_NAME_SIZE],
    pub(crate) flags: u32,
    pub(crate) fback: u32,
}

#[repr(C)]
#[derive(Default)]
pub struct PfrTstats {
    pub table: PfrTable,
    pub packets: [[u64; 4]; 2], // in and out; block, match, pass, xpass
    pub bytes: [u64; 10],       // and how often an address was found and not found
    pub tzero: i64,
    pub cnt: u32,
    pub refcnt: [u32; 2], // by rules, by tables of the same name in anchors
}

/// What requests on tables take: `struct pfioc_table`, 1,104 octets.
#[repr(C)]
#[derive(Debug, Default)]
pub struct PfiocTable {
    pub(crate) table: PfrTable,
    pub(crate) buffer: Option<NonNull<c_void>>,
    pub(crate) esize: u32,
    pub(crate) size: u32,
    pub(crate) size2: u32,
    pub(crate) changes: [u32; 3], // nadd, ndel, nchange
    pub(crate) flags: u32,
    pub(crate) ticket: u32,
}

const _: () = assert!(size_of::<PfrAddr>() == 52 && size_of::<PfrTable>() == 1064);
const _: () = assert!(size_of::<PfrTstats>() == 1232 && size_of::<PfiocTable>() == 1104);

impl PfiocTable {
    /// A request with an array, which must outlive the call. EINVAL for more elements than an int
    /// counts.
    pub fn new<T>(table: PfrTable, array: NonNull<[T]>, flags: u32) -> Result<Self> {
        let size = i32::try_from(array.len()).map_err(|_| EINVAL)? as u32; // pf has it as int
        let (buffer, esize) = (Some(array.cast()), size_of::<T>() as u32);
        Ok(Self { table, buffer, esize, size, flags, ..Self::default() })
    }
}

impl PfrAddr {
    /// The prefix; `None` for what pf would not take as input (family, length, bits beyond the
    /// length, feedback) and for what is no plain prefix (negated, or of a routing pool).
    pub fn prefix(&self) -> Option<Prefix> {
        let bits = u128::from_be_bytes(self.addr);
        match self.af {
            _ if self.marks != [0; 3] => None,
            AF_INET if bits << 32 == 0 => Net::new((bits >> 96) as u32, self.net).map(Prefix::V4),
            AF_INET6 => Net::new(bits, self.net).map(Prefix::V6),
            _ => None,
        }
    }
}

impl From<Prefix> for PfrAddr {
    fn from(prefix: Prefix) -> Self {
        let (af, bits) = match prefix {
            Prefix::V4(net) => (AF_INET, u128::from(net.addr()) << 96),
            Prefix::V6(net) => (AF_INET6, net.addr()),
        };
        Self { addr: bits.to_be_bytes(), af, net: prefix.len(), ..Self::default() }
    }
}
