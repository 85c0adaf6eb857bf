//! PPP: RFC 1661 in the framing of RFC 1662, its control protocols for IP (RFC 1332) and IPv6
//! (RFC 5072), and its authentication (RFC 1334, 1994, 3748).
//!
//! Lengths inside are those that the packet claims, and octets are looked at as far as they were
//! captured; where the two part, tcpdump says `[|lcp]` and the like.

use super::*;

const IP: u16 = 0x0021;
const IP6: u16 = 0x0057;
const IPCP: u16 = 0x8021;
const IPV6CP: u16 = 0x8057;
const LCP: u16 = 0xc021;
const PAP: u16 = 0xc023;
const LQR: u16 = 0xc025;
const CHAP: u16 = 0xc223;
const EAP: u16 = 0xc227;

/// Protocols and their names; both forms of compressed TCP have the same.
const PROTOCOLS: [(u32, &str); 21] = [
    (0x0021, "IP"),
    (0x0025, "XNS"),
    (0x002b, "IPX"),
    (0x0029, "AppleTalk"),
    (0x002d, "VJC_UNCOMP"),
    (0x002f, "VJC_UNCOMP"),
    (0x0057, "IPv6"),
    (0x00fd, "COMP"),
    (0x0207, "CDP"),
    (0x8021, "IPCP"),
    (0x8029, "AppleTalkCP"),
    (0x802b, "IPXCP"),
    (0x8057, "IPV6CP"),
    (0x80fd, "CCP"),
    (0x8207, "CDPCP"),
    (0xc021, "LCP"),
    (0xc023, "PAP"),
    (0xc025, "LQR"),
    (0xc029, "CBCP"),
    (0xc223, "CHAP"),
    (0xc227, "EAP"),
];

/// Codes of the control protocols, from 1 on; those for the network layers have the first seven.
const CONTROL: [&str; 11] = [
    "Configure-Request",
    "Configure-Ack",
    "Configure-Nak",
    "Configure-Reject",
    "Terminate-Request",
    "Terminate-Ack",
    "Code-Reject",
    "Protocol-Reject",
    "Echo-Request",
    "Echo-Reply",
    "Discard-Request",
];
/// Of CHAP and EAP.
const CHALLENGES: [&str; 4] = ["Challenge", "Response", "Success", "Failure"];
const PASSWORDS: [&str; 3] = ["Authenticate-Request", "Authenticate-Ack", "Authenticate-Nak"];
const EAP_TYPES: [&str; 6] =
    ["Identity", "Notification", "Nak", "MD5-Challenge", "One-Time-Password", "Token"];

/// Options of LCP by number. Two names of tcpdump's table have grown together, and those behind
/// stand one too early.
const LCP_OPTIONS: [&str; 24] = [
    "Vendor-Ext",
    "Max-Rx-Unit",
    "Async-Ctrl-Char-Map",
    "Auth-Prot",
    "Quality-Prot",
    "Magic-Number",
    "unassigned (6)",
    "Prot-Field-Compr",
    "Add-Ctrl-Field-Compr",
    "FCS-Alternatives",
    "Self-Describing-Pad",
    "Numbered-Mode",
    "Multi-Link-Procedure",
    "Call-Back",
    "Connect-TimeCompund-Frames",
    "Nominal-Data-Encap",
    "Multilink-MRRU",
    "Multilink-SSNHF",
    "Multilink-ED",
    "Proprietary",
    "DCE-Identifier",
    "Multilink-Plus-Proc",
    "Link-Discriminator",
    "LCP-Auth-Option",
];

/// Something was not captured, or the packet ends before.
struct Missing;

/// What is left of a message. Single octets are read as far as they were captured, for tcpdump
/// does not ask everywhere whether they belong to the message.
struct Rest<'d> {
    data: &'d [u8],
    /// How many of them belong to it; less than none when it claims to be shorter than its header.
    left: i64,
}

impl<'d> Rest<'d> {
    fn need(&self, octets: i64) -> Result<(), Missing> {
        if self.left < octets { Err(Missing) } else { Ok(()) }
    }

    fn skip(&mut self, octets: usize) {
        self.data = self.data.after(octets);
        self.left -= octets as i64;
    }

    /// The next octet, when the message has it.
    fn octet(&mut self) -> Result<u8, Missing> {
        self.need(1)?;
        let octet = self.data.octet(0);
        self.skip(1);
        Ok(octet)
    }

    /// So many octets, each by `put`; all that there are, when that is less.
    fn octets(
        &mut self,
        line: &mut Line<'_>,
        count: i64,
        put: impl Fn(&mut Line<'_>, &[u8]),
    ) -> Result<(), Missing> {
        let count = count.max(0);
        let there = count.min(self.left.max(0)) as usize;
        let octets = self.data.get(..there).unwrap_or(self.data);
        let octets = line.bounded(octets);
        put(line, octets);
        self.need(count)?;
        self.skip(there);
        Ok(())
    }
}

fn letters(line: &mut Line<'_>, octets: &[u8]) {
    line.octal(octets);
}

fn digits(line: &mut Line<'_>, octets: &[u8]) {
    line.hex_octets(octets);
}

/// A frame: address, control, and a packet.
pub(super) fn print_frame(line: &mut Line<'_>, data: &[u8], length: u32) {
    const ALL_STATIONS: u8 = 0xff;
    const UNNUMBERED: u8 = 0x03;
    if !data.has(2) {
        line.put("[|ppp]");
        return;
    }
    let (address, control) = (data.octet(0), data.octet(1));
    let length = length.wrapping_sub(2);
    if address != ALL_STATIONS {
        line.put("ppp address 0x").hex(address.into(), 2).put(" unknown");
        return;
    }
    line.put("ff ").hex(control.into(), 2).ch(b' ').dec(length).ch(b' ');
    if control != UNNUMBERED {
        line.put(" discard");
        return;
    }
    packet(line, data.after(2), length);
}

fn packet(line: &mut Line<'_>, data: &[u8], length: u32) {
    if !data.has(2) {
        line.put("[|ppp]");
        return;
    }
    let protocol = data.be16(0);
    let (data, length) = (data.after(2), length.wrapping_sub(2));
    match lookup(protocol.into(), &PROTOCOLS) {
        Some(name) => line.put(name).ch(b' '),
        None => line.put("unknown-ppp-").hex(protocol.into(), 4),
    };
    let (whole, missing) = match protocol {
        IP => return line.print_ip(data, length),
        IP6 => return line.print_ip6(data, length),
        LCP => (lcp(line, data), "[|lcp]"),
        CHAP => (chap(line, data), "[|chap]"),
        EAP => (eap(line, data), "[|eap]"),
        PAP => (pap(line, data), "[|pap]"),
        IPCP => (ipcp(line, data), "[|ipcp]"),
        IPV6CP => (ipv6cp(line, data), "[|ipv6cp]"),
        _ => return,
    };
    if whole.is_err() {
        line.put(missing);
    }
}

/// The header of a control protocol: code, length that it claims, and what is left.
fn header<'d>(
    line: &mut Line<'_>,
    data: &'d [u8],
    protocol: &str,
    codes: &[&str],
) -> Result<(u8, i64, Rest<'d>), Missing> {
    let mut rest = Rest { data, left: data.len() as i64 };
    let code = rest.octet()?;
    match codes.get(usize::from(code).wrapping_sub(1)) {
        Some(name) => line.put(name),
        None => line.put("unknown-").put(protocol).ch(b'-').dec(code.into()),
    };
    line.ch(b' ');
    let id = rest.octet()?;
    line.put("Id=0x").hex(id.into(), 2).ch(b':');
    rest.need(2)?;
    let claimed = i64::from(rest.data.be16(0));
    rest.skip(2);
    rest.left = rest.left.min(claimed - 4);
    Ok((code, claimed, rest))
}

/// The options of a configuration, each printed by `option`, which gives the length that it claims.
fn options(
    line: &mut Line<'_>,
    mut rest: Rest<'_>,
    option: impl Fn(&mut Line<'_>, &Rest<'_>) -> Result<u8, Missing>,
) -> Result<(), Missing> {
    while rest.left > 0 && !line.full() {
        match option(line, &rest)? {
            0 => break,
            size => rest.skip(size.into()),
        }
    }
    Ok(())
}

fn lcp(line: &mut Line<'_>, data: &[u8]) -> Result<(), Missing> {
    let (code, claimed, mut rest) = header(line, data, "lcp", &CONTROL)?;
    match code {
        1..=4 => options(line, rest, lcp_option)?,
        9 | 10 => {
            rest.need(4)?;
            line.put(" Magic-Number=").dec(rest.data.be32(0));
            rest.skip(4);
            if claimed != 8 {
                line.put(" Data=");
                rest.octets(line, claimed - 8, digits)?;
            }
        }
        _ => (),
    }
    Ok(())
}

fn lcp_option(line: &mut Line<'_>, rest: &Rest<'_>) -> Result<u8, Missing> {
    const MRU: u8 = 1;
    const AUTHENTICATION: u8 = 3;
    const QUALITY: u8 = 4;
    const MAGIC: u8 = 5;
    let kind = rest.data.octet(0);
    match LCP_OPTIONS.get(usize::from(kind)) {
        Some(name) => line.ch(b' ').put(name),
        None => line.put(" unknown-lcp-").dec(kind.into()),
    };
    rest.need(2)?;
    let size = rest.data.octet(1);
    if size < 2 {
        return Ok(0);
    }
    let left = rest.left.min(size.into()) - 2;
    let need = |octets: i64| if left < octets { Err(Missing) } else { Ok(()) };
    let value = rest.data.after(2);
    let valid = match kind {
        MRU if size == 4 => {
            need(2)?;
            line.ch(b'=').dec(value.be16(0).into());
            true
        }
        AUTHENTICATION if size >= 4 => {
            need(2)?;
            authentication(line, value, size)
        }
        QUALITY if size >= 4 => {
            need(2)?;
            match value.be16(0) {
                LQR => line.put(" LQR"),
                other => line.put(" unknown-qp-").dec(other.into()),
            };
            true
        }
        MAGIC if size >= 6 => {
            need(4)?;
            line.ch(b'=').dec(value.be32(0));
            true
        }
        MRU | AUTHENTICATION | QUALITY | MAGIC => false,
        7 => {
            line.put(" PFC");
            true
        }
        8 => {
            line.put(" ACFC");
            true
        }
        _ => true,
    };
    if !valid {
        line.put(" invalid opt len ").dec(size.into());
    }
    Ok(size)
}

/// The protocol of authentication that is offered; false when its option is too short.
fn authentication(line: &mut Line<'_>, value: &[u8], size: u8) -> bool {
    match value.be16(0) {
        PAP => line.put("=PAP"),
        EAP => line.put("=EAP"),
        0xc027 => line.put("=SPAP"),
        0xc127 => line.put("=Old-SPAP"),
        CHAP => {
            line.put("=CHAP");
            if size < 5 {
                return false;
            }
            match value.octet(2) {
                0x05 => line.put("/MD5"),
                0x80 => line.put("/Microsoft"),
                other => line.put("/unknown-algorithm-").hex(other.into(), 2),
            }
        }
        other => line.put("=unknown-ap-").hex(other.into(), 4),
    };
    true
}

fn chap(line: &mut Line<'_>, data: &[u8]) -> Result<(), Missing> {
    let (code, claimed, mut rest) = header(line, data, "chap", &CHALLENGES)?;
    match code {
        1 | 2 => {
            let size = i64::from(rest.octet()?);
            if size == 0 {
                line.put(" invalid Value-Size");
                return Ok(());
            }
            line.put(" Value=");
            rest.octets(line, size, digits)?;
            line.put(" Name=");
            rest.octets(line, claimed - 5 - size, letters)?;
        }
        3 | 4 => {
            line.put(" Message=");
            rest.octets(line, claimed - 4, letters)?;
        }
        _ => (),
    }
    Ok(())
}

fn eap(line: &mut Line<'_>, data: &[u8]) -> Result<(), Missing> {
    let (code, claimed, mut rest) = header(line, data, "eap", &CHALLENGES)?;
    if !matches!(code, 1 | 2) {
        return Ok(());
    }
    let name = |line: &mut Line<'_>, kind: u8| {
        match EAP_TYPES.get(usize::from(kind).wrapping_sub(1)) {
            Some(name) => line.ch(b' ').put(name),
            None => line.put(" unknown-eap-type-").dec(kind.into()),
        };
    };
    let kind = rest.octet()?;
    name(line, kind);
    match kind {
        1 | 2 | 5 if claimed != 5 => {
            line.ch(b'=');
            rest.octets(line, claimed - 5, letters)?;
        }
        3 => name(line, rest.octet()?),
        4 => {
            let size = i64::from(rest.octet()?);
            line.ch(b'=');
            rest.octets(line, size, digits)?;
        }
        _ => (),
    }
    Ok(())
}

fn pap(line: &mut Line<'_>, data: &[u8]) -> Result<(), Missing> {
    let (code, _, mut rest) = header(line, data, "pap", &PASSWORDS)?;
    let names: &[&str] = match code {
        1 => &[" Peer-Id=", " Passwd="],
        2 | 3 => &[" Message="],
        _ => &[],
    };
    for name in names {
        let size = i64::from(rest.octet()?);
        line.put(name);
        rest.octets(line, size, letters)?;
    }
    Ok(())
}

fn ipcp(line: &mut Line<'_>, data: &[u8]) -> Result<(), Missing> {
    let (code, _, rest) = header(line, data, "ipcp", network_codes())?;
    match code {
        1..=4 => options(line, rest, ipcp_option),
        _ => Ok(()),
    }
}

fn ipcp_option(line: &mut Line<'_>, rest: &Rest<'_>) -> Result<u8, Missing> {
    let kind = rest.data.octet(0);
    match kind {
        1 => line.put(" IP-Addresses"),
        2 => line.put(" IP-Compression-Protocol"),
        3 => line.put(" IP-Address"),
        _ => line.put(" ipcp-type-").dec(kind.into()),
    };
    rest.need(2)?;
    let size = rest.data.octet(1);
    let value = rest.data.after(2);
    match (kind, size) {
        (1, 10) => {
            rest.need(6)?;
            line.put(" Src=").ip4(value.array(0));
            rest.need(10)?;
            line.put(" Dst=").ip4(value.array(4));
        }
        (2, 4..) => {
            rest.need(3)?;
            // tcpdump keeps the lower octet of the two
            match value.octet(1) {
                0x37 => line.put(" Van Jacobsen Compressed TCP/IP"),
                other => line.put("ipcp-compression-type-").dec(other.into()),
            };
        }
        (3, 6) => {
            rest.need(6)?;
            line.ch(b'=').ip4(value.array(0));
        }
        (1..=3, _) => {
            line.put(" invalid opt len ").dec(size.into());
        }
        _ => (),
    }
    Ok(size)
}

fn ipv6cp(line: &mut Line<'_>, data: &[u8]) -> Result<(), Missing> {
    let (code, _, rest) = header(line, data, "ipv6cp", network_codes())?;
    match code {
        1..=4 => options(line, rest, ipv6cp_option),
        _ => Ok(()),
    }
}

fn ipv6cp_option(line: &mut Line<'_>, rest: &Rest<'_>) -> Result<u8, Missing> {
    let kind = rest.data.octet(0);
    match kind {
        1 => line.put(" IPv6-Interface-Id"),
        _ => line.put(" ipv6cp-type-").dec(kind.into()),
    };
    rest.need(2)?;
    let size = rest.data.octet(1);
    match (kind, size) {
        (1, 10) => {
            rest.need(10)?;
            for (n, at) in (2..10).step_by(2).enumerate() {
                line.ch(if n == 0 { b'=' } else { b':' });
                line.hex(rest.data.be16(at).into(), 4);
            }
        }
        (1, _) => {
            line.put(" invalid opt len ").dec(size.into());
        }
        _ => (),
    }
    Ok(size)
}

/// The codes that control protocols of network layers have.
fn network_codes() -> &'static [&'static str] {
    CONTROL.get(..7).unwrap_or(&CONTROL)
}
