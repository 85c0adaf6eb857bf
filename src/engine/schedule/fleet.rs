//! A thousand firewalls that ask one name server, simulated in time with the timers of the program: their
//! jitter and their back-off, while the server is there, is away for an hour, and is there again.

use super::*;

const FIREWALLS: usize = 1000;
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// How often the server was asked, for each second.
struct Fleet {
    timers: Vec<(Timer, Duration)>,
    asked: Vec<usize>,
    /// When each firewall had its last answer, counted from the start of all.
    answered: Vec<Duration>,
}

impl Fleet {
    /// All of them start at once, as after a power failure.
    fn new() -> Self {
        let timer = || (Timer::new(Duration::from_secs(HOUR), Instant::now()), Duration::ZERO);
        Self {
            timers: (0..FIREWALLS).map(|_| timer()).collect(),
            asked: Vec::new(),
            answered: vec![Duration::ZERO; FIREWALLS],
        }
    }

    /// Goes on to a minute; the server answers or does not.
    fn until(&mut self, minute: u64, is_there: bool) {
        let end = Duration::from_secs(minute * MINUTE);
        self.asked.resize(end.as_secs() as usize, 0);
        for ((timer, due), answered) in self.timers.iter_mut().zip(&mut self.answered) {
            while *due < end {
                self.asked[due.as_secs() as usize] += 1;
                if is_there {
                    *answered = *due;
                }
                *due += timer.wait(!is_there);
            }
        }
    }

    /// The seconds from one minute on, up to another.
    fn seconds(&self, from: u64, to: u64) -> &[usize] {
        &self.asked[(from * MINUTE) as usize..(to * MINUTE) as usize]
    }

    /// The most questions of a minute from one minute on, up to another.
    fn most(&self, from: u64, to: u64) -> usize {
        let minutes = self.seconds(from, to).chunks(MINUTE as usize);
        minutes.map(|seconds| seconds.iter().sum()).max().unwrap_or_default()
    }

    fn all(&self, from: u64, to: u64) -> usize {
        self.seconds(from, to).iter().sum()
    }

    /// The figures of BENCHMARKS.md and of the manual.
    fn print(&self, what: &str, from: u64, to: u64) {
        let second = self.seconds(from, to).iter().max().copied().unwrap_or_default();
        let (all, minute) = (self.all(from, to), self.most(from, to));
        println!("{what}: {all} questions, at most {minute} in a minute and {second} in a second");
    }
}

/// Bounds are far from what chance does: a minute of the thousand over an hour has 17 questions, and over
/// the quarter of an hour of the longest back-off 67. With --nocapture the figures are printed.
#[test]
fn an_outage_of_an_hour_and_its_end_are_no_storm_of_a_thousand_firewalls() {
    let mut fleet = Fleet::new();
    // a day, in which what began at once is spread
    let (down, up, end) = (24 * 60, 25 * 60, 30 * 60);
    fleet.until(down, true);
    assert!(
        (900..1_120).contains(&fleet.all(down - 60, down)),
        "an hour: {}",
        fleet.all(down - 60, down)
    );
    assert!(fleet.most(down - 60, down) < 120, "{}", fleet.most(down - 60, down));
    fleet.until(up, false);
    // 1, 2, 4, 8 minutes, and then each quarter of an hour
    assert!(fleet.all(down, up) < FIREWALLS * 9, "{}", fleet.all(down, up));
    assert!(fleet.most(down, up) < 300, "{}", fleet.most(down, up));
    fleet.until(end, true);
    assert!(fleet.most(up, end) < 300, "{}", fleet.most(up, end));
    // all have an answer within the longest back-off, and go on at their interval
    assert_eq!(fleet.all(up, up + 15).clamp(0, FIREWALLS), FIREWALLS);
    fleet.print("an hour before", down - 60, down);
    fleet.print("the hour without the server", down, up);
    fleet.print("the quarter of an hour after it", up, up + 15);
    fleet.print("the hour after that", up + 15, up + 75);
    let late = fleet.answered.iter().filter(|at| at.as_secs() < (end - 67) * MINUTE).count();
    assert_eq!(late, 0, "whoever failed asks no more seldom than before");
}
