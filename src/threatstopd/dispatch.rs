//! What the helper does for the engine, message by message: the whole of what root can be made
//! to do.

use std::fs::{Metadata, OpenOptions};
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use config::Config;
use imsg::{
    Channel, EngineMessage, Entries, Frame, HelperMessage, ListHead, LogFile, Outcome, Purpose,
    Stats, TableId, TableResult, VERSION,
};
use nix::fcntl::OFlag;
use pf::{Backend, Changes, Directory, PfrAddr, Table};
use prefix::Shield;

use crate::transaction::Transaction;
use crate::words;

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

/// Descriptors that may wait for an engine that does not take them.
const MOST_FDS: usize = 4;
/// Repairs that may be asked for in a minute: the engine looks at each table once in a second at most.
const MOST_MENDS: u32 = 240;

/// Serves the engine.
pub struct Dispatcher {
    /// The configuration in use.
    pub config: Config,
    /// Whether the engine has had a set published, or found it published.
    pub served: bool,
    greeted: bool,
    mends: (Instant, u32),
    tables: Tables,
    shield: Shield,
    transaction: Option<Transaction>,
}

impl Dispatcher {
    /// A dispatcher that serves these tables and refuses what touches the shield.
    pub fn new(config: Config, tables: Tables, shield: Shield) -> Self {
        let (served, greeted, mends) = (false, false, (Instant::now(), 0));
        Self { config, served, greeted, mends, tables, shield, transaction: None }
    }

    /// Serves one message.
    ///
    /// # Errors
    /// When the engine did what it may not; it is to be dropped.
    pub fn dispatch(&mut self, frame: &Frame, channel: &mut Channel) -> Result<(), Offence> {
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
            EngineMessage::TableList { table } => {
                self.list(table, frame.peerid, channel)?;
                Some(HelperMessage::ListEnd)
            }
            EngineMessage::TableMend { table } => {
                self.count_mend()?;
                Some(HelperMessage::TableResult(self.mend(table)))
            }
            EngineMessage::TableFile { table, previous } => {
                make_room(channel)?;
                let (failure, fd) = parted(self.tables.file(table, previous));
                HelperMessage::TableFile { failure }.queue(channel, frame.peerid, fd)?;
                None
            }
            EngineMessage::LocalOpen { index } => {
                make_room(channel)?;
                let (failure, fd) = parted(open_local(&self.config, index));
                HelperMessage::LocalFile { failure }.queue(channel, frame.peerid, fd)?;
                None
            }
            EngineMessage::LogOpen { generation } => {
                make_room(channel)?;
                let (opened, fd) = open_log(&self.config, generation);
                HelperMessage::LogFile(opened).queue(channel, frame.peerid, fd)?;
                None
            }
            EngineMessage::LogLevel { verbose } => {
                logger::set_verbose(verbose);
                None
            }
        };
        if let Some(answer) = answer {
            answer.queue(channel, frame.peerid, None)?;
        }
        Ok(())
    }

    /// Counts a repair: each has root read and compare a whole table.
    fn count_mend(&mut self) -> Result<(), Offence> {
        let (since, count) = &mut self.mends;
        if since.elapsed() >= Duration::from_secs(60) {
            (*since, *count) = (Instant::now(), 0);
        }
        *count += 1;
        if *count > MOST_MENDS { Err("it asks for too many repairs".into()) } else { Ok(()) }
    }

    /// Whether the file of the allow table, which is published before the block table, has an address.
    fn allows(&self, addr: IpAddr) -> bool {
        let Tables { both, directory, .. } = &self.tables;
        let set = directory.load(&both[TableId::Allow as usize], "pftable").unwrap_or_default();
        set.iter().filter_map(PfrAddr::prefix).any(|net| net.contains(addr))
    }

    /// Publishes a complete transaction, or only counts what that would change.
    fn publish(&mut self, open: Transaction) -> Result<TableResult, Offence> {
        let (id, purpose) = (open.table, open.purpose);
        let Some(set) = open.complete(&self.shield, |addr| self.allows(addr))? else {
            let failure = "no memory for so many prefixes; the old set stays".to_owned();
            logger::err(format_args!("{} table: {failure}", id.word()));
            let (outcome, full) = (Outcome::Failed, false);
            let (entries, added, deleted) = (0, 0, 0);
            return Ok(TableResult { table: id, outcome, entries, added, deleted, full, failure });
        };
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
        self.served |= done.is_ok() && purpose == Purpose::Publish;
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
    fn list(&self, table: TableId, request: u32, channel: &mut Channel) -> Result<(), Offence> {
        let read = self.tables.backend.list(&self.tables.both[table as usize]);
        let most = self.config.guard.max_entries;
        let read = read.map_err(|error| error.to_string()).and_then(|addrs| match addrs.len() {
            found if found > most as usize => Err(format!(
                "{found} prefixes, more than {most} (see max_entries in [guard]): raise it"
            )),
            _ => Ok(addrs),
        });
        let failure = read.as_ref().err().cloned().unwrap_or_default();
        let addrs = read.unwrap_or_default();
        // what the kernel has besides plain prefixes shows in the number
        let head = ListHead { table, entries: addrs.len() as u32, failure };
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

impl Tables {
    /// Opens the file of a table, or of the set before.
    fn file(&self, table: TableId, previous: bool) -> Result<OwnedFd, String> {
        let kind = if previous { "pftable.prev" } else { "pftable" };
        let opened = self.directory.open_table(&self.both[table as usize], kind);
        opened.map_err(|error| error.to_string())
    }
}

/// Sends what waits, so that there is room for one more descriptor.
fn make_room(channel: &mut Channel) -> Result<(), Offence> {
    if channel.waiting_fds() >= MOST_FDS {
        // that it is gone shows when the socket is read
        let _ = channel.flush();
    }
    match channel.waiting_fds() {
        ..MOST_FDS => Ok(()),
        _ => Err("it asks for files and does not take them".into()),
    }
}

/// The parts of an answer: why there is no file, or nothing and the file.
fn parted(opened: Result<OwnedFd, String>) -> (String, Option<OwnedFd>) {
    match opened {
        Ok(fd) => (String::new(), Some(fd)),
        Err(failure) => (failure, None),
    }
}

fn result(
    table: TableId,
    outcome: Outcome,
    entries: usize,
    done: Result<Changes, pf::PublishError>,
) -> TableResult {
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let full = done.as_ref().is_err_and(|failed| matches!(failed.error, pf::Error::Limit(..)));
    let (outcome, changes, failure) = match done {
        Ok(changes) => (outcome, changes, String::new()),
        Err(error) => {
            logger::err(format_args!("{} table: {error}", table.word()));
            (Outcome::Failed, Changes::default(), error.to_string())
        }
    };
    let (added, deleted) = (count(changes.added), count(changes.deleted));
    TableResult { table, outcome, entries: count(entries), added, deleted, full, failure }
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

/// The administrator's own lists, by their index: local_block, local_allow.
pub fn local_paths(config: &Config) -> [Option<&Path>; 2] {
    [config.policy.local_block.as_deref(), config.policy.local_allow.as_deref()]
}

fn open_local(config: &Config, index: u8) -> Result<OwnedFd, String> {
    let path = local_paths(config).get(usize::from(index)).copied().flatten();
    let path = path.ok_or("no such file in the configuration")?;
    let (file, _) =
        open_regular(path, OFlag::empty()).map_err(|why| format!("{}: {why}", path.display()))?;
    Ok(file)
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
        Err(error) => Err(words(&error)),
    }
}

#[cfg(test)]
mod tests;
