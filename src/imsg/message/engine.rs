//! What the engine asks of the helper: everything that root can be made to do.

use super::entries::Entries;
use super::{Fields, Purpose, TableId};
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
    /// Asks for the prefixes that a table has in the kernel.
    TableList {
        /// Which table.
        table: TableId,
    },
    /// Asks for a table file, opened for reading.
    TableFile {
        /// Which table.
        table: TableId,
        /// The file of the set before, `NAME.pftable.prev`.
        previous: bool,
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
    /// Asks for a file of the administrator: 0 is local_block, 1 is local_allow.
    LocalOpen {
        /// 0 or 1.
        index: u8,
    },
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
const TABLE_FILE: u32 = 9;
const LOG_LEVEL: u32 = 10;
const LOCAL_OPEN: u32 = 11;

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
            Self::TableList { table } => {
                out.push(*table as u8);
                TABLE_LIST
            }
            Self::TableFile { table, previous } => {
                out.extend_from_slice(&[*table as u8, u8::from(*previous)]);
                TABLE_FILE
            }
            Self::TableMend { table } => {
                out.push(*table as u8);
                TABLE_MEND
            }
            Self::LogOpen { generation } => {
                out.push(*generation);
                LOG_OPEN
            }
            Self::LocalOpen { index } => {
                out.push(*index);
                LOCAL_OPEN
            }
            Self::LogLevel { verbose } => {
                out.push(u8::from(*verbose));
                LOG_LEVEL
            }
        };
        if matches!(kind, TABLE_FILE | LOG_OPEN | LOCAL_OPEN) {
            channel.expect_fd();
        }
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
            TABLE_LIST => Self::TableList { table: fields.table()? },
            TABLE_FILE => Self::TableFile { table: fields.table()?, previous: fields.flag()? },
            TABLE_MEND => Self::TableMend { table: fields.table()? },
            LOG_OPEN => match fields.u8()? {
                generation @ 0..=Self::MAX_GENERATION => Self::LogOpen { generation },
                _ => return Err(fields.bad()),
            },
            LOCAL_OPEN => match fields.u8()? {
                index @ 0..=1 => Self::LocalOpen { index },
                _ => return Err(fields.bad()),
            },
            LOG_LEVEL => Self::LogLevel { verbose: fields.flag()? },
            kind => return Err(ImsgError::Kind(kind)),
        };
        fields.end()?;
        Ok(message)
    }
}
