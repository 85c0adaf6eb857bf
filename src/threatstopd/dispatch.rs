//! What the helper does for the engine, message by message: the whole of what root can be made
//! to do.

use std::fs::{Metadata, OpenOptions};
use std::io;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use config::Config;
use imsg::{
    Channel, EngineMessage, Entries, Frame, HelperMessage, ListHead, LogFile, Outcome, Purpose,
    Source, Stats, TableId, TableResult, VERSION,
};
use nix::fcntl::OFlag;
use pf::{Backend, Changes, Directory, PfrAddr, Table};
use prefix::Shield;

use crate::transaction::Transaction;

/// The two tables, who keeps them, and where their files are.
pub struct Tables {
    /// What to block and what to let through, by the number of the table.
    pub both: [Table; 2],
    /// pf, real or simulated.
    pub backend: Box<dyn Backend>,
    /// The directory of the table files.
    pub directory: Directory,
}

/// Why the engine is dropped.
type Offence = String;

/// What the loop has to do after a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// Go on.
    Continue,
    /// Read the configuration again and answer the request.
    Reload,
}

/// Serves the engine.
pub struct Dispatcher {
    /// The configuration in use.
    pub config: Config,
    /// Whether the engine has begun its work.
    pub greeted: bool,
    tables: Tables,
    shield: Shield,
    transaction: Option<Transaction>,
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
        let answer = match EngineMessage::read(frame)? {
            EngineMessage::Hello { version } if version != VERSION => {
                return Err(format!("it speaks version {version} of the protocol, not {VERSION}"));
            }
            EngineMessage::Hello { .. } if self.greeted => return Err("a second greeting".into()),
            EngineMessage::Hello { .. } => {
                self.greeted = true;
                None
            }
            _ if !self.greeted => return Err("a request before the greeting".into()),
            EngineMessage::TableBegin { .. } if self.transaction.is_some() => {
                return Err("a second transaction".into());
            }
            EngineMessage::TableBegin { table, entries, purpose } => {
                let begun = Transaction::begin(table, entries, purpose, &self.config.guard)?;
                self.transaction = Some(begun);
                None
            }
            EngineMessage::TableEntries(part) => {
                let open = self.transaction.as_mut().ok_or("prefixes of no transaction")?;
                open.add(&part, &self.shield)?;
                None
            }
            EngineMessage::TableCommit => {
                let open = self.transaction.take().ok_or("a commit of no transaction")?;
                Some(HelperMessage::TableResult(self.publish(open)?))
            }
            EngineMessage::TableStats => Some(HelperMessage::Stats(self.stats())),
            EngineMessage::TableList { table, source } => {
                self.list(table, source, frame.peerid, channel)?;
                Some(HelperMessage::ListEnd)
            }
            EngineMessage::TableMend { table } => {
                Some(HelperMessage::TableResult(self.mend(table)))
            }
            EngineMessage::LogOpen { generation } => {
                let (opened, fd) = open_log(&self.config, generation);
                HelperMessage::LogFile(opened).queue(channel, frame.peerid, fd)?;
                None
            }
            EngineMessage::Reload => return Ok(Next::Reload),
            EngineMessage::LogLevel { verbose } => {
                logger::set_verbose(verbose);
                None
            }
        };
        if let Some(answer) = answer {
            answer.queue(channel, frame.peerid, None)?;
        }
        Ok(Next::Continue)
    }

    /// Whether the file of the allow table, which is published before the block table, has an address.
    fn allows(&self, addr: IpAddr) -> bool {
        let Tables { both, directory, .. } = &self.tables;
        let set = directory.load(&both[TableId::Allow as usize], "pftable").unwrap_or_default();
        set.iter().filter_map(PfrAddr::prefix).any(|net| net.contains(addr))
    }

    /// Publishes a complete transaction, or only counts what that would change.
    fn publish(&self, open: Transaction) -> Result<TableResult, Offence> {
        let (id, purpose) = (open.table, open.purpose);
        let set = open.complete(&self.shield, |addr| self.allows(addr))?;
        let Tables { both, backend, directory } = &self.tables;
        let (pf, table) =
            (self.config.tables.reload.then_some(backend.as_ref()), &both[id as usize]);
        let done = match purpose {
            Purpose::Repair => pf::repair(pf, directory, table, &set),
            _ => pf::publish(pf, directory, table, &set, purpose == Purpose::Trial),
        };
        let outcome = match (purpose, &done) {
            (Purpose::Trial, _) => Outcome::Counted,
            (Purpose::Publish, Ok(changes)) if *changes != Changes::default() => Outcome::Published,
            _ => mended(&done),
        };
        Ok(result(id, outcome, set.len(), done))
    }

    /// Gives the kernel the file's content again where somebody changed it.
    fn mend(&self, id: TableId) -> TableResult {
        let Tables { both, backend, directory } = &self.tables;
        let done = match self.config.tables.reload {
            true => pf::mend(backend.as_ref(), directory, &both[id as usize]),
            false => Ok(Changes::default()),
        };
        result(id, mended(&done), 0, done)
    }

    fn stats(&self) -> Stats {
        let Tables { both, backend, directory } = &self.tables;
        let mut all = Stats::default();
        for (table, stat) in both.iter().zip(&mut all.tables) {
            stat.file = directory.mark(table);
            match backend.stats(table) {
                Ok(stats) => {
                    all.running = stats.running;
                    (stat.present, stat.entries) = (stats.exists, stats.entries as u32);
                    [stat.rules, stat.anchors] = stats.references;
                    stat.since = stats.since.max(0).cast_unsigned();
                    (stat.blocked, stat.passed) = (stats.blocked, stats.passed);
                }
                Err(error) => all.failure = error.to_string(),
            }
        }
        all
    }

    /// Queues a list but for its end. The queue has room for as many prefixes as a table may have.
    fn list(
        &self,
        table: TableId,
        source: Source,
        request: u32,
        channel: &mut Channel,
    ) -> Result<(), Offence> {
        let Tables { both, backend, directory } = &self.tables;
        let of = &both[table as usize];
        let read = match source {
            Source::Kernel => backend.list(of),
            Source::File => directory.load(of, "pftable"),
            Source::Previous => directory.load(of, "pftable.prev"),
        };
        let most = self.config.guard.max_entries;
        let read = read.map_err(|error| error.to_string()).and_then(|addrs| match addrs.len() {
            found if found > most as usize => Err(format!(
                "{found} prefixes, more than {most} (see max_entries in [guard]): raise it, or the \
                 next set is compared with none"
            )),
            _ => Ok(addrs),
        });
        let failure = read.as_ref().err().cloned().unwrap_or_default();
        let addrs = read.unwrap_or_default();
        // what the kernel has besides plain prefixes shows in the number
        let head = ListHead { table, source, entries: addrs.len() as u32, failure };
        HelperMessage::ListBegin(head).queue(channel, request, None)?;
        for part in Entries::split(addrs.iter().filter_map(PfrAddr::prefix)) {
            HelperMessage::ListEntries(part).queue(channel, request, None)?;
        }
        Ok(())
    }
}

/// What a repair has found.
fn mended(done: &Result<Changes, pf::PublishError>) -> Outcome {
    match done {
        Ok(same) if *same == Changes::default() => Outcome::Unchanged,
        Ok(Changes { file: true, .. }) => Outcome::FileMended,
        Ok(Changes { created: true, .. }) => Outcome::Created,
        _ => Outcome::Mended,
    }
}

fn result(
    table: TableId,
    outcome: Outcome,
    entries: usize,
    done: Result<Changes, pf::PublishError>,
) -> TableResult {
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let (outcome, changes, failure) = match done {
        Ok(changes) => (outcome, changes, String::new()),
        Err(error) => {
            logger::err(format_args!("{} table: {error}", table.word()));
            (Outcome::Failed, Changes::default(), error.to_string())
        }
    };
    let (added, deleted) = (count(changes.added), count(changes.deleted));
    TableResult { table, outcome, entries: count(entries), added, deleted, failure }
}

/// Where a generation of the packet log may be: 0 is FILE, n + 1 is FILE.n or FILE.n.gz.
pub fn log_paths(file: &Path, generation: u8) -> Vec<PathBuf> {
    let suffixed = |suffix: String| {
        let mut path = file.as_os_str().to_owned();
        path.push(suffix);
        PathBuf::from(path)
    };
    match generation.checked_sub(1) {
        Some(n) => vec![suffixed(format!(".{n}")), suffixed(format!(".{n}.gz"))],
        None => vec![file.to_owned()],
    }
}

/// Opens a generation of the packet log, which is no symbolic link.
fn open_log(config: &Config, generation: u8) -> (LogFile, Option<OwnedFd>) {
    let mut log = LogFile { generation, ..LogFile::default() };
    if !config.log.enabled {
        log.failure = "log.enabled is false".into();
        return (log, None);
    }
    for path in log_paths(&config.log.file, generation) {
        match open_regular(&path, OFlag::O_NOFOLLOW) {
            Ok((file, meta)) => {
                (log.dev, log.ino, log.size) = (meta.dev(), meta.ino(), meta.size());
                log.gzip = path.extension().is_some_and(|suffix| suffix == "gz");
                log.failure.clear();
                return (log, Some(file));
            }
            Err(why) => log.failure = format!("{}: {why}", path.display()),
        }
    }
    (log, None)
}

/// Opens a regular file for reading; else why not.
pub fn open_regular(path: &Path, flags: OFlag) -> Result<(OwnedFd, Metadata), String> {
    // the open of a FIFO would wait for a writer
    let flags = flags | OFlag::O_NONBLOCK;
    let opened = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path);
    match opened.and_then(|file| Ok((file.metadata()?, file))) {
        Ok((meta, file)) if meta.is_file() => Ok((file.into(), meta)),
        Ok(_) => Err("not a regular file".into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err("No such file or directory".into())
        }
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
