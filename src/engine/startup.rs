//! From the first instruction to the sandbox.
//!
//! Started by root, the engine reads its configuration from the helper, becomes the configured
//! user, and gives up everything that it will not need. Until then nothing has come from the
//! network.

use std::fs::File;
use std::os::fd::{AsRawFd as _, IntoRawFd as _, OwnedFd};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use config::Config;
use imsg::{
    Channel, EngineMessage, HelperMessage, Input, Protected, Reason, Start, TableId, VERSION,
};
use nix::errno::Errno;
use nix::fcntl::FlockArg;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use privdrop::PrivDrop;
use sandbox::Sandbox;

use crate::errors::words;
use crate::interfaces::{self, Interfaces};

/// What the engine may do: the net, names, its own directory, descriptors from the helper.
const PROMISES: &str = "stdio rpath wpath cpath inet dns recvfd";
/// Octets that may wait for the helper: more than the largest set in packed form.
const QUEUE: usize = 512 << 20;
/// How long the helper may take to say everything.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long an engine whose helper was killed may take to leave the spool.
const PARTING: Duration = Duration::from_secs(3);
/// Open files: sockets of a run, control clients, the log and its spool.
const FILES: u64 = 256;

/// What the helper said.
pub struct Given {
    /// Limits and identities.
    pub start: Start,
    /// The networks that it will refuse to block, worded for people.
    pub protected: Vec<policy::Protected>,
    /// What the interfaces had when it looked.
    pub interfaces: Interfaces,
    /// local_block and local_allow, opened.
    pub local: Vec<(TableId, File)>,
    /// The configuration as text; two are the same when this is.
    pub text: String,
}

/// All that the engine begins with.
pub struct Started {
    /// The configuration.
    pub config: Config,
    /// What the helper said besides.
    pub given: Given,
    /// The way to the helper.
    pub channel: Channel,
    /// The control socket.
    pub listener: std::os::unix::net::UnixListener,
    /// The certificates of `https.ca_file`.
    pub roots: crate::https::Roots,
}

/// Takes what the helper sends first, drops all privileges and closes the sandbox.
///
/// # Errors
/// When the helper is of another version, or any of the steps fails.
pub fn start(socket: OwnedFd) -> Result<Started, String> {
    let mut channel = Channel::new(socket, QUEUE);
    channel.expect_fd();
    let mut inbox = Inbox { channel: &mut channel, end: Instant::now() + PATIENCE };
    let (text, start) = inbox.configuration()?;
    logger::init(start.foreground, start.verbose);
    let path = Path::new("configuration");
    let config = Config::parse(&text, path).map_err(|error| error.to_string())?;

    let roots = crate::https::read_roots(&config.https.ca_file);
    // the zone's file is not visible later
    imsg::process::local_offset(0);
    limit(Resource::RLIMIT_CORE, 0)?;
    // where fewer are permitted, an engine that has those is better than one that does not start
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).map_err(failed_limit)?;
    limit(Resource::RLIMIT_NOFILE, FILES.min(most))?;
    if start.privileged {
        PrivDrop::default()
            .user(config.user.as_str())
            .apply()
            .map_err(|error| format!("{}: {}", config.user, words(&error)))?;
    }
    let owner = start.privileged.then_some(config.user.as_str());
    make_directory(&config.log.spool, owner)?;
    lock(&config.log.spool, PARTING)?;
    std::env::set_current_dir("/").map_err(|error| format!("/: {}", words(&error)))?;
    let confined = sandbox::enter(&[(&config.log.spool, "rwc")], PROMISES)?;
    set_title();
    logger::debug(match confined {
        Sandbox::Entered => "engine confined by pledge(2) and unveil(2)",
        Sandbox::Unavailable => "engine runs without pledge(2) and unveil(2)",
    });

    let (protected, local, listener) = inbox.rest()?;
    channel.answered_fd();
    let greeting = EngineMessage::Hello { version: VERSION };
    greeting.queue(&mut channel, 0).map_err(|error| error.to_string())?;
    let interfaces = Interfaces::new(&protected);
    let given = Given { start, protected: worded(&config, protected), interfaces, local, text };
    Ok(Started { config, given, channel, listener: listener.into(), roots })
}

fn limit(resource: Resource, soft: u64) -> Result<(), String> {
    setrlimit(resource, soft, soft).map_err(failed_limit)
}

fn failed_limit(errno: Errno) -> String {
    format!("resource limits: {}", errno.desc())
}

/// The engine's own directory; the package makes it, a trial run may not have one yet. `owner` is
/// who it has to belong to if whoever makes it is somebody else.
fn make_directory(path: &Path, owner: Option<&str>) -> Result<(), String> {
    match std::fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            let owner = owner.map(|owner| format!(" -o {owner}")).unwrap_or_default();
            let path = path.display();
            let why = words(&error);
            Err(format!("{path}: {why}; make it: install -d -m 700{owner} {path}"))
        }
        _ => Ok(()),
    }
}

/// One engine for a spool, until this process ends: two would spoil each other's files. An engine
/// before this one is given `patience` to leave.
#[expect(deprecated, reason = "nix's guard unlocks when dropped, which the pledge forbids")]
fn lock(path: &Path, patience: Duration) -> Result<(), String> {
    let failed = |why: &str| Err(format!("{}: {why}", path.display()));
    let directory = match File::open(path) {
        Ok(directory) => directory,
        Err(error) => return failed(&words(&error)),
    };
    let end = Instant::now() + patience;
    loop {
        match nix::fcntl::flock(directory.as_raw_fd(), FlockArg::LockExclusiveNonblock) {
            Ok(()) => break,
            Err(Errno::EWOULDBLOCK) if Instant::now() < end => {
                std::thread::sleep(Duration::from_millis(50));
            }
            Err(Errno::EWOULDBLOCK) => return failed("another threatstopd uses it: set log.spool"),
            Err(errno) => return failed(&format!("lock: {}", errno.desc())),
        }
    }
    // never closed, which would give up the lock
    let _ = directory.into_raw_fd();
    Ok(())
}

/// `threatstopd-engine: engine` in ps(1): setproctitle(3) puts the name of the program before it.
fn set_title() {
    #[cfg(target_os = "openbsd")]
    imsg::process::set_title(c"engine");
}

/// Messages taken while nothing else runs.
struct Inbox<'a> {
    channel: &'a mut Channel,
    end: Instant,
}

impl Inbox<'_> {
    fn next(&mut self) -> Result<(HelperMessage, Option<OwnedFd>), String> {
        use imsg::process::{wait, watch};
        loop {
            if let Some(mut frame) = self.channel.next().map_err(|error| error.to_string())? {
                let message = HelperMessage::read(&frame).map_err(|error| error.to_string())?;
                return Ok((message, frame.fd.take()));
            }
            let left = self.end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err("the helper says nothing".into());
            }
            let mut fds = [watch(&*self.channel, true, false)];
            wait(&mut fds, Some(left)).map_err(|error| format!("ppoll: {}", words(&error)))?;
            match self.channel.read().map_err(|error| format!("socket: {}", words(&error)))? {
                Input::Closed => imsg::process::leave(0),
                Input::Data | Input::WouldBlock => {}
            }
        }
    }

    /// The greeting and everything up to the start.
    fn configuration(&mut self) -> Result<(String, Start), String> {
        match self.next()?.0 {
            HelperMessage::Hello { version: VERSION } => {}
            HelperMessage::Hello { version } => {
                return Err(format!(
                    "the helper speaks version {version} of the protocol, this engine {VERSION}: \
                     restart threatstopd"
                ));
            }
            other => return Err(format!("no greeting but {other:?}")),
        }
        let mut text = Vec::new();
        loop {
            match self.next()?.0 {
                HelperMessage::Config(part) if text.len() + part.len() <= config::MAX_OCTETS => {
                    text.extend(part);
                }
                HelperMessage::Start(start) => {
                    let text = String::from_utf8(text).map_err(|error| error.to_string())?;
                    return Ok((text, start));
                }
                other => return Err(format!("no configuration but {other:?}")),
            }
        }
    }

    /// What follows the start.
    #[expect(clippy::type_complexity, reason = "three things, named where they are taken")]
    fn rest(&mut self) -> Result<(Vec<Protected>, Vec<(TableId, File)>, OwnedFd), String> {
        let (mut protected, mut local, mut listener) = (Vec::new(), Vec::new(), None);
        loop {
            match self.next()? {
                (HelperMessage::Protected(part), _) => protected.extend(part),
                (HelperMessage::LocalFile { table }, Some(fd)) => {
                    local.push((table, File::from(fd)));
                }
                (HelperMessage::ControlSocket, Some(fd)) => listener = Some(fd),
                (HelperMessage::Ready, _) => {
                    let listener = listener.ok_or("no control socket")?;
                    return Ok((protected, local, listener));
                }
                (other, _) => return Err(format!("no {other:?} here")),
            }
        }
    }
}

/// The protected networks with their reasons for people.
fn worded(config: &Config, protected: Vec<Protected>) -> Vec<policy::Protected> {
    let reserved: Vec<_> = prefix::reserved(config.guard.block_private).collect();
    let word = |network: &Protected| match network.reason {
        Reason::Reserved => {
            let found = reserved.iter().find(|(net, _)| *net == network.net);
            found.map_or("reserved", |(_, why)| why).to_owned()
        }
        Reason::Interface => interfaces::worded(&network.name),
        Reason::Server => "policy server".into(),
        Reason::Upload => "log server or proxy".into(),
        Reason::Nameserver => "nameserver of resolv.conf".into(),
        Reason::NeverBlock => "never_block".into(),
    };
    let worded =
        |network: Protected| policy::Protected { reason: word(&network), net: network.net };
    protected.into_iter().map(worded).collect()
}

#[cfg(test)]
mod tests;
