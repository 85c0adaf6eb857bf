//! What the engine asks of the helper: everything that root can be made to do.

use prefix::Kind;

use super::entries::Entries;
use super::{Fields, Purpose, TableId};
use crate::channel::Channel;
use crate::frame::{Frame, ImsgError};

/// A file that the helper opens for the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileId {
    /// The file of a table, `NAME.pftable`.
    Table(TableId),
    /// The file of the set before, `NAME.pftable.prev`.
    Previous(TableId),
    /// The prefixes that a table has in the kernel, in a file of the same form and of no name.
    Kernel(TableId),
    /// A list of the administrator, local_block or local_allow.
    Local(Kind),
    /// The packet log, by its place in `Log::files` of the configuration.
    Log(u8),
}

impl FileId {
    fn wire(self) -> [u8; 2] {
        match self {
            Self::Table(table) => [0, table.0],
            Self::Previous(table) => [1, table.0],
            Self::Kernel(table) => [2, table.0],
            Self::Local(list) => [3, list as u8],
            Self::Log(place) => [4, place],
        }
    }

    fn read(fields: &mut Fields<'_>, tables: usize) -> Result<Self, ImsgError> {
        Ok(match fields.u8()? {
            0 => Self::Table(fields.table(tables)?),
            1 => Self::Previous(fields.table(tables)?),
            2 => Self::Kernel(fields.table(tables)?),
            3 if fields.flag()? => Self::Local(Kind::Allow),
            3 => Self::Local(Kind::Block),
            4 => Self::Log(fields.u8()?),
            _ => return Err(fields.bad()),
        })
    }
}

/// A message from the engine, behind its greeting ([`super::greet`]), which it sends when its sandbox is
/// closed. Instead of an answer may come [`super::helper::HelperMessage::Failed`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngineMessage {
    /// A transaction begins: the whole new content of a table follows.
    TableBegin {
        /// The table that is to have the set.
        table: TableId,
        /// Exact number of prefixes that follow.
        entries: u32,
        /// Whether the set is published, put back, or only tried.
        purpose: Purpose,
    },
    /// The next prefixes of the transaction, IPv4 before IPv6, ascending.
    TableEntries(Entries),
    /// The transaction is complete; answered by [`super::helper::HelperMessage::Changed`].
    TableCommit,
    /// Asks for the state of pf and of all tables.
    TableStats,
    /// Compare kernel and file and give the kernel the file's content again where they differ.
    TableMend {
        /// Which table.
        table: TableId,
    },
    /// Asks for a file, opened for reading; answered by [`super::helper::HelperMessage::File`].
    Open(FileId),
}

const TABLE_BEGIN: u32 = 2;
const TABLE_ENTRIES: u32 = 3;
const TABLE_COMMIT: u32 = 4;
const TABLE_STATS: u32 = 5;
const TABLE_MEND: u32 = 7;
const OPEN: u32 = 8;

impl EngineMessage {
    /// Queues the message as request number `peerid`, and has the channel expect the descriptor that
    /// the answer may have.
    ///
    /// # Errors
    /// Those of [`Channel::queue`].
    pub fn queue(&self, channel: &mut Channel, peerid: u32) -> Result<(), ImsgError> {
        let mut out = Vec::new();
        let kind = match self {
            Self::TableBegin { table, entries, purpose } => {
                out.extend_from_slice(&[table.0, *purpose as u8]);
                out.extend_from_slice(&entries.to_ne_bytes());
                TABLE_BEGIN
            }
            Self::TableEntries(entries) => {
                entries.write(&mut out);
                TABLE_ENTRIES
            }
            Self::TableCommit => TABLE_COMMIT,
            Self::TableStats => TABLE_STATS,
            Self::TableMend { table } => {
                out.push(table.0);
                TABLE_MEND
            }
            Self::Open(file) => {
                out.extend_from_slice(&file.wire());
                OPEN
            }
        };
        if kind == OPEN {
            channel.expect_fd();
        }
        channel.queue(kind, peerid, &out, None)
    }

    /// Reads a message of the engine, who may name the first `tables` tables.
    ///
    /// # Errors
    /// For an unknown type, another size than the type has, a field out of range, another table, or a
    /// descriptor: the engine sends none.
    pub fn read(frame: &Frame, tables: usize) -> Result<Self, ImsgError> {
        if frame.fd.is_some() {
            return Err(ImsgError::Descriptor(frame.kind));
        }
        let mut fields = Fields::new(frame.kind, &frame.payload);
        let message = match frame.kind {
            TABLE_BEGIN => Self::TableBegin {
                table: fields.table(tables)?,
                purpose: fields.purpose()?,
                entries: fields.u32()?,
            },
            TABLE_ENTRIES => Self::TableEntries(Entries::read(&mut fields)?),
            TABLE_COMMIT => Self::TableCommit,
            TABLE_STATS => Self::TableStats,
            TABLE_MEND => Self::TableMend { table: fields.table(tables)? },
            OPEN => Self::Open(FileId::read(&mut fields, tables)?),
            kind => return Err(ImsgError::Kind(kind)),
        };
        fields.end()?;
        Ok(message)
    }
}
