//! Policy lists over DNS: APL records (RFC 3123), the messages that carry them, and the assembly of
//! one list from the many names it is spread over.
//!
//! No I/O here: octets and answers go in, questions and lists come out. The DNS primitives (names
//! with their compression, headers, questions) are hickory-proto's; it knows no APL and refuses
//! whole messages with an empty APL record, so the records are walked here.

mod codec;

pub use codec::{AplError, Counts, decode, encode};
