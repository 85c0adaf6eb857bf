//! Everything that needs root, in the order in which it is done; at its end the sandbox closes.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use config::{Backend, Config};
use imsg::{
    Channel, EngineMessage, HelperMessage, MAX_PAYLOAD, Protected, Start, TableId, process,
};
use nix::errno::Errno;
use nix::fcntl::{FlockArg, OFlag};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, socket, socketpair};
use nix::sys::stat::{Mode, fstat, umask};
use nix::unistd::{Uid, User, daemon};
use pf::{Directory, Kernel, Simulated};
use sandbox::Sandbox;

use crate::dispatch::{Dispatcher, Tables, log_paths, open_regular};
use crate::inherit::State;
use crate::serve::Server;
use crate::{Failure, Flags, engine, protect};

/// All that the helper may do once it has started, its own re-execution included.
const PROMISES: &str = "stdio rpath wpath cpath sendfd exec pf";
/// Octets of messages that may wait for the engine, besides a listed table.
const QUEUE: usize = 1 << 20;
/// Octets of a listed prefix at most.
const LISTED: usize = 17;
/// How long an engine whose helper was killed may take to see that and leave.
const ORPHAN: Duration = Duration::from_secs(1);

/// This program, as execvp(3) found it from the directory of the first start.
///
/// # Errors
/// When it is in no directory of PATH.
pub fn own_program(home: &Path) -> Result<PathBuf, Failure> {
    let own = PathBuf::from(std::env::args_os().next().unwrap_or_default());
    if own.as_os_str().as_bytes().contains(&b'/') {
        return Ok(home.join(own));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).map(|dir| home.join(dir).join(&own));
    let found = places.find(|place| place.is_file());
    Ok(found.ok_or("not in PATH: start threatstopd by its absolute path")?)
}

/// Starts: from here to the sandbox everything that root alone can do. The paths of the flags and
/// `own`, this program, are absolute.
///
/// # Errors
/// With what, why and the way out. Tables and files are as they were.
pub fn start(flags: &Flags, own: &Path, state: &mut State) -> Result<Server, Failure> {
    let (config, text) = read_config(&state.config, &flags.config)?;
    let privileged = Uid::effective().is_root();
    check_user(&config, privileged)?;
    let program = engine::program(own, privileged)?;

    let path = &config.tables.directory;
    let directory = Directory::open(path)?;
    state.lock = Some(lock(&directory, path, state.lock.take())?);
    let (tables, limit) = open_tables(&config, directory)?;
    let networks = protect::networks(&config)?;
    let local = local_files(&config)?;
    check_directories(&config)?;
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    // On a later start whoever answered could only be an engine of ours, and that is dead.
    let patience = Instant::now() + ORPHAN;
    while state.first && answers(&flags.socket) {
        if Instant::now() > patience {
            return Err("threatstopd already running".into());
        }
        thread::sleep(ORPHAN / 20);
    }
    let listener = bind(&flags.socket)?;
    if state.first && !flags.debug {
        daemon(false, false).map_err(|errno| format!("daemon: {errno}"))?;
    }
    logger::init(flags.debug, state.verbose);
    if config.tables.reload {
        restore(&tables);
    }
    if state.config.is_none() {
        state.config = Some(keep(&text, path)?);
    }

    let close_on_exec = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::Stream, None, close_on_exec)
        .map_err(|errno| format!("socketpair: {}", errno.desc()))?;
    let zone = std::env::vars_os().filter(|(name, _)| name == "TZ");
    let child = process::spawn(&program, &theirs, zone)
        .map_err(|error| format!("{}: {error}", program.display()))?;
    state.child = Some(child);
    let started = Instant::now();
    drop(theirs);

    // All that the engine needs to begin.
    let listing = config.guard.max_entries as usize * LISTED;
    let mut channel = Channel::new(ours, QUEUE + listing);
    HelperMessage::hello().queue(&mut channel, 0, None)?;
    for part in text.as_bytes().chunks(MAX_PAYLOAD) {
        HelperMessage::Config(part.to_vec()).queue(&mut channel, 0, None)?;
    }
    let start = Start {
        table_entries: u32::try_from(limit).unwrap_or(u32::MAX),
        owner: Uid::current().as_raw(),
        privileged,
        verbose: state.verbose,
        foreground: flags.debug,
        reverted: state.reverted,
    };
    HelperMessage::Start(start).queue(&mut channel, 0, None)?;
    for part in networks.chunks(Protected::CAPACITY) {
        HelperMessage::Protected(part.to_vec()).queue(&mut channel, 0, None)?;
    }
    for (table, fd) in local {
        HelperMessage::LocalFile { table }.queue(&mut channel, 0, Some(fd))?;
    }
    HelperMessage::ControlSocket.queue(&mut channel, 0, Some(listener))?;
    HelperMessage::Ready.queue(&mut channel, 0, None)?;

    let confined = confine(&config, &flags.config, own)?;
    logger::info(format_args!(
        "threatstopd {} started, engine {child}{}",
        env!("CARGO_PKG_VERSION"),
        if confined == Sandbox::Unavailable { ", without pledge(2) and unveil(2)" } else { "" }
    ));
    let dispatcher = Dispatcher::new(config, tables, networks.iter().map(|one| one.net).collect());
    Ok(Server { dispatcher, channel, child, started })
}

/// The configuration to use: the one handed over, else the file.
fn read_config(kept: &Option<OwnedFd>, path: &Path) -> Result<(Config, String), Failure> {
    let Some(fd) = kept else { return Ok(config::read(path)?) };
    let mut file = File::from(fd.try_clone()?);
    file.rewind()?;
    let text = config::read_text(file, path)?;
    Ok((Config::parse(&text, path)?, text))
}

/// Keeps a configuration in a file without a name, which the next image inherits.
///
/// # Errors
/// When it cannot be written to the table directory.
pub fn keep(text: &str, directory: &Path) -> Result<OwnedFd, String> {
    let path = directory.join(".threatstopd.toml");
    // one that a crash left between the next two calls; the directory is ours alone
    let _ = fs::remove_file(&path);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true).mode(0o600);
    let file = options.custom_flags(OFlag::O_NOFOLLOW.bits()).open(&path);
    let kept = file.and_then(|mut file| {
        fs::remove_file(&path)?;
        file.write_all(text.as_bytes())?;
        Ok(file.into())
    });
    kept.map_err(|error| format!("{}: {error}", path.display()))
}

/// The way out on other systems, where the default of the configuration cannot work.
const NO_PF: &str = "this system has no pf: set backend = \"simulated\" in [tables] to try it out";

fn check_user(config: &Config, privileged: bool) -> Result<(), Failure> {
    match (config.tables.backend, privileged) {
        (Backend::Pf, true) if cfg!(not(target_os = "openbsd")) => return Err(NO_PF.into()),
        (Backend::Pf, false) if cfg!(not(target_os = "openbsd")) => {
            return Err(format!("need root privileges; {NO_PF}").into());
        }
        (Backend::Pf, false) => return Err("need root privileges".into()),
        (Backend::Simulated, false) => return Ok(()),
        (_, true) => {}
    }
    let name = config.user.as_str();
    match User::from_name(name) {
        Ok(Some(user)) if user.uid.is_root() => Err(format!("user {name} is root: set another"))?,
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(format!("unknown user {name}: reinstall the package, or set user"))?,
        Err(errno) => Err(format!("user {name}: {errno}"))?,
    }
}

/// What the engine or the sandbox would stumble over is told here, where somebody still reads it.
fn check_directories(config: &Config) -> Result<(), Failure> {
    let missing = |path: &Path| !path.parent().is_some_and(Path::is_dir);
    let (spool, log) = (config.log.spool.as_path(), config.log.file.as_path());
    if missing(spool) {
        let (path, user) = (spool.display(), config.user.as_str());
        let way_out = format!("make it: install -d -m 700 -o {user} {path}");
        return Err(format!("{path}: No such file or directory; {way_out}").into());
    }
    if config.log.enabled && missing(log) {
        let way_out = "make its directory, or set log.file";
        return Err(format!("{}: No such file or directory; {way_out}", log.display()).into());
    }
    Ok(())
}

/// One instance for a table directory. The lock goes from image to image.
#[expect(deprecated, reason = "nix's guard unlocks when dropped, which the pledge forbids")]
fn lock(directory: &Directory, path: &Path, held: Option<OwnedFd>) -> Result<OwnedFd, Failure> {
    let place = |fd: &OwnedFd| fstat(fd).map(|stat| (stat.st_dev, stat.st_ino));
    let wanted = place(&directory.fd)?;
    if let Some(held) = held
        && place(&held) == Ok(wanted)
    {
        return Ok(held);
    }
    let fd = directory.fd.try_clone()?;
    match nix::fcntl::flock(fd.as_raw_fd(), FlockArg::LockExclusiveNonblock) {
        Ok(()) => Ok(fd),
        Err(Errno::EWOULDBLOCK) => Err("threatstopd already running".into()),
        Err(errno) => Err(format!("{}: lock: {}", path.display(), errno.desc()).into()),
    }
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
    let table = |name: &config::TableName, may_be_empty| {
        pf::Table::new(anchor, name.as_str(), may_be_empty)
            .ok_or_else(|| format!("pf takes no table <{name}> in anchor \"{anchor}\""))
    };
    let both = [table(&settings.block, false)?, table(&settings.allow, true)?];
    Ok((Tables { both, backend, directory }, limit))
}

/// Makes files that are missing or damaged again of what pf has: else the next set would be compared
/// with none, and pf.conf(5) not be loaded at the next boot.
fn restore(tables: &Tables) {
    for (table, id) in tables.both.iter().zip(TableId::BY_NUMBER) {
        let word = id.word();
        match pf::restore(tables.backend.as_ref(), &tables.directory, table) {
            Ok(0) => {}
            Ok(n) => logger::warn(format_args!(
                "{word} table: file was missing or damaged; made again of {n} prefixes in pf"
            )),
            Err(error) => logger::err(format_args!("{word} table: {error}")),
        }
    }
}

/// Opens the administrator's own lists; which user may read them is his affair.
fn local_files(config: &Config) -> Result<Vec<(TableId, OwnedFd)>, Failure> {
    let policy = &config.policy;
    let named = [(TableId::Block, &policy.local_block), (TableId::Allow, &policy.local_allow)];
    let mut files = Vec::new();
    for (table, path) in named {
        let Some(path) = path else { continue };
        let (file, _) = open_regular(path, OFlag::empty()).map_err(|why| {
            let (path, word) = (path.display(), table.word());
            format!("{path}: {why}; create it, or unset local_{word}")
        })?;
        files.push((table, file));
    }
    Ok(files)
}

/// Whether somebody listens on the control socket: the lock is one for the table directory alone.
fn answers(path: &Path) -> bool {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let Ok(addr) = UnixAddr::new(path) else { return false };
    let Ok(fd) = socket(AddressFamily::Unix, SockType::Stream, flags, None) else { return false };
    // EAGAIN says that all places in the queue are taken
    matches!(connect(fd.as_raw_fd(), &addr), Ok(()) | Err(Errno::EAGAIN))
}

/// Binds the control socket, mode 0660; the group is that of the directory, on OpenBSD wheel.
fn bind(path: &Path) -> Result<OwnedFd, Failure> {
    let failed = |error: std::io::Error| {
        let why = Errno::try_from(error).map_or("not possible", Errno::desc);
        format!("{}: {why}; use -s to put the control socket elsewhere", path.display())
    };
    // Nobody answers there, so a socket that is there is a stale one.
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.file_type().is_socket() => fs::remove_file(path).map_err(failed)?,
        Ok(_) => {
            let why = "is there and is no socket; remove it, or use -s";
            return Err(format!("{}: {why}", path.display()).into());
        }
        Err(_) => {}
    }
    let before = umask(Mode::from_bits_truncate(0o117));
    let bound = UnixListener::bind(path);
    umask(before);
    let listener = bound.map_err(failed)?;
    listener.set_nonblocking(true)?;
    Ok(listener.into())
}

/// Closes the sandbox: what is named here is all of the file system that is left.
fn confine(config: &Config, file: &Path, own: &Path) -> Result<Sandbox, String> {
    let logs: Vec<PathBuf> = match config.log.enabled {
        true => (0..=EngineMessage::MAX_GENERATION)
            .flat_map(|n| log_paths(&config.log.file, n))
            .collect(),
        false => Vec::new(),
    };
    let mut veil = vec![(file, "r"), (&*config.tables.directory, "rwc"), (own, "x")];
    veil.extend(logs.iter().map(|path| (path.as_path(), "r")));
    sandbox::enter(&veil, PROMISES)
}
