//! A block list that changes a little all the time, and the table that must come of it.

use std::mem::swap;

use crate::item::{Item, items, table_text};
use crate::lists::{INDICATOR, big_list};
use crate::prng::Prng;

/// One prefix in so many is another one after each turn.
const PART: usize = 100;

/// The list, and as many prefixes again that may come to stand in it.
#[derive(Debug)]
pub(super) struct Churn {
    prng: Prng,
    listed: Vec<Item>,
    spare: Vec<Item>,
}

impl Churn {
    /// A list of so many disjoint prefixes, and the address from which packets come.
    pub(super) fn new(prefixes: usize) -> Self {
        let mut listed = big_list(2 * prefixes).items;
        let spare = listed.split_off(prefixes);
        Self { prng: Prng::new(5), listed, spare }
    }

    /// Exchanges 1 % of the prefixes.
    pub(super) fn turn(&mut self) {
        for _ in 0..self.listed.len() / PART {
            let (out, come) =
                (self.prng.below(self.listed.len()), self.prng.below(self.spare.len()));
            swap(&mut self.listed[out], &mut self.spare[come]);
        }
    }

    /// The list, in no order.
    pub(super) fn items(&self) -> Vec<Item> {
        let mut list = items(INDICATOR);
        list.extend(&self.listed);
        list
    }

    /// The table: none of the prefixes can be joined with another, so that it is the list in order.
    pub(super) fn table(&self) -> String {
        let mut table = self.items();
        table.sort_unstable();
        table_text(&table)
    }
}
