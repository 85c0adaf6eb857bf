//! What the helper does for the engine, message by message: the whole of what root can be made
//! to do.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};

use config::Config;
use imsg::{
    Channel, EngineMessage, Entries, Frame, HelperMessage, ImsgError, ListHead, LogFile, Outcome,
    Source, Stats, TableId, TableResult, TableStat, VERSION,
};
use nix::fcntl::OFlag;
use pf::{Backend, Changes, Directory, PfrAddr, PublishError, Table};
use prefix::Prefix;

use crate::start::log_paths;
use crate::transaction::{Shield, Transaction};

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
type Offence = String;

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
        let message = EngineMessage::read(frame).map_err(|error| error.to_string())?;
        let answer = match message {
            EngineMessage::Hello { version } if version != VERSION => {
                return Err(format!("it speaks version {version} of the protocol, not {VERSION}"));
            }
            EngineMessage::Hello { .. } if !self.greeted => {
                self.greeted = true;
                return Ok(Next::Continue);
            }
            _ if !self.greeted => return Err("a request before the greeting".into()),
            EngineMessage::Hello { .. } => return Err("a second greeting".into()),
            EngineMessage::TableBegin { table, entries, dry_run } => {
                if self.transaction.is_some() {
                    return Err("a second transaction".into());
                }
                let begun = Transaction::begin(table, entries, dry_run, &self.config.guard);
                self.transaction = Some(begun?);
                return Ok(Next::Continue);
            }
            EngineMessage::TableEntries(part) => {
                let open = self.transaction.as_mut().ok_or("prefixes of no transaction")?;
                open.add(&part, &self.shield)?;
                return Ok(Next::Continue);
            }
            EngineMessage::TableCommit => {
                let open = self.transaction.take().ok_or("a commit of no transaction")?;
                HelperMessage::TableResult(self.publish(open)?)
            }
            EngineMessage::TableStats => HelperMessage::Stats(self.stats()),
            EngineMessage::TableList { table, source } => {
                let listed = self.list(table, source, frame.peerid, channel);
                return listed.map(|()| Next::Continue).map_err(|error| error.to_string());
            }
            EngineMessage::TableMend { table } => HelperMessage::TableResult(self.mend(table)),
            EngineMessage::LogOpen { generation } => {
                let (opened, fd) = open_log(&self.config, generation);
                let queued = HelperMessage::LogFile(opened).queue(channel, frame.peerid, fd);
                return queued.map(|()| Next::Continue).map_err(|error| error.to_string());
            }
            EngineMessage::Reload => return Ok(Next::Reload(frame.peerid)),
            EngineMessage::LogLevel { verbose } => {
                logger::set_verbose(verbose);
                return Ok(Next::Continue);
            }
        };
        let queued = answer.queue(channel, frame.peerid, None);
        queued.map(|()| Next::Continue).map_err(|error| error.to_string())
    }

    /// Publishes a complete transaction, or only counts what that would change.
    fn publish(&self, open: Transaction) -> Result<TableResult, Offence> {
        let (id, dry_run) = (open.table, open.dry_run);
        let set = open.complete(&self.config.guard)?;
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
    ) -> Result<(), ImsgError> {
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
        HelperMessage::ListEnd.queue(channel, id, None)
    }
}

fn result(
    table: TableId,
    outcome: Outcome,
    entries: usize,
    done: Result<Changes, PublishError>,
) -> TableResult {
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let (outcome, changes, failure) = match done {
        Ok(same) if same == Changes::default() && outcome != Outcome::Counted => {
            (Outcome::Unchanged, same, String::new())
        }
        Ok(changes) => (outcome, changes, String::new()),
        Err(error) => {
            logger::err(format_args!("{} table: {error}", table.word()));
            (Outcome::Failed, Changes::default(), error.to_string())
        }
    };
    let (added, deleted) = (count(changes.added), count(changes.deleted));
    TableResult { table, outcome, entries: count(entries), added, deleted, failure }
}

fn table_stat(stats: &pf::Stats) -> TableStat {
    TableStat {
        present: stats.exists,
        entries: stats.entries as u32,
        rules: stats.references[0],
        anchors: stats.references[1],
        since: stats.since.max(0).cast_unsigned(),
        blocked: stats.blocked,
        passed: stats.passed,
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
