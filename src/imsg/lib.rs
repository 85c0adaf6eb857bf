//! Messages between the root helper and the engine, and the descriptors that go with them.
//!
//! The shape is that of imsg(3) in OpenBSD 7.8: a header of four 32-bit words in host order, a
//! payload, at most one descriptor a message. Every message has a fixed size or a stated bound,
//! and each side takes the other's octets as it would a stranger's.
//!
//! * In: messages by name, with their descriptors; the octets that the other side sends.
//! * Out: octets for the other side; messages by name, or what is wrong with one.
//! * Never: trust a length or a count, hold more than its bounds, or block on a channel.

mod channel;
mod frame;
pub mod interface;
mod message;
pub mod process;
mod rights;
pub mod signals;
pub mod told;

#[cfg(test)]
mod tests;

pub use channel::{Channel, Input, MOST_WAITING, Output, SHORTAGE};
pub use frame::{Frame, ImsgError, MAX_IMSGSIZE, MAX_PAYLOAD};
pub use message::engine::{EngineMessage, FileId};
pub use message::entries::Entries;
pub use message::helper::{
    Changes, Failed, HelperMessage, Of, Protected, Reason, Start, Stats, TableStat,
};
pub use message::{OTHER_VERSION, Purpose, TableId, VERSION, greet, greeted};
pub use process::End;
