//! threatstopd-engine: everything of threatstopd that is risky, without privileges.
//!
//! It talks DNS and HTTPS, decodes packets, answers the control tool, and hands finished tables
//! to the root helper, which started it and believes none of it. When the helper's socket ends,
//! the engine leaves at once.
//!
//! Its modules, from the outside to what all others use: none imports one that stands above it. An arrow
//! leads to those that a module works with on the way of lists to the tables, or of packets to the
//! upload:
//!
//! ```text
//! startup -> interfaces, https      from the first instruction to the sandbox
//! schedule -> update, source        who wants a run: the timers, and what was not published
//! control -> update, log, source    who wants something at the control socket, and its answer
//! recover -> link, guard            at a start: table files that were lost, of what pf has
//! update -> source, protect, runs   a run: gather, judge, compose, publish, note
//! source -> dns, https, link        where lists come from: service, feeds, files, block and allow
//! alarm -> state, events            a policy that grows old, or is held back for long
//! protect -> interfaces, state      the networks that no block table may touch
//! interfaces -> leave               those of this host, which may change while it runs
//! monitor                           the process that started this one: what it says and hears
//! leave -> runs, state              the end, behind the runs and answers under way
//! watch -> link, state, guard       an eye on pf: mends what somebody has done to a table
//! log -> https, link, state, days   from the packet log to the upload, and the hits of tables
//! runs -> state, lists              the runs under way, and whose turn it is to change tables
//! state -> lists, days, link        what is in force, and what is remembered
//! subjects -> events, lists         what can be wrong under a configuration, by name
//! lists -> tables, files            sources and their lists, and the copies of these
//! days -> hits, files               what happened on each of the last days
//! events -> files, told             changes of state, to the log and to watchers
//! guard -> tables                   what no table may be, whatever brought it
//! dns                               lists over DNS/TCP, all from one server
//! https                             web servers, on threads of their own
//! link -> tables                    the way to the helper: sets and requests out, answers back
//! hits                              counters of the hits of tables, by the busiest of anything
//! tables                            the tables of the configuration, by number, word and name
//! files                             files of the engine's own directory, whole after any crash
//! change                            what became of a table, in numbers
//! hosts                             those that it connects to by name
//! backoff                           how long to wait after failures, and between runs
//! clock                             the time of day, for people
//! told                              what the log was told, so that it is not told again soon
//! warning                           a warning, and the way out of it
//! errors                            errors in the manner of err(3)
//! ```
//!
//! * In: the configuration from the monitor; from the helper descriptors, and the networks that it
//!   protects; octets of servers, of packets and of control clients.
//! * Out: whole tables for the helper, slices of the packet log for the service, answers on the
//!   control socket, events in the log.
//! * Never: a right of root; once its sandbox is closed, a file outside its own directory that was
//!   not handed to it; a part of a list or table.

mod alarm;
mod backoff;
mod change;
mod clock;
mod control;
mod days;
mod dns;
mod errors;
mod events;
mod files;
mod guard;
mod hits;
mod hosts;
mod https;
mod interfaces;
mod leave;
mod link;
mod lists;
mod log;
mod monitor;
mod protect;
mod recover;
mod runs;
mod schedule;
mod source;
mod startup;
mod state;
mod subjects;
mod tables;
mod told;
mod update;
mod warning;
mod watch;

use std::convert::Infallible;
use std::os::fd::OwnedFd;
use std::process::ExitCode;

use config::Config;
use imsg::process::{self, Inherited};
use imsg::{End, OTHER_VERSION, VERSION};
use policy::Guard;

use alarm::Alarm;
use control::{Handler, LogChecks, Overview, OwnCommands, Watchers};
use days::Days;
use dns::Servers;
use events::Events;
use leave::Leave;
use link::Link;
use log::Log;
use monitor::Monitor;
use protect::never::Never;
use protect::{Names, Protect};
use runs::Runs;
use source::feed::Feeds;
use source::local::Files;
use source::own::Own;
use source::policy::Service;
use state::State;
use tables::Tables;
use update::{Asked, Publisher, Update};
use watch::Watch;

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
    let _ = nix::unistd::write(words, format!("{why}; ").as_bytes());
    ExitCode::FAILURE
}

/// A part lives as long as the process, which drops none: its exit status is all that it leaves.
fn part<T>(part: T) -> &'static T {
    Box::leak(Box::new(part))
}

fn run(
    arguments: monitor::Arguments,
    helper: OwnedFd,
    told: OwnedFd,
    alive: OwnedFd,
    before: &OwnedFd,
) -> Result<Infallible, String> {
    if arguments.version != VERSION {
        return Err(OTHER_VERSION.into());
    }
    let monitor: &Monitor = part(Monitor::new(arguments, before));
    let startup::Started { config, given, channel, listener, roots, behind } =
        startup::start(helper, &told)?;
    #[cfg(feature = "fault-points")]
    clock::ahead::follow(&config.log.spool);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .map_err(|error| format!("event loop: {}", errors::words(&error)))?;
    let config: &Config = part(config);
    let tables: &Tables = part(Tables::new(config));
    let guard: &Guard = part(guard::of_config(config, &given.protected));
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let (reload, limit) = (config.tables.reload, given.start.table_entries);
        let link: &Link = part(Link::start(channel, tables, limit)?);
        let events: &Events = part(Events::load(&config.log.spool));
        recover::recover(config, tables, guard, link, events).await;
        let days: &Days = part(Days::load(config.log.spool.clone(), tables, events));
        let state: &State = part(State::load(config, tables, days, link, events).await?);
        monitor.resume(state);
        events.left(&subjects::all(config, tables), subjects::is_any);
        let runs: &Runs = part(Runs::default());
        let leave: &Leave = part(Leave::new(runs, state));
        // without a list of the service nobody asks them
        let of_the_service: &[_] =
            if config.policy.is_asked() { &config.policy.servers } else { &[] };
        let servers: &Servers = part(Servers::new(of_the_service));
        let names: &Names = part(Names::new(config, events));
        let shield = given.protected.iter().map(|protected| protected.net).collect();
        let never = Never::load(config, state.directory(), events);
        let protect: &Protect =
            part(Protect::new((given.protected, given.interfaces), names, never, state));
        let files: &Files = part(Files::new(config, link));
        let own: &Own = part(Own::load(state.directory(), clock::now(), events));
        let watch: &Watch = part(Watch::new(&config.tables, guard, link, state, events));
        let alarm: &Alarm = part(Alarm::new(config, state, monitor, events));
        let feeds: &Feeds = part(Feeds::start(config, state, shield, &roots)?);
        let log: &Log = part(Log::open(config, &roots, days, events)?);
        let publisher = Publisher::new(guard, link, state, watch, leave, (reload, limit));
        let service = Service::new(config, servers, names, &runs.told);
        let asked = Asked { service, feeds, files, own };
        let update: &Update = part(Update::new(
            (config, guard),
            (state, runs, days, events),
            protect,
            asked,
            publisher,
            watch,
            leave,
        ));
        let own_commands = OwnCommands { config, own, guard, state, protect, update };
        let overview = Overview {
            config,
            limit,
            state,
            link,
            log,
            monitor,
            servers,
            runs,
            own,
            feeds,
            protect,
            watch,
            alarm,
            events,
        };
        let owner = given.start.owner;
        let handler: &Handler = part(Handler {
            config,
            owner,
            monitor,
            link,
            state,
            servers,
            feeds,
            log,
            log_checks: LogChecks::default(),
            days,
            events,
            watchers: Watchers::default(),
            update,
            leave,
            own_commands,
            overview,
        });
        tokio::task::spawn_local(monitor::listen(monitor, events, told, behind));
        tokio::task::spawn_local(watch.watch(runs));
        tokio::task::spawn_local(alarm.watch());
        tokio::task::spawn_local(schedule::names(names, protect, update));
        tokio::task::spawn_local(schedule::never(protect, update));
        tokio::task::spawn_local(schedule::local(config.tables.check_interval, files, update));
        tokio::task::spawn_local(schedule::own(own, update));
        tokio::task::spawn_local(schedule::again(runs, update));
        tokio::task::spawn_local(days.keep());
        if config.log.enabled {
            tokio::task::spawn_local(log::follow(log, link, state));
            tokio::task::spawn_local(log.schedule());
        } else {
            tokio::task::spawn_local(log.wind_up());
        }
        tokio::task::spawn_local(control::serve(handler, listener));
        tokio::task::spawn_local(monitor::live(alive));
        schedule::run(config, state, monitor, runs, update).await
    })
}
