//! The first image, from its first instruction to the sandbox: what has to be so before there is a
//! service, and the process that waits until there is one.

use std::ffi::{CString, OsString};
use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use imsg::{process, signals};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::kill;
use nix::unistd::{Pid, Uid, chdir, dup2_stdin, dup2_stdout, pipe2, setsid, write};
use pf::Directory;
use sandbox::Sandbox;

use crate::helper::start;
use crate::lock::{self, lock};
use crate::{Failure, Flags, words};

/// All that the monitor may do once it watches.
const PROMISES: &str = "stdio rpath proc exec";
/// How long the first process waits for the service; rc.subr(8) gives up after 30 s.
const PATIENCE: Duration = Duration::from_secs(15);

/// What whoever starts it a second time is told.
const RUNNING: &str = "threatstopd already running";

/// What the monitor begins with and keeps to its end.
pub struct Service {
    /// The command line, its paths absolute.
    pub flags: Flags,
    /// The programs of helper and engine, fixed here.
    pub programs: [CString; 2],
    /// The table directory, which this service has locked.
    pub directory: PathBuf,
    /// The text of the configuration.
    pub text: String,
    /// Whether pledge(2) holds this process.
    pub confined: Sandbox,
    /// The process that waits for the service, unless in the foreground.
    waiting: Option<OwnedFd>,
    /// One instance for a table directory and for a control socket. The locks belong to the open files,
    /// and go with this process alone.
    _locks: [OwnedFd; 2],
}

/// Who goes on after [`begin`].
pub enum Role {
    /// The first process, which has nothing to do any more.
    First(ExitCode),
    /// The service.
    Monitor(Box<Service>),
}

/// Looks whether there can be a service, takes the locks, goes into the background unless in the
/// foreground, and closes the sandbox.
///
/// # Errors
/// With what, why and the way out.
pub fn begin(mut flags: Flags) -> Result<Role, Failure> {
    signals::block()?;
    signals::install(&[])?;
    logger::init(flags.debug, flags.verbose);
    let home = std::env::current_dir().map_err(|error| format!("getcwd: {}", words(&error)))?;
    flags.config = home.join(flags.config);
    flags.socket = home.join(flags.socket);
    config::check_socket(&flags.socket)?;
    let (config, text) = config::read(&flags.config)?;
    start::user(&config)?;
    let [own, engine] = programs(&home)?;
    let directory = config.tables.directory;
    let tables = Directory::open(&directory)?;
    if tables.close_to_others()? {
        let why = "others had access to it; it has mode 0700 now";
        logger::warn(format_args!("{}: {why}", directory.display()));
    }
    let locks = [
        lock(&tables.fd, &directory.join("lock"), Duration::ZERO, RUNNING)?,
        // Who holds it may remove a socket that an earlier one has left. Whether somebody answers there
        // says nothing: connect(2) is refused by a dead socket and by one whose queue is full.
        lock::beside(&flags.socket, Duration::ZERO, RUNNING)
            .map_err(|why| format!("{why}; use -s to put the control socket elsewhere"))?,
    ];
    // the children have what this process has: a core would hold the device id
    setrlimit(Resource::RLIMIT_CORE, 0, 0)
        .map_err(|errno| format!("RLIMIT_CORE: {}", errno.desc()))?;
    let mut waiting = None;
    if !flags.debug {
        let (reader, writer) = pipe2(OFlag::O_CLOEXEC).map_err(failed("pipe"))?;
        if let Some(monitor) = process::fork().map_err(failed("fork"))? {
            drop((writer, locks));
            return Ok(Role::First(wait(&reader, monitor)?));
        }
        setsid().map_err(failed("setsid"))?;
        waiting = Some(writer);
    }
    chdir("/").map_err(failed("chdir: /"))?;
    let null = File::options().read(true).write(true).open("/dev/null");
    let null = null.map_err(|error| format!("/dev/null: {}", words(&error)))?;
    dup2_stdin(&null).and_then(|()| dup2_stdout(&null)).map_err(failed("dup2"))?;
    let confined = sandbox::enter(
        &[(flags.config.as_path(), "r"), (own.as_path(), "x"), (engine.as_path(), "x")],
        PROMISES,
    )?;
    Ok(Role::Monitor(Box::new(Service {
        flags,
        programs: [c_string(own)?, c_string(engine)?],
        directory,
        text,
        confined,
        waiting,
        _locks: locks,
    })))
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

/// Waits for the service, hands on what asks it to stop, and gives the exit status of the start.
fn wait(service: &OwnedFd, monitor: Pid) -> Result<ExitCode, Failure> {
    let end = Instant::now() + PATIENCE;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let mut fds = [signals::watch(service, true, false)];
        let caught = signals::wait(&mut fds, Some(left))?;
        if let Some(signal) = caught.stop() {
            let _ = kill(monitor, signal);
        }
        if fds[0].revents != 0 {
            // its end says that the service is gone, and why was told on stderr
            let ready = nix::unistd::read(service, &mut [0]).map_err(failed("pipe"))? == 1;
            return Ok(if ready { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        if left.is_zero() {
            let secs = PATIENCE.as_secs();
            let why = "it goes on trying, and /var/log/daemon says what it waits for";
            return Err(format!("not ready after {secs} s: {why}").into());
        }
    }
}

/// The programs of helper and engine: this one, as execvp(3) found it from the directory of the start,
/// and the one beside it, or in the libexec directory next to its own.
///
/// # Errors
/// When one is missing, or when this is root and somebody else could have put it there.
fn programs(home: &Path) -> Result<[PathBuf; 2], Failure> {
    let own = PathBuf::from(std::env::args_os().next().unwrap_or_default());
    let own = if own.as_os_str().as_bytes().contains(&b'/') {
        home.join(own)
    } else {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut places = std::env::split_paths(&path).map(|dir| home.join(dir).join(&own));
        let found = places.find(|place| place.is_file());
        found.ok_or("not in PATH: start threatstopd by its absolute path")?
    };
    let name = "threatstopd-engine";
    let places = [own.with_file_name(name), own.with_file_name("../libexec").join(name)];
    // without "..", and the file itself where a name is a link
    let mut found = places.iter().filter_map(|path| fs::canonicalize(path).ok());
    let engine = found.find(|path| path.is_file()).ok_or_else(|| {
        format!("{}: no {name} there or in ../libexec; reinstall the package", own.display())
    })?;
    let own =
        fs::canonicalize(&own).map_err(|error| format!("{}: {}", own.display(), words(&error)))?;
    for path in [&own, &engine] {
        let meta =
            fs::metadata(path).map_err(|error| format!("{}: {}", path.display(), words(&error)))?;
        if Uid::effective().is_root() && (meta.uid() != 0 || meta.mode() & 0o022 != 0) {
            let path = path.display();
            let why = "must be writable by root only: chown root; chmod go-w";
            return Err(format!("{path}: {why} {path}").into());
        }
    }
    Ok([own, engine])
}

fn c_string(path: PathBuf) -> Result<CString, std::ffi::NulError> {
    CString::new(OsString::from(path).into_vec())
}

fn failed(what: &'static str) -> impl Fn(Errno) -> String {
    move |errno| format!("{what}: {}", errno.desc())
}
