//! Everything that needs root, in the order in which it is done; at its end the sandbox closes.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::Instant;

use config::{Backend, Config};
use imsg::{Channel, EngineMessage, HelperMessage, MAX_PAYLOAD, Protected, Start, TableId};
use nix::errno::Errno;
use nix::fcntl::{FlockArg, OFlag};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use nix::sys::stat::{Mode, fstat, umask};
use nix::unistd::{Uid, User, daemon};
use pf::{Directory, Kernel, Simulated};
use sandbox::Sandbox;

use crate::dispatch::{Dispatcher, Tables};
use crate::inherit::{Kept, State};
use crate::serve::Server;
use crate::transaction::Shield;
use crate::{DEFAULT_SOCKET, Flags, engine, protect};

/// All that the helper may do once it has started, its own re-execution included.
const PROMISES: &str = "stdio rpath wpath cpath sendfd exec pf";
/// Octets of messages that may wait for the engine, besides a listed table.
const QUEUE: usize = 1 << 20;
/// A local file of the administrator, as it is waiting to be sent.
type LocalFile = (TableId, OwnedFd);

/// What a first start begins with: its flags, and paths made absolute before daemon(3) changes
/// the directory.
///
/// # Errors
/// When this program cannot be found, or there is no current directory.
pub fn first(flags: &Flags) -> Result<State, String> {
    let absolute = |path: &Path| {
        std::path::absolute(path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let own = PathBuf::from(std::env::args_os().next().unwrap_or_default());
    let program = if own.as_os_str().as_bytes().contains(&b'/') {
        absolute(&own)?
    } else {
        // as execvp(3) has found it
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = std::env::split_paths(&path).map(|dir| dir.join(&own)).find(|at| at.is_file());
        absolute(&found.ok_or("not in PATH: start threatstopd by its absolute path")?)?
    };
    Ok(State {
        verbose: flags.verbose,
        program,
        config: absolute(flags.config.as_deref().unwrap_or(config::DEFAULT_PATH.as_ref()))?,
        socket: absolute(flags.socket.as_deref().unwrap_or(DEFAULT_SOCKET.as_ref()))?,
        ..State::default()
    })
}

/// Starts: from here to the sandbox everything that root alone can do.
///
/// # Errors
/// With what, why and the way out. Tables and files are as they were.
pub fn start(debug: bool, state: &mut State, kept: &mut Kept) -> Result<Server, String> {
    let (config, text) = read_config(kept, &state.config)?;
    let privileged = Uid::effective().is_root();
    check_user(&config, privileged)?;
    let program = engine::program(&state.program, privileged)?;

    let path = &config.tables.directory;
    let directory = Directory::open(path).map_err(|error| error.to_string())?;
    kept.lock = Some(lock(&directory, path, kept.lock.take())?);
    let tables = open_tables(&config, directory)?;
    let networks = protect::networks(&config)?;
    let local = local_files(&config)?;
    setrlimit(Resource::RLIMIT_CORE, 0, 0).map_err(|errno| format!("setrlimit: {errno}"))?;
    if !debug && !state.daemonized {
        daemon(false, false).map_err(|errno| format!("daemon: {errno}"))?;
        state.daemonized = true;
    }
    logger::init(debug, state.verbose);
    if kept.config.is_none() {
        kept.config = Some(keep(&text, path)?);
    }

    let pair = socketpair(
        AddressFamily::Unix,
        SockType::Stream,
        None,
        SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
    );
    let (ours, theirs) = pair.map_err(|errno| format!("socketpair: {errno}"))?;
    let listener = bind(&state.socket)?;
    let child = engine::spawn(&program, &theirs)?;
    let started = Instant::now();
    drop(theirs);

    let listing = config.guard.max_entries as usize * 17;
    let mut channel = Channel::new(ours, QUEUE + listing);
    let start = Start {
        table_entries: u32::try_from(tables.limit).unwrap_or(u32::MAX),
        owner: Uid::current().as_raw(),
        privileged,
        verbose: state.verbose,
        foreground: debug,
    };
    greet(&mut channel, &text, start, &networks, local, listener)
        .map_err(|error| format!("engine: {error}"))?;
    let confined = confine(&config, state)?;
    logger::info(format_args!(
        "threatstopd {} started, engine {child}{}",
        env!("CARGO_PKG_VERSION"),
        if confined == Sandbox::Unavailable { ", without pledge(2) and unveil(2)" } else { "" }
    ));
    let directory = path.clone();
    let dispatcher = Dispatcher::new(config, tables, Shield::new(&networks));
    Ok(Server { dispatcher, channel, child, started, directory, config: state.config.clone() })
}

/// The configuration to use: the one handed over, else the file.
fn read_config(kept: &Kept, path: &Path) -> Result<(Config, String), String> {
    let Some(fd) = &kept.config else {
        return config::read(path).map_err(|error| error.to_string());
    };
    let copied = fd.try_clone().map(File::from).and_then(|mut file| file.rewind().map(|()| file));
    let file = copied.map_err(|error| format!("kept configuration: {error}"))?;
    let text = config::read_text(file, path).map_err(|error| error.to_string())?;
    let config = Config::parse(&text, path).map_err(|error| error.to_string())?;
    Ok((config, text))
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

fn check_user(config: &Config, privileged: bool) -> Result<(), String> {
    if !privileged {
        return match config.tables.backend {
            Backend::Simulated => Ok(()),
            Backend::Pf => Err("need root privileges".into()),
        };
    }
    let name = config.user.as_str();
    match User::from_name(name) {
        Ok(Some(user)) if user.uid.is_root() => Err(format!("user {name} is root: set another")),
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(format!("unknown user {name}: reinstall the package, or set user")),
        Err(errno) => Err(format!("user {name}: {errno}")),
    }
}

/// One instance for a table directory. The lock goes from image to image.
#[expect(deprecated, reason = "nix's guard unlocks when dropped, which the pledge forbids")]
fn lock(directory: &Directory, path: &Path, held: Option<OwnedFd>) -> Result<OwnedFd, String> {
    let failed = |errno: Errno| format!("{}: lock: {}", path.display(), errno.desc());
    let place = |fd: &OwnedFd| fstat(fd).map(|stat| (stat.st_dev, stat.st_ino));
    let wanted = place(&directory.fd).map_err(failed)?;
    if let Some(held) = held
        && place(&held) == Ok(wanted)
    {
        return Ok(held);
    }
    let fd = directory.fd.try_clone().map_err(|error| error.to_string())?;
    match nix::fcntl::flock(fd.as_raw_fd(), FlockArg::LockExclusiveNonblock) {
        Ok(()) => Ok(fd),
        Err(Errno::EWOULDBLOCK) => Err("threatstopd already running".into()),
        Err(errno) => Err(failed(errno)),
    }
}

fn open_tables(config: &Config, directory: Directory) -> Result<Tables, String> {
    let settings = &config.tables;
    let (backend, limit): (Box<dyn pf::Backend>, _) = match settings.backend {
        Backend::Pf => {
            let kernel = Kernel::open().map_err(|error| error.to_string())?;
            let limit = kernel.limit;
            (Box::new(kernel), limit)
        }
        Backend::Simulated => {
            let limit = settings.simulated_limit as usize;
            let simulated = Simulated::open(&settings.directory, limit);
            (Box::new(simulated.map_err(|error| error.to_string())?), limit)
        }
    };
    let anchor = settings.anchor.as_ref().map_or("", |anchor| anchor.as_str());
    let table = |name: &config::TableName, may_be_empty| {
        pf::Table::new(anchor, name.as_str(), may_be_empty)
            .ok_or_else(|| format!("pf takes no table <{name}> in anchor \"{anchor}\""))
    };
    Ok(Tables {
        block: table(&settings.block, false)?,
        allow: table(&settings.allow, true)?,
        backend,
        limit,
        directory,
    })
}

/// Opens the administrator's own lists; which user may read them is his affair.
fn local_files(config: &Config) -> Result<Vec<LocalFile>, String> {
    let policy = &config.policy;
    let named = [(TableId::Block, &policy.local_block), (TableId::Allow, &policy.local_allow)];
    let mut files = Vec::new();
    for (table, path) in named {
        let Some(path) = path else { continue };
        let failed = |why: &dyn std::fmt::Display| {
            format!("{}: {why}; create it, or unset local_{}", path.display(), table.word())
        };
        let flags = OFlag::O_NONBLOCK.bits();
        let file = OpenOptions::new().read(true).custom_flags(flags).open(path);
        let file = file.map_err(|error| failed(&error))?;
        if !file.metadata().is_ok_and(|meta| meta.is_file()) {
            return Err(failed(&"not a regular file"));
        }
        files.push((table, file.into()));
    }
    Ok(files)
}

/// Binds the control socket, mode 0660; the group is that of the directory, on OpenBSD wheel.
fn bind(path: &Path) -> Result<OwnedFd, String> {
    let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    // Whoever holds the lock is alone, so a socket that is there is a stale one.
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.file_type().is_socket() => {
            fs::remove_file(path).map_err(|error| failed(&error))?;
        }
        Ok(_) => return Err(failed(&"is there and is no socket; remove it, or use -s")),
        Err(_) => {}
    }
    let before = umask(Mode::from_bits_truncate(0o117));
    let bound = UnixListener::bind(path);
    umask(before);
    let listener = bound.map_err(|error| failed(&error))?;
    listener.set_nonblocking(true).map_err(|error| failed(&error))?;
    Ok(listener.into())
}

/// All that the engine needs to begin.
fn greet(
    channel: &mut Channel,
    text: &str,
    start: Start,
    networks: &[Protected],
    local: Vec<LocalFile>,
    listener: OwnedFd,
) -> Result<(), imsg::ImsgError> {
    HelperMessage::hello().queue(channel, 0, None)?;
    for part in text.as_bytes().chunks(MAX_PAYLOAD) {
        HelperMessage::Config(part.to_vec()).queue(channel, 0, None)?;
    }
    HelperMessage::Start(start).queue(channel, 0, None)?;
    for part in networks.chunks(Protected::CAPACITY) {
        HelperMessage::Protected(part.to_vec()).queue(channel, 0, None)?;
    }
    for (table, fd) in local {
        HelperMessage::LocalFile { table }.queue(channel, 0, Some(fd))?;
    }
    HelperMessage::ControlSocket.queue(channel, 0, Some(listener))?;
    HelperMessage::Ready.queue(channel, 0, None)
}

/// Closes the sandbox: what is named here is all of the file system that is left.
fn confine(config: &Config, state: &State) -> Result<Sandbox, String> {
    let mut veil: Vec<(PathBuf, &str)> = vec![
        (state.config.clone(), "r"),
        (config.tables.directory.clone(), "rwc"),
        (state.program.clone(), "x"),
    ];
    if config.log.enabled {
        let logs = (0..=EngineMessage::MAX_GENERATION).flat_map(|n| log_paths(&config.log.file, n));
        veil.extend(logs.map(|path| (path, "r")));
    }
    let veil: Vec<(&Path, &str)> = veil.iter().map(|(path, how)| (path.as_path(), *how)).collect();
    sandbox::enter(&veil, PROMISES)
}

/// Where a generation of the packet log may be: 0 is FILE, n + 1 is FILE.n or FILE.n.gz.
pub fn log_paths(file: &Path, generation: u8) -> Vec<PathBuf> {
    let Some(number) = generation.checked_sub(1) else { return vec![file.to_path_buf()] };
    let suffixed = |suffix: String| {
        let mut path = file.as_os_str().to_os_string();
        path.push(suffix);
        PathBuf::from(path)
    };
    vec![suffixed(format!(".{number}")), suffixed(format!(".{number}.gz"))]
}
