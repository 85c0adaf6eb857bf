//! What the engine asks of the helper: everything that root can be made to do.

use super::entries::Entries;
use super::{Fields, Purpose, Source, TableId};
use crate::channel::Channel;
use crate::frame::{Frame, ImsgError};

/// A message from the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngineMessage {
    /// The first message: the engine's [`super::VERSION`], sent when its sandbox is closed.
    Hello {
        /// Version of the protocol.
        version: u32,
    },
    /// A transaction begins: the whole new content of a table follows.
    TableBegin {
        /// Which table.
        table: TableId,
        /// Exact number of prefixes that follow.
        entries: u32,
        /// What for.
        purpose: Purpose,
    },
    /// The next prefixes of the transaction, IPv4 before IPv6, ascending.
    TableEntries(Entries),
    /// The transaction is complete; answered by [`super::helper::HelperMessage::TableResult`].
    TableCommit,
    /// Asks for the state of pf and of both tables.
    TableStats,
    /// Asks for the prefixes of a table.
    TableList {
        /// Which table.
        table: TableId,
        /// From the kernel or from one of the files.
        source: Source,
    },
    /// Compare kernel and file and give the kernel the file's content again where they differ.
    TableMend {
        /// Which table.
        table: TableId,
    },
    /// Asks for the packet log: 0 is FILE itself, n + 1 is FILE.n, plain or gzip.
    LogOpen {
        /// 0 to [`EngineMessage::MAX_GENERATION`].
        generation: u8,
    },
    /// Read the configuration again, as on SIGHUP.
    Reload,
    /// More or less log.
    LogLevel {
        /// Debug messages too.
        verbose: bool,
    },
}

const HELLO: u32 = 1;
const TABLE_BEGIN: u32 = 2;
const TABLE_ENTRIES: u32 = 3;
const TABLE_COMMIT: u32 = 4;
const TABLE_STATS: u32 = 5;
const TABLE_LIST: u32 = 6;
const TABLE_MEND: u32 = 7;
const LOG_OPEN: u32 = 8;
const RELOAD: u32 = 9;
const LOG_LEVEL: u32 = 10;

impl EngineMessage {
    /// The oldest rotated packet log that can be asked for: FILE.9.
    pub const MAX_GENERATION: u8 = 10;

    /// Queues the message as request number `peerid`, and has the channel expect the descriptor that
    /// the answer may have.
    ///
    /// # Errors
    /// Those of [`Channel::queue`].
    pub fn queue(&self, channel: &mut Channel, peerid: u32) -> Result<(), ImsgError> {
        let mut out = Vec::new();
        let kind = match self {
            Self::Hello { version } => {
                out.extend_from_slice(&version.to_ne_bytes());
                HELLO
            }
            Self::TableBegin { table, entries, purpose } => {
                out.extend_from_slice(&[*table as u8, *purpose as u8]);
                out.extend_from_slice(&entries.to_ne_bytes());
                TABLE_BEGIN
            }
            Self::TableEntries(entries) => {
                entries.write(&mut out);
                TABLE_ENTRIES
            }
            Self::TableCommit => TABLE_COMMIT,
            Self::TableStats => TABLE_STATS,
            Self::TableList { table, source } => {
                out.extend_from_slice(&[*table as u8, *source as u8]);
                TABLE_LIST
            }
            Self::TableMend { table } => {
                out.push(*table as u8);
                TABLE_MEND
            }
            Self::LogOpen { generation } => {
                out.push(*generation);
                channel.expect_fd();
                LOG_OPEN
            }
            Self::Reload => RELOAD,
            Self::LogLevel { verbose } => {
                out.push(u8::from(*verbose));
                LOG_LEVEL
            }
        };
        channel.queue(kind, peerid, &out, None)
    }

    /// Reads a message of the engine.
    ///
    /// # Errors
    /// For an unknown type, another size than the type has, a field out of range, or a descriptor:
    /// the engine sends none.
    pub fn read(frame: &Frame) -> Result<Self, ImsgError> {
        if frame.fd.is_some() {
            return Err(ImsgError::Descriptor(frame.kind));
        }
        let mut fields = Fields::new(frame.kind, &frame.payload);
        let message = match frame.kind {
            HELLO => Self::Hello { version: fields.u32()? },
            TABLE_BEGIN => Self::TableBegin {
                table: fields.table()?,
                purpose: fields.purpose()?,
                entries: fields.u32()?,
            },
            TABLE_ENTRIES => Self::TableEntries(Entries::read(&mut fields)?),
            TABLE_COMMIT => Self::TableCommit,
            TABLE_STATS => Self::TableStats,
            TABLE_LIST => Self::TableList { table: fields.table()?, source: fields.source()? },
            TABLE_MEND => Self::TableMend { table: fields.table()? },
            LOG_OPEN => match fields.u8()? {
                generation @ 0..=Self::MAX_GENERATION => Self::LogOpen { generation },
                _ => return Err(fields.bad()),
            },
            RELOAD => Self::Reload,
            LOG_LEVEL => Self::LogLevel { verbose: fields.flag()? },
            kind => return Err(ImsgError::Kind(kind)),
        };
        fields.end()?;
        Ok(message)
    }
}
