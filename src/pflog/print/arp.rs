//! ARP and its reverse: RFC 826, 903.

use super::*;

const MESSAGE: usize = 28;
const IP: u16 = 0x0800;
const TRAILER: u16 = 0x1000;
const ETHERNET: u16 = 1;

pub(super) fn print(line: &mut Line<'_>, data: &[u8], length: u32) {
    if !data.has(MESSAGE) {
        line.put("[|arp]");
        return;
    }
    if length < MESSAGE as u32 {
        line.put("truncated-arp");
        line.dump(data.get(..captured(data, length)).unwrap_or(data));
        return;
    }
    let (hardware, protocol, operation) = (data.be16(0), data.be16(2), data.be16(6));
    let (hardware_size, protocol_size) = (data.octet(4), data.octet(5));
    if !matches!(protocol, IP | TRAILER) || hardware_size != 6 || protocol_size != 4 {
        line.put("arp-#").dec(operation.into()).put(" for proto #").dec(protocol.into());
        line.put(" (").dec(protocol_size.into()).put(") hardware #").dec(hardware.into());
        line.put(" (").dec(hardware_size.into()).ch(b')');
        return;
    }
    if protocol == TRAILER {
        line.put("trailer-");
    }
    let sender: ([u8; 6], [u8; 4]) = (data.array(8), data.array(14));
    let target: ([u8; 6], [u8; 4]) = (data.array(18), data.array(24));
    let frame = line.link::<12>();
    let (frame_target, frame_sender): ([u8; 6], [u8; 6]) = (frame.array(0), frame.array(6));
    // Hardware addresses are shown where they are not the expected ones.
    let unless = |line: &mut Line<'_>, address: [u8; 6], expected: [u8; 6]| {
        if address != expected {
            line.put(" (").ether(address).ch(b')');
        }
    };
    match operation {
        1 => {
            line.put("arp who-has ").ip4(target.1);
            unless(line, target.0, [0; 6]);
            line.put(" tell ").ip4(sender.1);
            unless(line, sender.0, frame_sender);
        }
        2 => {
            line.put("arp reply ").ip4(sender.1);
            unless(line, sender.0, frame_sender);
            line.put(" is-at ").ether(sender.0);
            unless(line, target.0, frame_target);
        }
        3 => {
            line.put("rarp who-is ").ether(target.0).put(" tell ").ether(sender.0);
        }
        4 => {
            line.put("rarp reply ").ether(target.0).put(" at ").ip4(target.1);
        }
        _ => {
            line.put("arp-#").dec(operation.into());
            line.dump(data);
            return;
        }
    }
    if hardware != ETHERNET {
        line.put(" hardware #").dec(hardware.into());
    }
}
