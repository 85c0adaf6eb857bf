use super::*;

/// Three lines, of which the second is as long as one can be, so that the room grows each time.
#[test]
fn lines_stay_when_others_come_and_go_when_they_are_cleared() {
    let mut lines = Lines::default();
    let append = |lines: &mut Lines, octet: u8, len: usize| {
        lines.append(|room| {
            room[..len].fill(octet);
            len
        });
    };
    for (octet, len) in [(b'a', 3), (b'b', MAX_TEXT), (b'c', 2)] {
        append(&mut lines, octet, len);
    }
    assert_eq!(*lines, [vec![b'a'; 3], vec![b'b'; MAX_TEXT], vec![b'c'; 2]].concat());
    lines.clear();
    assert!(lines.is_empty());
    append(&mut lines, b'd', 1);
    assert_eq!(*lines, *b"d");
}
