//! UDP: RFC 768. What is inside is told by the ports.

use super::*;

const HEADER: usize = 8;

/// The protocols that are decoded, in the order in which tcpdump looks for them when the two
/// ports name different ones.
///
/// Given by their length alone, see the crate: RPC and NFS (2049), AppleTalk (200 to 327, 768 to
/// 895, 16512 to 16639), lwres (921), IAPP (2313, 3517), wb (4567). They read `udp LEN`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Service {
    Dns,
    MulticastDns,
    Lwres,
    Timed,
    Tftp,
    Bootp,
    Rip,
    Snmp,
    Ntp,
    Kerberos,
    L2tp,
    Encapsulated,
    Ike,
    Radius,
    Vat,
    Iapp,
    Vqp,
    Gre,
    Vxlan,
    Geneve,
    Mpls,
    Ripng,
    Dhcp6,
    Gtp,
    Whiteboard,
    Hsrp,
    None,
}

impl Service {
    /// Of either port.
    fn of(port: u16) -> Service {
        match port {
            53 => Service::Dns,
            5353 => Service::MulticastDns,
            921 => Service::Lwres,
            525 => Service::Timed,
            69 => Service::Tftp,
            67 | 68 => Service::Bootp,
            520 => Service::Rip,
            161 | 162 => Service::Snmp,
            123 => Service::Ntp,
            88 | 750 => Service::Kerberos,
            1701 => Service::L2tp,
            4500 => Service::Encapsulated,
            500 => Service::Ike,
            1645 | 1646 | 1812 | 1813 => Service::Radius,
            2313 | 3517 => Service::Iapp,
            1589 => Service::Vqp,
            4754 => Service::Gre,
            4789 | 4790 => Service::Vxlan,
            6081 => Service::Geneve,
            6635 => Service::Mpls,
            521 => Service::Ripng,
            546 | 547 => Service::Dhcp6,
            2123 | 2152 | 3386 => Service::Gtp,
            _ => Service::None,
        }
    }

    /// Of the destination port only.
    fn of_destination(port: u16) -> Service {
        match port {
            3456 => Service::Vat,
            4567 => Service::Whiteboard,
            1985 => Service::Hsrp,
            _ => Service::None,
        }
    }
}

pub(super) fn print(line: &mut Line<'_>, data: &[u8], length: u32, outer: Outer<'_>) {
    if !data.has(HEADER) {
        outer.pair(line).put(": [|udp]");
        return;
    }
    if length < HEADER as u32 {
        outer.pair(line).put(": truncated-udp ").dec(length);
        return;
    }
    let ports = (data.be16(0), data.be16(2));
    outer.pair_with_ports(line, ports);
    let ulen = data.be16(4);
    if length < u32::from(ulen) {
        line.put(" truncated-udp - ").dec(u32::from(ulen) - length).put(" bytes missing!");
    }
    payload(line, data.after(HEADER), length - HEADER as u32, ports, ulen);
}

fn payload(line: &mut Line<'_>, data: &[u8], length: u32, ports: (u16, u16), ulen: u16) {
    let (sport, dport) = ports;
    let service = Service::of(sport).min(Service::of(dport)).min(Service::of_destination(dport));
    match service {
        Service::Dns => dns::print(line, data, length, false),
        Service::MulticastDns => dns::print(line, data, length, true),
        Service::Timed => timed::print(line, data),
        Service::Tftp => tftp::print(line, data, length),
        Service::Bootp => bootp::print(line, data, ports),
        Service::Rip => rip::print(line, data, length),
        Service::Snmp => snmp::print(line, data, length),
        Service::Ntp => ntp::print(line, data, length),
        Service::Kerberos => krb::print(line, data),
        Service::L2tp => l2tp::print(line, data, length),
        Service::Encapsulated => ipsec::in_udp(line, data, length),
        Service::Ike => ike::print(line, data, length),
        Service::Radius => radius::print(line, data, length),
        Service::Vat => vat::print(line, data, ulen),
        Service::Vqp => vqp::print(line, data),
        Service::Gre => gre::print(line, data, length),
        Service::Vxlan => vxlan::print(line, data, length),
        Service::Mpls => mpls::print(line, data, length),
        Service::Ripng => rip::print_ng(line, data, length),
        Service::Dhcp6 => dhcp6::print(line, data, length),
        Service::Hsrp => hsrp::print(line, data, length),
        Service::None if wg::print(line, data, length) => (),
        Service::Geneve => geneve::print(line, data, length),
        Service::Gtp => gtp::print(line, data, ports),
        Service::Lwres | Service::Iapp | Service::Whiteboard | Service::None => {
            line.put("udp ").dec(length);
        }
    }
}
