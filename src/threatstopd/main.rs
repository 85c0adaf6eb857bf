//! threatstopd(8): the root helper of the ThreatSTOP client.
//!
//! It opens what needs root, starts the unprivileged engine and then only writes table files and
//! replaces pf tables on the engine's word, which it checks. It parses nothing that came from the
//! network or from a packet. Life cycle: crash-only; see `inherit`.

mod dispatch;
mod engine;
mod inherit;
mod protect;
mod serve;
mod start;
mod transaction;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use imsg::process;
use nix::unistd::Pid;

use inherit::Kept;

/// The control socket unless `-s` names another.
const DEFAULT_SOCKET: &str = "/var/run/threatstopd.sock";

/// The flags of the command line.
#[derive(Debug, Default, PartialEq, Eq)]
struct Flags {
    debug: bool,
    check: bool,
    version: bool,
    verbose: bool,
    config: Option<PathBuf>,
    socket: Option<PathBuf>,
}

impl Flags {
    /// Reads the command line in the manner of getopt(3); `None` calls for the usage line.
    fn parse(args: impl IntoIterator<Item = OsString>) -> Option<Self> {
        use lexopt::Arg::Short;
        let mut parser = lexopt::Parser::from_iter(args);
        let mut flags = Self::default();
        while let Some(arg) = parser.next().ok()? {
            match arg {
                Short('d') => flags.debug = true,
                Short('n') => flags.check = true,
                Short('V') => flags.version = true,
                Short('v') => flags.verbose = true,
                Short('f') => flags.config = Some(parser.value().ok()?.into()),
                Short('s') => flags.socket = Some(parser.value().ok()?.into()),
                _ => return None,
            }
        }
        Some(flags)
    }
}

fn main() -> ExitCode {
    let Some(flags) = Flags::parse(std::env::args_os()) else {
        eprintln!("usage: threatstopd [-dnVv] [-f file] [-s socket]");
        return ExitCode::FAILURE;
    };
    if flags.version {
        println!("threatstopd {}", env!("CARGO_PKG_VERSION"));
        return ExitCode::SUCCESS;
    }
    if flags.check {
        return check(&flags);
    }
    match run(&flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            logger::crit(message);
            ExitCode::FAILURE
        }
    }
}

/// `-n`: reads the configuration and touches nothing else.
fn check(flags: &Flags) -> ExitCode {
    let path = flags.config.clone().unwrap_or_else(|| config::DEFAULT_PATH.into());
    match config::read(&path) {
        Ok((config, _)) => {
            if flags.verbose {
                print!("{}", config.to_toml());
            }
            eprintln!("configuration OK");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// One image of the helper: starts, serves, and either ends or executes itself anew.
fn run(flags: &Flags) -> Result<(), String> {
    process::block_signals().map_err(|error| format!("sigprocmask: {error}"))?;
    let inherited = inherit::take()?;
    let first = inherited.is_none();
    let (mut state, mut kept) = match inherited {
        Some(inherited) => inherited,
        None => (start::first(flags)?, Kept::default()),
    };
    logger::init(flags.debug || first, state.verbose);
    if let Some(child) = state.child.take() {
        engine::kill(Pid::from_raw(child));
    }
    if state.stop {
        logger::info("terminating");
        return Ok(());
    }
    process::install_handlers().map_err(|error| format!("sigaction: {error}"))?;
    match start::start(flags.debug, &mut state, &mut kept) {
        Ok(server) => server.serve(state, kept),
        Err(message) if first => Err(message),
        Err(message) => serve::again(state, kept, &message),
    }
}

#[cfg(test)]
mod tests;
