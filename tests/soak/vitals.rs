//! Memory and open files of a process over the time, and whether they grow.

use std::fmt;
use std::fs;
use std::time::Duration;

use nix::unistd::Pid;

/// A process at a moment.
#[derive(Clone, Copy, Debug)]
struct Sample {
    /// Seconds since the begin.
    at: f64,
    /// Resident memory in kB.
    memory: f64,
    /// Open files.
    files: f64,
}

/// What a process had over the time.
#[derive(Debug)]
pub struct Vitals {
    name: &'static str,
    pid: Pid,
    samples: Vec<Sample>,
}

/// One quantity: at three moments, the rise over the whole time, and what it may be.
#[derive(Clone, Copy, Debug)]
struct Course {
    start: f64,
    middle: f64,
    end: f64,
    rise: f64,
    permitted: f64,
}

impl Vitals {
    pub(super) fn new(name: &'static str, pid: Pid) -> Self {
        Self { name, pid, samples: Vec::new() }
    }

    /// Looks once; where there is no /proc, at nothing.
    pub(super) fn look(&mut self, at: Duration) {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap_or_default();
        let memory = status.lines().find_map(|line| {
            line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse::<f64>().ok()
        });
        let files = fs::read_dir(format!("/proc/{}/fd", self.pid)).map(Iterator::count);
        if let (Some(memory), Ok(files)) = (memory, files) {
            self.samples.push(Sample { at: at.as_secs_f64(), memory, files: files as f64 });
        }
    }

    /// Resident memory in megabytes when it was looked at last.
    pub(super) fn megabytes(&self) -> f64 {
        self.samples.last().map_or(0.0, |sample| sample.memory / 1024.0)
    }

    /// Resident memory in kB. An allocator takes and gives back in steps, so that the line through
    /// all samples may rise by 5 % of their mean and 1 MB over the whole time.
    fn memory(&self) -> Option<Course> {
        course(&self.samples, |sample| sample.memory, |mean| 1024.0 + mean / 20.0)
    }

    /// Open files. A rotated packet log or a connection that is kept may be open at a moment.
    fn files(&self) -> Option<Course> {
        course(&self.samples, |sample| sample.files, |_| 2.0)
    }

    /// Whether neither rises by more than it may. Without samples there is nothing to say.
    pub fn is_flat(&self) -> bool {
        let courses = [self.memory(), self.files()];
        courses.iter().flatten().all(|course| course.rise <= course.permitted)
    }
}

/// The line of least squares through a quantity; `None` below three samples.
fn course(
    samples: &[Sample],
    value: impl Fn(&Sample) -> f64,
    permitted: impl Fn(f64) -> f64,
) -> Option<Course> {
    let [first, _, .., last] = samples else { return None };
    let count = samples.len() as f64;
    let mean = |of: &dyn Fn(&Sample) -> f64| samples.iter().map(of).sum::<f64>() / count;
    let (time, height) = (mean(&|sample| sample.at), mean(&value));
    let (mut both, mut square) = (0.0, 0.0);
    for sample in samples {
        both += (sample.at - time) * (value(sample) - height);
        square += (sample.at - time).powi(2);
    }
    Some(Course {
        start: value(first),
        middle: value(&samples[samples.len() / 2]),
        end: value(last),
        rise: both / square * (last.at - first.at),
        permitted: permitted(height),
    })
}

impl fmt::Display for Vitals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = [("memory, kB", self.memory()), ("open files", self.files())];
        for (what, course) in lines {
            let Some(Course { start, middle, end, rise, permitted }) = course else {
                return write!(f, "{}: not measured, there is no /proc", self.name);
            };
            writeln!(
                f,
                "{:6} {what:10}  start {start:6.0}  middle {middle:6.0}  end {end:6.0}  \
                 rise {rise:+7.1}, permitted {permitted:.0}",
                self.name
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vitals(memory: impl Fn(u32) -> f64, files: impl Fn(u32) -> f64) -> Vitals {
        let sample = |n: u32| Sample { at: n.into(), memory: memory(n), files: files(n) };
        Vitals { name: "x", pid: Pid::this(), samples: (0..100).map(sample).collect() }
    }

    #[test]
    fn what_grows_is_seen_and_what_jumps_is_not_mistaken_for_it() {
        let flat = |_| 20.0;
        let jumps = |n: u32| if n.is_multiple_of(7) { 26_000.0 } else { 20_000.0 };
        assert!(vitals(jumps, flat).is_flat());
        assert!(!vitals(|n| jumps(n) + 30.0 * f64::from(n), flat).is_flat());
        assert!(vitals(|n| 20_000.0 - f64::from(n), flat).is_flat());
        assert!(!vitals(flat, |n| f64::from(n / 20)).is_flat());
        assert!(vitals(flat, |n| f64::from(n % 3)).is_flat());
        let text = vitals(|n| 20_000.0 + f64::from(n), flat).to_string();
        let line = "x      memory, kB  start  20000  middle  20050  end  20099  rise   +99.0, \
                    permitted 2026\n";
        assert!(text.starts_with(line), "{text}");
    }

    #[test]
    fn a_process_can_be_looked_at() {
        let mut own = Vitals::new("own", Pid::this());
        own.look(Duration::ZERO);
        assert!(!std::path::Path::new("/proc/self/fd").exists() || own.megabytes() > 1.0);
    }
}
