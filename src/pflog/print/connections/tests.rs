use super::super::Outer;
use super::{Connections, MAX_CONNECTIONS};

fn v4(source: [u8; 4], destination: [u8; 4]) -> [u8; 20] {
    let mut header = [0; 20];
    header[12..16].copy_from_slice(&source);
    header[16..].copy_from_slice(&destination);
    header
}

/// The numbers printed for a segment without SYN.
fn later(
    connections: &mut Connections,
    header: &[u8; 20],
    ports: (u16, u16),
    seq_and_ack: (u32, u32),
) -> (u32, u32) {
    let numbers = connections.relative(Outer::V4(header), ports, false, seq_and_ack);
    (numbers.seq, numbers.ack)
}

#[test]
fn both_directions_are_relative_to_the_first_segment() {
    let mut connections = Connections::default();
    let (there, back) = (v4([10, 0, 0, 1], [10, 0, 0, 2]), v4([10, 0, 0, 2], [10, 0, 0, 1]));
    let there_ports = (1025, 80);
    let back_ports = (80, 1025);
    assert_eq!(later(&mut connections, &there, there_ports, (100, 200)), (100, 200));
    assert_eq!(later(&mut connections, &there, there_ports, (150, 260)), (50, 61));
    assert_eq!(later(&mut connections, &back, back_ports, (260, 150)), (61, 50));
    // Numbers of 32 bits wrap.
    assert_eq!(later(&mut connections, &there, there_ports, (99, 198)), (u32::MAX, u32::MAX));
}

#[test]
fn equal_ports_are_told_apart_by_the_addresses() {
    let mut connections = Connections::default();
    let (there, back) = (v4([10, 0, 0, 1], [10, 0, 0, 2]), v4([10, 0, 0, 2], [10, 0, 0, 1]));
    assert_eq!(later(&mut connections, &there, (7, 7), (100, 200)), (100, 200));
    assert_eq!(later(&mut connections, &back, (7, 7), (205, 110)), (6, 10));
    assert_eq!(connections.len(), 1);
}

#[test]
fn a_new_beginning_is_absolute() {
    let mut connections = Connections::default();
    let header = v4([10, 0, 0, 1], [10, 0, 0, 2]);
    later(&mut connections, &header, (1, 2), (100, 200));
    let numbers = connections.relative(Outer::V4(&header), (1, 2), true, (500, 600));
    assert_eq!((numbers.seq, numbers.ack, numbers.sack_base), (500, 600, 599));
    assert_eq!(later(&mut connections, &header, (1, 2), (501, 601)), (1, 2));
}

#[test]
fn the_memory_is_bounded() {
    let mut connections = Connections::default();
    for n in 0..MAX_CONNECTIONS as u32 * 2 + 10 {
        let header = v4(n.to_be_bytes(), [10, 0, 0, 2]);
        assert_eq!(later(&mut connections, &header, (1, 2), (100, 200)), (100, 200));
        assert!(connections.len() <= MAX_CONNECTIONS);
    }
    // The last ones are remembered.
    let header = v4((MAX_CONNECTIONS as u32 * 2 + 9).to_be_bytes(), [10, 0, 0, 2]);
    assert_eq!(later(&mut connections, &header, (1, 2), (101, 200)), (1, 1));
}
