//! The way to the helper: requests out, answers back.
//!
//! * In: sets to publish, tables to look at, files to open: requests of the rest of the engine,
//!   any number at a time.
//! * Out: what the helper has made of each, in words where it failed; descriptors.
//! * Never: name a table or file by anything but its number, believe more of an answer than its
//!   bounds, or go on without the helper.

mod outcome;
mod table_file;
mod words;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::rc::Rc;
use std::time::Duration;

use imsg::{
    Changes, Channel, End, EngineMessage, Entries, Failed, FileId, Frame, HelperMessage, Input,
    Output, Purpose, SHORTAGE, TableId, TableStat,
};
use prefix::{Kind, PrefixSet};
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::sync::{Mutex, Notify, oneshot, watch};

pub use self::outcome::{Outcome, TableResult};

use crate::errors::words;
use crate::tables::{Stats, Tables};

/// Octets that wait for the helper before another message is made: those of a whole set would be half as much
/// memory again.
const AT_ONCE: usize = 1 << 16;

/// How long answers to control clients may take to leave once the helper is gone.
const FAREWELL: Duration = Duration::from_millis(100);

/// Who waits for an answer of the helper.
struct Waiting {
    /// Whether it may have a descriptor.
    opens: bool,
    sender: oneshot::Sender<HelperMessage>,
}

/// Where a set is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// What the kernel has now.
    Kernel,
    /// `DIRECTORY/NAME.pftable`.
    File,
    /// `DIRECTORY/NAME.pftable.prev`.
    Previous,
}

struct Inner {
    channel: RefCell<Channel>,
    waiting: RefCell<HashMap<u32, Waiting>>,
    last: Cell<u32>,
    /// Held by the request whose messages are made: those of another one come behind.
    turn: Mutex<()>,
    /// Something was queued.
    queued: Notify,
    /// There is room for more.
    room: Notify,
    /// Whether the helper is gone.
    gone: watch::Sender<bool>,
    /// The tables, for messages.
    tables: &'static Tables,
    /// pf's limit of entries as it was at the start.
    limit: u32,
}

/// The channel to the helper. All requests may be made at the same time.
#[derive(Clone)]
pub struct Link(Rc<Inner>);

/// The helper is gone; nobody sees this, for the process leaves then.
const GONE: &str = "the helper is gone";

impl Link {
    /// Takes the channel over; from here on it is served as long as the engine lives. Messages
    /// have the names of these `tables` and `limit`, pf's limit of entries; no answer is of more.
    ///
    /// # Errors
    /// When the event loop does not take the socket.
    pub fn start(channel: Channel, tables: &'static Tables, limit: u32) -> Result<Self, String> {
        // The event loop watches a second descriptor of the socket; octets go by the channel's own.
        let socket = channel
            .as_fd()
            .try_clone_to_owned()
            .and_then(|fd| UnixStream::from_std(fd.into()))
            .map_err(|error| format!("event loop: {}", words(&error)))?;
        let link = Self(Rc::new(Inner {
            channel: RefCell::new(channel),
            waiting: RefCell::default(),
            last: Cell::new(0),
            turn: Mutex::default(),
            queued: Notify::new(),
            room: Notify::new(),
            gone: watch::Sender::new(false),
            tables,
            limit,
        }));
        tokio::task::spawn_local(link.clone().drive(socket));
        Ok(link)
    }

    async fn drive(self, socket: UnixStream) {
        let end = match self.exchange(&socket).await {
            Ok(()) => {
                logger::debug("engine leaves: the helper closed its socket");
                End::Left
            }
            Err(why) => {
                logger::err(format_args!("engine leaves: {why}"));
                End::Peer
            }
        };
        self.0.gone.send_replace(true);
        tokio::time::sleep(FAREWELL).await;
        end.leave();
    }

    /// Waits until the helper is gone, when no request is answered any more and the engine is about to leave.
    pub async fn gone(&self) {
        // the other end is this one's own
        let _ = self.0.gone.subscribe().wait_for(|gone| *gone).await;
    }

    /// Sends and receives until the helper closes.
    async fn exchange(&self, socket: &UnixStream) -> Result<(), String> {
        let failed = |error: io::Error| format!("helper: {}", words(&error));
        loop {
            let sent = match self.write(socket) {
                Ok(sent) => sent,
                Err(error) => {
                    // what the helper said before it closed counts: how a reload went
                    while matches!(self.0.channel.borrow_mut().read(), Ok(Input::Data)) {}
                    self.take_all()?;
                    return Err(failed(error));
                }
            };
            if self.has_room() {
                self.0.room.notify_one();
            }
            tokio::select! {
                () = self.0.queued.notified() => {}
                () = tokio::time::sleep(SHORTAGE), if sent == Output::Short => {}
                ready = socket.readable() => {
                    ready.map_err(failed)?;
                    if self.read(socket).map_err(failed)? == Input::Closed {
                        return Ok(());
                    }
                    self.take_all()?;
                }
                ready = socket.writable(), if sent == Output::Full => ready.map_err(failed)?,
            }
        }
    }

    /// Takes all messages that have come whole.
    fn take_all(&self) -> Result<(), String> {
        loop {
            let next = self.0.channel.borrow_mut().next();
            let Some(frame) = next.map_err(|error| error.to_string())? else { return Ok(()) };
            self.take(frame)?;
        }
    }

    /// Reads once; the event loop learns when there is nothing left.
    fn read(&self, socket: &UnixStream) -> io::Result<Input> {
        let read =
            socket.try_io(Interest::READABLE, || match self.0.channel.borrow_mut().read()? {
                Input::WouldBlock => Err(io::ErrorKind::WouldBlock.into()),
                input => Ok(input),
            });
        match read {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Input::WouldBlock),
            other => other,
        }
    }

    /// Sends what it can; the event loop learns when the socket is full.
    fn write(&self, socket: &UnixStream) -> io::Result<Output> {
        let sent =
            socket.try_io(Interest::WRITABLE, || match self.0.channel.borrow_mut().flush()? {
                Output::Full => Err(io::ErrorKind::WouldBlock.into()),
                sent => Ok(sent),
            });
        match sent {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Output::Full),
            other => other,
        }
    }

    fn take(&self, frame: Frame) -> Result<(), String> {
        let id = frame.peerid;
        let message = HelperMessage::read(frame).map_err(|error| format!("helper: {error}"))?;
        if matches!(message, HelperMessage::Protected(_) | HelperMessage::Start(..)) {
            return Err("helper: a message that belongs to the start".into());
        }
        if let Some(Waiting { opens, sender }) = self.0.waiting.borrow_mut().remove(&id) {
            if opens {
                self.0.channel.borrow_mut().answered_fd();
            }
            // who asked may have lost interest
            let _ = sender.send(message);
        }
        Ok(())
    }

    /// Whether another message may be made.
    fn has_room(&self) -> bool {
        self.0.channel.borrow().queued() < AT_ONCE
    }

    /// Queues messages as one request, as fast as the helper takes them, and waits for its answer. Who asks
    /// with more than one message has to wait to the end: of half a request the helper would think ill.
    async fn ask(
        &self,
        messages: impl IntoIterator<Item = EngineMessage>,
    ) -> Result<HelperMessage, String> {
        let turn = self.0.turn.lock().await;
        let id = self.0.last.get().wrapping_add(1);
        self.0.last.set(id);
        let mut opens = false;
        for message in messages {
            while !self.has_room() {
                self.0.queued.notify_one();
                self.0.room.notified().await;
            }
            opens |= matches!(message, EngineMessage::Open(_));
            let mut channel = self.0.channel.borrow_mut();
            message.queue(&mut channel, id).map_err(|error| format!("helper: {error}"))?;
        }
        drop(turn);
        let (sender, receiver) = oneshot::channel();
        self.0.waiting.borrow_mut().insert(id, Waiting { opens, sender });
        self.0.queued.notify_one();
        receiver.await.map_err(|_| GONE.into())
    }

    async fn changed(
        &self,
        messages: impl IntoIterator<Item = EngineMessage>,
    ) -> Result<Result<Changes, Failed>, String> {
        match self.ask(messages).await? {
            HelperMessage::Changed(changes) => Ok(Ok(changes)),
            HelperMessage::Failed(failed) => Ok(Err(failed)),
            _ => Err(GONE.into()),
        }
    }

    /// Hands a set over, to be published, tried, or put back.
    ///
    /// # Errors
    /// When the helper is gone.
    pub async fn publish(
        &self,
        table: TableId,
        set: &PrefixSet,
        purpose: Purpose,
    ) -> Result<TableResult, String> {
        let entries = u32::try_from(set.len()).map_err(|_| "too many prefixes")?;
        let begin = EngineMessage::TableBegin { table, entries, purpose };
        let parts = Entries::split(set.v4()).chain(Entries::split(set.v6()));
        let parts = parts.map(EngineMessage::TableEntries);
        let all = std::iter::once(begin).chain(parts).chain([EngineMessage::TableCommit]);
        Ok(TableResult::of(table, entries, self.0.limit, purpose, self.changed(all).await?))
    }

    /// Has the kernel's table compared with the file, which should have so many entries, and mended.
    ///
    /// # Errors
    /// When the helper is gone.
    pub async fn mend(&self, table: TableId, entries: usize) -> Result<TableResult, String> {
        let entries = u32::try_from(entries).unwrap_or(u32::MAX);
        let changed = self.changed([EngineMessage::TableMend { table }]).await?;
        Ok(TableResult::of(table, entries, self.0.limit, Purpose::Repair, changed))
    }

    /// The state of pf and of the tables.
    ///
    /// # Errors
    /// When the helper is gone.
    pub async fn stats(&self) -> Result<Stats, String> {
        let (running, mut tables, failure) = match self.ask([EngineMessage::TableStats]).await? {
            HelperMessage::Stats(stats) => (stats.running, stats.tables, String::new()),
            HelperMessage::Failed(failed) => (false, Vec::new(), failed.to_string()),
            _ => return Err(GONE.into()),
        };
        // of a table that nothing is said of there is nothing
        tables.resize(self.0.tables.iter().count(), TableStat::default());
        Ok(Stats { running, tables, failure })
    }

    /// The prefixes of a table; `Err` says why there are none.
    ///
    /// # Errors
    /// When the table or file cannot be read, or the helper is gone.
    pub async fn list(&self, table: TableId, source: Source) -> Result<PrefixSet, String> {
        let tables = self.0.tables;
        let path = tables.iter().nth(table.number()).map_or("", |table| &table.file);
        let (file, path) = match source {
            Source::Kernel => {
                (FileId::Kernel(table), format!("{} table in pf", tables.word(table)))
            }
            Source::File => (FileId::Table(table), path.to_owned()),
            Source::Previous => (FileId::Previous(table), format!("{path}.prev")),
        };
        table_file::read(self.open(file).await?, &path)
    }

    /// What is another when somebody has replaced or written to the file of a table; zeros without one.
    pub async fn mark(&self, table: TableId) -> [u64; 2] {
        let file = self.open(FileId::Table(table)).await;
        file.map_or([0; 2], |file| table_file::mark(&file))
    }

    /// Opens local_block or local_allow, as it is now.
    ///
    /// # Errors
    /// When it cannot be opened, or the helper is gone.
    pub async fn open_local(&self, list: Kind) -> Result<File, String> {
        self.open(FileId::Local(list)).await
    }

    /// Opens a generation of the packet log, packed or not: 0 is FILE itself, n + 1 is FILE.n.
    ///
    /// # Errors
    /// When there is none, or the helper is gone.
    pub async fn open_log(&self, generation: u8) -> Result<File, String> {
        // FILE, FILE.0, FILE.0.gz, FILE.1, ...
        let packed = generation.saturating_mul(2);
        let plain = self.open(FileId::Log(packed.saturating_sub(1))).await;
        if plain.is_ok() || generation == 0 {
            return plain;
        }
        self.open(FileId::Log(packed)).await
    }

    async fn open(&self, file: FileId) -> Result<File, String> {
        match self.ask([EngineMessage::Open(file)]).await? {
            HelperMessage::File(fd) => Ok(fd.into()),
            HelperMessage::Failed(failed) => Err(words::of_file(&failed)),
            _ => Err(GONE.into()),
        }
    }
}

#[cfg(test)]
mod tests;
