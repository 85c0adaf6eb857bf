//! threatstopd-engine: everything of threatstopd that is risky, without privileges.
//!
//! It talks DNS and HTTPS, decodes packets, answers the control tool, and hands finished tables
//! to the root helper, which started it and believes none of it. When the helper's socket ends,
//! the engine leaves at once.

mod alarm;
mod clock;
mod control;
mod dns;
mod errors;
mod files;
mod https;
mod interfaces;
mod link;
mod log;
mod monitor;
mod protect;
mod recover;
mod schedule;
mod source;
mod startup;
mod state;
mod update;
mod warning;
mod watch;

use std::convert::Infallible;
use std::os::fd::OwnedFd;
use std::process::ExitCode;
use std::rc::Rc;

use imsg::process::{self, Inherited};
use imsg::{End, VERSION};

/// What the parts of the engine share. One thread: `Rc` and `RefCell` are enough.
pub struct Engine {
    /// The configuration, as the helper uses it.
    pub config: config::Config,
    /// What the helper said besides.
    pub given: startup::Given,
    /// The monitor, which has started the engine.
    pub monitor: monitor::Monitor,
    /// The way to the helper.
    pub link: link::Link,
    /// From the packet log to the upload.
    pub log: log::Log,
    /// What is in force, and what is kept over restarts.
    pub state: state::State,
    /// The files of local_block and local_allow, as runs saw them.
    pub local: source::local::Seen,
    /// What `block` and `allow` said.
    pub own: source::own::Own,
    /// The hosts of the configuration that are given by name.
    pub names: protect::Names,
    /// The names of guard.never_block_names.
    pub never: protect::never::Never,
    /// The update that is under way, if one is.
    pub runs: update::Runs,
    /// The eye on pf.
    pub watch: watch::Watch,
    /// When the engine started.
    pub started: std::time::Instant,
}

fn main() -> ExitCode {
    logger::set_program("threatstopd-engine");
    std::panic::set_hook(Box::new(|panic| {
        logger::crit(format_args!("fatal in engine: {panic}"));
        // Unwinding one task would leave the others running on half of a state.
        End::Fault.leave();
    }));
    // args() would panic at a path that is no UTF-8
    let arguments = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    let arguments = monitor::Arguments::parse(arguments);
    let inherited = process::inherited();
    let (Some(arguments), Ok(Inherited { peer, told, alive, words, before })) =
        (arguments, inherited)
    else {
        logger::crit("threatstopd starts this program; it is not to be started by hand");
        return ExitCode::FAILURE;
    };
    logger::init(arguments.debug, arguments.verbose);
    let Err(why) = run(arguments, peer, told, alive, &before);
    logger::crit(format_args!("fatal in engine: {why}"));
    // for the engine after this one, to which it may be the reason of something
    let _ = nix::unistd::write(words, why.as_bytes());
    ExitCode::FAILURE
}

fn table_files(tables: &config::Tables) -> [String; 2] {
    [&tables.block, &tables.allow]
        .map(|name| tables.directory.join(format!("{name}.pftable")).display().to_string())
}

fn run(
    arguments: monitor::Arguments,
    helper: OwnedFd,
    told: OwnedFd,
    alive: OwnedFd,
    before: &OwnedFd,
) -> Result<Infallible, String> {
    if arguments.version != VERSION {
        return Err(startup::OTHER_VERSION.into());
    }
    let monitor = monitor::Monitor::new(arguments, before);
    let startup::Started { config, given, channel, listener, roots, behind } =
        startup::start(helper, &told)?;
    #[cfg(feature = "fault-points")]
    clock::ahead::follow(&config.log.spool);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .map_err(|error| format!("event loop: {}", errors::words(&error)))?;
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let link = link::Link::start(channel, table_files(&config.tables))?;
        recover::recover(&config, &given, &link).await;
        let state = state::State::load(&config, &link).await?;
        let engine = Rc::new(Engine {
            names: protect::Names::new(&config),
            never: protect::never::Never::load(&config, state.directory()),
            runs: update::Runs::new(&config),
            watch: watch::Watch::default(),
            local: source::local::Seen::default(),
            own: source::own::Own::load(state.directory(), clock::now()),
            started: std::time::Instant::now(),
            log: log::Log::open(&config, roots)?,
            config,
            given,
            monitor,
            link,
            state,
        });
        tokio::task::spawn_local(monitor::listen(Rc::clone(&engine), told, behind));
        tokio::task::spawn_local(watch::watch(Rc::clone(&engine)));
        tokio::task::spawn_local(alarm::watch(Rc::clone(&engine)));
        tokio::task::spawn_local(schedule::names(Rc::clone(&engine)));
        tokio::task::spawn_local(schedule::never(Rc::clone(&engine)));
        tokio::task::spawn_local(schedule::local(Rc::clone(&engine)));
        tokio::task::spawn_local(schedule::own(Rc::clone(&engine)));
        tokio::task::spawn_local(schedule::again(Rc::clone(&engine)));
        if engine.config.log.enabled {
            tokio::task::spawn_local(log::follow(Rc::clone(&engine)));
            tokio::task::spawn_local(log::schedule(Rc::clone(&engine)));
        }
        tokio::task::spawn_local(control::serve(Rc::clone(&engine), listener));
        tokio::task::spawn_local(monitor::live(alive));
        schedule::run(engine).await
    })
}
