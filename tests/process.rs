//! Programs that run beside a test: their output with times, bounded waits, and nothing left behind.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

/// How often a wait looks again.
const LOOK: Duration = Duration::from_millis(5);
/// Octets of output kept of one program; what is beyond is read and dropped.
const MAX_OUTPUT: usize = 16 << 20;

/// A line that a program wrote, and when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When, since the program was started.
    pub at: Duration,
    /// Without its end of line.
    pub text: String,
}

#[derive(Debug, Default)]
struct Lines {
    lines: Mutex<Vec<Line>>,
    /// Octets of these.
    octets: AtomicUsize,
    changed: Condvar,
}

impl Lines {
    fn lock(&self) -> MutexGuard<'_, Vec<Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A program in a process group of its own. When this is dropped, the group is killed, and every
/// descendant that can be found.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Mutex<Child>,
    pid: Pid,
    started: Instant,
    lines: Arc<Lines>,
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
        let lines = Arc::new(Lines::default());
        let started = Instant::now();
        let out = child.stdout.take().expect("stdout is a pipe");
        let err = child.stderr.take().expect("stderr is a pipe");
        collect(out, Arc::clone(&lines), started);
        collect(err, Arc::clone(&lines), started);
        Self { name, child: Mutex::new(child), pid, started, lines }
    }

    /// The process id.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// The lines written so far.
    pub fn lines(&self) -> Vec<Line> {
        self.lines.lock().clone()
    }

    /// Hands out the lines written so far, and forgets them: for programs that run for long.
    pub fn take_lines(&self) -> Vec<Line> {
        let mut lines = self.lines.lock();
        self.lines.octets.store(0, Ordering::Relaxed);
        std::mem::take(&mut lines)
    }

    /// The lines written so far as a text with times, for messages.
    pub fn output(&self) -> String {
        let line = |line: &Line| format!("{:>8.3} {}\n", line.at.as_secs_f64(), line.text);
        self.lines.lock().iter().map(line).collect()
    }

    /// How many lines were written so far; what comes after this moment is at this index or later.
    pub fn mark(&self) -> usize {
        self.lines.lock().len()
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
            if let Some(line) = lines.iter().skip(mark).find(|line| line.text.contains(text)) {
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
        self.started.elapsed()
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

/// Runs a program to its end; panics when it does not end in time.
pub fn run(command: &mut Command, within: Duration) -> Output {
    let name = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|why| panic!("cannot start {name}: {why}"));
    let out = read_all(child.stdout.take().expect("stdout is a pipe"));
    let err = read_all(child.stderr.take().expect("stderr is a pipe"));
    let deadline = Instant::now() + within;
    let status = loop {
        match child.try_wait().unwrap_or_else(|why| panic!("wait for {name}: {why}")) {
            Some(status) => break status,
            None if Instant::now() < deadline => sleep(LOOK),
            None => {
                let _ = child.kill();
                let _ = child.wait();
                let (out, err) = (out.join().unwrap(), err.join().unwrap());
                panic!("{name} still runs after {within:?}:\n{out}{err}");
            }
        }
    };
    Output { status, stdout: out.join().unwrap(), stderr: err.join().unwrap() }
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

fn read_all(mut stream: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut octets = Vec::new();
        let _ = stream.read_to_end(&mut octets);
        String::from_utf8_lossy(&octets).into_owned()
    })
}

fn collect(stream: impl Read + Send + 'static, lines: Arc<Lines>, started: Instant) {
    std::thread::spawn(move || {
        let mut reader = BufReader::new(stream);
        let mut octets = Vec::new();
        while reader.read_until(b'\n', &mut octets).is_ok_and(|len| len > 0) {
            let kept = lines.octets.fetch_add(octets.len(), Ordering::Relaxed);
            if kept + octets.len() <= MAX_OUTPUT {
                let text = String::from_utf8_lossy(&octets).trim_end_matches('\n').to_string();
                lines.lock().push(Line { at: started.elapsed(), text });
                lines.changed.notify_all();
            }
            octets.clear();
        }
    });
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
