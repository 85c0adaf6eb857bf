//! Running a program of base, with a bound on its time and on what it prints.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::client::reason;

/// How long a program may take: the table of a million prefixes takes pfctl(8) some seconds.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// The most that it may print, in octets: a table of 20,000,000 prefixes of IPv4, or 11,000,000 of
/// the longest of IPv6.
const MOST: usize = 512 << 20;

/// Where a program that is a script finds others: the directories of base.
const PATH: &str = "/usr/bin:/bin:/usr/sbin:/sbin";

/// What a program printed, and how it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// The exit status; `None` when a signal ended it.
    pub status: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// Runs a program to its end. It has no input, and of the environment only a path of base.
///
/// # Errors
/// Why it cannot be started, or that it takes longer than `patience` or prints more than 512 MB;
/// then it is killed. It is not waited for after that: a process in the kernel may not die.
pub fn run(program: &str, arguments: &[&str], patience: Duration) -> Result<Output, String> {
    let end = Instant::now() + patience;
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("PATH", PATH).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("{program}: {}", reason(&error)))?;
    let result = finish(&mut child, end).map_err(|why| format!("{program}: {why}"));
    if result.is_err() {
        let _ = child.kill();
        let _ = child.try_wait();
    }
    result
}

fn finish(child: &mut Child, end: Instant) -> Result<Output, String> {
    let pipes = (child.stdout.take().map(reader), child.stderr.take().map(reader));
    let (Some(stdout), Some(stderr)) = pipes else { return Err("no pipe".into()) };
    let (stdout, stderr) = (receive(&stdout, end)?, receive(&stderr, end)?);
    // it has closed both, so this is soon over
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(Output { status: status.code(), stdout, stderr }),
            Ok(None) if Instant::now() < end => thread::sleep(Duration::from_millis(5)),
            Ok(None) => return Err(TOO_LONG.into()),
            Err(error) => return Err(reason(&error)),
        }
    }
}

const TOO_LONG: &str = "takes too long";

/// Reads a pipe to its end, or to the bound; then the program gets SIGPIPE.
fn reader(pipe: impl Read + Send + 'static) -> Receiver<Result<String, String>> {
    let (send, receive) = channel();
    thread::spawn(move || {
        let mut octets = Vec::new();
        let read = pipe.take(MOST as u64 + 1).read_to_end(&mut octets);
        let text = match read {
            Err(error) => Err(reason(&error)),
            Ok(_) if octets.len() > MOST => Err("prints too much".into()),
            Ok(_) => Ok(String::from_utf8(octets)
                .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())),
        };
        // nobody listens any more when the time is over
        let _ = send.send(text);
    });
    receive
}

fn receive(pipe: &Receiver<Result<String, String>>, end: Instant) -> Result<String, String> {
    let left = end.saturating_duration_since(Instant::now());
    pipe.recv_timeout(left).unwrap_or_else(|_| Err(TOO_LONG.into()))
}

#[cfg(test)]
mod tests;
