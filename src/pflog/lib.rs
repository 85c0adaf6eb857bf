//! Packet logs of pf(4): reading what pflogd(8) writes.

mod octets;
mod reader;

pub use reader::{Error, Fingerprint, LINK_TYPE, MAX_CAPTURE, NoFingerprint, Reader, Record};
