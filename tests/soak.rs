//! The soak: the real daemon against the simulated services for as long as wanted, with a little
//! churn and a few mishaps all the time, and the question whether anything grows, gets lost or comes
//! apart. `cargo soak` runs it for a person, `cases/soak.rs` for a short time.
//!
//! * In: for how long, and who wants to know how far it is.
//! * Out: figures of what was done, memory and descriptors over the time.
//! * Never: go on when something was lost or came apart, or touch anything outside its directory.

mod churn;
mod delivery;
mod vitals;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::harness::{Config, Daemon, Scratch};
use crate::item::table_text;
use crate::lists::{INDICATOR, allow_list};
use crate::sim::pflog::PacketLog;
use crate::sim::{Behaviour, Layout, LogService, PolicyService, SUFFIX, Zone};
use churn::Churn;
use delivery::Delivery;
pub use vitals::Vitals;

const BLOCK: &str = "basic.threatstop.local";
const ALLOW: &str = "dns.threatstop.local";
/// Prefixes of the block list.
const PREFIXES: usize = 10_000;
/// An update and an upload each.
const TURN: Duration = Duration::from_secs(1);
/// Turns after which the same mishaps come again.
const CYCLE: u32 = 30;
/// The turns that have all of them. Where a turn takes longer than it should, so does the soak.
const FEWEST: u32 = 20;
/// The shortest time for these.
pub const SHORTEST: Duration = Duration::from_secs(FEWEST as u64);
/// Turns before memory counts: caches and buffers find their size.
const WARM_UP: u32 = 5;
/// Records of each turn that are ours, and that are not.
const RECORDS: (u32, u32) = (5, 2);
/// A source that is in no list.
const OTHER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 7);
/// How long the rest may take at the end. A renamed packet log is read on for 10 seconds.
const REST: Duration = Duration::from_secs(180);

/// What the log says when all is well.
const USUAL: [&str; 9] = [
    "this system has no pledge(2) and unveil(2): ",
    "no previous ",
    " started, helper ",
    "reloaded, helper ",
    "restarted, helper ",
    "update published in ",
    "update unchanged in ",
    "log uploaded: slice ",
    "policy: brings its lists again",
];

/// How far a soak is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Since the begin.
    pub elapsed: Duration,
    /// Updates that were published.
    pub updates: u32,
    /// Slices that were confirmed.
    pub slices: usize,
    /// Resident memory of helper and engine in megabytes.
    pub megabytes: [f64; 2],
}

/// What came of it.
#[derive(Debug)]
pub struct Report {
    /// The last progress.
    pub progress: Progress,
    /// Updates that failed while the policy service was down.
    pub failed_updates: u32,
    /// Uploads that failed while the log service refused.
    pub failed_uploads: u32,
    /// Times that the packet log was rotated.
    pub rotations: u32,
    /// Records in the slices.
    pub records: usize,
    /// Slices that came again, since they had not been confirmed.
    pub repeated: usize,
    /// Helper and engine.
    pub vitals: Vec<Vitals>,
}

/// The services, the daemon, and what is known of them.
struct Soak {
    /// Holds the directory.
    _scratch: Scratch,
    policy: Option<PolicyService>,
    addr: SocketAddr,
    service: LogService,
    log: PacketLog,
    daemon: Daemon,
    churn: Churn,
    delivery: Delivery,
    source: Ipv4Addr,
    /// The table that was served last.
    table: String,
    updates: u32,
    failed_updates: u32,
    failed_uploads: u32,
    rotations: u32,
    /// Turns since something was out of order.
    healthy: u32,
}

/// Runs for so long, and some seconds more for what is left then. Panics at the first thing that is
/// not as it should be, and leaves the directory for inspection.
pub fn run(time: Duration, mut tell: impl FnMut(Progress)) -> Report {
    let mut soak = Soak::start();
    let engine = soak.daemon.engine();
    let named = [("helper", soak.daemon.helper()), ("engine", engine)];
    let mut vitals: Vec<Vitals> =
        named.into_iter().filter_map(|(name, pid)| Some(Vitals::new(name, pid?))).collect();
    let begin = Instant::now();
    let mut turns = 0;
    while begin.elapsed() < time || turns < FEWEST {
        let next = begin + TURN * (turns + 1);
        soak.mishap(turns % CYCLE);
        soak.turn();
        turns += 1;
        if turns > WARM_UP {
            vitals.iter_mut().for_each(|vitals| vitals.look(begin.elapsed()));
        }
        tell(soak.progress(begin.elapsed(), &vitals));
        sleep(next.saturating_duration_since(Instant::now()));
    }
    soak.rest();
    assert_eq!(soak.daemon.engine(), engine, "the engine is another: {}", soak.daemon.output());
    let progress = soak.progress(begin.elapsed(), &vitals);
    let Soak { daemon, delivery, updates, failed_updates, failed_uploads, rotations, .. } = soak;
    assert!(daemon.stop().success());
    assert!(updates + failed_updates >= turns, "{updates} updates in {turns} turns");
    Report {
        progress,
        failed_updates,
        failed_uploads,
        rotations,
        records: delivery.records(),
        repeated: delivery.repeated,
        vitals,
    }
}

fn zone(churn: &Churn) -> Zone {
    let mut zone = Zone::new(SUFFIX);
    zone.set_list(BLOCK, &churn.items(), Layout::Index);
    zone.set_list(ALLOW, &allow_list(), Layout::Single);
    zone
}

impl Soak {
    fn start() -> Self {
        let churn = Churn::new(PREFIXES);
        let policy = PolicyService::start(zone(&churn));
        let service = LogService::start();
        let scratch = Scratch::new();
        let log = PacketLog::create(scratch.path().join("pflog"));
        let ca = scratch.path().join("ca.pem");
        std::fs::write(&ca, service.ca()).expect("write the certificate");
        // the turns ask for updates and uploads; the timers stay out of the way
        let config = Config::new(&scratch, &[policy.addr()])
            .set("policy.interval", "7d")
            .set("tables.check_interval", "2s")
            .set("log.enabled", true)
            .set("log.url", service.url())
            .set("https.ca_file", ca.to_str().expect("a path in UTF-8"))
            .set("log.interval", "1d")
            .set("log.timestamp", "epoch");
        let daemon = Daemon::start(&scratch, &config);
        let mut soak = Self {
            _scratch: scratch,
            table: churn.table(),
            addr: policy.addr(),
            policy: Some(policy),
            service,
            log,
            daemon,
            churn,
            delivery: Delivery::default(),
            source: INDICATOR.parse().expect("an address"),
            updates: 0,
            failed_updates: 0,
            failed_uploads: 0,
            rotations: 0,
            healthy: 0,
        };
        // what is ours is known from the first policy on
        soak.update();
        soak
    }

    /// What happens in this turn of a cycle.
    fn mishap(&mut self, turn: u32) {
        match turn {
            3 => {
                self.log.rotate();
                self.rotations += 1;
            }
            // a renamed file is left when it has been silent for a while
            4 => self.log.reopen(),
            7 => drop(self.policy.take()),
            8 => self.log.compress(),
            10 => self.serve_again(),
            15 => self.service.set(Behaviour::Say(503, "", "busy")),
            17 => self.service.set(Behaviour::Drop(100)),
            18 => self.service.set(Behaviour::Confirm),
            _ => {}
        }
        let refuses = (15..18).contains(&turn);
        self.healthy = if self.policy.is_none() || refuses { 0 } else { self.healthy + 1 };
    }

    /// The service comes back at its old place, with the list of the moment.
    fn serve_again(&mut self) {
        self.policy = Some(PolicyService::start_at(self.addr, zone(&self.churn)));
        self.table = self.churn.table();
    }

    fn turn(&mut self) {
        self.churn.turn();
        if let Some(policy) = &self.policy {
            policy.set_list(BLOCK, &self.churn.items(), Layout::Index);
            self.table = self.churn.table();
        }
        self.log.append(RECORDS.0, self.source);
        self.log.append(RECORDS.1, OTHER);
        self.update();
        self.upload();
        self.read_the_log();
    }

    /// Updates; that succeeds if, and only if, the service is there. Then file and table have what
    /// it has served last.
    fn update(&mut self) {
        let output = self.daemon.ctl(&["update"]);
        let wanted = self.policy.is_some();
        assert_eq!(
            output.status.success(),
            wanted,
            "{}{}{}",
            output.stdout,
            output.stderr,
            self.daemon.output()
        );
        *(if wanted { &mut self.updates } else { &mut self.failed_updates }) += 1;
        let allow = table_text(&allow_list());
        for (name, expected) in [("ThreatSTOP-Block", &self.table), ("ThreatSTOP-Allow", &allow)] {
            let (file, kernel) = (self.daemon.table_file(name), self.daemon.kernel_table(name));
            assert!(file.as_ref() == Some(expected), "{name}: the file is not what was served");
            assert!(file == kernel, "{name}: file and table differ");
        }
    }

    fn upload(&mut self) {
        let output = self.daemon.ctl(&["upload"]);
        self.failed_uploads += u32::from(!output.status.success());
        assert!(output.status.success() || self.healthy == 0, "{}", output.stderr);
        self.delivery.enter(self.service.take(), &self.log);
    }

    /// Whatever the log says belongs to what happens.
    fn read_the_log(&mut self) {
        for line in self.daemon.take_lines() {
            let text = line.text.as_str();
            // what is logged is read by another thread, a little later
            let failed = self.healthy < 3
                && ["update failed, the previous policy stays: ", "log upload: "]
                    .iter()
                    .any(|begin| text.contains(begin));
            let usual = USUAL.iter().any(|words| text.contains(words));
            assert!(usual || failed, "this does not belong into the log: {text}");
        }
    }

    /// Waits until all that was written has arrived, and looks at everything once more.
    fn rest(&mut self) {
        self.service.set(Behaviour::Confirm);
        if self.policy.is_none() {
            self.serve_again();
        }
        self.log.reopen();
        self.healthy = 1;
        self.turn();
        let deadline = Instant::now() + REST;
        while self.delivery.missing(&self.log, self.source) > 0 {
            assert!(
                Instant::now() < deadline,
                "{} records have not arrived: {}",
                self.delivery.missing(&self.log, self.source),
                self.daemon.output()
            );
            self.upload();
            sleep(TURN / 2);
        }
        assert!(self.delivery.is_gapless(), "a slice is missing: {:?}", self.delivery);
        let status = self.daemon.ctl(&["-j", "status"]).stdout;
        let status: serde_json::Value = serde_json::from_str(&status).expect("JSON");
        assert_eq!(status["spool"]["slices"], 0, "{status}");
        assert_eq!(status["spool"]["dropped"], 0, "{status}");
        assert_eq!(status["held"], serde_json::json!([]), "{status}");
        self.read_the_log();
    }

    fn progress(&self, elapsed: Duration, vitals: &[Vitals]) -> Progress {
        let megabytes = |at: usize| vitals.get(at).map_or(0.0, Vitals::megabytes);
        Progress {
            elapsed,
            updates: self.updates,
            slices: self.delivery.slices(),
            megabytes: [megabytes(0), megabytes(1)],
        }
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { elapsed, updates, slices, megabytes: [helper, engine] } = self;
        let seconds = elapsed.as_secs();
        write!(
            f,
            "{seconds} s: {updates} updates, {slices} slices, helper {helper:.1} MB, \
             engine {engine:.1} MB"
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.progress)?;
        writeln!(
            f,
            "{} records in {} slices, {} of them sent again; {} updates and {} uploads failed as \
             they should; {} rotations",
            self.records,
            self.progress.slices,
            self.repeated,
            self.failed_updates,
            self.failed_uploads,
            self.rotations
        )?;
        self.vitals.iter().try_for_each(|vitals| write!(f, "{vitals}"))
    }
}
