//! The first image, from its first instruction to the sandbox: what has to be so before there is a
//! service, and the process that waits until there is one.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use imsg::{End, process, signals};
use nix::fcntl::OFlag;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::kill;
use nix::unistd::{Pid, Uid, chdir, dup2_stdin, dup2_stdout, pipe2, read, setsid, write};
use pf::Directory;
use sandbox::Sandbox;

use crate::failure::{Failure, On as _};
use crate::flags::Flags;
use crate::helper::start;
use crate::lock::{lock, suffixed};

/// All that the monitor may do once it watches.
const PROMISES: &str = "stdio rpath proc exec";
/// How long the first process waits for the service; rc.subr(8) gives up after 30 s.
const PATIENCE: Duration = Duration::from_secs(15);
/// What whoever starts it a second time is told.
const RUNNING: &str = "threatstopd already running";
/// What the children keep of the environment.
const KEPT: &[&str] =
    if cfg!(feature = "fault-points") { &["TZ", "THREATSTOPD_FAULT"] } else { &["TZ"] };

/// What the monitor begins with and keeps to its end.
pub struct Service {
    /// The command line, its paths absolute.
    pub flags: Flags,
    /// The programs of helper, engine and what ends states, fixed here.
    pub programs: [PathBuf; 3],
    /// What these find in their environment.
    pub environment: Vec<OsString>,
    /// The table directory, which this service has locked.
    pub directory: PathBuf,
    /// The process that waits for the service, unless in the foreground.
    waiting: Option<OwnedFd>,
    /// One instance for a table directory and for a control socket. The locks belong to the open files,
    /// and go with this process alone.
    _locks: [OwnedFd; 2],
}

/// Looks whether there can be a service, takes the locks, goes into the background unless in the
/// foreground, and closes the sandbox; gives the text of the configuration, too. The first process does
/// not come back.
///
/// # Errors
/// With what, why and the way out.
pub fn begin(mut flags: Flags) -> Result<(Service, String), Failure> {
    signals::block()?;
    signals::install(&[])?;
    logger::init(flags.debug, flags.verbose);
    let home = std::env::current_dir().on("getcwd")?;
    flags.config = home.join(flags.config);
    flags.socket = home.join(flags.socket);
    config::check_socket(&flags.socket)?;
    let (config, text) = config::read(&flags.config)?;
    start::user(&config, &flags.socket)?;
    let programs = programs(&home, config.tables.kill_states)?;
    let directory = config.tables.directory;
    if Directory::open(&directory)?.was_open {
        let why = "others had access to it; it has mode 0700 now";
        logger::warn(format_args!("{}: {why}", directory.display()));
    }
    let _locks = [
        lock(&directory.join("lock"), Duration::ZERO, RUNNING)?,
        // Who holds it may remove a socket that an earlier one has left. Whether somebody answers there
        // says nothing: connect(2) is refused by a dead socket and by one whose queue is full.
        lock(&suffixed(&flags.socket, ".lock"), Duration::ZERO, RUNNING)
            .map_err(|why| format!("{why}; use -s to put the control socket elsewhere"))?,
    ];
    // the children have what this process has: a core would hold the device id
    setrlimit(Resource::RLIMIT_CORE, 0, 0).on("RLIMIT_CORE")?;
    let mut waiting = None;
    if !flags.debug {
        let (reader, writer) = pipe2(OFlag::O_CLOEXEC).on("pipe")?;
        if let Some(monitor) = process::fork().on("fork")? {
            drop((writer, _locks));
            wait(&reader, monitor)?.leave();
        }
        setsid().on("setsid")?;
        waiting = Some(writer);
    }
    chdir("/").on("chdir: /")?;
    let null = File::options().read(true).write(true).open("/dev/null").on("/dev/null")?;
    dup2_stdin(&null).and_then(|()| dup2_stdout(&null)).on("dup2")?;
    let mut veil = vec![(&*flags.config, "r")];
    veil.extend(programs.iter().map(|program| (&**program, "x")));
    if sandbox::enter(&veil, PROMISES)? == Sandbox::Unavailable {
        logger::info("this system has no pledge(2) and unveil(2): threatstopd is not confined");
    }
    let kept = std::env::vars_os().filter(|(name, _)| KEPT.iter().any(|kept| name == kept));
    let environment = kept.map(|(name, value)| [name, value].join(OsStr::new("="))).collect();
    Ok((Service { flags, programs, environment, directory, waiting, _locks }, text))
}

impl Service {
    /// There is a service: the first process may leave, and stderr is let go.
    pub fn is_ready(&mut self) {
        if let Some(waiting) = self.waiting.take() {
            // somebody may have killed it
            let _ = write(waiting, b"r");
        }
        logger::settle();
    }
}

/// Waits for the service, hands on what asks it to stop, and says how to leave.
fn wait(service: &OwnedFd, monitor: Pid) -> Result<End, Failure> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        let mut fds = [signals::watch(service, true, false)];
        signals::wait(&mut fds, Some(end.saturating_duration_since(Instant::now())))?;
        if let Some(signal) = signals::stop() {
            let _ = kill(monitor, signal);
        }
        if fds[0].revents != 0 {
            // its end says that the service is gone, and why was told on stderr
            let ready = read(service, &mut [0]).on("pipe")? == 1;
            return Ok(if ready { End::Left } else { End::Fault });
        }
    }
    let secs = PATIENCE.as_secs();
    let why = "it goes on trying, and /var/log/daemon says what it waits for";
    Err(format!("not ready after {secs} s: {why}").into())
}

/// The programs of helper and engine: this one, as execvp(3) found it from the directory of the start,
/// and the one beside it, or in the libexec directory next to its own; beside that the one that ends
/// states, which has to be there where the configuration wants it.
///
/// # Errors
/// When one is missing, or when this is root and somebody else could have put it there.
fn programs(home: &Path, kills: bool) -> Result<[PathBuf; 3], Failure> {
    let name = PathBuf::from(std::env::args_os().next().unwrap_or_default());
    let path = match name.components().count() {
        1 => std::env::var_os("PATH").unwrap_or_default(),
        _ => OsString::new(),
    };
    let mut places = std::env::split_paths(&path).map(|place| home.join(place).join(&name));
    let own = places.find(|place| place.is_file());
    let own = own.ok_or("not in PATH: start threatstopd by its absolute path")?;
    let name = "threatstopd-engine";
    let places = [own.with_file_name(name), own.with_file_name("../libexec").join(name)];
    let engine = places.iter().find(|path| path.is_file()).ok_or_else(|| {
        format!("{}: no {name} there or in ../libexec; reinstall the package", own.display())
    })?;
    let mut states = engine.with_file_name("threatstopd-states");
    if states.is_file() {
        states = ours(&states)?;
    } else if kills {
        let why = "not there, and tables.kill_states is true; reinstall the package";
        return Err(format!("{}: {why}", states.display()).into());
    }
    Ok([ours(&own)?, ours(engine)?, states])
}

/// A program's path without "..", and of the file itself where a name is a link.
///
/// # Errors
/// When this is root, and somebody else could have put it there.
fn ours(path: &Path) -> Result<PathBuf, Failure> {
    let path = fs::canonicalize(path).on(path.display())?;
    let meta = fs::metadata(&path).on(path.display())?;
    if Uid::effective().is_root() && (meta.uid() != 0 || meta.mode() & 0o022 != 0) {
        let why = "must be writable by root only: chown root; chmod go-w";
        return Err(format!("{0}: {why} {0}", path.display()).into());
    }
    Ok(path)
}
