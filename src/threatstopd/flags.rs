//! The command line of threatstopd(8), which monitor and helper share.

use std::ffi::OsString;
use std::path::PathBuf;

/// The first argument of the helper: rc.d(8) looks for the monitor by a command line without it.
pub const HELPER: &str = "helper";

/// The command line.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `-d`: in the foreground, with the log on stderr.
    pub debug: bool,
    /// `-n`: only look whether the configuration is in order.
    pub check: bool,
    /// `-V`: only print the version.
    pub version: bool,
    /// `-v`: log debug messages too.
    pub verbose: bool,
    /// `-f`: the file of the configuration.
    pub config: PathBuf,
    /// `-s`: the control socket.
    pub socket: PathBuf,
}

impl Flags {
    /// Reads the command line in the manner of getopt(3); `None` calls for the usage line.
    pub fn parse(args: impl IntoIterator<Item = OsString>) -> Option<Self> {
        use lexopt::Arg::Short;
        let mut parser = lexopt::Parser::from_iter(args);
        let (config, socket) = (config::DEFAULT_PATH.into(), config::DEFAULT_SOCKET.into());
        let mut flags = Self { config, socket, ..Self::default() };
        while let Some(arg) = parser.next().ok()? {
            match arg {
                Short('d') => flags.debug = true,
                Short('n') => flags.check = true,
                Short('V') => flags.version = true,
                Short('v') => flags.verbose = true,
                Short('f') => flags.config = parser.value().ok()?.into(),
                Short('s') => flags.socket = parser.value().ok()?.into(),
                _ => return None,
            }
        }
        Some(flags)
    }
}

#[cfg(test)]
mod tests;
