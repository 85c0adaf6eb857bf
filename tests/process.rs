//! Programs that run beside a test: their output with times, bounded waits, and nothing left behind.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::{Pid, read};

/// The longest that a test waits for what comes at once where nothing else runs. A test that passes
/// never waits so long, and a busy machine is no reason to fail.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// The longest that a stop may take. The program promises five seconds on a machine that has time for
/// it; what a stop must not wait for takes longer than this.
pub const STOP: Duration = Duration::from_secs(20);

/// How often a wait looks again.
const LOOK: Duration = Duration::from_millis(5);
/// The shortest and the longest pause between two of [`Looks`].
const PAUSES: [Duration; 2] = [Duration::from_millis(10), Duration::from_millis(250)];
/// Octets of output kept of one program; what is beyond is read and dropped.
const MAX_OUTPUT: usize = 16 << 20;

/// Looks at something until it is so. The longer that takes, the longer are the pauses: who looks may start
/// programs for it, and take the processor from what is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Looks {
    began: Instant,
    within: Duration,
}

impl Looks {
    /// Begins to look, for no longer than this.
    pub fn within(within: Duration) -> Self {
        Self { began: Instant::now(), within }
    }

    /// Waits for the moment of another look; false when the time was over before.
    pub fn go_on(&self) -> bool {
        let waited = self.began.elapsed();
        let [shortest, longest] = PAUSES;
        sleep((waited / 4).clamp(shortest, longest));
        waited < self.within
    }
}

/// A line that a program wrote, and when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When, since the program was started.
    pub at: Duration,
    /// Without its end of line.
    pub text: String,
}

/// What a program has written, on either stream.
#[derive(Debug)]
struct Lines {
    started: Instant,
    /// The lines, and their octets.
    lines: Mutex<(Vec<Line>, usize)>,
    changed: Condvar,
}

/// One of a program's streams. What is taken out of the pipe is among the lines before the lock on
/// these is given back: who has the lock and sees an empty pipe has seen all that was written.
#[derive(Debug)]
struct Stream {
    pipe: OwnedFd,
    ended: AtomicBool,
}

/// A program in a process group of its own. When this is dropped, the group is killed, and every
/// descendant that can be found.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Mutex<Child>,
    pid: Pid,
    lines: Arc<Lines>,
    streams: [Arc<Stream>; 2],
}

impl Process {
    /// Starts a program without input; its stdout and stderr are collected.
    pub fn spawn(command: &mut Command) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command
            .process_group(0)
            .spawn()
            .unwrap_or_else(|why| panic!("cannot start {name}: {why}"));
        let pid = Pid::from_raw(i32::try_from(child.id()).expect("a process id is an int"));
        let lines = Arc::new(Lines {
            started: Instant::now(),
            lines: Mutex::default(),
            changed: Condvar::new(),
        });
        let out = child.stdout.take().expect("stdout is a pipe");
        let err = child.stderr.take().expect("stderr is a pipe");
        let streams = [out.into(), err.into()].map(|pipe| {
            let stream = Arc::new(Stream { pipe, ended: AtomicBool::new(false) });
            let (reader, lines) = (Arc::clone(&stream), Arc::clone(&lines));
            std::thread::spawn(move || reader.collect(&lines));
            stream
        });
        Self { name, child: Mutex::new(child), pid, lines, streams }
    }

    /// The process id.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// The lines written so far, to the last.
    pub fn lines(&self) -> Vec<Line> {
        self.complete().0.clone()
    }

    /// Hands out the lines written so far, and forgets them: for programs that run for long.
    pub fn take_lines(&self) -> Vec<Line> {
        std::mem::take(&mut *self.complete()).0
    }

    /// The lines written so far as a text with times, for messages.
    pub fn output(&self) -> String {
        let line = |line: &Line| format!("{:>8.3} {}\n", line.at.as_secs_f64(), line.text);
        self.complete().0.iter().map(line).collect()
    }

    /// How many lines were written so far; what comes after this moment is at this index or later.
    pub fn mark(&self) -> usize {
        self.complete().0.len()
    }

    /// Waits for a line that contains the text, from the first line on.
    ///
    /// Panics with the whole output when it does not come in time.
    pub fn wait_for(&self, text: &str, within: Duration) -> Line {
        self.wait_for_after(0, text, within)
    }

    /// The same from a mark on.
    pub fn wait_for_after(&self, mark: usize, text: &str, within: Duration) -> Line {
        let deadline = Instant::now() + within;
        let mut lines = self.lines.lock();
        loop {
            if let Some(line) = lines.0.iter().skip(mark).find(|line| line.text.contains(text)) {
                return line.clone();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                drop(lines);
                panic!("{}: no line with \"{text}\" in {within:?}:\n{}", self.name, self.output());
            }
            let woken = self.lines.changed.wait_timeout(lines, left);
            lines = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Sends a signal to the program alone.
    pub fn signal(&self, signal: Signal) {
        kill(self.pid, signal)
            .unwrap_or_else(|why| panic!("send {signal} to {} ({}): {why}", self.name, self.pid));
    }

    /// Whether the program has ended.
    pub fn has_ended(&self) -> bool {
        self.try_wait().is_some()
    }

    /// Waits for the end of the program; panics with its output when it does not come in time.
    pub fn wait_exit(&self, within: Duration) -> ExitStatus {
        let deadline = Instant::now() + within;
        loop {
            if let Some(status) = self.try_wait() {
                return status;
            }
            if Instant::now() > deadline {
                panic!("{} still runs after {within:?}:\n{}", self.name, self.output());
            }
            sleep(LOOK);
        }
    }

    /// The processes that descend from the program, with their names, where /proc tells them.
    pub fn descendants(&self) -> Vec<(Pid, String)> {
        let all = processes();
        let mut known = BTreeSet::from([self.pid.as_raw()]);
        let mut found = Vec::new();
        // A generation with each turn, the last of which finds none.
        loop {
            let before = known.len();
            for (pid, parent, name) in &all {
                if known.contains(parent) && known.insert(*pid) {
                    found.push((Pid::from_raw(*pid), name.clone()));
                }
            }
            if known.len() == before {
                return found;
            }
        }
    }

    /// The time since the program was started.
    pub fn age(&self) -> Duration {
        self.lines.started.elapsed()
    }

    /// The lines, once all that was written before this call is among them. A program that never
    /// pauses is not followed for ever.
    fn complete(&self) -> MutexGuard<'_, (Vec<Line>, usize)> {
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            let lines = self.lines.lock();
            if self.streams.iter().all(|stream| stream.is_drained()) || Instant::now() > deadline {
                return lines;
            }
            drop(lines);
            sleep(LOOK);
        }
    }

    fn try_wait(&self) -> Option<ExitStatus> {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        child.try_wait().unwrap_or_else(|why| panic!("wait for {}: {why}", self.name))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Found before the parent goes, for then they belong to init.
        let descendants = if self.has_ended() { Vec::new() } else { self.descendants() };
        // The group outlives its leader while a member is left. When all are gone there is nobody to
        // kill: process ids do not come round within a test.
        let _ = killpg(self.pid, Signal::SIGKILL);
        for (pid, _) in descendants {
            let _ = kill(pid, Signal::SIGKILL);
        }
        let deadline = Instant::now() + Duration::from_secs(5);
        while !self.has_ended() && Instant::now() < deadline {
            sleep(LOOK);
        }
    }
}

/// Whether a process with this id exists and is no zombie.
pub fn is_alive(pid: Pid) -> bool {
    let zombie = fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z')));
    !zombie && kill(pid, None) != Err(Errno::ESRCH)
}

/// Runs a program to its end; panics when it does not end in time, or when what it has started has
/// its output open for longer than that.
pub fn run(command: &mut Command, within: Duration) -> Output {
    let name = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|why| panic!("cannot start {name}: {why}"));
    let out = ToEnd::of(child.stdout.take().expect("stdout is a pipe"));
    let err = ToEnd::of(child.stderr.take().expect("stderr is a pipe"));
    let deadline = Instant::now() + within;
    let look =
        |child: &mut Child| child.try_wait().unwrap_or_else(|why| panic!("wait for {name}: {why}"));
    let ended = loop {
        match look(&mut child) {
            Some(status) if out.is_whole() && err.is_whole() => break Some(status),
            _ if Instant::now() > deadline => break None,
            _ => sleep(LOOK),
        }
    };
    if let Some(status) = ended {
        return Output { status, stdout: out.text(), stderr: err.text() };
    }
    let what = if look(&mut child).is_some() { "has its output open" } else { "still runs" };
    let _ = child.kill();
    let _ = child.wait();
    panic!("{name} {what} after {within:?}:\n{}{}", out.text(), err.text());
}

/// What a program that has ended left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// All of stdout.
    pub stdout: String,
    /// All of stderr.
    pub stderr: String,
}

/// What comes out of a stream, read by a thread.
struct ToEnd {
    octets: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl ToEnd {
    fn of(mut stream: impl Read + Send + 'static) -> Self {
        let octets = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&octets);
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 1 << 16];
            while let Ok(len @ 1..) = stream.read(&mut buffer) {
                kept.lock().unwrap_or_else(PoisonError::into_inner).extend(&buffer[..len]);
            }
        });
        Self { octets, reader }
    }

    /// Whether the stream has ended.
    fn is_whole(&self) -> bool {
        self.reader.is_finished()
    }

    fn text(&self) -> String {
        let octets = self.octets.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&octets).into_owned()
    }
}

impl Lines {
    fn lock(&self) -> MutexGuard<'_, (Vec<Line>, usize)> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stream {
    /// Reads until the end.
    fn collect(&self, lines: &Lines) {
        let mut buffer = [0; 1 << 16];
        let mut begun = Vec::new();
        while !self.ended.load(Ordering::Relaxed) {
            self.wait(PollTimeout::NONE);
            let mut held = lines.lock();
            let len = match read(&self.pipe, &mut buffer) {
                Ok(len @ 1..) => len,
                Err(Errno::EINTR) => continue,
                _ => 0,
            };
            begun.extend(&buffer[..len]);
            if len == 0 {
                self.ended.store(true, Ordering::Relaxed);
                // what a program wrote last may have no end of line
                begun.extend(if begun.is_empty() { &b""[..] } else { b"\n" });
            }
            let whole = begun.iter().rposition(|&octet| octet == b'\n').map_or(0, |at| at + 1);
            for line in begun[..whole].split_inclusive(|&octet| octet == b'\n') {
                held.1 += line.len();
                if held.1 <= MAX_OUTPUT {
                    let text = String::from_utf8_lossy(&line[..line.len() - 1]).into_owned();
                    held.0.push(Line { at: lines.started.elapsed(), text });
                }
            }
            begun.drain(..whole);
            lines.changed.notify_all();
        }
    }

    /// Waits until there is something to read, or the end.
    fn wait(&self, time: PollTimeout) -> bool {
        let mut fds = [PollFd::new(self.pipe.as_fd(), PollFlags::POLLIN)];
        poll(&mut fds, time).is_ok_and(|ready| ready > 0)
    }

    /// Whether nothing is left to read; to be asked by who has the lock on the lines.
    fn is_drained(&self) -> bool {
        self.ended.load(Ordering::Relaxed) || !self.wait(PollTimeout::ZERO)
    }
}

/// Process id, parent and name of every process; none where there is no /proc.
fn processes() -> Vec<(i32, i32, String)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| parse_stat(&fs::read_to_string(entry.path().join("stat")).ok()?))
        .collect()
}

/// Fields 1, 4 and 2 of proc_pid_stat(5). The name may hold anything, but the last ")" ends it.
fn parse_stat(stat: &str) -> Option<(i32, i32, String)> {
    let (pid, rest) = stat.split_once(" (")?;
    let (name, rest) = rest.rsplit_once(") ")?;
    let parent = rest.split(' ').nth(1)?;
    Some((pid.parse().ok()?, parent.parse().ok()?, name.to_string()))
}

#[cfg(test)]
mod tests;
