//! What the log has been told already: a log that says the same each hour hides what else it has.
//! Status has it as long as it is so.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How often the same is told, in seconds.
const AGAIN: u64 = 24 * 60 * 60;
/// Sentences about a subject that are told in that time: a server may have another one for each attempt.
const MOST: usize = 8;

/// What was told of each subject, such as a list.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Told(RefCell<BTreeMap<String, Lately>>);

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Lately {
    sentences: Vec<String>,
    /// When the first of them was.
    since: u64,
}

impl Told {
    /// Whether a sentence about a subject is to be told at `now`, epoch seconds: it was not since
    /// yesterday. It counts as told then.
    pub fn is_news(&self, subject: &str, sentence: &str, now: u64) -> bool {
        self.is_told(subject, sentence, now, MOST)
    }

    /// The same of an alarm, which nothing else that is told of the subject may keep from being heard.
    pub fn is_alarm(&self, subject: &str, sentence: &str, now: u64) -> bool {
        self.is_told(subject, sentence, now, MOST + 1)
    }

    fn is_told(&self, subject: &str, sentence: &str, now: u64, most: usize) -> bool {
        let mut all = self.0.borrow_mut();
        let lately = all.entry(subject.to_owned()).or_default();
        if is_due(lately.since, now) {
            *lately = Lately { sentences: Vec::new(), since: now };
        }
        let known = &mut lately.sentences;
        let is_news = known.len() < most && known.iter().all(|told| told != sentence);
        if is_news {
            known.push(sentence.to_owned());
        }
        is_news
    }

    /// Hands `tell` why something fails at `now`, where that is to be told; whatever comes after it has gone
    /// well is news.
    pub fn fails(&self, subject: &str, why: Option<&str>, now: u64, tell: impl FnOnce(&str)) {
        match why {
            None => self.forget(subject),
            Some(why) if self.is_news(subject, why, now) => tell(why),
            Some(_) => {}
        }
    }

    /// Whether a day has gone by since something was first told of a subject: all of it is news again.
    pub fn is_over(&self, subject: &str, now: u64) -> bool {
        self.0.borrow().get(subject).is_some_and(|lately| is_due(lately.since, now))
    }

    /// Whether something was told of a subject and there is something to say about it still.
    pub fn knows(&self, subject: &str) -> bool {
        self.0.borrow().contains_key(subject)
    }

    /// The subjects of which something was told.
    pub fn subjects(&self) -> Vec<String> {
        self.0.borrow().keys().cloned().collect()
    }

    /// There is nothing to say about a subject any more: whatever comes next is news.
    pub fn forget(&self, subject: &str) {
        self.0.borrow_mut().remove(subject);
    }
}

/// A sentence without its numbers, where these differ each time and make no other of it.
pub fn numberless(sentence: &str) -> String {
    sentence.chars().filter(|c| !c.is_ascii_digit()).collect()
}

/// Whether a day has gone by; nobody knows when the clock was set back meanwhile.
pub fn is_due(at: u64, now: u64) -> bool {
    now.checked_sub(at).is_none_or(|age| age >= AGAIN)
}

#[cfg(test)]
mod tests;
