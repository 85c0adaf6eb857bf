//! What survives when the helper executes itself anew, and how it does.
//!
//! Reload, crash and first start are one code path: the process id stays, everything else starts
//! from nothing but the values here, which travel in one environment variable.

use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use imsg::process;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::unistd::{Pid, execve};

use crate::Failure;

/// Name of the variable; the engine never sees it.
const VARIABLE: &str = "THREATSTOPD_STATE";
/// Version of what is in it: an upgrade may replace the program under a helper that runs.
const VERSION: i32 = 1;

/// What one image of the helper begins with and hands to the next.
#[derive(Debug, Default)]
pub struct State {
    /// No image was before this one: daemon(3) is still to come, and errors end the start.
    pub first: bool,
    /// An engine that did not leave when its socket was closed, still to be killed and reaped.
    pub child: Option<Pid>,
    /// Stop once that is done.
    pub stop: bool,
    /// Seconds of the last wait after an engine that died young.
    pub backoff: u32,
    /// Debug messages, as the control tool last asked for.
    pub verbose: bool,
    /// The last reload was taken back.
    pub reverted: bool,
    /// The lock on the table directory.
    pub lock: Option<OwnedFd>,
    /// The text of the configuration to use.
    pub config: Option<OwnedFd>,
    /// The text to go back to when that one does not bear a start.
    pub previous: Option<OwnedFd>,
    /// The directory of the first start, from which the paths of the command line count.
    pub home: PathBuf,
}

impl State {
    /// Takes what an image before this one left, or begins.
    ///
    /// # Errors
    /// When it is not in form: a mistake must not pass for a first start.
    pub fn take() -> Result<Self, Failure> {
        match std::env::var_os(VARIABLE) {
            Some(value) => Self::read(value.as_bytes()).ok_or_else(|| {
                let why = "left by another version: restart threatstopd; not to be set by hand";
                format!("{VARIABLE}: {why}").into()
            }),
            None => {
                let home = std::env::current_dir().map_err(|error| format!("getcwd: {error}"))?;
                Ok(Self { first: true, home, ..Self::default() })
            }
        }
    }

    /// Whole numbers in the order of the fields, 0 for no child and no descriptor, and the path,
    /// which alone begins with a slash.
    fn write(&self) -> OsString {
        let fds = [&self.lock, &self.config, &self.previous];
        let [lock, config, previous] = fds.map(|fd| fd.as_ref().map_or(0, |fd| fd.as_raw_fd()));
        let child = self.child.map_or(0, Pid::as_raw);
        let backoff = self.backoff;
        let [stop, verbose, reverted] = [self.stop, self.verbose, self.reverted].map(u8::from);
        let numbers = format!(
            "{VERSION} {child} {stop} {backoff} {verbose} {reverted} {lock} {config} {previous} "
        );
        [OsStr::new(&numbers), self.home.as_os_str()].join(OsStr::new(""))
    }

    fn read(value: &[u8]) -> Option<Self> {
        let (numbers, home) = value.split_at(value.iter().position(|octet| *octet == b'/')?);
        let numbers = str::from_utf8(numbers).ok()?.split_terminator(' ');
        let numbers = numbers.map(|word| word.parse().ok().filter(|number: &i32| *number >= 0));
        let numbers: Vec<i32> = numbers.collect::<Option<_>>()?;
        let &[VERSION, child, stop @ 0..=1, backoff, ref rest @ ..] = &*numbers else {
            return None;
        };
        let &[verbose @ 0..=1, reverted @ 0..=1, lock, config, previous] = rest else {
            return None;
        };
        let fd = |raw| match raw {
            0 => Some(None),
            raw => process::inherited_fd(raw).ok().map(Some),
        };
        Some(Self {
            first: false,
            child: (child > 0).then(|| Pid::from_raw(child)),
            stop: stop == 1,
            backoff: backoff.cast_unsigned(),
            verbose: verbose == 1,
            reverted: reverted == 1,
            lock: fd(lock)?,
            config: fd(config)?,
            previous: fd(previous)?,
            home: OsStr::from_bytes(home).into(),
        })
    }

    /// Executes `program` anew with the argument vector byte for byte, so that the pattern of
    /// rc.d(8) goes on matching it. Returns only when that fails, with the reason.
    pub fn execute(&self, program: &Path) -> Failure {
        let Err(error) = self.try_execute(program);
        format!("execve: {}: {error}", program.display()).into()
    }

    fn try_execute(&self, program: &Path) -> io::Result<std::convert::Infallible> {
        for fd in [&self.lock, &self.config, &self.previous].into_iter().flatten() {
            fcntl(fd, FcntlArg::F_SETFD(FdFlag::empty()))?;
        }
        let args = std::env::args_os().map(c_string).collect::<io::Result<Vec<_>>>()?;
        let vars = std::env::vars_os().filter(|(name, _)| name != VARIABLE);
        let vars = vars.chain([(VARIABLE.into(), self.write())]);
        let vars = vars.map(|(name, value)| c_string([name, value].join(OsStr::new("="))));
        Ok(execve(&c_string(program.into())?, &args, &vars.collect::<io::Result<Vec<_>>>()?)?)
    }
}

fn c_string(text: OsString) -> io::Result<CString> {
    Ok(CString::new(text.into_vec())?)
}

#[cfg(test)]
mod tests;
