//! Answers as one JSON document.

use std::io::{self, Write};

use control::{Check, OwnEntry, Updated};
use prefix::Prefix;
use serde::{Serialize, Serializer};

use crate::advice::Advice;
use crate::ending::Ending;
use crate::output::{Output, Part};

/// Keeps the parts of an answer and prints them together with its end: when the engine fails
/// half-way, nothing has been printed but the error.
#[derive(Debug)]
pub struct Json<W> {
    out: W,
    /// What commands that strings advise need.
    advice: Advice,
    prefixes: Vec<Prefix>,
    add: Vec<Prefix>,
    remove: Vec<Prefix>,
    own: Vec<OwnEntry>,
    checks: Vec<Check>,
}

/// What is printed: the fields of the end, and the parts that belong to the command.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    ending: &'a Ending,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "texts")]
    prefixes: Option<&'a [Prefix]>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "texts")]
    add: Option<&'a [Prefix]>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "texts")]
    remove: Option<&'a [Prefix]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checks: Option<&'a [Check]>,
}

fn texts<S: Serializer>(prefixes: &Option<&[Prefix]>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(prefixes.iter().copied().flatten().map(Prefix::to_string))
}

impl<W> Json<W> {
    /// Prints to `out`.
    pub fn new(out: W, advice: Advice) -> Self {
        let (prefixes, add, remove) = (Vec::new(), Vec::new(), Vec::new());
        Self { out, advice, prefixes, add, remove, own: Vec::new(), checks: Vec::new() }
    }
}

impl<W: Write> Output for Json<W> {
    fn line(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn progress(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn prefixes(&mut self, part: Part, prefixes: Vec<Prefix>) -> io::Result<()> {
        let kept = match part {
            Part::Table => &mut self.prefixes,
            Part::Add => &mut self.add,
            Part::Remove => &mut self.remove,
        };
        kept.extend(prefixes);
        Ok(())
    }

    fn own(&mut self, entries: Vec<OwnEntry>) -> io::Result<()> {
        self.own.extend(entries);
        Ok(())
    }

    fn check(&mut self, check: Check) -> io::Result<()> {
        self.checks.push(check);
        Ok(())
    }

    fn end(&mut self, ending: &Ending) -> io::Result<()> {
        let table = matches!(ending, Ending::Shown(_));
        let change =
            matches!(ending, Ending::Updated(Updated { dry_run: true, .. }) | Ending::Changed(_));
        let test = matches!(ending, Ending::Tested(_));
        let document = Document {
            ending,
            prefixes: table.then_some(&self.prefixes),
            add: change.then_some(&self.add),
            remove: change.then_some(&self.remove),
            checks: test.then_some(&self.checks),
        };
        match ending {
            // reasons are what somebody has said, word for word
            Ending::Own => serde_json::to_writer(&mut self.out, &self.own)?,
            _ => self.advice.write(&mut self.out, &document)?,
        }
        writeln!(self.out)?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests;
