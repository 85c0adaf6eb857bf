//! Times of entries, of which most are as old as the one before.

/// A time for each entry, in order: epoch seconds in 32 bits.
///
/// Kept are a bit for each entry, whether its time is another than that of the one before, and those other
/// times. Where all came together that is an eighth of an octet for an entry, and never more than that
/// beside its time. Runs with their lengths would be twice the times once a list has changed here and there
/// for some months.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Times {
    entries: usize,
    begins: Vec<u8>,
    times: Vec<u32>,
}

impl Times {
    /// Times that were kept elsewhere, in the parts that [`Times::begins`] and [`Times::times`] gave; `None`
    /// when they are not those of so many entries.
    pub fn from_parts(entries: usize, begins: Vec<u8>, times: Vec<u32>) -> Option<Self> {
        if begins.len() != entries.div_ceil(8) {
            return None;
        }
        let all = Self { entries, begins, times };
        // there is but one form of the same times
        (all.iter().collect::<Self>() == all).then_some(all)
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// A bit for each entry, the lowest of an octet first: whether its time is another than that of the entry
    /// before, as that of the first is.
    pub fn begins(&self) -> &[u8] {
        &self.begins
    }

    /// The times of the entries that have their bit in [`Times::begins`].
    pub fn times(&self) -> &[u32] {
        &self.times
    }

    /// The times of all entries.
    pub fn iter(&self) -> impl Iterator<Item = u32> + Clone {
        let (mut times, mut time) = (self.times.iter(), 0);
        (0..self.entries).map(move |index| {
            if self.begins.get(index / 8).is_some_and(|octet| octet >> (index % 8) & 1 == 1) {
                time = times.next().copied().unwrap_or(time);
            }
            time
        })
    }

    /// The time of an entry, by its place.
    pub fn get(&self, index: usize) -> Option<u32> {
        if index >= self.entries {
            return None;
        }
        let (before, rest) = self.begins.split_at_checked(index / 8)?;
        let own = rest.first()? << (7 - index % 8);
        let (eights, few) = before.as_chunks();
        let begun = eights.iter().map(|eight| u64::from_le_bytes(*eight).count_ones());
        let rest = few.iter().chain([&own]).map(|octet| octet.count_ones());
        let begun = begun.chain(rest).sum::<u32>() as usize;
        self.times.get(begun.checked_sub(1)?).copied()
    }
}

impl FromIterator<u32> for Times {
    fn from_iter<T: IntoIterator<Item = u32>>(times: T) -> Self {
        let mut all = Self::default();
        for time in times {
            let bit = all.entries % 8;
            if bit == 0 {
                all.begins.push(0);
            }
            if all.times.last() != Some(&time) {
                all.times.push(time);
                all.begins.last_mut().into_iter().for_each(|octet| *octet |= 1 << bit);
            }
            all.entries += 1;
        }
        all.begins.shrink_to_fit();
        all.times.shrink_to_fit();
        all
    }
}

#[cfg(test)]
mod tests;
