//! What the log has been told already: what is as it was an hour ago is not said again. Status has it
//! as long as it is so, and an alarm once a day.

use std::cell::RefCell;
use std::collections::BTreeMap;

/// The last sentence about each subject, such as a list.
#[derive(Default)]
pub struct Told(RefCell<BTreeMap<String, String>>);

impl Told {
    /// Whether the sentence about a subject is another one than the last; it counts as told then.
    pub fn is_news(&self, subject: &str, sentence: &str) -> bool {
        let before = self.0.borrow_mut().insert(subject.to_owned(), sentence.to_owned());
        before.is_none_or(|before| before != sentence)
    }

    /// There is nothing to say about a subject any more: whatever comes next is news.
    pub fn forget(&self, subject: &str) {
        self.0.borrow_mut().remove(subject);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when the log has the same each hour, or misses what comes again.
    #[test]
    fn what_is_as_it_was_is_told_once() {
        let told = Told::default();
        assert!(told.is_news("list a", "held") && told.is_news("list b", "held"));
        assert!(!told.is_news("list a", "held"));
        assert!(told.is_news("list a", "refused") && told.is_news("list a", "held"));
        told.forget("list b");
        assert!(told.is_news("list b", "held"));
    }
}
