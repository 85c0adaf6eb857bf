//! What the tables need of `<net/pfvar.h>`, as OpenBSD 7.8 and 7.9 have it on 64-bit systems.
//! Nothing comes from the host's headers; `tests/abi/probe.c` compares all with the real ones.

use core::{ffi::c_ulong, ffi::c_void, marker::PhantomData, ptr::NonNull};

use nix::{Result, errno::Errno::EINVAL};
use prefix::{Net, Prefix};

/// IPv4, of `<sys/socket.h>`.
pub const AF_INET: u8 = 2;
/// IPv6, likewise; Linux has 10.
pub const AF_INET6: u8 = 24;
/// Tells what would change, and changes nothing.
pub const PFR_FLAG_DUMMY: u32 = 2;
/// Hands back what became of each address.
pub const PFR_FLAG_FEEDBACK: u32 = 4;
/// The table stays though no rule refers to it.
pub const PFR_TFLAG_PERSIST: u32 = 1;
/// The table exists for rules.
pub const PFR_TFLAG_ACTIVE: u32 = 4;
/// The limit `table-entries`, by its index.
pub const PF_LIMIT_TABLE_ENTRIES: u32 = 4;
/// Whether pf is enabled: its place in `struct pf_status`, in words of 32 bits.
pub const PF_STATUS_RUNNING: usize = 112;
/// Octets of the path of an anchor, NUL included.
pub const PF_ANCHOR_MAXPATH: usize = 959;
/// Octets of the name of a table, NUL included.
pub const PF_TABLE_NAME_SIZE: usize = 32;
/// Gives `struct pf_status`.
pub const DIOCGETSTATUS: Request<[u32; 130]> = iowr(21);
/// Gives a limit: its index, and the number.
pub const DIOCGETLIMIT: Request<[u32; 2]> = iowr(39);
/// Creates tables.
pub const DIOCRADDTABLES: Request = iowr(61);
/// Gives the figures of tables.
pub const DIOCRGETTSTATS: Request = iowr(64);
/// Replaces the content of a table.
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

/// The figures of a table: `struct pfr_tstats`, 1,232 octets.
#[repr(C)]
#[derive(Default)]
pub struct PfrTstats {
    /// The table.
    pub table: PfrTable,
    /// Packets in and out, each by block, match, pass and xpass.
    pub packets: [[u64; 4]; 2],
    /// Octets likewise, then how often an address was found and not found.
    pub bytes: [u64; 10],
    /// Since when they are counted, epoch seconds.
    pub tzero: i64,
    /// Entries.
    pub cnt: u32,
    /// References by rules, and by tables of the same name in anchors.
    pub refcnt: [u32; 2],
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
