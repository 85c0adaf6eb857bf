//! Serials of zones, which go round.

/// Whether a serial comes after another (RFC 1982, section 3.2): up to half of the circle ahead of it.
pub fn is_after(one: u32, other: u32) -> bool {
    let ahead = one.wrapping_sub(other);
    ahead != 0 && ahead < 1 << 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serials_go_round() {
        assert!(is_after(2, 1) && is_after(1, u32::MAX) && is_after(0x8000_0000, 1));
        assert!(!is_after(1, 1) && !is_after(u32::MAX, 1) && !is_after(1, 0x8000_0000));
        // half of the circle away is neither before nor after
        assert!(!is_after(0x8000_0001, 1) && !is_after(1, 0x8000_0001));
    }
}
