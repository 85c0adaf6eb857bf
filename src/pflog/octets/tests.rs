use super::Octets;

const FOUR: [u8; 4] = [1, 2, 3, 4];

#[test]
fn fields_inside_are_read() {
    let data = &FOUR[..];
    assert!(data.has(4) && !data.has(5));
    assert_eq!(
        (data.octet(3), data.be16(1), data.be24(1), data.be32(0)),
        (4, 0x0203, 0x020304, 0x01020304)
    );
    assert_eq!((data.le16(2), data.le32(0)), (0x0403, 0x04030201));
    assert_eq!(data.after(2), [3, 4]);
}

#[test]
fn what_was_not_captured_is_zero() {
    let data = &FOUR[..];
    assert_eq!((data.be32(2), data.be16(3), data.octet(4)), (0x03040000, 0x0400, 0));
    assert_eq!((data.le64(3), data.array::<3>(usize::MAX)), (4, [0; 3]));
    assert!(data.after(5).is_empty());
}
