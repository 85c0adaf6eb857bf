//! threatstopd(8): the root helper of the ThreatSTOP client.
//!
//! It opens what needs root, starts the unprivileged engine and then only writes table files and
//! replaces pf tables on the engine's word, which it checks. It parses nothing that came from the
//! network or from a packet.
//!
//! Its life, which is crash-only: [`run`] here takes what an image before it left ([`inherit`]) and
//! kills an engine that stayed; [`start`] does what root alone can do and closes the sandbox;
//! [`serve`] answers the engine ([`dispatch`], [`transaction`]) until a signal comes or the engine
//! goes, and then ends, or executes the program anew.

mod dispatch;
mod engine;
mod inherit;
mod protect;
mod serve;
mod start;
mod transaction;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use imsg::process;

use inherit::State;

/// The control socket unless `-s` names another.
const DEFAULT_SOCKET: &str = "/var/run/threatstopd.sock";

/// What, why and the way out, for the log. Nothing tells one failure from another.
type Failure = Box<dyn std::error::Error>;

/// The command line.
#[derive(Debug, PartialEq, Eq)]
struct Flags {
    debug: bool,
    check: bool,
    version: bool,
    verbose: bool,
    config: PathBuf,
    socket: PathBuf,
}

impl Flags {
    /// Reads the command line in the manner of getopt(3); `None` calls for the usage line.
    fn parse(args: impl IntoIterator<Item = OsString>) -> Option<Self> {
        use lexopt::Arg::Short;
        let mut parser = lexopt::Parser::from_iter(args);
        let (config, socket) = (config::DEFAULT_PATH.into(), DEFAULT_SOCKET.into());
        let (debug, check, version, verbose) = (false, false, false, false);
        let mut flags = Self { debug, check, version, verbose, config, socket };
        while let Some(arg) = parser.next().ok()? {
            match arg {
                Short('d') => flags.debug = true,
                Short('n') => flags.check = true,
                Short('V') => flags.version = true,
                Short('v') => flags.verbose = true,
                Short('f') => flags.config = parser.value().ok()?.into(),
                Short('s') => flags.socket = parser.value().ok()?.into(),
                _ => return None,
            }
        }
        Some(flags)
    }
}

fn main() -> ExitCode {
    logger::set_program("threatstopd");
    let Some(flags) = Flags::parse(std::env::args_os()) else {
        let _ = writeln!(io::stderr(), "usage: threatstopd [-dnVv] [-f file] [-s socket]");
        return ExitCode::FAILURE;
    };
    let done = if flags.version {
        print(concat!("threatstopd ", env!("CARGO_PKG_VERSION"), "\n")).map(|()| true)
    } else if flags.check {
        check(&flags)
    } else {
        // stderr is /dev/null by then
        std::panic::set_hook(Box::new(|panic| logger::crit(format_args!("fatal: {panic}"))));
        run(flags).map(|()| true)
    };
    match done {
        Ok(true) => return ExitCode::SUCCESS,
        Ok(false) => {}
        Err(failure) => match failure.downcast_ref::<config::ConfigError>() {
            Some(error) => error.lines().iter().for_each(logger::crit),
            None => logger::crit(failure),
        },
    }
    ExitCode::FAILURE
}

/// `-n`: reads the configuration, touches nothing else, and tells whether it is in order.
fn check(flags: &Flags) -> Result<bool, Failure> {
    // for whoever wrote the file, not for a log
    let tell = |line: &str| {
        let _ = writeln!(io::stderr(), "{line}");
    };
    let (config, text) = match config::read(&flags.config) {
        Ok(read) => read,
        Err(error) => {
            error.lines().iter().for_each(|line| tell(line));
            return Ok(false);
        }
    };
    if flags.verbose {
        print(&config.to_toml())?;
    }
    config.notes(&text, &flags.config).iter().for_each(|line| tell(line));
    tell("configuration OK");
    Ok(true)
}

/// What is asked for goes to stdout; `print!` would panic when nobody takes it.
fn print(lines: &str) -> Result<(), Failure> {
    Ok(io::stdout().write_all(lines.as_bytes()).map_err(|error| format!("stdout: {error}"))?)
}

/// One image of the helper: starts, serves, and either ends or executes itself anew.
fn run(mut flags: Flags) -> Result<(), Failure> {
    process::block_signals()?;
    let mut state = State::take()?;
    // daemon(3) changes the directory
    flags.config = state.home.join(flags.config);
    flags.socket = state.home.join(flags.socket);
    let program = start::own_program(&state.home)?;
    if state.first {
        state.verbose = flags.verbose;
    }
    logger::init(flags.debug || state.first, state.verbose);
    if let Some(child) = state.child.take() {
        engine::kill(child);
    }
    if state.stop {
        logger::info("terminating");
        return Ok(());
    }
    process::install_handlers()?;
    match start::start(&flags, &program, &mut state) {
        Ok(server) => server.serve(&flags, &program, state),
        Err(failure) => {
            // the sandbox, which would forbid that, is the last thing that a start can fail of
            if let Some(child) = state.child.take() {
                engine::kill(child);
            }
            if state.first { Err(failure) } else { serve::again(&program, state, &*failure) }
        }
    }
}

#[cfg(test)]
mod tests;
