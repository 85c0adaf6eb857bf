//! What survives when the helper executes itself anew, and how it does.
//!
//! Reload, crash and first start are one code path: the process id stays, everything else starts
//! from nothing but the values here, which travel in one environment variable.

use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;

use imsg::process;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::unistd::{Pid, execve};

/// Name of the variable; the engine never sees it.
const VARIABLE: &str = "THREATSTOPD_STATE";

/// The values that survive.
#[derive(Debug, Default)]
pub struct Inherited {
    /// An engine that did not leave when its socket was closed, still to be killed and reaped.
    pub child: Option<Pid>,
    /// Stop once that is done.
    pub stop: bool,
    /// Seconds of the last wait after an engine that died young.
    pub backoff: u32,
    /// daemon(3) was called.
    pub daemonized: bool,
    /// Debug messages, as the control tool last asked for.
    pub verbose: bool,
    /// The lock on the table directory.
    pub lock: Option<OwnedFd>,
    /// The text of the configuration to use.
    pub config: Option<OwnedFd>,
    /// The text to go back to when that one does not bear a start.
    pub previous: Option<OwnedFd>,
    /// Absolute path of this program, of the configuration and of the control socket.
    pub paths: Option<Paths>,
}

/// Paths made absolute before daemon(3) changed the directory.
#[derive(Clone, Debug)]
pub struct Paths {
    /// This program.
    pub program: PathBuf,
    /// The configuration.
    pub config: PathBuf,
    /// The control socket.
    pub socket: PathBuf,
}

impl Inherited {
    /// Takes what an image before this one left; `None` on a first start.
    ///
    /// # Errors
    /// When the variable is not of its form. Only root sets it for root; a mistake in it must
    /// not pass for a first start.
    pub fn take() -> Result<Option<Self>, String> {
        let Some(value) = std::env::var_os(VARIABLE) else { return Ok(None) };
        Self::parse(value.as_bytes()).map(Some).ok_or_else(|| {
            format!("{VARIABLE}: not in form; it is not to be set by hand, unset it")
        })
    }

    fn parse(value: &[u8]) -> Option<Self> {
        let mut it = Self::default();
        let (mut program, mut config, mut socket) = (None, None, None);
        let path = |octets: &[u8]| Some(PathBuf::from(OsStr::from_bytes(octets)));
        for line in value.split(|&octet| octet == b'\n') {
            let equals = line.iter().position(|&octet| octet == b'=')?;
            let (key, value) = (&line[..equals], &line[equals + 1..]);
            let number = || std::str::from_utf8(value).ok()?.parse::<i32>().ok();
            let fd = || process::inherited_fd(number()?).ok();
            match key {
                b"child" => it.child = Some(Pid::from_raw(number().filter(|&pid| pid > 1)?)),
                b"stop" => it.stop = number()? == 1,
                b"backoff" => it.backoff = u32::try_from(number()?).ok()?,
                b"daemonized" => it.daemonized = number()? == 1,
                b"verbose" => it.verbose = number()? == 1,
                b"lock" => it.lock = Some(fd()?),
                b"config" => it.config = Some(fd()?),
                b"previous" => it.previous = Some(fd()?),
                b"program-path" => program = path(value),
                b"config-path" => config = path(value),
                b"socket-path" => socket = path(value),
                _ => return None,
            }
        }
        it.paths = Some(Paths { program: program?, config: config?, socket: socket? });
        Some(it)
    }

    /// Executes this program anew with the argument vector byte for byte, so that the pattern of
    /// rc.d(8) goes on matching it.
    ///
    /// Returns only when it fails.
    pub fn execute(&self) -> io::Error {
        match self.try_execute() {
            Ok(never) => match never {},
            Err(error) => error,
        }
    }

    fn try_execute(&self) -> io::Result<std::convert::Infallible> {
        let paths = self.paths.as_ref().ok_or(io::ErrorKind::InvalidInput)?;
        let mut value = OsString::new();
        let mut put = |key: &str, text: &OsStr| {
            if !value.is_empty() {
                value.push("\n");
            }
            value.push(key);
            value.push("=");
            value.push(text);
        };
        put("program-path", paths.program.as_os_str());
        put("config-path", paths.config.as_os_str());
        put("socket-path", paths.socket.as_os_str());
        put("backoff", self.backoff.to_string().as_ref());
        let flags =
            [("stop", self.stop), ("daemonized", self.daemonized), ("verbose", self.verbose)];
        for (key, flag) in flags {
            put(key, u8::from(flag).to_string().as_ref());
        }
        if let Some(child) = self.child {
            put("child", child.to_string().as_ref());
        }
        let fds = [("lock", &self.lock), ("config", &self.config), ("previous", &self.previous)];
        for (key, fd) in fds {
            if let Some(fd) = fd {
                fcntl(fd, FcntlArg::F_SETFD(FdFlag::empty()))?;
                put(key, fd.as_raw_fd().to_string().as_ref());
            }
        }
        let program = c_string(paths.program.clone().into_os_string())?;
        let args = std::env::args_os().map(c_string).collect::<io::Result<Vec<_>>>()?;
        let mut vars = Vec::new();
        for (name, value) in std::env::vars_os().filter(|(name, _)| name != VARIABLE) {
            vars.push(c_string([name.as_os_str(), value.as_os_str()].join(OsStr::new("=")))?);
        }
        vars.push(c_string([OsStr::new(VARIABLE), &value].join(OsStr::new("=")))?);
        Ok(execve(&program, &args, &vars)?)
    }
}

fn c_string(text: OsString) -> io::Result<CString> {
    Ok(CString::new(text.into_vec())?)
}
