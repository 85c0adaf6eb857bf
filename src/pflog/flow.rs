//! Who talks to whom: what counting hits needs of a packet, without printing it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::header::{Direction, Family, Header};
use crate::octets::Octets;

/// Extension headers that are walked through in search of the protocol.
const MAX_EXTENSIONS: usize = 16;

const HOP_BY_HOP: u8 = 0;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const DESTINATION_OPTIONS: u8 = 60;
const DCCP: u8 = 33;
const SCTP: u8 = 132;
const UDP_LITE: u8 = 136;

/// Addresses, protocol and ports of a packet as it was on the wire, before translation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Flow {
    /// Source address.
    pub source: IpAddr,
    /// Destination address.
    pub destination: IpAddr,
    /// Number of the protocol, behind IPv6 extension headers; that of the first extension
    /// header that was not captured when the chain is cut.
    pub protocol: u8,
    /// Source and destination port, for protocols that have ports and packets that are no later
    /// fragment.
    pub ports: Option<(u16, u16)>,
    /// Way of the packet through its interface.
    pub direction: Direction,
}

impl Flow {
    /// Reads the packet behind a header; none when its fixed part was not captured or is
    /// neither IPv4 nor IPv6.
    pub fn of(header: &Header<'_>) -> Option<Flow> {
        let packet = header.packet();
        let direction = header.direction();
        match header.af() {
            Family::Inet => inet(packet, direction),
            Family::Inet6 => inet6(packet, direction),
            Family::Other(_) => None,
        }
    }
}

fn inet(packet: &[u8], direction: Direction) -> Option<Flow> {
    if !packet.has(20) || packet.octet(0) >> 4 != 4 {
        return None;
    }
    let protocol = packet.octet(9);
    let first = packet.be16(6) & 0x1fff == 0;
    let payload = packet.after(usize::from(packet.octet(0) & 15) * 4);
    Some(Flow {
        source: Ipv4Addr::from(packet.array::<4>(12)).into(),
        destination: Ipv4Addr::from(packet.array::<4>(16)).into(),
        protocol,
        ports: if first { ports(protocol, payload) } else { None },
        direction,
    })
}

fn inet6(packet: &[u8], direction: Direction) -> Option<Flow> {
    if !packet.has(40) || packet.octet(0) >> 4 != 6 {
        return None;
    }
    let (mut protocol, mut payload, mut first) = (packet.octet(6), packet.after(40), true);
    for _ in 0..MAX_EXTENSIONS {
        let size = match protocol {
            HOP_BY_HOP | ROUTING | DESTINATION_OPTIONS if first => {
                (usize::from(payload.octet(1)) + 1) * 8
            }
            FRAGMENT if first => 8,
            _ => break,
        };
        if !payload.has(size) {
            break;
        }
        if protocol == FRAGMENT {
            first = payload.be16(2) & 0xfff8 == 0;
        }
        protocol = payload.octet(0);
        payload = payload.after(size);
    }
    Some(Flow {
        source: Ipv6Addr::from(packet.array::<16>(8)).into(),
        destination: Ipv6Addr::from(packet.array::<16>(24)).into(),
        protocol,
        ports: if first { ports(protocol, payload) } else { None },
        direction,
    })
}

fn ports(protocol: u8, payload: &[u8]) -> Option<(u16, u16)> {
    let has_ports = matches!(protocol, TCP | UDP | DCCP | SCTP | UDP_LITE);
    (has_ports && payload.has(4)).then(|| (payload.be16(0), payload.be16(2)))
}
