//! What the helper does for the engine, message by message: the whole of what root can be made
//! to do.

use std::fmt;
use std::fs::OpenOptions;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};

use config::Config;
use imsg::{
    Channel, EngineMessage, Entries, Failure, Frame, HelperMessage, ImsgError, ListHead, LogFile,
    Outcome, Source, Stage, Stats, TableId, TableResult, TableStat, VERSION,
};
use nix::fcntl::OFlag;
use pf::{Backend, Changes, Directory, PfrAddr, PublishError, Table};
use prefix::Prefix;

use crate::start::log_paths;
use crate::transaction::{Shield, Transaction, Violation};

/// The two tables, where their files are, and who keeps them.
pub struct Tables {
    /// The table of what to block.
    pub block: Table,
    /// The table of what to let through.
    pub allow: Table,
    /// pf, real or simulated.
    pub backend: Box<dyn Backend>,
    /// Entries that all tables of it together may have, as read at start.
    pub limit: usize,
    /// The directory of the table files.
    pub directory: Directory,
}

impl Tables {
    fn table(&self, id: TableId) -> &Table {
        match id {
            TableId::Block => &self.block,
            TableId::Allow => &self.allow,
        }
    }
}

/// Why the engine is dropped.
#[derive(Debug)]
pub enum Offence {
    /// It sent what is no message.
    Message(ImsgError),
    /// It speaks another version: the files were replaced by an upgrade.
    Version(u32),
    /// A message where none of its kind may come.
    Sequence(&'static str),
    /// A table that may not be.
    Table(TableId, Violation),
}

impl fmt::Display for Offence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(error) => write!(f, "{error}"),
            Self::Version(version) => {
                write!(f, "it speaks version {version} of the protocol, this program {VERSION}")
            }
            Self::Sequence(what) => write!(f, "{what} out of sequence"),
            Self::Table(table, violation) => write!(f, "{} table: {violation}", table.word()),
        }
    }
}

impl From<ImsgError> for Offence {
    fn from(error: ImsgError) -> Self {
        Self::Message(error)
    }
}

/// What the loop has to do after a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// Go on.
    Continue,
    /// Read the configuration again and answer this request.
    Reload(u32),
}

/// Serves the engine.
pub struct Dispatcher {
    config: Config,
    tables: Tables,
    shield: Shield,
    transaction: Option<Transaction>,
    greeted: bool,
}

impl Dispatcher {
    /// A dispatcher that serves these tables and refuses what touches the shield.
    pub fn new(config: Config, tables: Tables, shield: Shield) -> Self {
        Self { config, tables, shield, transaction: None, greeted: false }
    }

    /// Serves one message.
    ///
    /// # Errors
    /// When the engine did what it may not; it is to be dropped.
    pub fn dispatch(&mut self, frame: &Frame, channel: &mut Channel) -> Result<Next, Offence> {
        let message = EngineMessage::read(frame)?;
        let id = frame.peerid;
        if !self.greeted {
            return match message {
                EngineMessage::Hello { version: VERSION } => {
                    self.greeted = true;
                    Ok(Next::Continue)
                }
                EngineMessage::Hello { version } => Err(Offence::Version(version)),
                _ => Err(Offence::Sequence("a request before the greeting")),
            };
        }
        match message {
            EngineMessage::Hello { .. } => return Err(Offence::Sequence("a second greeting")),
            EngineMessage::TableBegin { table, entries, dry_run } => {
                if self.transaction.is_some() {
                    return Err(Offence::Sequence("a second transaction"));
                }
                let begun = Transaction::begin(table, entries, dry_run, &self.config.guard);
                self.transaction = Some(begun.map_err(|error| Offence::Table(table, error))?);
            }
            EngineMessage::TableEntries(part) => {
                let open = self.transaction.as_mut();
                let open = open.ok_or(Offence::Sequence("prefixes without a transaction"))?;
                let added = open.add(&part, &self.shield);
                added.map_err(|error| Offence::Table(open.table, error))?;
            }
            EngineMessage::TableCommit => {
                let open = self.transaction.take();
                let open = open.ok_or(Offence::Sequence("a commit without a transaction"))?;
                let result = self.publish(open)?;
                HelperMessage::TableResult(result).queue(channel, id, None)?;
            }
            EngineMessage::TableStats => {
                HelperMessage::Stats(self.stats()).queue(channel, id, None)?;
            }
            EngineMessage::TableList { table, source } => self.list(table, source, id, channel)?,
            EngineMessage::TableMend { table } => {
                let result = self.mend(table);
                HelperMessage::TableResult(result).queue(channel, id, None)?;
            }
            EngineMessage::LogOpen { generation } => {
                let (answer, fd) = open_log(&self.config, generation);
                HelperMessage::LogFile(answer).queue(channel, id, fd)?;
            }
            EngineMessage::Reload => return Ok(Next::Reload(id)),
            EngineMessage::LogLevel { verbose } => logger::set_verbose(verbose),
        }
        Ok(Next::Continue)
    }

    /// Publishes a complete transaction, or only counts what that would change.
    fn publish(&self, open: Transaction) -> Result<TableResult, Offence> {
        let (id, dry_run) = (open.table, open.dry_run);
        let set = open.complete(&self.config.guard).map_err(|error| Offence::Table(id, error))?;
        let tables = &self.tables;
        let backend = self.config.tables.reload.then_some(tables.backend.as_ref());
        let done = pf::publish(backend, &tables.directory, tables.table(id), &set, dry_run);
        let outcome = if dry_run { Outcome::Counted } else { Outcome::Published };
        Ok(result(id, outcome, set.len(), done))
    }

    /// Gives the kernel the file's content again where somebody changed it.
    fn mend(&self, id: TableId) -> TableResult {
        let tables = &self.tables;
        let table = tables.table(id);
        let done = match self.config.tables.reload {
            true => pf::mend(tables.backend.as_ref(), &tables.directory, table, false),
            false => Ok(Changes::default()),
        };
        result(id, Outcome::Mended, 0, done)
    }

    fn stats(&self) -> Stats {
        let tables = &self.tables;
        let ask = |table| tables.backend.stats(table).map_err(|error| error.to_string());
        let both = ask(&tables.block).and_then(|block| Ok((block, ask(&tables.allow)?)));
        match both {
            Ok((block, allow)) => Stats {
                running: block.running,
                tables: [block, allow].map(|stats| table_stat(&stats)),
                failure: String::new(),
            },
            Err(failure) => Stats { running: false, tables: Default::default(), failure },
        }
    }

    fn list(
        &self,
        table: TableId,
        source: Source,
        id: u32,
        channel: &mut Channel,
    ) -> Result<(), Offence> {
        let tables = &self.tables;
        let of = tables.table(table);
        let read = match source {
            Source::Kernel => tables.backend.list(of),
            Source::File => tables.directory.load(of, "pftable"),
            Source::Previous => tables.directory.load(of, "pftable.prev"),
        };
        let (addrs, failure) = match read {
            Ok(addrs) => (addrs, String::new()),
            Err(error) => (Vec::new(), error.to_string()),
        };
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for prefix in addrs.iter().filter_map(PfrAddr::prefix) {
            match prefix {
                Prefix::V4(net) => v4.push(net),
                Prefix::V6(net) => v6.push(net),
            }
        }
        // what the kernel has besides plain prefixes shows in the number
        let head = ListHead { table, source, entries: addrs.len() as u32, failure };
        drop(addrs);
        HelperMessage::ListBegin(head).queue(channel, id, None)?;
        for part in Entries::split(&v4, &v6) {
            HelperMessage::ListEntries(part).queue(channel, id, None)?;
        }
        Ok(HelperMessage::ListEnd.queue(channel, id, None)?)
    }
}

fn result(
    table: TableId,
    outcome: Outcome,
    entries: usize,
    done: Result<Changes, PublishError>,
) -> TableResult {
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let (outcome, changes, stage, text) = match done {
        Ok(same) if same == Changes::default() && outcome != Outcome::Counted => {
            (Outcome::Unchanged, same, Stage::None, String::new())
        }
        Ok(changes) => (outcome, changes, Stage::None, String::new()),
        Err(error) => {
            let stage = match error.0 {
                pf::Stage::Trial => Stage::Check,
                pf::Stage::File => Stage::File,
                pf::Stage::Table => Stage::Kernel,
                pf::Stage::Undo => Stage::Undo,
            };
            logger::err(format_args!("{} table: {error}", table.word()));
            (Outcome::Failed, Changes::default(), stage, error.to_string())
        }
    };
    let failure = Failure { stage, text };
    TableResult {
        table,
        outcome,
        entries: count(entries),
        added: count(changes.added),
        deleted: count(changes.deleted),
        failure,
    }
}

fn table_stat(stats: &pf::Stats) -> TableStat {
    TableStat {
        present: stats.exists,
        entries: stats.entries as u32,
        rules: stats.references as u32,
        since: stats.since.max(0).cast_unsigned(),
        ..TableStat::default()
    }
}

/// Opens a generation of the packet log: a regular file, and no symbolic link.
fn open_log(config: &Config, generation: u8) -> (LogFile, Option<OwnedFd>) {
    let mut answer = LogFile { generation, ..LogFile::default() };
    if !config.log.enabled {
        answer.failure = "log.enabled is false".into();
        return (answer, None);
    }
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    for path in log_paths(&config.log.file, generation) {
        let opened = OpenOptions::new().read(true).custom_flags(flags.bits()).open(&path);
        let failure = match opened.and_then(|file| Ok((file.metadata()?, file))) {
            Ok((meta, file)) if meta.is_file() => {
                (answer.dev, answer.ino, answer.size) = (meta.dev(), meta.ino(), meta.size());
                answer.gzip = path.extension().is_some_and(|suffix| suffix == "gz");
                answer.failure.clear();
                return (answer, Some(file.into()));
            }
            Ok(_) => "not a regular file".into(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => "no such file".into(),
            Err(error) => error.to_string(),
        };
        answer.failure = format!("{}: {failure}", path.display());
    }
    (answer, None)
}

#[cfg(test)]
mod tests;
