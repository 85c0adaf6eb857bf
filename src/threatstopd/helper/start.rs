//! Everything that needs root, in the order in which it is done; at its end the sandbox closes.

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::Duration;

use config::{Backend, Config, PfTable};
use imsg::{Channel, End, FileId, HelperMessage, Protected, Start};
use imsg::{process, signals, told};
use nix::sys::signal::Signal;
use nix::sys::stat::{Mode, umask};
use nix::unistd::{Uid, User};
use pf::{Directory, Kernel, Simulated};

use crate::dispatch::{Dispatcher, Tables, log_path, suffixed};
use crate::lock::lock;
use crate::{Failure, Flags, On as _, protect};

/// All that the helper may do once it has started.
const PROMISES: &str = "stdio rpath wpath cpath sendfd pf";
/// Octets of messages that may wait for the engine.
const QUEUE: usize = 1 << 20;
/// How long helper and engine of a service that was killed may take to leave.
const PARTING: Duration = Duration::from_secs(5);

/// The way out on other systems, where the default of the configuration cannot work.
const NO_PF: &str = "this system has no pf: set backend = \"simulated\" in [tables] to try it out";

/// The helper once it has started.
pub struct Server {
    /// What it does for the engine.
    pub dispatcher: Dispatcher,
    /// The way to the engine.
    pub channel: Channel,
    /// Its own lock, and that of the engine's directory.
    _locks: [OwnedFd; 2],
}

/// Starts: from here to the sandbox everything that root alone can do.
///
/// # Errors
/// With what, why and the way out. Tables and files are as they were.
pub fn start(flags: &Flags, engine: OwnedFd, told: &OwnedFd) -> Result<Server, Failure> {
    signals::block()?;
    signals::install(&[Signal::SIGHUP, Signal::SIGINT, Signal::SIGUSR1])?;
    process::set_title(c"helper");
    let Some((text, _)) = told::configuration(told)? else { End::Left.leave() };
    let config = Config::parse(&text, &flags.config)?;
    let user = user(&config)?;

    let directory = Directory::open(&config.tables.directory)?;
    let own = config.tables.directory.join("helper.lock");
    let busy = format!("{}: a helper that was left behind is still at work", own.display());
    let locks = [lock(&own, PARTING, &busy)?, spool(&config, user.as_ref())?];
    config.apart(&flags.socket)?;
    let (tables, limit) = open_tables(&config, directory)?;
    let networks = protect::networks(&config)?;
    // somebody may still read it; what is not there holds up nothing else
    config.missing_files().iter().for_each(|(_, why)| logger::warn(why));
    let listener = bind(&flags.socket)?;

    // All that the engine needs to begin.
    let mut channel = Channel::new(engine, QUEUE);
    HelperMessage::hello().queue(&mut channel, 0, None)?;
    let start = Start {
        table_entries: u32::try_from(limit).unwrap_or(u32::MAX),
        owner: Uid::current().as_raw(),
        privileged: user.is_some(),
    };
    HelperMessage::Start(start).queue(&mut channel, 0, None)?;
    for part in networks.chunks(Protected::CAPACITY) {
        HelperMessage::Protected(part.to_vec()).queue(&mut channel, 0, None)?;
    }
    HelperMessage::ControlSocket.queue(&mut channel, 0, Some(listener))?;
    HelperMessage::Ready.queue(&mut channel, 0, None)?;

    let _ = confine(&config)?;
    let dispatcher = Dispatcher::new(config, tables, networks.iter().map(|one| one.net).collect());
    Ok(Server { dispatcher, channel, _locks: locks })
}

/// Whom the engine becomes; nobody else than root can have it become somebody.
///
/// # Errors
/// When there is no such user, or it is of no use; for others than root, when pf is wanted.
pub fn user(config: &Config) -> Result<Option<User>, Failure> {
    match (config.tables.backend, Uid::effective().is_root()) {
        (Backend::Pf, true) if cfg!(not(target_os = "openbsd")) => return Err(NO_PF.into()),
        (Backend::Pf, false) if cfg!(not(target_os = "openbsd")) => {
            return Err(format!("need root privileges; {NO_PF}").into());
        }
        (Backend::Pf, false) => return Err("need root privileges".into()),
        (Backend::Simulated, false) => return Ok(None),
        (_, true) => {}
    }
    Ok(Some(config.engine()?))
}

/// Locks the engine's own directory, which the user that the engine becomes could not make, for the
/// engine of this helper: a lock of the engine's would outlive it where connections that linger keep the
/// kernel from ending it. The lock is beside the directory: within, the engine could put something else
/// in its place, with which no helper would start again.
fn spool(config: &Config, user: Option<&User>) -> Result<OwnedFd, Failure> {
    let shown = config.log.spool.display();
    let found = fs::canonicalize(&config.log.spool).on(&shown).map_err(|why| {
        let owner = user.map(|user| format!("-o {} ", user.name)).unwrap_or_default();
        format!("{why}; make it: install -d -m 700 {owner}{shown}")
    })?;
    let taken = format!("{shown}: another threatstopd uses it: set log.spool");
    lock(&suffixed(&found, ".lock"), PARTING, &taken)
}

/// The tables, and how many entries their pf has room for.
fn open_tables(config: &Config, directory: Directory) -> Result<(Tables, usize), Failure> {
    let settings = &config.tables;
    let (backend, limit): (Box<dyn pf::Backend>, _) = match settings.backend {
        Backend::Pf => {
            let kernel = Kernel::open()?;
            let limit = kernel.limit;
            (Box::new(kernel), limit)
        }
        Backend::Simulated => {
            let limit = settings.simulated_limit as usize;
            (Box::new(Simulated::open(&settings.directory, limit)?), limit)
        }
    };
    let anchor = settings.anchor.as_ref().map_or("", |anchor| anchor.as_str());
    let table = |PfTable { name, kind, .. }| {
        pf::Table::new(anchor, name.as_str(), kind)
            .ok_or_else(|| format!("pf takes no table <{name}> in anchor \"{anchor}\""))
    };
    let all = config.pf_tables().map(table).collect::<Result<_, _>>()?;
    Ok((Tables { all, backend, directory, reload: settings.reload }, limit))
}

/// Binds the control socket, mode 0660; the group is that of the directory, on OpenBSD wheel. The
/// monitor has the lock that says that a socket which is there is a stale one.
fn bind(path: &Path) -> Result<OwnedFd, Failure> {
    let elsewhere = |why| format!("{why}; use -s to put the control socket elsewhere");
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.file_type().is_socket() => {
            fs::remove_file(path).on(path.display()).map_err(elsewhere)?;
        }
        Ok(_) => {
            let why = "is there and is no socket; remove it, or use -s";
            return Err(format!("{}: {why}", path.display()).into());
        }
        Err(_) => {}
    }
    let before = umask(Mode::from_bits_truncate(0o117));
    let bound = UnixListener::bind(path);
    umask(before);
    let listener = bound.on(path.display()).map_err(elsewhere)?;
    listener.set_nonblocking(true)?;
    Ok(listener.into())
}

/// Closes the sandbox: what is named here is all of the file system that is left.
fn confine(config: &Config) -> Result<sandbox::Sandbox, String> {
    let generations = config.log.enabled.then_some(0..=FileId::MAX_GENERATION);
    let paths = |n| ["", ".gz"].map(|suffix| log_path(config, n, suffix));
    let logs: Vec<_> = generations.into_iter().flatten().flat_map(paths).collect();
    let mut veil = vec![(&*config.tables.directory, "rwc")];
    // unveil(2) takes a file that is not there yet, and no directory that is not
    let lists = config.policy.local_block.iter().chain(&config.policy.local_allow);
    let files = lists.chain(&logs).filter(|path| path.parent().is_some_and(Path::is_dir));
    veil.extend(files.map(|path| (path.as_path(), "r")));
    sandbox::enter(&veil, PROMISES)
}
