//! The control tool of threatstopd: asks the engine over the control socket, and lays out what it
//! answers as text or as one JSON document.
//!
//! Its modules, of which none imports one that stands above it; an arrow leads to those that a command
//! goes through:
//!
//! ```text
//! commands -> arguments, relay, own   which commands there are, with what options, and what each does
//! own -> relay                        block, allow, forget
//! why -> client                       why, for any number of addresses
//! export -> relay                     show -o: tables in the forms of other programs
//! report -> relay                     report: text, or a page
//! reload -> relay                     reload: not with a file that does not load
//! watch -> client                     watch: a line for each event
//! doctor -> client, setup             doctor: whether the host is set up so that the policy has effect
//! flush -> setup                      flush: the end of states that pass what is blocked now
//! setup                               setup: lines for pf.conf(5), and table files
//! decode                              decode: packet logs as text
//! capture                             capture: records one upload of another client
//! import                              import: the old threatstop.conf as a threatstopd.toml(5)
//! relay -> client, text, json         one request, and its answer on stdout
//! text -> output, columns, narrow     text for people: status, report, show hits, lists and own
//! json -> output                      one JSON document
//! output -> ending                    what a way to print an answer has to do
//! ending -> client                    what the last line of an answer carries, by command
//! error -> advice                     why a command was not done, and how that is said
//! client                              the control socket
//! narrow -> columns                   what fits on a terminal
//! columns                             columns under headings
//! printable                           what may go to a terminal, or to a browser
//! advice                              commands in messages that reach the same daemon
//! arguments                           options and operands in the manner of getopt(3)
//! tool                                what every command is told
//! ```
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
mod error;
mod export;
mod flush;
mod import;
mod json;
mod narrow;
mod output;
mod own;
mod printable;
mod relay;
mod reload;
mod report;
mod setup;
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
