//! GPRS tunnels: versions 0 and 1 of GTP, with their charging protocols (GSM 09.60 and 12.15, 3GPP
//! TS 29.060 and 32.295). Of a message its header and type are shown; what it carries tcpdump shows
//! with -v only.

use super::*;

const CONTROL: u16 = 2123;
const USER: u16 = 2152;

/// In the first octet: not one of the charging protocol.
const TUNNEL: u8 = 0x10;
const EXTENSION: u8 = 0x04;
const SEQUENCE: u8 = 0x02;
const NPDU: u8 = 0x01;

pub(super) fn print(line: &mut Text<'_>, data: &[u8], ports: (u16, u16)) {
    let Some(first) = data.first() else {
        line.put("[|GTP]");
        return;
    };
    match first >> 5 {
        0 => version0(line, data),
        1 => version1(line, data, ports),
        version => {
            line.put("GTP (version ").dec(version.into()).ch(b')');
        }
    }
}

fn version0(line: &mut Text<'_>, data: &[u8]) {
    let (kind, length, sequence) = (data.octet(1), data.be16(2), data.be16(4));
    if data.octet(0) & TUNNEL == 0 {
        if !data.has(6) {
            line.put(" [|GTPv0']");
            return;
        }
        line.put("GTPv0' (len ").dec(length.into()).put(", seq ").dec(sequence.into()).put(") ");
    } else {
        if !data.has(20) {
            line.put(" [|GTPv0]");
            return;
        }
        line.put("GTPv0 (len ").dec(length.into()).put(", seqno ").dec(sequence.into());
        line.put(", flow ").dec(data.be16(6).into());
        // one octet, which tcpdump takes for the higher one of two
        line.put(", N-PDU ").dec(u32::from(data.octet(8)) << 8).put(", tid 0x");
        match data.be32(12) {
            0 => line.hex(data.be32(16), 1),
            high => line.hex(high, 1).hex(data.be32(16), 8),
        };
        line.put(") ");
    }
    line.word(kind.into(), &VERSION_0, "Message Type ");
}

fn version1(line: &mut Text<'_>, data: &[u8], ports: (u16, u16)) {
    let is = |port| ports.0 == port || ports.1 == port;
    let name = if data.octet(0) & TUNNEL == 0 {
        "GTPv1'"
    } else if is(CONTROL) {
        "GTPv1-C"
    } else if is(USER) {
        "GTPv1-U"
    } else {
        // on 3386, the port of the charging protocol
        "GTPv1'"
    };
    line.ch(b' ').put(name);
    let whole = if data.octet(0) & TUNNEL == 0 {
        charging(line, data)
    } else {
        tunnel(line, data, is(CONTROL) || is(USER))
    };
    if whole.is_none() {
        line.put(" [|").put(name).ch(b']');
    }
}

fn charging(line: &mut Text<'_>, data: &[u8]) -> Option<()> {
    data.get(..6)?;
    line.put(" (len ").dec(data.be16(2).into()).put(", seq ").dec(data.be16(4).into()).put(") ");
    line.word(data.octet(1).into(), &VERSION_1, "Message Type ");
    Some(())
}

/// The header with its extensions, and the type of message on the ports where it is known.
fn tunnel(line: &mut Text<'_>, data: &[u8], with_type: bool) -> Option<()> {
    data.get(..8)?;
    let (flags, kind) = (data.octet(0), data.octet(1));
    line.put(" (teid ").dec(data.be32(4)).put(", len ").dec(data.be16(2).into()).ch(b')');
    if flags & (EXTENSION | SEQUENCE | NPDU) != 0 {
        data.get(..12)?;
    }
    if flags & SEQUENCE != 0 {
        line.put(" [seq ").dec(data.be16(8).into()).ch(b']');
    }
    if flags & NPDU != 0 {
        line.put(" [N-PDU ").dec(data.octet(10).into()).ch(b']');
    }
    if flags & EXTENSION != 0 {
        extensions(line, data.octet(11), data.after(12))?;
    }
    if with_type {
        line.ch(b' ').word(kind.into(), &VERSION_1, "Message Type ");
    }
    Some(())
}

fn extensions(line: &mut Text<'_>, mut kind: u8, mut data: &[u8]) -> Option<()> {
    while kind != 0 && !line.full() {
        // in words of four octets, the last octet is the type of the next
        let size = usize::from(data.octet(0)) * 4;
        if size == 0 {
            line.put(" [Invalid zero-length header ").dec(kind.into()).ch(b']');
            return None;
        }
        data.get(..size)?;
        match kind {
            0x01 => line.put(" [MBMS Support]"),
            0x02 => line.put(" [MS Info Change Reporting]"),
            0xc0 => line.put(" [PDCP PDU ").dec(data.be16(1).into()).ch(b']'),
            0xc1 => line.put(" [Suspend Request]"),
            0xc2 => line.put(" [Suspend Response]"),
            _ => line.put(" [Unknown Header ").dec(kind.into()).ch(b']'),
        };
        kind = data.octet(size - 1);
        data = data.after(size);
    }
    Some(())
}

/// Messages of version 0.
const VERSION_0: [(u32, &str); 36] = [
    (1, "Echo Request"),
    (2, "Echo Response"),
    (3, "Version Not Supported"),
    (4, "Node Alive Request"),
    (5, "Node Alive Response"),
    (6, "Redirection Request"),
    (7, "Redirection Response"),
    (16, "Create PDP Context Request"),
    (17, "Create PDP Context Response"),
    (18, "Update PDP Context Request"),
    (19, "Update PDP Context Response"),
    (20, "Delete PDP Context Request"),
    (21, "Delete PDP Context Response"),
    (22, "Create AA PDP Context Request"),
    (23, "Create AA PDP Context Response"),
    (24, "Delete AA PDP Context Request"),
    (25, "Delete AA PDP Context Response"),
    (26, "Error Indication"),
    (27, "PDU Notification Request"),
    (28, "PDU Notification Response"),
    (29, "PDU Notification Reject Request"),
    (30, "PDU Notification Reject Response"),
    (32, "Send Routeing Information Request"),
    (33, "Send Routeing Information Response"),
    (34, "Failure Report Request"),
    (35, "Failure Report Response"),
    (36, "MS GPRS Present Request"),
    (37, "MS GPRS Present Response"),
    (48, "Identification Request"),
    (49, "Identification Response"),
    (50, "SGSN Context Request"),
    (51, "SGSN Context Response"),
    (52, "SGSN Context Acknowledge"),
    (240, "Data Record Transfer Request"),
    (241, "Data Record Transfer Response"),
    (255, "T-PDU"),
];

/// Messages of version 1.
const VERSION_1: [(u32, &str); 66] = [
    (1, "Echo Request"),
    (2, "Echo Response"),
    (3, "Version Not Supported"),
    (4, "Node Alive Request"),
    (5, "Node Alive Response"),
    (6, "Redirection Request"),
    (7, "Redirection Response"),
    (16, "Create PDP Context Request"),
    (17, "Create PDP Context Response"),
    (18, "Update PDP Context Request"),
    (19, "Update PDP Context Response"),
    (20, "Delete PDP Context Request"),
    (21, "Delete PDP Context Response"),
    (22, "Initiate PDP Context Activiation Request"),
    (23, "Initiate PDP Context Activiation Response"),
    (26, "Error Indication"),
    (27, "PDU Notification Request"),
    (28, "PDU Notification Response"),
    (29, "PDU Notification Reject Request"),
    (30, "PDU Notification Reject Response"),
    (31, "Supported Extension Headers Notification"),
    (32, "Send Routeing Information for GPRS Request"),
    (33, "Send Routeing Information for GPRS Response"),
    (34, "Failure Report Request"),
    (35, "Failure Report Response"),
    (36, "Note MS GPRS Present Request"),
    (37, "Note MS GPRS Present Response"),
    (48, "Identification Request"),
    (49, "Identification Response"),
    (50, "SGSN Context Request"),
    (51, "SGSN Context Response"),
    (52, "SGSN Context Acknowledge"),
    (53, "Forward Relocation Request"),
    (54, "Forward Relocation Response"),
    (55, "Forward Relocation Complete"),
    (56, "Relocation Cancel Request"),
    (57, "Relocation Cancel Response"),
    (58, "Forward SRNS Context"),
    (59, "Forward Relocation Complete Acknowledge"),
    (60, "Forward SRNS Context Acknowledge"),
    (70, "RAN Information Relay"),
    (96, "MBMS Notification Request"),
    (97, "MBMS Notification Response"),
    (98, "MBMS Notification Reject Request"),
    (99, "MBMS Notification Reject Response"),
    (100, "Create MBMS Context Request"),
    (101, "Create MBMS Context Response"),
    (102, "Update MBMS Context Request"),
    (103, "Update MBMS Context Response"),
    (104, "Delete MBMS Context Request"),
    (105, "Delete MBMS Context Response"),
    (112, "MBMS Registration Request"),
    (113, "MBMS Registration Response"),
    (114, "MBMS De-Registration Request"),
    (115, "MBMS De-Registration Response"),
    (116, "MBMS Session Start Request"),
    (117, "MBMS Session Start Response"),
    (118, "MBMS Session Stop Request"),
    (119, "MBMS Session Stop Response"),
    (120, "MBMS Session Update Request"),
    (121, "MBMS Session Update Response"),
    (128, "MBMS Info Change Notification Request"),
    (129, "MBMS Info Change Notification Response"),
    (240, "Data Record Transfer Request"),
    (241, "Data Record Transfer Response"),
    (255, "G-PDU"),
];
