//! Fuzz targets: functions that take any octets and hold what comes of them against a second,
//! naive reading.
//!
//! A target panics when the program does, or when it does something else than the naive reading
//! says. It answers whether the octets were accepted as a whole, so that a test can see that its
//! seeds still reach the end. `.ci/fuzz` drives the targets with libFuzzer; the ordinary tests call
//! them with the files of `corpus/` and with variations of these.
//!
//! * In: any octets.
//! * Out: whether they were accepted as a whole; a panic where the two readings differ.
//! * Never: take its second reading from the code under test, or do I/O outside a scratch
//!   directory.

// A target stops at the first thing that is not as expected; there is nobody to hand an error to.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod dns;
mod feed;
mod helper;
mod input;
mod kept;
mod packets;
mod programs;
mod requests;
mod settings;
mod sweep;

// The modules of the programs name these by `crate::` and, for the log, as a crate. Nobody reads
// the log of a target.
extern crate self as logger;
pub(crate) use programs::of_the_tool::{client, error, printable, tool};
pub(crate) use programs::{clock, err, errors, failure, files, transaction};

pub use dns::{apl_rdata, dns_message};
pub use feed::feed_list;
pub use helper::imsg_stream;
pub use kept::{engine_lists, engine_memory, engine_own, table_file};
pub use packets::{pcap_file, pflog_record};
pub use requests::control_request;
pub use settings::{local_list, old_conf, toml_config};
pub use sweep::compose;

/// A target: takes any octets, and answers whether they were accepted as a whole.
pub type Target = fn(&[u8]) -> bool;

/// All targets by name, which is also that of the folder of their corpus.
pub const TARGETS: [(&str, Target); 15] = [
    ("apl_rdata", apl_rdata),
    ("compose", compose),
    ("control_request", control_request),
    ("dns_message", dns_message),
    ("engine_lists", engine_lists),
    ("engine_memory", engine_memory),
    ("engine_own", engine_own),
    ("feed_list", feed_list),
    ("imsg_stream", imsg_stream),
    ("local_list", local_list),
    ("old_conf", old_conf),
    ("pcap_file", pcap_file),
    ("pflog_record", pflog_record),
    ("table_file", table_file),
    ("toml_config", toml_config),
];

/// The target of a name.
pub fn target(name: &str) -> Option<Target> {
    TARGETS.iter().find(|(known, _)| *known == name).map(|(_, target)| *target)
}
