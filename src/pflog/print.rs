//! The protocols inside a packet, one file each.
//!
//! All printers have the same form: the captured octets from the beginning of their header on,
//! and the octets that there were on the wire (`length`), counted in 32 bits that wrap as
//! tcpdump's do. The captured octets always reach to the end of the record's, so that an inner
//! header knows where it stands in the record.
//!
//! * In: the captured octets of a header, and how many there were on the wire.
//! * Out: text, appended to the line of the packet.
//! * Never: read behind the captured octets, or print one that is not printable.

mod arp;
mod bgp;
mod bgp_update;
mod bgp_words;
mod bootp;
mod carp;
pub(crate) mod connections;
mod dhcp6;
mod dns;
mod dns_name;
pub(crate) mod ether;
mod geneve;
mod gre;
mod gtp;
mod hsrp;
mod icmp;
mod icmp6;
mod igmp;
mod igrp;
mod ike;
pub(crate) mod ip;
pub(crate) mod ip6;
mod ipsec;
mod krb;
mod l2tp;
mod mobile;
mod mpls;
mod nhrp;
mod ntp;
mod ospf;
mod outer;
mod pfsync;
mod ppp;
mod radius;
mod rip;
mod snmp;
mod snmp_ber;
mod tcp;
mod tftp;
mod timed;
mod udp;
mod vat;
mod vqp;
mod vxlan;
mod wg;

use std::ops::{Deref, DerefMut};

use crate::octets::Octets;
use crate::text::{Text, lookup, printable};
use connections::Connections;
pub(crate) use outer::Outer;

/// Headers inside headers of one packet that are looked at; what is deeper is left out. Nobody
/// nests so deep, but a packet of 64 KiB has room for thousands.
const MAX_LAYERS: u8 = 32;

/// Pointers of DNS names that are followed in one record: the names of a long message could
/// share a long chain of them.
const MAX_POINTERS: u16 = 4096;

/// A printer of a header, and of what is inside: of these octets, and so many on the wire.
type Print = fn(&mut Line<'_>, &[u8], u32);

/// The printers of what a header may have inside that has the same header inside in turn. They go with
/// the line, for files that named each other could only be understood all at once.
pub(crate) struct Inside {
    /// An IPv4 packet.
    pub ip: Print,
    /// An IPv6 packet.
    pub ip6: Print,
    /// An Ethernet frame.
    pub ether: Print,
    /// An Ethernet frame behind the header of EtherIP.
    pub etherip: Print,
}

/// The text of one record on its way, and what its printers share.
pub(crate) struct Line<'a> {
    text: Text<'a>,
    record: &'a [u8],
    /// Where in the record the last link level header begins. Two printers compare hardware
    /// addresses with it.
    link: usize,
    layers: u8,
    pointers: u16,
    inside: &'static Inside,
    connections: &'a mut Connections,
}

impl<'a> Deref for Line<'a> {
    type Target = Text<'a>;

    #[inline]
    fn deref(&self) -> &Text<'a> {
        &self.text
    }
}

impl<'a> DerefMut for Line<'a> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Text<'a> {
        &mut self.text
    }
}

impl<'a> Line<'a> {
    /// Goes on with a text, for a record with these captured octets.
    pub(crate) fn new(
        text: Text<'a>,
        record: &'a [u8],
        inside: &'static Inside,
        connections: &'a mut Connections,
    ) -> Line<'a> {
        Line { text, record, link: 0, layers: 0, pointers: 0, inside, connections }
    }

    /// Prints an IPv4 packet inside of another header.
    fn print_ip(&mut self, data: &[u8], length: u32) {
        (self.inside.ip)(self, data, length);
    }

    /// Prints an IPv6 packet inside of another header.
    fn print_ip6(&mut self, data: &[u8], length: u32) {
        (self.inside.ip6)(self, data, length);
    }

    /// Prints an Ethernet frame inside of another header.
    fn print_ether(&mut self, data: &[u8], length: u32) {
        (self.inside.ether)(self, data, length);
    }

    /// Prints an Ethernet frame behind the header of EtherIP.
    fn print_etherip(&mut self, data: &[u8], length: u32) {
        (self.inside.etherip)(self, data, length);
    }

    /// Counts one more header that has others inside; false when they are too many.
    #[inline]
    fn enter(&mut self) -> bool {
        self.layers = self.layers.saturating_add(1);
        self.layers <= MAX_LAYERS && !self.full()
    }

    /// Counts one more pointer of a DNS name; false when they are too many.
    fn follow(&mut self) -> bool {
        self.pointers = self.pointers.saturating_add(1);
        self.pointers <= MAX_POINTERS
    }

    /// The first `N` octets of the link level header.
    fn link<const N: usize>(&self) -> [u8; N] {
        self.record.array(self.link)
    }

    /// Makes the header at which `data` begins the link level header.
    fn set_link(&mut self, data: &[u8]) {
        self.link = self.record.len().saturating_sub(data.len());
    }
}

/// `length` as far as it was captured: how many octets of `data` there are to look at.
fn captured(data: &[u8], length: u32) -> usize {
    data.len().min(length as usize)
}
