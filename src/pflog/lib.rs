//! Packet logs of pf(4): reading what pflogd(8) writes.

mod flow;
mod header;
mod octets;
mod reader;
mod stamp;
mod text;

pub use flow::Flow;
pub use header::{Action, Direction, Family, Header, HeaderError, Reason};
pub use reader::{Error, Fingerprint, LINK_TYPE, MAX_CAPTURE, NoFingerprint, Reader, Record};
pub use stamp::Stamp;
pub use text::MAX_TEXT;
