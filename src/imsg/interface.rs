//! The networks of this host's interfaces, from getifaddrs(3).
//!
//! Here because it needs `unsafe`, and because helper and engine have to see the same: the engine
//! asks whether what the helper saw is still so.

use std::ffi::CStr;
use std::net::IpAddr;

use nix::errno::Errno;
use prefix::Prefix;

/// An address of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Interface {
    /// The name of the interface.
    name: String,
    /// The address.
    addr: IpAddr,
    /// Its netmask, in the form of an address.
    mask: Option<IpAddr>,
    /// The other end of a point-to-point interface.
    peer: Option<IpAddr>,
}

/// The networks of all interfaces, and the other ends of point-to-point ones, with the name of each
/// interface.
///
/// # Errors
/// Those of getifaddrs(3).
pub fn networks() -> nix::Result<Vec<(Prefix, String)>> {
    let nets = interfaces()?.into_iter().flat_map(|one| {
        let nets = [Some(network(one.addr, one.mask)), one.peer.map(Prefix::host)];
        nets.into_iter().flatten().map(move |net| (net, one.name.clone()))
    });
    Ok(nets.collect())
}

/// The network of an address under its mask.
///
/// A mask wider than any real network is not believed: 0 would make the whole address space
/// untouchable. One that is missing is taken to be that of an ordinary network: better too much
/// than to lock out the neighbours.
fn network(addr: IpAddr, mask: Option<IpAddr>) -> Prefix {
    let (len, widest) = match (addr, mask) {
        (IpAddr::V4(_), Some(IpAddr::V4(mask))) => (mask.to_bits().leading_ones(), 8),
        (IpAddr::V6(_), Some(IpAddr::V6(mask))) => (mask.to_bits().leading_ones(), 16),
        (IpAddr::V4(_), _) => (24, 8),
        (IpAddr::V6(_), _) => (64, 16),
    };
    let net = Prefix::masked(addr, len as u8).filter(|_| len >= widest);
    net.unwrap_or_else(|| Prefix::host(addr))
}

/// All IPv4 and IPv6 addresses of all interfaces.
///
/// # Errors
/// Those of getifaddrs(3).
fn interfaces() -> nix::Result<Vec<Interface>> {
    let mut first = std::ptr::null_mut();
    // SAFETY: the pointer is valid for the call, which leaves a list in it or fails.
    Errno::result(unsafe { libc::getifaddrs(&raw mut first) })?;
    let mut found = Vec::new();
    // SAFETY: null or an entry of the list, which is ours alone until it is freed below.
    let mut next = unsafe { first.as_ref() };
    while let Some(entry) = next {
        // SAFETY: as above; what an entry points to lives as long.
        unsafe {
            found.extend(interface(entry));
            next = entry.ifa_next.as_ref();
        }
    }
    // SAFETY: the list came from getifaddrs(3), and nothing of it is kept.
    unsafe { libc::freeifaddrs(first) };
    Ok(found)
}

/// # Safety
/// The entry is one of getifaddrs(3).
unsafe fn interface(entry: &libc::ifaddrs) -> Option<Interface> {
    #[cfg(target_os = "linux")]
    let peer = entry.ifa_ifu;
    #[cfg(not(target_os = "linux"))]
    let peer = entry.ifa_dstaddr;
    let to_a_point = entry.ifa_flags & libc::IFF_POINTOPOINT as libc::c_uint != 0;
    // SAFETY: the name is a string, and the addresses are null or socket addresses.
    unsafe {
        let family = family(entry.ifa_addr)?;
        let read = |addr| address(family, &octets(family, addr)?);
        Some(Interface {
            name: CStr::from_ptr(entry.ifa_name).to_string_lossy().into_owned(),
            addr: read(entry.ifa_addr)?,
            mask: read(entry.ifa_netmask),
            peer: read(peer).filter(|_| to_a_point),
        })
    }
}

/// The family of a socket address; `None` for a null pointer.
///
/// # Safety
/// It is null or a socket address.
unsafe fn family(addr: *const libc::sockaddr) -> Option<i32> {
    // SAFETY: as the caller promises. The field alone is read: a reference would claim the sixteen
    // octets of the structure, and getifaddrs(3) need not have as many.
    (!addr.is_null()).then(|| unsafe { (&raw const (*addr).sa_family).read() }.into())
}

/// The octets of a socket address as far as there are any; `None` for a null pointer.
///
/// # Safety
/// It is null or a socket address, of the length that [`length`] tells.
unsafe fn octets(family: i32, addr: *const libc::sockaddr) -> Option<Vec<u8>> {
    if addr.is_null() {
        return None;
    }
    // SAFETY: as the caller promises.
    unsafe { Some(std::slice::from_raw_parts(addr.cast(), length(family, addr)).to_vec()) }
}

/// # Safety
/// It is a socket address.
#[cfg(not(target_os = "linux"))]
unsafe fn length(_: i32, addr: *const libc::sockaddr) -> usize {
    // SAFETY: as above; the length is the first octet, which is there in any case.
    unsafe { (&raw const (*addr).sa_len).read() }.into()
}

/// # Safety
/// None here: the family tells the length.
#[cfg(target_os = "linux")]
unsafe fn length(family: i32, _: *const libc::sockaddr) -> usize {
    match family {
        libc::AF_INET => size_of::<libc::sockaddr_in>(),
        libc::AF_INET6 => size_of::<libc::sockaddr_in6>(),
        _ => size_of::<libc::sa_family_t>(),
    }
}

/// The address in the octets of a socket address; those that are not there are zero.
///
/// The family is that of the interface's address, for a netmask has none on OpenBSD: of `ia_sockmask`
/// sys/netinet/in.c sets the length and the address alone, and ifconfig(8) gives none to one of IPv6.
/// Nor need all octets be there: getifaddrs(3) copies as many as `sa_len` says, and in_socktrim() of
/// the same file cuts zeroes off.
fn address(family: i32, octets: &[u8]) -> Option<IpAddr> {
    match family {
        libc::AF_INET => Some(field::<4>(octets, 4).into()),
        libc::AF_INET6 => Some(field::<16>(octets, 8).into()),
        _ => None,
    }
}

fn field<const N: usize>(octets: &[u8], at: usize) -> [u8; N] {
    let mut field = [0; N];
    for (to, from) in field.iter_mut().zip(octets.iter().skip(at)) {
        *to = *from;
    }
    field
}

#[cfg(test)]
mod tests;
