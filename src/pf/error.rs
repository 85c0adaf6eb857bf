//! What can go wrong.

use imsg::{Failed, Of};
use nix::errno::Errno;

/// Of a call that failed: on what, and which. The engine says what helps, by that and the number.
pub(crate) fn failed(name: &str, call: &'static str) -> impl Fn(Errno) -> Failed {
    let of = match call {
        "DIOCRADDTABLES" => Of::Creation,
        _ if call.starts_with("DIOC") => Of::Pf,
        _ => Of::File,
    };
    move |errno| Failed { of, ..Failed::words(errno, format!("{name}: {call}")) }
}
