//! The way to the helper: requests out, answers back.

mod table_file;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::rc::Rc;
use std::time::Duration;

use imsg::{
    Channel, End, EngineMessage, Entries, Frame, HelperMessage, Input, LogFile, Output, Purpose,
    SHORTAGE, Stats, TableId, TableResult,
};
use prefix::{Prefix, PrefixSet};
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::sync::{Mutex, Notify, oneshot};

use crate::errors::words;

/// How long answers to control clients may take to leave once the helper is gone.
const FAREWELL: Duration = Duration::from_millis(100);

/// An answer of the helper, whole.
enum Answer {
    Table(TableResult),
    Stats(Stats),
    List(Result<PrefixSet, String>),
    Log(LogFile, Option<OwnedFd>),
    /// A file, or why there is none.
    File(Result<OwnedFd, String>),
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

/// A list that is coming in.
struct Listing {
    /// Why there is nothing to list; else empty.
    failure: String,
    v4: Vec<prefix::Prefix4>,
    v6: Vec<prefix::Prefix6>,
}

struct Inner {
    channel: RefCell<Channel>,
    waiting: RefCell<HashMap<u32, oneshot::Sender<Answer>>>,
    listing: RefCell<Option<(u32, Listing)>>,
    last: Cell<u32>,
    /// Something was queued.
    queued: Notify,
    /// SIGUSR1 came to the helper.
    update_now: Notify,
    /// The right to ask for a list: the helper has room for the answer to one at a time.
    one_list: Mutex<()>,
    /// The table files, for messages.
    files: [String; 2],
}

/// The channel to the helper. All requests may be made at the same time.
#[derive(Clone)]
pub struct Link(Rc<Inner>);

/// The helper is gone; nobody sees this, for the process leaves then.
const GONE: &str = "the helper is gone";

impl Link {
    /// Takes the channel over; from here on it is served as long as the engine lives. `files` are the
    /// paths of the table files, for messages.
    ///
    /// # Errors
    /// When the event loop does not take the socket.
    pub fn start(channel: Channel, files: [String; 2]) -> Result<Self, String> {
        // The event loop watches a second descriptor of the socket; octets go by the channel's own.
        let socket = channel
            .as_fd()
            .try_clone_to_owned()
            .and_then(|fd| UnixStream::from_std(fd.into()))
            .map_err(|error| format!("event loop: {}", words(&error)))?;
        let link = Self(Rc::new(Inner {
            channel: RefCell::new(channel),
            waiting: RefCell::default(),
            listing: RefCell::default(),
            last: Cell::new(0),
            queued: Notify::new(),
            update_now: Notify::new(),
            one_list: Mutex::default(),
            files,
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
        tokio::time::sleep(FAREWELL).await;
        end.leave();
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

    fn take(&self, mut frame: Frame) -> Result<(), String> {
        let message = HelperMessage::read(&frame).map_err(|error| format!("helper: {error}"))?;
        let id = frame.peerid;
        let answer = match message {
            HelperMessage::TableResult(result) => Answer::Table(result),
            HelperMessage::Stats(stats) => Answer::Stats(stats),
            HelperMessage::LogFile(log) => {
                self.0.channel.borrow_mut().answered_fd();
                Answer::Log(log, frame.fd.take())
            }
            HelperMessage::TableFile { failure } | HelperMessage::LocalFile { failure } => {
                self.0.channel.borrow_mut().answered_fd();
                Answer::File(frame.fd.take().ok_or(failure))
            }
            HelperMessage::UpdateNow => {
                self.0.update_now.notify_one();
                return Ok(());
            }
            HelperMessage::ListBegin(head) => {
                let listing = Listing { failure: head.failure, v4: Vec::new(), v6: Vec::new() };
                self.0.listing.replace(Some((id, listing)));
                return Ok(());
            }
            HelperMessage::ListEntries(part) => {
                let mut open = self.0.listing.borrow_mut();
                let (_, listing) = open.as_mut().ok_or("helper: prefixes of no list")?;
                return listing.add(&part).map_err(|error| format!("helper: {error}"));
            }
            HelperMessage::ListEnd => {
                let (_, listing) = self.0.listing.take().ok_or("helper: end of no list")?;
                Answer::List(listing.end())
            }
            _ => return Err("helper: a message that belongs to the start".into()),
        };
        if let Some(waiting) = self.0.waiting.borrow_mut().remove(&id) {
            // who asked may have lost interest
            let _ = waiting.send(answer);
        }
        Ok(())
    }

    /// Queues messages as one request and waits for its answer.
    async fn ask(
        &self,
        messages: impl IntoIterator<Item = EngineMessage>,
    ) -> Result<Answer, String> {
        let id = self.0.last.get().wrapping_add(1);
        self.0.last.set(id);
        {
            let mut channel = self.0.channel.borrow_mut();
            for message in messages {
                message.queue(&mut channel, id).map_err(|error| format!("helper: {error}"))?;
            }
        }
        let (sender, receiver) = oneshot::channel();
        self.0.waiting.borrow_mut().insert(id, sender);
        self.0.queued.notify_one();
        receiver.await.map_err(|_| GONE.into())
    }

    async fn table(
        &self,
        messages: impl IntoIterator<Item = EngineMessage>,
    ) -> Result<TableResult, String> {
        match self.ask(messages).await? {
            Answer::Table(result) => Ok(result),
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
        let parts = Entries::split(set.iter()).map(EngineMessage::TableEntries);
        let all = std::iter::once(begin).chain(parts).chain([EngineMessage::TableCommit]);
        self.table(all).await
    }

    /// Has the kernel's table compared with the file and mended.
    ///
    /// # Errors
    /// When the helper is gone.
    pub async fn mend(&self, table: TableId) -> Result<TableResult, String> {
        self.table([EngineMessage::TableMend { table }]).await
    }

    /// The state of pf and of the tables.
    ///
    /// # Errors
    /// When the helper is gone.
    pub async fn stats(&self) -> Result<Stats, String> {
        match self.ask([EngineMessage::TableStats]).await? {
            Answer::Stats(stats) => Ok(stats),
            _ => Err(GONE.into()),
        }
    }

    /// The prefixes of a table; `Err` says why there are none.
    ///
    /// # Errors
    /// When the table or file cannot be read, or the helper is gone.
    pub async fn list(&self, table: TableId, source: Source) -> Result<PrefixSet, String> {
        let previous = match source {
            Source::Kernel => {
                let _turn = self.0.one_list.lock().await;
                return match self.ask([EngineMessage::TableList { table }]).await? {
                    Answer::List(set) => set,
                    _ => Err(GONE.into()),
                };
            }
            Source::File => false,
            Source::Previous => true,
        };
        let file = self.file(EngineMessage::TableFile { table, previous }).await?;
        let path = &self.0.files[table as usize];
        table_file::read(file, &format!("{path}{}", if previous { ".prev" } else { "" }))
    }

    async fn file(&self, request: EngineMessage) -> Result<File, String> {
        match self.ask([request]).await? {
            Answer::File(file) => file.map(File::from),
            _ => Err(GONE.into()),
        }
    }

    /// Opens local_block or local_allow, as it is now.
    ///
    /// # Errors
    /// When it cannot be opened, or the helper is gone.
    pub async fn open_local(&self, list: TableId) -> Result<File, String> {
        self.file(EngineMessage::LocalOpen { index: list as u8 }).await
    }

    /// Opens a generation of the packet log.
    ///
    /// # Errors
    /// When there is none, or the helper is gone.
    pub async fn open_log(&self, generation: u8) -> Result<(LogFile, File), String> {
        match self.ask([EngineMessage::LogOpen { generation }]).await? {
            Answer::Log(log, Some(fd)) => Ok((log, File::from(fd))),
            Answer::Log(log, None) => Err(log.failure),
            _ => Err(GONE.into()),
        }
    }

    /// Tells the helper how much to log.
    ///
    /// # Errors
    /// When its queue is full.
    pub fn log_level(&self, verbose: bool) -> Result<(), String> {
        let message = EngineMessage::LogLevel { verbose };
        let queued = message.queue(&mut self.0.channel.borrow_mut(), 0);
        self.0.queued.notify_one();
        queued.map_err(|error| format!("helper: {error}"))
    }

    /// Waits for SIGUSR1 at the helper.
    pub async fn update_now(&self) {
        self.0.update_now.notified().await;
    }
}

impl Listing {
    /// The set, or why there is none. What somebody adds to a table of pf by hand need not be a set
    /// as ours are, and ends nothing but this answer.
    fn end(self) -> Result<PrefixSet, String> {
        if !self.failure.is_empty() {
            return Err(self.failure);
        }
        PrefixSet::new(self.v4, self.v6).map_err(|error| error.to_string())
    }

    fn add(&mut self, part: &Entries) -> Result<(), prefix::PackError> {
        for prefix in part.prefixes() {
            match prefix? {
                Prefix::V4(net) => self.v4.push(net),
                Prefix::V6(net) => self.v6.push(net),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
