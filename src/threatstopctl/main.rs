//! The control tool of threatstopd: asks the engine over the control socket, and lays out what it
//! answers as text or as one JSON document.
//!
//! * In: the command line; replies of the engine, at most so many octets; for some commands files
//!   and programs of base.
//! * Out: text or one JSON document on stdout, one line on stderr where it failed, and an exit
//!   status that says which.
//! * Never: fill a table by itself, write a control character of a stranger's to a terminal, or
//!   keep a right that it no longer needs.

mod advice;
mod arguments;
mod capture;
mod client;
mod columns;
mod commands;
mod decode;
mod doctor;
mod ending;
mod entries;
mod error;
mod export;
mod flush;
mod hits;
mod import;
mod json;
mod lists;
mod narrow;
mod output;
mod own;
mod printable;
mod relay;
mod reload;
mod report;
mod setup;
mod status;
mod text;
mod tool;
mod watch;
mod why;

#[cfg(test)]
mod tests;

use std::env;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use config::DEFAULT_SOCKET;

use crate::advice::Advice;
use crate::arguments::Arguments;
use crate::error::{Error, Manner};
use crate::tool::Tool;

/// Options before the command, as getopt(3) takes them.
const OPTIONS: &str = "jVs:";

fn main() -> ExitCode {
    let mut manner = Manner::default();
    match start(env::args_os().skip(1).collect(), &mut manner) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            if !manner.quiet {
                error.report(manner.json, &manner.advice);
            }
            ExitCode::from(manner.status)
        }
    }
}

/// Does what the command line says; false when it was done and the answer is no. Sets `manner` as
/// soon as it is known.
fn start(words: Vec<OsString>, manner: &mut Manner) -> Result<bool, Error> {
    let mut arguments = Arguments::default();
    let read = arguments.read(OPTIONS, words);
    manner.json = arguments.has('j');
    read.map_err(commands::misused)?;
    if arguments.has('V') {
        version(manner.json)?;
        return Ok(true);
    }
    let socket = arguments.value('s').map_or_else(|| DEFAULT_SOCKET.into(), PathBuf::from);
    manner.advice = Advice::new(&socket, None);
    commands::run(&Tool { json: manner.json, socket }, arguments.operands, manner)
}

fn version(json: bool) -> io::Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::json!({ "version": version }))
    } else {
        writeln!(out, "threatstopctl {version}")
    }
}
