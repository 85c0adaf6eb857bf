//! What the helper does for the engine, message by message: the whole of what root can be made
//! to do.

use std::mem::replace;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use config::Config;
use imsg::{
    Channel, EngineMessage, Failed, FileId, Frame, HelperMessage, Of, Purpose, Stats, TableId,
};
use nix::errno::Errno::{ENOENT, ENOMEM, EPERM};
use nix::fcntl::{OFlag, open};
use nix::libc::{S_IFMT, S_IFREG};
use nix::sys::stat::{Mode, fstat};
use pf::{Backend, Directory, PfrAddr, Table};
use prefix::Shield;

use crate::failure::Failure;
use crate::transaction::Transaction;

/// Repairs of each table that may be asked for in a minute: the engine looks once in a second at most.
const MOST_MENDS: usize = 120;

/// What the engine gets for what it asks; that a call failed is an answer, too.
type Answer<T = HelperMessage> = Result<T, Failed>;

/// Serves the engine.
pub struct Dispatcher {
    /// The configuration in use.
    pub config: Config,
    /// The tables, each by the number by which the engine names it.
    pub tables: Vec<Table>,
    /// pf, real or simulated.
    pub pf: Box<dyn Backend>,
    /// The directory of the table files.
    pub directory: Directory,
    /// What no block table may touch.
    pub shield: Shield,
    /// What the engine has done so far.
    pub engine: Engine,
}

/// What the engine has done so far.
#[derive(Default)]
pub struct Engine {
    /// It has had a set published, or found it published.
    pub served: bool,
    /// It has had something new put in a table of pf, of which nobody was told yet.
    pub added: bool,
    greeted: bool,
    transaction: Option<Transaction>,
    /// It has asked for so many repairs since then.
    mends: (Option<Instant>, usize),
}

impl Dispatcher {
    /// Serves one message.
    ///
    /// # Errors
    /// When the engine did what it may not; it is to be dropped.
    pub fn dispatch(&mut self, frame: &Frame, channel: &mut Channel) -> Result<(), Failure> {
        if !replace(&mut self.engine.greeted, true) {
            return Ok(imsg::greeted(frame)?);
        }
        let answer = match EngineMessage::read(frame, self.tables.len())? {
            EngineMessage::TableBegin { .. } if self.engine.transaction.is_some() => {
                return Err("a second transaction".into());
            }
            EngineMessage::TableBegin { table, entries, purpose } => {
                let (kind, guard) = (self.tables[table.number()].kind, &self.config.guard);
                self.engine.transaction =
                    Some(Transaction::begin(table, kind, entries, purpose, guard)?);
                return Ok(());
            }
            EngineMessage::TableEntries(part) => {
                let open = self.engine.transaction.as_mut().ok_or("prefixes of no transaction")?;
                return open.add(&part, &self.shield);
            }
            EngineMessage::TableCommit => self.commit()?,
            EngineMessage::TableMend { table } => {
                self.count_mend()?;
                let set = self.directory.load(&self.tables[table.number()], "pftable");
                self.publish(table, set, Purpose::Repair)
            }
            EngineMessage::TableStats => self.stats(),
            EngineMessage::Open(file) => {
                // few descriptors may wait; that the engine is gone shows when the socket is read
                let _ = channel.flush();
                self.open(file).map(HelperMessage::File)
            }
        };
        Ok(answer.unwrap_or_else(HelperMessage::Failed).queue(channel, frame.peerid)?)
    }

    /// Counts a repair: each has root read and compare a whole table.
    fn count_mend(&mut self) -> Result<(), Failure> {
        let (since, count) = &mut self.engine.mends;
        if since.is_none_or(|since| since.elapsed() >= Duration::from_secs(60)) {
            (*since, *count) = (Some(Instant::now()), 0);
        }
        *count += 1;
        let most = MOST_MENDS * self.tables.len();
        if *count > most { Err("it asks for too many repairs".into()) } else { Ok(()) }
    }

    /// Does what the transaction is for, when it is complete.
    fn commit(&mut self) -> Result<Answer, Failure> {
        let open = self.engine.transaction.take().ok_or("a commit of no transaction")?;
        let (table, purpose) = (open.table, open.purpose);
        // the allow table is published before the block table, so that its file is the one to look at
        let allow = || self.directory.load(&self.tables[TableId::ALLOW.number()], "pftable");
        let set = open.complete(&self.shield, |addr| {
            let set = allow().unwrap_or_default();
            set.iter().filter_map(PfrAddr::prefix).any(|net| net.contains(addr))
        })?;
        let set = set.ok_or_else(|| Failed::words(ENOMEM, "no memory for so many prefixes"));
        Ok(self.publish(table, set, purpose))
    }

    /// Publishes a set, tries it, or has it put back.
    fn publish(&mut self, table: TableId, set: Answer<Vec<PfrAddr>>, purpose: Purpose) -> Answer {
        let pf = self.config.tables.reload.then_some(&*self.pf);
        let table = &self.tables[table.number()];
        let changes = self.directory.publish(pf, table, &set?, purpose)?;
        self.engine.served |= purpose == Purpose::Publish;
        self.engine.added |= purpose != Purpose::Trial && changes.added > 0;
        Ok(HelperMessage::Changed(changes))
    }

    fn stats(&self) -> Answer {
        let tables = self.tables.iter().map(|table| self.pf.stats(table)).collect::<Result<_, _>>();
        Ok(HelperMessage::Stats(Stats { running: self.pf.running()?, tables: tables? }))
    }

    /// Opens a file for the engine.
    fn open(&self, file: FileId) -> Answer<OwnedFd> {
        let of = |id: TableId| &self.tables[id.number()];
        let Config { policy, log, .. } = &self.config;
        let (path, flags) = match file {
            FileId::Table(id) => return self.directory.open_table(of(id), "pftable"),
            FileId::Previous(id) => return self.directory.open_table(of(id), "pftable.prev"),
            FileId::Kernel(id) => return self.directory.nameless(&self.pf.list(of(id))?),
            // which may be a link: who may change it is root's affair
            FileId::Local(kind) => (policy.local(kind).map(Path::to_owned), OFlag::empty()),
            FileId::Log(place) => (log.files().nth(place.into()), OFlag::O_NOFOLLOW),
        };
        let none = || Failed::words(ENOENT, "no such file in the configuration");
        open_regular(&path.ok_or_else(none)?, flags)
    }
}

/// Opens a regular file for reading; else why not.
fn open_regular(path: &Path, flags: OFlag) -> Answer<OwnedFd> {
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
