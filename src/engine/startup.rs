//! From the first instruction to the sandbox.
//!
//! Started by root, the engine reads its configuration from the monitor, becomes the configured
//! user, and gives up everything that it will not need. Until then nothing has come from the
//! network.

use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use config::Config;
use imsg::{
    Channel, End, Frame, HelperMessage, Input, Protected, Reason, Start, process, signals, told,
};
use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::geteuid;
use privdrop::PrivDrop;
use sandbox::Sandbox;

use crate::errors::words;
use crate::interfaces::{self, Interfaces};

/// What the engine may do: the net, names, its own directory, descriptors from the helper.
const PROMISES: &str = "stdio rpath wpath cpath inet dns recvfd";
/// Octets that may wait for the helper: more than the link ever has.
const QUEUE: usize = 1 << 20;
/// How long the helper may take to say everything.
const PATIENCE: Duration = Duration::from_secs(30);
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
    /// What the monitor has said behind the configuration.
    pub behind: Vec<u8>,
}

/// Takes what the monitor and then the helper say first, drops all privileges and closes the sandbox.
///
/// # Errors
/// When the helper is of another version, or any of the steps fails.
pub fn start(socket: OwnedFd, told: &OwnedFd) -> Result<Started, String> {
    let Some((text, behind)) = told::configuration(told)? else { End::Left.leave() };
    let mut channel = Channel::new(socket, QUEUE);
    channel.expect_fd();
    let (protected, start, listener) =
        Inbox { channel: &mut channel, end: Instant::now() + PATIENCE }.all()?;
    channel.answered_fd();
    let path = Path::new("configuration");
    let config = Config::parse(&text, path).map_err(|error| error.to_string())?;

    let roots = crate::https::read_roots(&config.https.ca_file);
    // the zone's file is not visible later
    imsg::process::local_offset(0);
    // where fewer are permitted, an engine that has those is better than one that does not start
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).map_err(failed_limit)?;
    limit(Resource::RLIMIT_NOFILE, FILES.min(most))?;
    if start.privileged {
        PrivDrop::default()
            .user(config.user.as_str())
            .apply()
            .map_err(|error| format!("{}: {}", config.user, words(&error)))?;
    }
    own_spool(&config, start.privileged)?;
    std::env::set_current_dir("/").map_err(|error| format!("/: {}", words(&error)))?;
    let confined = sandbox::enter(&[(&config.log.spool, "rwc")], PROMISES)?;
    process::set_title(c"engine");
    logger::debug(match confined {
        Sandbox::Entered => "engine confined by pledge(2) and unveil(2)",
        Sandbox::Unavailable => "engine runs without pledge(2) and unveil(2)",
    });

    imsg::greet(&mut channel).map_err(|error| error.to_string())?;
    let interfaces = Interfaces::new(&protected);
    let given = Given { start, protected: worded(&config, protected), interfaces };
    Ok(Started { config, given, channel, listener: listener.into(), roots, behind })
}

/// Whether the directory that is to be the engine's own belongs to who it is now.
fn own_spool(config: &Config, privileged: bool) -> Result<(), String> {
    let (shown, user) = (config.log.spool.display(), config.user.as_str());
    let meta = std::fs::metadata(&config.log.spool)
        .map_err(|error| format!("{shown}: {}; set log.spool", words(&error)))?;
    if meta.is_dir() && meta.uid() == geteuid().as_raw() {
        return Ok(());
    }
    Err(match privileged {
        true => {
            format!("{shown}: not a directory of {user}: chown {user} {shown}, or set log.spool")
        }
        false => format!("{shown}: not a directory of yours: set log.spool"),
    })
}

fn limit(resource: Resource, soft: u64) -> Result<(), String> {
    setrlimit(resource, soft, soft).map_err(failed_limit)
}

fn failed_limit(errno: Errno) -> String {
    format!("resource limits: {}", errno.desc())
}

/// Messages taken while nothing else runs.
struct Inbox<'a> {
    channel: &'a mut Channel,
    end: Instant,
}

impl Inbox<'_> {
    fn next(&mut self) -> Result<Frame, String> {
        loop {
            if let Some(frame) = self.channel.next().map_err(|error| error.to_string())? {
                return Ok(frame);
            }
            let left = self.end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err("the helper says nothing".into());
            }
            let mut fds = [signals::watch(&*self.channel, true, false)];
            signals::wait(&mut fds, Some(left))
                .map_err(|error| format!("ppoll: {}", words(&error)))?;
            match self.channel.read().map_err(|error| format!("socket: {}", words(&error)))? {
                Input::Closed => End::Left.leave(),
                Input::Data | Input::WouldBlock => {}
            }
        }
    }

    /// All from the greeting to the start.
    fn all(&mut self) -> Result<(Vec<Protected>, Start, OwnedFd), String> {
        imsg::greeted(&self.next()?).map_err(|error| format!("helper: {error}"))?;
        let mut protected = Vec::new();
        loop {
            let message = HelperMessage::read(self.next()?);
            match message.map_err(|error| error.to_string())? {
                HelperMessage::Protected(part) => protected.extend(part),
                HelperMessage::Start(start, listener) => return Ok((protected, start, listener)),
                _ => return Err("the helper says what does not belong to a start".into()),
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
