//! Everything that needs root, in the order in which it is done; at its end the sandbox closes.

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::Duration;

use config::{Backend, Config, PfTable};
use imsg::{Channel, End, HelperMessage, Protected, Start, process, signals, told};
use nix::sys::signal::Signal;
use nix::sys::stat::{Mode, umask};
use nix::unistd::{Uid, User};
use pf::{Directory, Kernel, NO_PF, Simulated};

use crate::dispatch::{Dispatcher, Engine};
use crate::failure::{Failure, On as _};
use crate::flags::Flags;
use crate::lock::{lock, suffixed};
use crate::protect;

/// All that the helper may do once it has started.
const PROMISES: &str = "stdio rpath wpath cpath sendfd pf";
/// Octets of messages that may wait for the engine.
const QUEUE: usize = 1 << 20;
/// How long helper and engine of a service that was killed may take to leave.
const PARTING: Duration = Duration::from_secs(5);

/// The helper once it has started: what it does for the engine, the way to the engine, and its own lock
/// and that of the engine's directory.
pub type Started = (Dispatcher, Channel, [OwnedFd; 2]);

/// Starts: from here to the sandbox everything that root alone can do.
///
/// # Errors
/// With what, why and the way out. Tables and files are as they were.
pub fn start(flags: &Flags, engine: OwnedFd, told: &OwnedFd) -> Result<Started, Failure> {
    signals::block()?;
    signals::install(&[Signal::SIGHUP, Signal::SIGINT, Signal::SIGUSR1])?;
    process::set_title(c"helper");
    let Some((text, _)) = told::configuration(told)? else { End::Left.leave() };
    let config = Config::parse(&text, &flags.config)?;
    let user = user(&config, &flags.socket)?;

    let directory = Directory::open(&config.tables.directory)?;
    let own = config.tables.directory.join("helper.lock");
    let busy = format!("{}: a helper that was left behind is still at work", own.display());
    let locks = [lock(&own, PARTING, &busy)?, spool(&config, user.as_ref())?];
    let (pf, table_entries): (Box<dyn pf::Backend>, u32) = match config.tables.backend {
        Backend::Pf => Kernel::open("/dev/pf")?,
        Backend::Simulated => {
            let limit = config.tables.simulated_limit;
            (Box::new(Simulated::open(&config.tables.directory, limit as usize)?), limit)
        }
    };
    let anchor = config.tables.anchor.as_ref().map_or("", |anchor| anchor.as_str());
    let table = |PfTable { name, kind, .. }| {
        pf::Table::new(anchor, name.as_str(), kind)
            .ok_or_else(|| format!("pf takes no table <{name}> in anchor \"{anchor}\""))
    };
    let tables = config.pf_tables().map(table).collect::<Result<_, _>>()?;
    let networks = protect::networks(&config)?;
    // somebody may still read it; what is not there holds up nothing else
    config.missing_files().for_each(|(_, why)| logger::warn(why));
    let listener = bind(&flags.socket)?;

    // All that the engine needs to begin.
    let mut channel = Channel::new(engine, QUEUE);
    imsg::greet(&mut channel)?;
    for part in networks.chunks(Protected::CAPACITY) {
        HelperMessage::Protected(part.to_vec()).queue(&mut channel, 0)?;
    }
    let (owner, privileged) = (Uid::current().as_raw(), user.is_some());
    let start = Start { table_entries, owner, privileged };
    HelperMessage::Start(start, listener).queue(&mut channel, 0)?;

    // What is named here is all of the file system that is left.
    let files = config.unveiled();
    let mut veil = vec![(&*config.tables.directory, "rwc")];
    veil.extend(files.iter().map(|path| (&**path, "r")));
    let _ = sandbox::enter(&veil, PROMISES)?;
    let (shield, engine) = (networks.iter().map(|one| one.net).collect(), Engine::default());
    Ok((Dispatcher { config, tables, pf, directory, shield, engine }, channel, locks))
}

/// Whom the engine becomes; nobody else than root can have it become somebody. Before it is known that
/// root opens nothing in the engine's own directory, nothing is changed or made.
///
/// # Errors
/// When root would; when there is no such user, or it is of no use; for others than root, when pf is
/// wanted.
pub fn user(config: &Config, socket: &Path) -> Result<Option<User>, Failure> {
    config.apart(socket)?;
    let has_pf = cfg!(target_os = "openbsd");
    match (config.tables.backend, Uid::effective().is_root()) {
        (Backend::Pf, true) if !has_pf => Err(NO_PF.into()),
        (Backend::Pf, false) if !has_pf => Err(format!("need root privileges; {NO_PF}").into()),
        (Backend::Pf, false) => Err("need root privileges".into()),
        (Backend::Simulated, false) => Ok(None),
        (_, true) => Ok(Some(config.engine()?)),
    }
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

/// Binds the control socket, mode 0660; the group is that of the directory, on OpenBSD wheel. The
/// monitor has the lock that says that a socket which is there is a stale one.
fn bind(path: &Path) -> Result<OwnedFd, Failure> {
    let shown = path.display();
    let elsewhere = |why| format!("{why}; use -s to put the control socket elsewhere");
    match fs::symlink_metadata(path).map(|meta| meta.file_type().is_socket()) {
        Ok(true) => fs::remove_file(path).on(&shown).map_err(elsewhere)?,
        Ok(false) => Err(format!("{shown}: is there and is no socket; remove it, or use -s"))?,
        Err(_) => {}
    }
    // nothing else that is made here is for others
    umask(Mode::from_bits_truncate(0o117));
    let listener = UnixListener::bind(path).on(&shown).map_err(elsewhere)?;
    listener.set_nonblocking(true)?;
    Ok(listener.into())
}
