//! What survives when the helper executes itself anew, and how it does.
//!
//! Reload, crash and first start are one code path: the process id stays, everything else starts
//! from nothing but the values here, which travel in one environment variable.

use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd, RawFd};
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use imsg::process;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::unistd::execve;
use serde::{Deserialize, Serialize};

/// Name of the variable; the engine never sees it.
const VARIABLE: &str = "THREATSTOPD_STATE";

/// The values that survive as they are.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// An engine that did not leave when its socket was closed, still to be killed and reaped.
    pub child: Option<i32>,
    /// Stop once that is done.
    pub stop: bool,
    /// Seconds of the last wait after an engine that died young.
    pub backoff: u32,
    /// daemon(3) was called.
    pub daemonized: bool,
    /// Debug messages, as the control tool last asked for.
    pub verbose: bool,
    /// This program; it and the next two were made absolute before daemon(3).
    pub program: PathBuf,
    /// The configuration.
    pub config: PathBuf,
    /// The control socket.
    pub socket: PathBuf,
}

/// The descriptors that survive.
#[derive(Debug, Default)]
pub struct Kept {
    /// The lock on the table directory.
    pub lock: Option<OwnedFd>,
    /// The text of the configuration to use.
    pub config: Option<OwnedFd>,
    /// The text to go back to when that one does not bear a start.
    pub previous: Option<OwnedFd>,
}

/// All of it in one variable; -1 is no descriptor, for TOML arrays know no absence.
#[derive(Serialize, Deserialize)]
struct Parcel {
    fds: [RawFd; 3],
    state: State,
}

/// Takes what an image before this one left; `None` on a first start.
///
/// # Errors
/// When it is not in form: a mistake must not pass for a first start.
pub fn take() -> Result<Option<(State, Kept)>, String> {
    let Some(value) = std::env::var_os(VARIABLE) else { return Ok(None) };
    let bad = |why: &dyn std::fmt::Display| format!("{VARIABLE}: {why}; not to be set by hand");
    let parcel: Parcel =
        toml::from_str(&value.to_string_lossy()).map_err(|error| bad(&error.message()))?;
    let take = |fd: RawFd| (fd >= 0).then(|| process::inherited_fd(fd)).transpose();
    let [lock, config, previous] = parcel.fds.map(take);
    let fd = |fd: io::Result<_>| fd.map_err(|error| bad(&error));
    Ok(Some((parcel.state, Kept { lock: fd(lock)?, config: fd(config)?, previous: fd(previous)? })))
}

/// Executes this program anew with the argument vector byte for byte, so that the pattern of
/// rc.d(8) goes on matching it. Returns only when that fails, with the reason.
pub fn execute(state: &State, kept: &Kept) -> String {
    match try_execute(state, kept) {
        Ok(never) => match never {},
        Err(error) => format!("execv: {}: {error}", state.program.display()),
    }
}

fn try_execute(state: &State, kept: &Kept) -> io::Result<std::convert::Infallible> {
    let fds = [&kept.lock, &kept.config, &kept.previous].map(Option::as_ref);
    for fd in fds.into_iter().flatten() {
        fcntl(fd, FcntlArg::F_SETFD(FdFlag::empty()))?;
    }
    let fds = fds.map(|fd| fd.map_or(-1, |fd| fd.as_raw_fd()));
    let parcel = toml::to_string(&Parcel { fds, state: state.clone() });
    let parcel = parcel.map_err(io::Error::other)?;
    let program = c_string(state.program.clone().into())?;
    let args = std::env::args_os().map(c_string).collect::<io::Result<Vec<_>>>()?;
    let vars = std::env::vars_os().filter(|(name, _)| name != VARIABLE);
    let vars = vars.chain([(VARIABLE.into(), parcel.into())]);
    let vars = vars.map(|(name, value)| c_string([name, value].join(OsStr::new("="))));
    Ok(execve(&program, &args, &vars.collect::<io::Result<Vec<_>>>()?)?)
}

fn c_string(text: OsString) -> io::Result<CString> {
    Ok(CString::new(text.into_vec())?)
}

#[cfg(test)]
mod tests;
