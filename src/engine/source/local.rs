//! The administrator's own lists, each from a file that the helper opens.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use config::Config;
use policy::{LOCAL_MAX_OCTETS, List, LocalProblem, parse_local};
use prefix::Kind;

use super::Failure;
use crate::clock;
use crate::errors::words;
use crate::link::Link;
use crate::lists::{Copy, Source};

/// By what a file is known to be the one that was read: device, inode, size, and the time of its
/// last change in seconds and nanoseconds.
type Mark = (u64, u64, u64, i64, i64);

/// The files, and what runs found when they looked at them.
pub struct Files {
    config: &'static Config,
    link: &'static Link,
    /// The file behind the list that is in force.
    in_force: RefCell<BTreeMap<Source, Mark>>,
    /// The file that a run looked at last, or why there was none.
    last: RefCell<BTreeMap<Source, Result<Mark, String>>>,
}

/// What a look at a file brings.
pub enum Look {
    /// It is the one behind the list that is in force.
    Same,
    /// Its list.
    Read(Box<Copy>),
}

impl Files {
    /// The files of a configuration, at which nobody has looked yet.
    pub fn new(config: &'static Config, link: &'static Link) -> Self {
        Self { config, link, in_force: RefCell::default(), last: RefCell::default() }
    }

    /// The sources that have one.
    pub fn sources(&self) -> impl Iterator<Item = Source> {
        Source::all(self.config).into_iter().filter(|source| source.is_local())
    }

    /// Looks at the file of a source for a run, which has the turn: else an older look could come into
    /// force after a newer one. Unless it is to be `remembered`, whoever looks whether the file has
    /// changed will still find that it has.
    ///
    /// # Errors
    /// When it cannot be read, or has a mistake.
    pub async fn look(&self, source: Source, remembered: bool) -> Result<Look, Failure> {
        let (kind, Some(path)) = file(self.config, source) else { return Ok(Look::Same) };
        let opened = open(self.link, kind, path).await;
        let mark = opened.as_ref().map(|(_, mark)| *mark).map_err(Clone::clone);
        if remembered {
            self.last.borrow_mut().insert(source, mark);
        }
        let (file, mark) = opened?;
        if self.in_force.borrow().get(&source) == Some(&mark) {
            return Ok(Look::Same);
        }
        let list = read(file, source, path, self.config)?;
        Ok(Look::Read(Box::new(Copy { source, kind, list, changed: clock::now(), origin: None })))
    }

    /// Whether the file is another one than that at which a run looked last.
    pub async fn has_changed(&self, source: Source) -> bool {
        let (kind, Some(path)) = file(self.config, source) else { return false };
        let now = open(self.link, kind, path).await.map(|(_, mark)| mark);
        self.last.borrow().get(&source) != Some(&now)
    }

    /// The list of the file that was looked at last is in force.
    pub fn note(&self, source: Source) {
        if let Some(Ok(mark)) = self.last.borrow().get(&source) {
            self.in_force.borrow_mut().insert(source, *mark);
        }
    }

    /// What is in force is no longer what the files have: they are read again.
    pub fn forget(&self) {
        self.in_force.borrow_mut().clear();
    }
}

fn file(config: &Config, source: Source) -> (Kind, Option<&Path>) {
    let kind = if source == Source::LocalAllow { Kind::Allow } else { Kind::Block };
    (kind, config.policy.local(kind))
}

async fn open(link: &Link, kind: Kind, path: &Path) -> Result<(File, Mark), String> {
    let file = link.open_local(kind).await?;
    let meta = file.metadata().map_err(|error| format!("{}: {}", path.display(), words(&error)))?;
    let mark = (meta.dev(), meta.ino(), meta.size(), meta.mtime(), meta.mtime_nsec());
    Ok((file, mark))
}

fn read(file: File, source: Source, path: &Path, config: &Config) -> Result<List, String> {
    let name = path.display().to_string();
    let failed = |error: std::io::Error| format!("{name}: {}", words(&error));
    // whoever may look at status may not read every file of root's
    let is_public = file.metadata().map_err(failed)?.mode() & 0o004 != 0;
    let mut text = Vec::new();
    // one more than is permitted, so that the parser sees that it is too much
    file.take(LOCAL_MAX_OCTETS as u64 + 1).read_to_end(&mut text).map_err(failed)?;
    let items = parse_local(&name, &text).map_err(|error| match error.problem {
        LocalProblem::NotPrefix(_, why) if !is_public => format!("{name}:{}: {why}", error.line),
        _ => error.to_string(),
    })?;
    Ok(List::new(source.name(), items, config.guard.floor()))
}

#[cfg(test)]
mod tests;
