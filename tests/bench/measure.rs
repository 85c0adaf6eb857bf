//! Times and peak memory, of processes and of work within this one.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::unistd::Pid;

/// Runs of each side.
pub const RUNS: usize = 5;

/// What a side took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// On the clock.
    pub wall: Duration,
    /// Of the processors, user and system.
    pub cpu: Duration,
    /// Peak resident memory of its largest process in MiB, where it is known.
    pub peak: Option<f64>,
}

/// Times work in this process.
pub fn within(work: impl FnOnce()) -> Cost {
    let (before, started) = (used(UsageWho::RUSAGE_SELF), Instant::now());
    work();
    Cost { wall: started.elapsed(), cpu: used(UsageWho::RUSAGE_SELF) - before, peak: None }
}

/// Runs a shell command line to its end and times it with all its processes.
///
/// Panics when it fails: a peer that does not do the work is no peer.
pub fn shell(line: &str) -> Cost {
    let (before, started) = (used(UsageWho::RUSAGE_CHILDREN), Instant::now());
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(line).stdin(Stdio::null()).env("LC_ALL", "C");
    let status = command.status().expect("start a shell");
    assert!(status.success(), "{line}: {status}");
    let cpu = used(UsageWho::RUSAGE_CHILDREN) - before;
    Cost { wall: started.elapsed(), cpu, peak: None }
}

/// The same with the peak memory of its largest process, by `time -v` of GNU where that is there.
pub fn shell_with_peak(line: &str) -> Cost {
    const TIME: &str = "/usr/bin/time";
    let cost = shell(line);
    if fs::metadata(TIME).is_err() {
        return cost;
    }
    let quoted = line.replace('\'', "'\\''");
    let mut command = Command::new(TIME);
    command.args(["-f", "%M", "/bin/sh", "-c", line]).stdin(Stdio::null()).stdout(Stdio::null());
    let output = command.output().unwrap_or_else(|why| panic!("{TIME}: {quoted}: {why}"));
    let text = String::from_utf8_lossy(&output.stderr);
    let kib: Option<f64> = text.lines().last().and_then(|line| line.trim().parse().ok());
    Cost { peak: kib.map(|kib| kib / 1024.0), ..cost }
}

fn used(who: UsageWho) -> Duration {
    let usage: Usage = getrusage(who).expect("getrusage");
    let time = |value: nix::sys::time::TimeVal| {
        Duration::new(value.tv_sec().cast_unsigned(), value.tv_usec() as u32 * 1000)
    };
    time(usage.user_time()) + time(usage.system_time())
}

/// The median by wall time, with the greatest peak of all runs.
pub fn median(mut costs: Vec<Cost>) -> Cost {
    costs.sort_by_key(|cost| cost.wall);
    let peak = costs.iter().filter_map(|cost| cost.peak).reduce(f64::max);
    let mut cpu: Vec<Duration> = costs.iter().map(|cost| cost.cpu).collect();
    cpu.sort_unstable();
    Cost { wall: costs[costs.len() / 2].wall, cpu: cpu[cpu.len() / 2], peak }
}

/// A figure of a process in MiB: `VmHWM` (peak) or `VmRSS` (now), of proc_pid_status(5).
pub fn memory(pid: Pid, what: &str) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with(what))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0)
}

/// The processors' time of a process; none once it has gone.
#[cfg(target_os = "linux")]
pub fn cpu_of(pid: Pid) -> Duration {
    use nix::time::{clock_getcpuclockid, clock_gettime};
    clock_getcpuclockid(pid).and_then(clock_gettime).map_or(Duration::ZERO, Duration::from)
}

/// No clock of another process: none is known.
#[cfg(not(target_os = "linux"))]
pub fn cpu_of(_: Pid) -> Duration {
    Duration::ZERO
}

/// What of the time of a process was in the kernel, and all of it, in ticks (proc_pid_stat(5), 14 and 15);
/// none where that cannot be read.
pub fn ticks(pid: Pid) -> [u64; 2] {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // the name of the program, between brackets, may be any text
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11);
    let mut fields = fields.map(|field| field.parse().unwrap_or(0));
    let (user, system) = (fields.next().unwrap_or(0), fields.next().unwrap_or(0));
    [system, user + system]
}

/// Whether a program is installed.
pub fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}
