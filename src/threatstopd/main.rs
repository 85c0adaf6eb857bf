//! threatstopd(8): what of the ThreatSTOP client runs as root.
//!
//! Three short stories: the monitor starts and watches the others and listens to nobody; the helper
//! opens what needs root and then serves the engine, which has no privileges; and what a message of the
//! engine may do is the whole of what root can be made to do. An arrow leads to what a module calls:
//!
//! ```text
//! monitor -> helper, lock            starts and watches the others, from the start to the stop
//! helper -> dispatch, protect, lock  the process that opens what needs root, and serves the engine
//! dispatch -> transaction            what the helper does for each message of the engine
//! transaction                        one new content of a table, checked prefix by prefix
//! protect                            the networks that no block table may touch
//! lock                               files that only one process has at a time
//! flags                              the command line
//! failure                            why monitor or helper cannot go on
//! ```
//!
//! * In: the command line, the configuration, signals; messages of an engine of which nothing is
//!   believed.
//! * Out: helper and engine, alive; tables and their files; descriptors for the engine.
//! * Never: parse what came from the network or from a packet, or let the engine name a path or a
//!   table.

mod dispatch;
mod failure;
mod flags;
mod helper;
mod lock;
mod monitor;
mod protect;
mod transaction;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitCode;

use imsg::{End, process};

use failure::{Failure, On as _};
use flags::{Flags, HELPER};

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        // stderr may be /dev/null by then
        logger::crit(format_args!("fatal: {panic}"));
        End::Fault.leave();
    }));
    let args: Vec<OsString> = std::env::args_os().collect();
    if args.get(1).is_some_and(|word| word == HELPER) {
        helper::main(args);
    }
    process::close_inherited();
    let done = match Flags::parse(args) {
        None => {
            let _ = writeln!(io::stderr(), "usage: threatstopd [-dnVv] [-f file] [-s socket]");
            return ExitCode::FAILURE;
        }
        Some(flags) if flags.version => {
            print(concat!("threatstopd ", env!("CARGO_PKG_VERSION"), "\n"))
        }
        Some(flags) if flags.check => check(&flags),
        Some(flags) => {
            logger::set_program("threatstopd");
            monitor::main(flags)
        }
    };
    done.unwrap_or_else(|failure| {
        match failure.downcast_ref::<config::ConfigError>() {
            Some(error) => error.lines().iter().for_each(logger::crit),
            None => logger::crit(failure),
        }
        ExitCode::FAILURE
    })
}

/// `-n`: reads the configuration, touches nothing else, and tells whether it is in order: whoever
/// wrote the file, so that no line has the name of the program.
fn check(flags: &Flags) -> Result<ExitCode, Failure> {
    let (config, text) = config::read(&flags.config)?;
    if flags.verbose {
        print(&config.to_toml())?;
    }
    config.notes(&text, &flags.config).iter().for_each(logger::warn);
    config::check_socket(&std::path::absolute(&flags.socket)?)?;
    logger::info("configuration OK");
    Ok(ExitCode::SUCCESS)
}

/// What is asked for goes to stdout; `print!` would panic when nobody takes it.
fn print(lines: &str) -> Result<ExitCode, Failure> {
    io::stdout().write_all(lines.as_bytes()).on("threatstopd: stdout")?;
    Ok(ExitCode::SUCCESS)
}
