//! What has been taken of a list so far, and what was not.

use prefix::Items;

use crate::entry::{Entry, is_name};
use crate::excerpt::excerpt;
use crate::refused::Refused;
use crate::told::{Skipped, Told};

/// So many lines may be wrong before a share of them matters.
const FEW: u64 = 20;

/// The prefixes of a list so far.
pub(crate) struct Taken {
    items: Items,
    max_entries: usize,
    told: Told,
}

/// How much was taken when a line began, so that it can be given back.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    v4: usize,
    v6: usize,
    lines: u64,
    names: u64,
    wrong: u64,
    skipped: bool,
}

impl Taken {
    /// Nothing yet, and room for so many prefixes.
    pub(crate) fn new(max_entries: usize) -> Self {
        Self { items: Items::default(), max_entries, told: Told::default() }
    }

    /// Takes an entry.
    ///
    /// # Errors
    /// [`Refused::Entries`] when there are too many.
    pub(crate) fn entry(&mut self, entry: Entry) -> Result<(), Refused> {
        self.told.lines += 1;
        if self.items.len() + entry.prefixes() > self.max_entries {
            return Err(Refused::Entries(self.max_entries));
        }
        entry.push(&mut self.items);
        Ok(())
    }

    /// Takes what should be an entry and nothing beside it.
    ///
    /// # Errors
    /// [`Refused::Entries`] when there are too many.
    pub(crate) fn text(&mut self, line: u64, text: &[u8]) -> Result<(), Refused> {
        match Entry::parse(text) {
            Some(entry) => return self.entry(entry),
            None if is_name(text) => self.name(line, text),
            None => self.wrong(line, text),
        }
        Ok(())
    }

    /// Counts a comment.
    pub(crate) fn comment(&mut self) {
        self.told.comments += 1;
    }

    /// Counts a host name.
    pub(crate) fn name(&mut self, line: u64, text: &[u8]) {
        self.told.names += 1;
        self.skipped(line, text);
    }

    /// Counts what is neither prefix nor name.
    pub(crate) fn wrong(&mut self, line: u64, text: &[u8]) {
        self.told.wrong += 1;
        self.skipped(line, text);
    }

    fn skipped(&mut self, line: u64, text: &[u8]) {
        self.told.lines += 1;
        self.told.first.get_or_insert_with(|| Skipped { line, text: excerpt(text) });
    }

    /// How much was taken so far.
    pub(crate) fn mark(&self) -> Mark {
        let Told { lines, names, wrong, ref first, .. } = self.told;
        let skipped = first.is_some();
        Mark { v4: self.items.v4.len(), v6: self.items.v6.len(), lines, names, wrong, skipped }
    }

    /// Gives back what was taken since the mark.
    pub(crate) fn give_back(&mut self, mark: Mark) {
        let Mark { v4, v6, lines, names, wrong, skipped } = mark;
        self.items.v4.truncate(v4);
        self.items.v6.truncate(v6);
        let first = self.told.first.take().filter(|_| skipped);
        self.told = Told { lines, names, wrong, first, ..self.told };
    }

    /// The whole list.
    ///
    /// # Errors
    /// [`Refused::Empty`] and [`Refused::Wrong`].
    pub(crate) fn finish(self) -> Result<(Items, Told), Refused> {
        let Self { items, mut told, .. } = self;
        told.entries = items.len() as u64;
        if items.is_empty() {
            return Err(Refused::Empty(told));
        }
        if told.wrong > FEW && told.wrong * 20 > told.lines {
            return Err(Refused::Wrong(told));
        }
        Ok((items, told))
    }
}
