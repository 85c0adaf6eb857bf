//! threatstopd-states: ends the states of pf(4) that pass what an update has just blocked.
//!
//! It is there with `tables.kill_states` alone. No promise of pledge(2) lets a process end states, so
//! it is confined by what else there is ([`confine`]), and what it listens to is one octet without a
//! meaning, by which the helper says that a table has got something new. All else it learns from the
//! kernel. Whoever took it over would own pf.
//!
//! ```text
//! serve -> pace    waits for the octet, and makes a pass of the library beside this
//! pace             when the next pass is due
//! confine          what the process gives up before it serves
//! ```

mod confine;
mod pace;
mod serve;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use config::{Backend, Config};
use imsg::process::{self, Inherited};
use imsg::{End, OTHER_VERSION, VERSION, signals, told};
use nix::sys::signal::Signal;
use states::{Kernel, Pf, Simulated};

fn main() -> ExitCode {
    logger::set_program("threatstopd-states");
    std::panic::set_hook(Box::new(|panic| {
        logger::crit(format_args!("fatal in states: {panic}"));
        End::Fault.leave();
    }));
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let inherited = process::inherited();
    let has = |option: &str| arguments.iter().any(|word| word == option);
    let (Some(version), Ok(inherited)) = (arguments.get(1), inherited) else {
        logger::crit("threatstopd starts this program; it is not to be started by hand");
        return ExitCode::FAILURE;
    };
    logger::init(has("-d"), has("-v"));
    let done = match *version == *VERSION.to_string() {
        true => run(inherited),
        false => Err(OTHER_VERSION.into()),
    };
    done.unwrap_or_else(|why| {
        logger::crit(format_args!("states: {why}"));
        End::Fault
    })
    .leave()
}

/// From the configuration to the end: that of the helper, which closes its side of the way.
fn run(inherited: Inherited) -> Result<End, String> {
    let Inherited { peer: nudges, told, alive, words, before } = inherited;
    // what helper and engine leave there is no affair of this process
    drop((words, before));
    let failed = |error: std::io::Error| error.to_string();
    signals::block().map_err(failed)?;
    signals::install(&[Signal::SIGHUP, Signal::SIGINT, Signal::SIGUSR1]).map_err(failed)?;
    process::set_title(c"states");
    let Some((text, _)) = told::configuration(&told)? else { return Ok(End::Left) };
    drop(told);
    let parsed = Config::parse(&text, Path::new("configuration"));
    let config = parsed.map_err(|error| error.to_string())?;
    let tables = states::blocked(&config)?;
    let failed = |error: states::Error| error.to_string();
    let pf: Box<dyn Pf> = match config.tables.backend {
        Backend::Pf => {
            let kernel = Kernel::open().map_err(failed)?;
            let user = config.engine().map_err(|error| error.to_string())?;
            confine::confine(confine::EMPTY, &user, kernel.limit)?;
            Box::new(kernel)
        }
        Backend::Simulated => {
            logger::debug(
                "states are simulated, which are files: threatstopd-states is not confined",
            );
            Box::new(Simulated::open(&config.tables.directory).map_err(failed)?)
        }
    };
    drop(config);
    serve::serve(&*pf, &tables, &nudges, &alive)
}
