//! What the checks have found.

use serde_json::{Value, json};

/// What became of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Not as it should be.
    Fail,
    /// Worth knowing, or not looked at.
    Note,
}

impl Verdict {
    /// The word that a line begins with.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Fail => "FAIL",
            Self::Note => "note",
        }
    }
}

/// A check and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at, in a word that scripts can rely on.
    pub what: &'static str,
    /// What became of it.
    pub verdict: Verdict,
    /// A sentence for people, and the way out.
    pub text: String,
}

/// All findings, in the order of the checks.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// One a line.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Adds a finding.
    pub fn add(&mut self, what: &'static str, verdict: Verdict, text: impl Into<String>) {
        self.findings.push(Finding { what, verdict, text: text.into() });
    }

    /// Something is as it should be.
    pub fn ok(&mut self, what: &'static str, text: impl Into<String>) {
        self.add(what, Verdict::Ok, text);
    }

    /// Something is not as it should be.
    pub fn fail(&mut self, what: &'static str, text: impl Into<String>) {
        self.add(what, Verdict::Fail, text);
    }

    /// Something is worth knowing.
    pub fn note(&mut self, what: &'static str, text: impl Into<String>) {
        self.add(what, Verdict::Note, text);
    }

    /// How many checks failed.
    pub fn failed(&self) -> usize {
        self.count(Verdict::Fail)
    }

    /// The last line: `2 of 14 failed`. A note is no check.
    pub fn summary(&self) -> String {
        let failed = self.failed();
        format!("{failed} of {} failed", failed + self.count(Verdict::Ok))
    }

    fn count(&self, wanted: Verdict) -> usize {
        self.findings.iter().filter(|finding| finding.verdict == wanted).count()
    }

    /// What `-j` prints.
    pub fn document(&self) -> Value {
        let check = |Finding { what, verdict, text }: &Finding| json!({ "what": what, "ok": *verdict != Verdict::Fail, "text": text });
        let checks: Vec<Value> = self.findings.iter().map(check).collect();
        json!({ "checks": checks, "failed": self.failed() })
    }
}
