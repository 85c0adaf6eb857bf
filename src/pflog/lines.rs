//! Lines of text, one behind the other.

use std::ops::Deref;

use crate::text::{MAX_TEXT, Room};

/// Lines of text, written where they stay. A copy of each line when it is done would cost a tenth of
/// its time: a processor that loads more at once than was stored at once waits until all of it has
/// reached its cache.
#[derive(Debug, Default)]
pub struct Lines {
    /// The lines, and room behind them that the next ones are written to.
    octets: Vec<u8>,
    end: usize,
}

impl Lines {
    /// Forgets the lines, and keeps their room.
    pub fn clear(&mut self) {
        self.end = 0;
    }

    /// Appends what `write` writes, at most [`MAX_TEXT`] octets.
    pub(crate) fn append(&mut self, write: impl FnOnce(&mut Room) -> usize) {
        if self.octets.len() - self.end < MAX_TEXT {
            self.octets.resize(2 * self.end + MAX_TEXT, 0);
        }
        if let Some(room) = self.octets.get_mut(self.end..).and_then(<[u8]>::first_chunk_mut) {
            self.end += write(room).min(MAX_TEXT);
        }
    }
}

impl Deref for Lines {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.octets.get(..self.end).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
