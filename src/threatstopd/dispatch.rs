//! What the helper does for the engine, message by message: the whole of what root can be made
//! to do.

use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use config::Config;
use imsg::{
    Changes, Channel, EngineMessage, Failed, FileId, Frame, HelperMessage, Of, Purpose, Stats,
    TableId, VERSION,
};
use nix::errno::Errno::{ENOENT, ENOMEM, EPERM};
use nix::fcntl::{OFlag, open};
use nix::libc::{S_IFMT, S_IFREG};
use nix::sys::stat::{Mode, fstat};
use pf::{Backend, Directory, PfrAddr, Store, Table};
use prefix::Shield;

use crate::transaction::Transaction;

/// The tables, who keeps them, and where their files are.
pub struct Tables {
    /// Each by the number by which the engine names it.
    pub all: Vec<Table>,
    /// pf, real or simulated.
    pub backend: Box<dyn Backend>,
    /// The directory of the table files.
    pub directory: Directory,
    /// Whether pf is ours to change.
    pub reload: bool,
}

impl Tables {
    /// Where their sets are.
    pub fn store(&self) -> Store<'_> {
        let pf = self.reload.then_some(self.backend.as_ref());
        Store { pf, directory: &self.directory }
    }

    /// Whether the file of the allow table, which is published before the block table, has an address.
    fn allow(&self, addr: IpAddr) -> bool {
        let set = self.directory.load(&self.all[TableId::ALLOW.number()], "pftable");
        let set = set.unwrap_or_default();
        set.iter().filter_map(PfrAddr::prefix).any(|net| net.contains(addr))
    }
}

/// Why the engine is dropped.
type Offence = String;

/// Repairs of each table that may be asked for in a minute: the engine looks once in a second at most.
const MOST_MENDS: usize = 120;

/// Serves the engine.
pub struct Dispatcher {
    /// The configuration in use.
    pub config: Config,
    /// Whether the engine has had a set published, or found it published.
    pub served: bool,
    /// Whether a table of pf has got something new that nobody was told of.
    pub added: bool,
    greeted: bool,
    mends: (Instant, usize),
    tables: Tables,
    shield: Shield,
    transaction: Option<Transaction>,
}

impl Dispatcher {
    /// A dispatcher that serves these tables and refuses what touches the shield.
    pub fn new(config: Config, tables: Tables, shield: Shield) -> Self {
        let (served, added, greeted, mends) = (false, false, false, (Instant::now(), 0));
        Self { config, served, added, greeted, mends, tables, shield, transaction: None }
    }

    /// Serves one message.
    ///
    /// # Errors
    /// When the engine did what it may not; it is to be dropped.
    pub fn dispatch(&mut self, frame: &Frame, channel: &mut Channel) -> Result<(), Offence> {
        let answer = match EngineMessage::read(frame, self.tables.all.len())? {
            EngineMessage::Hello { version } if version != VERSION => {
                return Err(format!("it speaks version {version} of the protocol, not {VERSION}"));
            }
            EngineMessage::Hello { .. } if self.greeted => return Err("a second greeting".into()),
            EngineMessage::Hello { .. } => {
                self.greeted = true;
                return Ok(());
            }
            _ if !self.greeted => return Err("a request before the greeting".into()),
            EngineMessage::TableBegin { .. } if self.transaction.is_some() => {
                return Err("a second transaction".into());
            }
            EngineMessage::TableBegin { table, entries, purpose } => {
                let kind = self.tables.all[table.number()].kind;
                let begun = Transaction::begin(table, kind, entries, purpose, &self.config.guard)?;
                self.transaction = Some(begun);
                return Ok(());
            }
            EngineMessage::TableEntries(part) => {
                let open = self.transaction.as_mut().ok_or("prefixes of no transaction")?;
                return open.add(&part, &self.shield);
            }
            EngineMessage::TableCommit => HelperMessage::Changed(self.publish()?),
            EngineMessage::TableMend { table } => {
                self.count_mend()?;
                let table = &self.tables.all[table.number()];
                let done = self.tables.store().mend(table);
                self.added |= has_added(&done);
                HelperMessage::Changed(done)
            }
            EngineMessage::TableStats => {
                let failed =
                    |error: pf::Error| Stats { failure: error.to_string(), ..Stats::default() };
                HelperMessage::Stats(self.stats().unwrap_or_else(failed))
            }
            EngineMessage::Open(file) => {
                // few descriptors may wait; that the engine is gone shows when the socket is read
                let _ = channel.flush();
                let opened = self.open(file);
                let answer = HelperMessage::File(opened.as_ref().map(drop).map_err(Clone::clone));
                return Ok(answer.queue(channel, frame.peerid, opened.ok())?);
            }
        };
        Ok(answer.queue(channel, frame.peerid, None)?)
    }

    /// Counts a repair: each has root read and compare a whole table.
    fn count_mend(&mut self) -> Result<(), Offence> {
        let (since, count) = &mut self.mends;
        if since.elapsed() >= Duration::from_secs(60) {
            (*since, *count) = (Instant::now(), 0);
        }
        *count += 1;
        let most = MOST_MENDS * self.tables.all.len();
        if *count > most { Err("it asks for too many repairs".into()) } else { Ok(()) }
    }

    /// Does what the transaction, which is complete, is for.
    fn publish(&mut self) -> Result<Result<Changes, Failed>, Offence> {
        let open = self.transaction.take().ok_or("a commit of no transaction")?;
        let (table, purpose) = (&self.tables.all[open.table.number()], open.purpose);
        let Some(set) = open.complete(&self.shield, |addr| self.tables.allow(addr))? else {
            return Ok(Err(Failed::words(ENOMEM, "no memory for so many prefixes")));
        };
        let done = self.tables.store().publish(table, &set, purpose);
        self.served |= done.is_ok() && purpose == Purpose::Publish;
        self.added |= has_added(&done) && purpose != Purpose::Trial;
        Ok(done)
    }

    fn stats(&self) -> Result<Stats, pf::Error> {
        let Tables { all, backend, .. } = &self.tables;
        let tables = all.iter().map(|table| backend.stats(table)).collect::<Result<_, _>>()?;
        Ok(Stats { running: backend.running()?, tables, failure: String::new() })
    }

    /// Opens a file for the engine; else why not.
    fn open(&self, file: FileId) -> Result<OwnedFd, Failed> {
        let Tables { all, backend, directory, .. } = &self.tables;
        let of = |id: TableId| &all[id.number()];
        match file {
            FileId::Table(id) => directory.open_table(of(id), "pftable"),
            FileId::Previous(id) => directory.open_table(of(id), "pftable.prev"),
            FileId::Kernel(id) => directory.nameless(&backend.list(of(id))?),
            FileId::Local(kind) => {
                let path = self.config.policy.local(kind);
                let none = || Failed::words(ENOENT, "no such file in the configuration");
                open_regular(path.ok_or_else(none)?, OFlag::empty())
            }
            FileId::Log(generation) => self.open_log(generation, ""),
            FileId::PackedLog(generation) => self.open_log(generation, ".gz"),
        }
    }

    fn open_log(&self, generation: u8, suffix: &str) -> Result<OwnedFd, Failed> {
        match self.config.log.enabled {
            true => open_regular(&log_path(&self.config, generation, suffix), OFlag::O_NOFOLLOW),
            false => Err(Failed::words(EPERM, "log.enabled is false")),
        }
    }
}

/// Whether a table has something that it did not have.
fn has_added(done: &Result<Changes, Failed>) -> bool {
    done.as_ref().is_ok_and(|changes| changes.added > 0)
}

/// Where a generation of the packet log may be: 0 is FILE, n + 1 is FILE.n with the suffix.
pub fn log_path(config: &Config, generation: u8, suffix: &str) -> PathBuf {
    let file = &config.log.file;
    let rotated = |n| suffixed(file, &format!(".{n}{suffix}"));
    generation.checked_sub(1).map_or_else(|| file.clone(), rotated)
}

/// A path with something behind it.
pub fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// Opens a regular file for reading; else why not.
fn open_regular(path: &Path, flags: OFlag) -> Result<OwnedFd, Failed> {
    let shown = path.display();
    // the open of a FIFO would wait for a writer
    let flags = flags | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let opened = open(path, flags, Mode::empty()).and_then(|fd| Ok((fstat(&fd)?.st_mode, fd)));
    match opened {
        Ok((mode, fd)) if mode & S_IFMT == S_IFREG => Ok(fd),
        Ok(_) => Err(Failed::words(EPERM, format!("{shown}: not a regular file"))),
        Err(errno) => Err(Failed { of: Of::File, ..Failed::words(errno, shown.to_string()) }),
    }
}

#[cfg(test)]
mod tests;
