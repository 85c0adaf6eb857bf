//! Addresses as integers and prefixes in canonical form.

use core::fmt;
use core::hash::Hash;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

mod sealed {
    pub trait Sealed {}
    impl Sealed for u32 {}
    impl Sealed for u128 {}
}

/// An address of one family as an integer in host order: `u32` for IPv4, `u128` for IPv6.
///
/// Sealed: there are two families and there will be no third.
pub trait Address: sealed::Sealed + Copy + Ord + Hash + fmt::Debug + Send + Sync + 'static {
    /// Number of bits of an address, which is the longest prefix length: 32 or 128.
    const BITS: u8;
    /// Octets of an address on the wire: 4 or 16.
    const OCTETS: usize;
    /// The address of all zeros.
    const ZERO: Self;

    /// A mask with the `BITS - len` low bits set; `len` above [`Address::BITS`] counts as `BITS`.
    fn host_mask(len: u8) -> Self;
    /// Bitwise and.
    fn and(self, other: Self) -> Self;
    /// Bitwise or.
    fn or(self, other: Self) -> Self;
    /// Bitwise exclusive or.
    fn xor(self, other: Self) -> Self;
    /// Bitwise complement.
    fn complement(self) -> Self;
    /// The next address, or `None` after the last one.
    fn next(self) -> Option<Self>;
    /// The address before, or `None` before the first one.
    fn previous(self) -> Option<Self>;
    /// Number of zero bits below the lowest set bit; [`Address::BITS`] for zero.
    fn trailing_zeros(self) -> u8;
    /// Number of zero bits above the highest set bit; [`Address::BITS`] for zero.
    fn leading_zeros(self) -> u8;
    /// Number of set bits.
    fn count_ones(self) -> u8;
    /// The 16 bits below so many high bits, zeros where the address has ended.
    fn window(self, skip: u8) -> u16;
    /// Reads an address in network order; `None` unless there are exactly [`Address::OCTETS`].
    fn from_octets(octets: &[u8]) -> Option<Self>;
    /// Writes the address in network order into the first [`Address::OCTETS`] of `out`.
    ///
    /// # Panics
    /// When `out` is shorter than that, which is a mistake of the caller and never of input.
    fn write_octets(self, out: &mut [u8]);
    /// The address as the standard library's type.
    fn to_ip(self) -> IpAddr;
}

macro_rules! address {
    ($int:ty, $bits:literal, $octets:literal, $ip:ty) => {
        impl Address for $int {
            const BITS: u8 = $bits;
            const OCTETS: usize = $octets;
            const ZERO: Self = 0;

            #[inline]
            fn host_mask(len: u8) -> Self {
                <$int>::MAX.checked_shr(u32::from(len)).unwrap_or(0)
            }
            #[inline]
            fn and(self, other: Self) -> Self {
                self & other
            }
            #[inline]
            fn or(self, other: Self) -> Self {
                self | other
            }
            #[inline]
            fn xor(self, other: Self) -> Self {
                self ^ other
            }
            #[inline]
            fn complement(self) -> Self {
                !self
            }
            #[inline]
            fn next(self) -> Option<Self> {
                self.checked_add(1)
            }
            #[inline]
            fn previous(self) -> Option<Self> {
                self.checked_sub(1)
            }
            #[inline]
            fn trailing_zeros(self) -> u8 {
                <$int>::trailing_zeros(self) as u8
            }
            #[inline]
            fn leading_zeros(self) -> u8 {
                <$int>::leading_zeros(self) as u8
            }
            #[inline]
            fn count_ones(self) -> u8 {
                <$int>::count_ones(self) as u8
            }
            #[inline]
            fn window(self, skip: u8) -> u16 {
                (self.checked_shl(u32::from(skip)).unwrap_or(0) >> ($bits - 16)) as u16
            }
            #[inline]
            fn from_octets(octets: &[u8]) -> Option<Self> {
                Some(<$int>::from_be_bytes(octets.try_into().ok()?))
            }
            #[inline]
            fn write_octets(self, out: &mut [u8]) {
                out[..$octets].copy_from_slice(&self.to_be_bytes());
            }
            #[inline]
            fn to_ip(self) -> IpAddr {
                IpAddr::from(<$ip>::from_bits(self))
            }
        }
    };
}

address!(u32, 32, 4, Ipv4Addr);
address!(u128, 128, 16, Ipv6Addr);

/// A prefix of one family in canonical form: no host bit is ever set.
///
/// Ordered by address, then by length, so that a prefix comes directly before what it contains. Without
/// padding: a table has a million of them, of 5 octets in place of 8, or of 17 in place of 32.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(Rust, packed)]
pub struct Net<A: Address> {
    pub(crate) addr: A,
    pub(crate) len: u8,
}

/// An IPv4 prefix.
pub type Prefix4 = Net<u32>;
/// An IPv6 prefix.
pub type Prefix6 = Net<u128>;

impl<A: Address> Net<A> {
    /// A prefix from its parts; `None` when `len` exceeds [`Address::BITS`] or a host bit is set.
    #[inline]
    pub fn new(addr: A, len: u8) -> Option<Self> {
        (len <= A::BITS && addr.and(A::host_mask(len)) == A::ZERO).then_some(Self { addr, len })
    }

    /// A prefix from an address whose host bits are cleared; `None` only for a length too great.
    #[inline]
    pub fn masked(addr: A, len: u8) -> Option<Self> {
        (len <= A::BITS).then(|| Self { addr: addr.and(A::host_mask(len).complement()), len })
    }

    /// The prefix of a single address.
    #[inline]
    pub fn host(addr: A) -> Self {
        Self { addr, len: A::BITS }
    }

    /// The network address, which is also the first address covered.
    #[inline]
    pub fn addr(self) -> A {
        self.addr
    }

    /// The prefix length in bits.
    #[inline]
    #[expect(clippy::len_without_is_empty, reason = "a prefix length, not a number of elements")]
    pub fn len(self) -> u8 {
        self.len
    }

    /// The last address covered.
    #[inline]
    pub fn last(self) -> A {
        self.addr.or(A::host_mask(self.len))
    }

    /// Whether the address lies within.
    #[inline]
    pub fn contains(self, addr: A) -> bool {
        addr.and(A::host_mask(self.len).complement()) == self.addr()
    }
}

/// A prefix of either family.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Prefix {
    /// IPv4.
    V4(Prefix4),
    /// IPv6.
    V6(Prefix6),
}

impl Prefix {
    /// A prefix from an address and a length; `None` when the length exceeds the family's or a
    /// host bit is set.
    pub fn new(addr: IpAddr, len: u8) -> Option<Self> {
        match addr {
            IpAddr::V4(a) => Net::new(a.to_bits(), len).map(Self::V4),
            IpAddr::V6(a) => Net::new(a.to_bits(), len).map(Self::V6),
        }
    }

    /// A prefix from an address whose host bits are cleared; `None` only for a length too great.
    pub fn masked(addr: IpAddr, len: u8) -> Option<Self> {
        match addr {
            IpAddr::V4(a) => Net::masked(a.to_bits(), len).map(Self::V4),
            IpAddr::V6(a) => Net::masked(a.to_bits(), len).map(Self::V6),
        }
    }

    /// The prefix of a single address.
    pub fn host(addr: IpAddr) -> Self {
        match addr {
            IpAddr::V4(a) => Self::V4(Net::host(a.to_bits())),
            IpAddr::V6(a) => Self::V6(Net::host(a.to_bits())),
        }
    }

    /// The network address.
    pub fn addr(self) -> IpAddr {
        match self {
            Self::V4(n) => n.addr().to_ip(),
            Self::V6(n) => n.addr().to_ip(),
        }
    }

    /// The prefix length in bits.
    #[expect(clippy::len_without_is_empty, reason = "a prefix length, not a number of elements")]
    pub fn len(self) -> u8 {
        match self {
            Self::V4(n) => n.len(),
            Self::V6(n) => n.len(),
        }
    }

    /// Whether the prefix may come directly after `last` in a set: ascending, IPv4 first, and
    /// disjoint.
    #[inline]
    pub fn follows(&self, last: Option<&Self>) -> bool {
        match (last, self) {
            (Some(Self::V4(last)), Self::V4(next)) => last.last() < next.addr(),
            (Some(Self::V6(last)), Self::V6(next)) => last.last() < next.addr(),
            (Some(Self::V6(_)), Self::V4(_)) => false,
            (None, _) | (Some(Self::V4(_)), Self::V6(_)) => true,
        }
    }

    /// Whether the address lies within; never for an address of the other family.
    pub fn contains(self, addr: IpAddr) -> bool {
        match (self, addr) {
            (Self::V4(n), IpAddr::V4(a)) => n.contains(a.to_bits()),
            (Self::V6(n), IpAddr::V6(a)) => n.contains(a.to_bits()),
            _ => false,
        }
    }
}

impl From<Prefix4> for Prefix {
    fn from(net: Prefix4) -> Self {
        Self::V4(net)
    }
}

impl From<Prefix6> for Prefix {
    fn from(net: Prefix6) -> Self {
        Self::V6(net)
    }
}
