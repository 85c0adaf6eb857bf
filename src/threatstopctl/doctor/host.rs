//! What the checks know of the host they run on.

use std::fs::{self, Metadata, OpenOptions};
use std::io::ErrorKind::PermissionDenied;
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use control::{Reply, Request, Status};
use nix::fcntl::OFlag;
use nix::unistd::geteuid;
use prefix::Prefix;

use super::process::{self, Output};
use crate::client::{Client, ClientError, reason};
use crate::ending::Ending;

/// A host, the real one or a recorded one.
pub trait Host {
    /// The effective user id of the one who asks.
    fn uid(&self) -> u32;
    /// The time of day, in epoch seconds.
    fn now(&self) -> u64;
    /// What is at a path, symbolic links followed.
    fn stat(&self, path: &Path) -> io::Result<Stat>;
    /// What is at a path itself.
    fn lstat(&self, path: &Path) -> io::Result<Stat>;
    /// The content of a file of at most so many octets; a longer one is an error.
    fn read(&self, path: &Path, most: usize) -> io::Result<Vec<u8>>;
    /// Runs a program, given by its whole path, to its end; says why when that fails, takes too
    /// long or prints too much.
    fn run(&self, program: &str, arguments: &[&str]) -> Result<Output, String>;
    /// The networks of its interfaces, as far as they are known.
    fn networks(&self) -> Vec<Prefix>;
    /// Asks threatstopd(8) for its state.
    fn ask(&self) -> Result<Status, String>;
}

/// What something in the file system is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link, a FIFO, a socket or a device.
    Other,
}

/// As far as the checks want to know it: stat(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// What it is.
    pub kind: Kind,
    /// Permission bits, 0 to 07777.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// When the content last changed, in epoch seconds.
    pub mtime: u64,
}

impl From<Metadata> for Stat {
    fn from(from: Metadata) -> Self {
        let kind = match from.file_type() {
            of if of.is_file() => Kind::File,
            of if of.is_dir() => Kind::Directory,
            _ => Kind::Other,
        };
        let mtime = u64::try_from(from.mtime()).unwrap_or(0);
        Self { kind, mode: from.mode() & 0o7777, uid: from.uid(), mtime }
    }
}

/// The host that the tool runs on.
#[derive(Debug)]
pub struct System<'a> {
    /// The control socket.
    pub socket: &'a Path,
}

impl Host for System<'_> {
    fn uid(&self) -> u32 {
        geteuid().as_raw()
    }

    fn now(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        fs::metadata(path).map(Stat::from)
    }

    fn lstat(&self, path: &Path) -> io::Result<Stat> {
        fs::symlink_metadata(path).map(Stat::from)
    }

    fn read(&self, path: &Path, most: usize) -> io::Result<Vec<u8>> {
        // a FIFO that somebody has put there meanwhile must not hold us up
        let flags = (OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits();
        let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
        let mut octets = Vec::new();
        file.take(most as u64 + 1).read_to_end(&mut octets)?;
        if octets.len() > most {
            return Err(io::Error::other(format!("larger than {most} octets")));
        }
        Ok(octets)
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<Output, String> {
        process::run(program, arguments, process::PATIENCE)
    }

    fn networks(&self) -> Vec<Prefix> {
        let found = imsg::interface::networks().unwrap_or_default();
        found.into_iter().map(|(net, _)| net).collect()
    }

    fn ask(&self) -> Result<Status, String> {
        // without the promises of a command: programs are run afterwards
        let ask = || Client::again(self.socket, &Request::Status {})?.next();
        let answer = || match ask()? {
            Reply::Done(done) => match Ending::read(&Request::Status {}, done)? {
                Ending::Status(status) => Ok(Ok(*status)),
                _ => Err(ClientError::Form("it is that to another question".into())),
            },
            Reply::Error(failure) => Ok(Err(failure.why)),
            _ => Err(ClientError::Form("its end is missing".into())),
        };
        answer().map_err(|error| match error {
            // what to do is said here by other words than those of a command
            ClientError::Connect(path, error) if error.kind() != PermissionDenied => {
                format!("{}: {}", path.display(), reason(&error))
            }
            error => error.to_string(),
        })?
    }
}

/// pfctl(8) of base.
pub const PFCTL: &str = "/sbin/pfctl";

/// What pfctl(8) prints.
///
/// # Errors
/// Why it did not, in its own words.
pub fn pfctl(host: &dyn Host, arguments: &[&str]) -> Result<String, String> {
    let output = host.run(PFCTL, arguments)?;
    if output.status == Some(0) {
        return Ok(output.stdout);
    }
    let said = output.stderr.lines().next().unwrap_or("it failed without a word");
    Err(format!("pfctl {}: {said}", arguments.join(" ")))
}
