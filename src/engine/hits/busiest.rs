//! Counters of the busiest of any number of keys, in bounded room and with a known error.
//!
//! The counters are those of Metwally, Agrawal and El Abbadi, "Efficient Computation of Frequent and
//! Top-k Elements in Data Streams" (2005), named space-saving: where all are taken, a new key takes
//! the place of the one that was counted least, and may have been counted as often as that one
//! before. Of `n` packets and `most` counters that is at most `n / most`, and whoever has more packets
//! than that is kept, whatever the others send. What a key is shown with was counted for it alone.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

use foldhash::quality::RandomState;
use pflog::Direction;
use serde::{Deserialize, Serialize};

/// Packets that came in, and that went out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Packets that came in.
    pub r#in: u64,
    /// Packets that went out.
    pub out: u64,
    /// When the last of them was logged, epoch seconds.
    pub last: u32,
}

impl Count {
    /// Packets of both directions.
    pub fn total(&self) -> u64 {
        self.r#in + self.out
    }

    /// The sum of two counts; the later last packet.
    pub fn with(&self, other: &Self) -> Self {
        let (r#in, out) = (self.r#in + other.r#in, self.out + other.out);
        Self { r#in, out, last: self.last.max(other.last) }
    }

    /// Counts one, at `at`.
    pub fn add(&mut self, direction: Direction, at: u32) {
        match direction {
            Direction::In => self.r#in += 1,
            Direction::Out => self.out += 1,
        }
        self.last = at;
    }
}

/// What is kept of a key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(serialize = "N: Default + PartialEq + Serialize"))]
struct Kept<N> {
    #[serde(flatten)]
    count: Count,
    /// How often it may have been counted before it was kept, at most.
    #[serde(default, skip_serializing_if = "is_nothing")]
    before: u64,
    /// What is known of it besides.
    #[serde(default, skip_serializing_if = "is_nothing")]
    note: N,
}

impl<N> Kept<N> {
    /// How often it was counted, at most.
    fn most(&self) -> u64 {
        self.before + self.count.total()
    }
}

fn is_nothing<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A key, what was counted for it, and what is known of it besides.
pub type Counted<K, N> = (K, Count, N);

/// The counters, with a note of each key.
#[derive(Clone, Debug)]
pub struct Busiest<K, N = ()> {
    /// Hashed with a seed that nobody knows, and a bounded number: who chose keys that fall together all
    /// the same would have gained some comparisons.
    kept: HashMap<K, Kept<N>, RandomState>,
    /// What was counted for keys that went.
    gone: Count,
    /// The least that a key had been counted at the last look, and those that had: the next to go. It
    /// grows by one at least from look to look, so that these cost the same however many keys come.
    least: (u64, Vec<K>),
}

impl<K, N> Default for Busiest<K, N> {
    fn default() -> Self {
        Self { kept: HashMap::default(), gone: Count::default(), least: (0, Vec::new()) }
    }
}

/// Which is the next to go can be found again.
impl<K: Eq + Hash, N: PartialEq> PartialEq for Busiest<K, N> {
    fn eq(&self, other: &Self) -> bool {
        self.kept == other.kept && self.gone == other.gone
    }
}

impl<K: Eq + Hash, N: Eq> Eq for Busiest<K, N> {}

impl<K: Eq + Hash + Ord + Clone, N: Clone + Default> Busiest<K, N> {
    /// Counts one of a key among `most` counters, and takes note of it. Gives when it was counted last;
    /// nothing for a key that was not kept.
    pub fn add<Q>(
        &mut self,
        key: &Q,
        most: usize,
        direction: Direction,
        at: u32,
        note: N,
    ) -> Option<u32>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        if let Some(kept) = self.kept.get_mut(key) {
            let last = kept.count.last;
            kept.count.add(direction, at);
            kept.note = note;
            return Some(last);
        }
        let before = if self.kept.len() < most { 0 } else { self.make_room() };
        let mut kept = Kept { count: Count::default(), before, note };
        kept.count.add(direction, at);
        self.kept.insert(key.to_owned(), kept);
        None
    }

    /// Takes the counter of a key that was counted least; gives how often that was, at most.
    fn make_room(&mut self) -> u64 {
        loop {
            while let Some(key) = self.least.1.pop() {
                // it may have been counted since
                if let Entry::Occupied(kept) = self.kept.entry(key)
                    && kept.get().most() == self.least.0
                {
                    self.gone = self.gone.with(&kept.remove().count);
                    return self.least.0;
                }
            }
            let Some(least) = self.kept.values().map(Kept::most).min() else { return 0 };
            let keys = self.kept.iter().filter(|(_, kept)| kept.most() == least);
            self.least = (least, keys.map(|(key, _)| key.clone()).collect());
        }
    }

    /// By how many packets a key may have been counted too low, and how many one that is not kept may
    /// have had, at most.
    pub fn error(&self) -> u64 {
        let least = || self.kept.values().map(Kept::most).min();
        if self.gone.total() > 0 { least().unwrap_or_default() } else { 0 }
    }

    /// How many keys are kept.
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// All that are kept, the busiest first; of equal ones the latest.
    pub fn sorted(&self) -> Vec<Counted<K, N>> {
        let all = self.kept.iter().map(|(key, kept)| (key.clone(), kept.count, kept.note.clone()));
        let mut all: Vec<_> = all.collect();
        all.sort_by(|(a, x, _), (b, y, _)| {
            (y.total(), y.last).cmp(&(x.total(), x.last)).then_with(|| a.cmp(b))
        });
        all
    }

    /// The busiest, as many as wanted, and what was counted for all others, those that went too.
    pub fn split(&self, most: usize) -> (Vec<Counted<K, N>>, Count) {
        let mut busiest = self.sorted();
        let mut others = self.gone;
        for (_, count, _) in busiest.drain(most.min(busiest.len())..) {
            others = others.with(&count);
        }
        (busiest, others)
    }

    /// What was counted of a key, if it is kept.
    pub fn count<Q>(&self, key: &Q) -> Option<&Count>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.kept.get(key).map(|kept| &kept.count)
    }

    /// Keeps the busiest alone, as many as wanted.
    pub fn shrink(&mut self, most: usize) {
        while self.kept.len() > most {
            self.make_room();
        }
    }

    /// Those whose last packet came at `since` or later, in no order.
    pub fn since(&self, since: u32) -> impl Iterator<Item = (&K, &Count)> {
        let all = self.kept.iter().filter(move |(_, kept)| kept.count.last >= since);
        all.map(|(key, kept)| (key, &kept.count))
    }
}

impl<K, N> Serialize for Busiest<K, N>
where
    K: Eq + Hash + Serialize,
    N: Default + PartialEq + Serialize,
{
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let all: Vec<_> = self.kept.iter().collect();
        (all, self.gone).serialize(to)
    }
}

/// How counters are kept: what stays, and what was counted for keys that went. 0.1.0 knew nothing of these.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "no counters of packets",
    bound(deserialize = "Vec<(K, Kept<N>)>: Deserialize<'de>")
)]
enum Form<K, N> {
    Now(Vec<(K, Kept<N>)>, Count),
    Before(Vec<(K, Kept<N>)>),
}

impl<'de, K, N> Deserialize<'de> for Busiest<K, N>
where
    K: Eq + Hash + Deserialize<'de>,
    N: Default + PartialEq + Deserialize<'de>,
{
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (kept, gone) = match Form::deserialize(from)? {
            Form::Now(kept, gone) => (kept, gone),
            Form::Before(kept) => (kept, Count::default()),
        };
        Ok(Self { kept: kept.into_iter().collect(), gone, least: Default::default() })
    }
}

#[cfg(test)]
mod tests;
