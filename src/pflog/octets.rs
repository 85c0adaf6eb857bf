//! Reading fields of packets of which only the beginning was captured.

#[cfg(test)]
mod tests;

/// Fields of a packet, by their offset.
///
/// All methods are total: what lies behind the end of the capture reads as zero. A printer
/// that has to say that something is missing asks [`Octets::has`] first. tcpdump does not ask
/// everywhere; there it prints what its buffer happens to hold, and this crate prints zeros.
pub(crate) trait Octets {
    /// Were the first `end` octets captured?
    fn has(&self, end: usize) -> bool;
    /// The octets from `at` on, none when the capture ends before.
    fn after(&self, at: usize) -> &[u8];
    /// `N` octets at `at`.
    fn array<const N: usize>(&self, at: usize) -> [u8; N];

    /// The octet at `at`.
    #[inline]
    fn octet(&self, at: usize) -> u8 {
        u8::from_be_bytes(self.array(at))
    }
    /// The 16 bits at `at`, network order.
    #[inline]
    fn be16(&self, at: usize) -> u16 {
        u16::from_be_bytes(self.array(at))
    }
    /// The 24 bits at `at`, network order.
    #[inline]
    fn be24(&self, at: usize) -> u32 {
        let [a, b, c] = self.array(at);
        u32::from_be_bytes([0, a, b, c])
    }
    /// The 32 bits at `at`, network order.
    #[inline]
    fn be32(&self, at: usize) -> u32 {
        u32::from_be_bytes(self.array(at))
    }
    /// The 16 bits at `at`, least significant octet first.
    #[inline]
    fn le16(&self, at: usize) -> u16 {
        u16::from_le_bytes(self.array(at))
    }
    /// The 32 bits at `at`, least significant octet first.
    #[inline]
    fn le32(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.array(at))
    }
    /// The 64 bits at `at`, least significant octet first.
    #[inline]
    fn le64(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.array(at))
    }
}

impl Octets for [u8] {
    #[inline]
    fn has(&self, end: usize) -> bool {
        self.len() >= end
    }

    #[inline]
    fn after(&self, at: usize) -> &[u8] {
        self.get(at..).unwrap_or_default()
    }

    #[inline]
    fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        let rest = self.after(at);
        match rest.first_chunk() {
            Some(whole) => *whole,
            None => partial(rest),
        }
    }
}

/// What there is of `N` octets, and zeros. Rare, and out of the way of the usual case.
#[cold]
#[inline(never)]
fn partial<const N: usize>(rest: &[u8]) -> [u8; N] {
    let mut octets = [0; N];
    for (to, from) in octets.iter_mut().zip(rest) {
        *to = *from;
    }
    octets
}
