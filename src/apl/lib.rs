//! Policy lists over DNS: APL records (RFC 3123), the messages that carry them, and the assembly of
//! one list from the many names it is spread over.
//!
//! The DNS primitives (names with their compression, headers, questions) are hickory-proto's; it knows
//! no APL and refuses whole messages with an empty APL record, so the records are walked here.
//!
//! * In: the name of a list, what is known of it from before, and the octets of DNS messages that
//!   somebody may have made up.
//! * Out: the messages to send; in the end the list, whole, or why there is none.
//! * Never: I/O or a clock; a part of a list; more questions or items than [`MAX_NAMES`] and
//!   [`MAX_ITEMS`] allow, whatever the answers are.

mod answer;
#[cfg(test)]
mod answers;
mod assembly;
mod codec;
mod list;
mod message;
mod name;
mod query;
mod record;
mod serial;
mod text;

pub use answer::{Answer, AnswerError, MAX_ALIASES, Rcode};
pub use assembly::{Ask, Assembly, Options, Ticket};
pub use codec::{AplError, Counts, decode, encode};
pub use list::{List, ListError, ListErrorKind, MAX_ITEMS, MAX_NAMES, MAX_NUMBERED, Warning};
pub use message::Reply;
pub use name::{ListName, NameError};
pub use query::{QueryType, Question};
pub use serial::is_after;
