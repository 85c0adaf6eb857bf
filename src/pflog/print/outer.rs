//! What the printers of inner headers have to know of the IP header around them.

use crate::octets::Octets;
use crate::text::Text;

/// The IP header around a packet, as its inner printers want it.
#[derive(Clone, Copy)]
pub(crate) enum Outer<'a> {
    /// IPv4 without options.
    V4(&'a [u8; 20]),
    /// IPv6 without extension headers.
    V6(&'a [u8; 40]),
}

impl Outer<'_> {
    /// Appends the source address.
    #[inline]
    pub(super) fn source<'l, 'a>(&self, line: &'l mut Text<'a>) -> &'l mut Text<'a> {
        match self {
            Outer::V4(header) => line.ip4(header.array(12)),
            Outer::V6(header) => line.ip6(header.array(8)),
        }
    }

    /// Appends the destination address.
    #[inline]
    pub(super) fn destination<'l, 'a>(&self, line: &'l mut Text<'a>) -> &'l mut Text<'a> {
        match self {
            Outer::V4(header) => line.ip4(header.array(16)),
            Outer::V6(header) => line.ip6(header.array(24)),
        }
    }

    /// Appends `A > B`.
    #[inline]
    pub(super) fn pair<'l, 'a>(&self, line: &'l mut Text<'a>) -> &'l mut Text<'a> {
        self.source(line).put(" > ");
        self.destination(line)
    }

    /// Appends `A.p > B.q: `.
    #[inline]
    pub(super) fn pair_with_ports<'l, 'a>(
        &self,
        line: &'l mut Text<'a>,
        ports: (u16, u16),
    ) -> &'l mut Text<'a> {
        line.apart(|text| {
            self.source(text).ch(b'.').dec(ports.0.into()).put(" > ");
            self.destination(text).ch(b'.').dec(ports.1.into()).put(": ");
        });
        line
    }
}
