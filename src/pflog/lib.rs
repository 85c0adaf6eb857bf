//! Packet logs of pf(4): reading what pflogd(8) writes, and printing it as OpenBSD's
//! tcpdump(8) does.
//!
//! * [`Reader`] takes the octets of a pcap file and gives back its [`Record`]s with their
//!   offsets; a [`Fingerprint`] recognises a file that was renamed.
//! * [`Header`] is what pf says about a packet: rule, action, interface, direction.
//! * [`Flow`] is what counting hits needs of the packet itself.
//! * [`Printer`] makes a line of text of a record, one of [`Lines`]: that of `tcpdump -n -e -r FILE` of
//!   OpenBSD 7.8, octet for octet, but for foreign octets that are not printable and for the
//!   protocols below.
//!
//! Given by their length, or by the number of their protocol, are RPC and NFS, AppleTalk, lwres,
//! IAPP, wb and OpenFlow over IP, and NSH, CDP, STP and LLC inside of tunnels. Their printers
//! would be code that reads strangers' octets, for what a report does not gain: hardly anybody
//! sends these to a host unasked, and what a report is made of, addresses and ports, stands
//! before them.
//!
//! * In: the octets of a pcap file, in pieces of any size.
//! * Out: records, what pf and the packet say in them, and lines of printable text.
//! * Never: I/O; panic, loop for ever, or allocate by a number that a file has.

mod flow;
mod header;
mod lines;
mod octets;
mod print;
mod printer;
mod reader;
mod stamp;
mod text;

pub use flow::Flow;
pub use header::{Action, Direction, Family, Header, HeaderError, Reason};
pub use lines::Lines;
pub use printer::Printer;
pub use reader::{Error, Fingerprint, LINK_TYPE, MAX_CAPTURE, NoFingerprint, Reader, Record};
pub use stamp::Stamp;
pub use text::{MAX_TEXT, goes_on};
