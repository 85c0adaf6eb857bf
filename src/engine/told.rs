//! What the log has been told already: a log that says the same each hour hides what else it has.
//! Status has it as long as it is so.

use std::cell::RefCell;
use std::collections::BTreeMap;

/// How often the same is told, in seconds.
const AGAIN: u64 = 24 * 60 * 60;
/// Sentences about a subject that are told in that time: a server may have another one for each attempt.
const MOST: usize = 8;

/// What was told of each subject, such as a list.
#[derive(Debug, Default)]
pub struct Told(RefCell<BTreeMap<String, Lately>>);

#[derive(Debug, Default)]
struct Lately {
    sentences: Vec<String>,
    /// When the first of them was.
    since: u64,
}

impl Told {
    /// Whether a sentence about a subject is to be told at `now`, epoch seconds: it was not since
    /// yesterday. It counts as told then.
    pub fn is_news(&self, subject: &str, sentence: &str, now: u64) -> bool {
        let mut all = self.0.borrow_mut();
        let lately = all.entry(subject.to_owned()).or_default();
        if is_due(lately.since, now) {
            *lately = Lately { sentences: Vec::new(), since: now };
        }
        let known = &mut lately.sentences;
        let is_news = known.len() < MOST && known.iter().all(|told| told != sentence);
        if is_news {
            known.push(sentence.to_owned());
        }
        is_news
    }

    /// There is nothing to say about a subject any more: whatever comes next is news.
    pub fn forget(&self, subject: &str) {
        self.0.borrow_mut().remove(subject);
    }
}

/// Whether a day has gone by; nobody knows when the clock was set back meanwhile.
pub fn is_due(at: u64, now: u64) -> bool {
    now.checked_sub(at).is_none_or(|age| age >= AGAIN)
}

#[cfg(test)]
mod tests;
