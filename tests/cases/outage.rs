//! A log server that is out of reach for a day, a week, two months, and comes back.
//!
//! The engine of these cases has a clock that is set ahead by a file: each attempt to upload comes as
//! soon as the clock stands where the attempt is due.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::logging::*;
use nix::sys::signal::{Signal, kill};
use serde_json::Value;
use tests::harness::{Config, Daemon, Scratch};
use tests::process::{Looks, PATIENCE};
use tests::servers::{self, Server, accepts, free_addr, require_program, write_certificates};
use tests::sim::logservice::{Behaviour, Upload};
use tests::sim::pflog::{Packet, PacketLog};
use tests::sim::{LogService, PolicyService};

const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;
/// Longer than a busy machine takes from the moment that an attempt is due to its end.
const MARGIN: u64 = 5 * 60;
/// At most so many slices a second are sent.
const PACE: Duration = Duration::from_millis(200);

/// What a slice has, when all goes well.
struct Batch {
    /// The time of all its records.
    at: u64,
    text: String,
}

struct Stage {
    daemon: Daemon,
    config: Config,
    scratch: Scratch,
    log: PacketLog,
    /// What has come into the packet log, each before an attempt of its own.
    batches: Vec<Batch>,
    records: u32,
    nginx: PathBuf,
    certificates: tempfile::TempDir,
    /// Where the log server should be.
    addr: SocketAddr,
    /// What nginx gives what it gets to, when it is there.
    handler: LogService,
    _policy: PolicyService,
}

impl Stage {
    /// Nobody listens where the log server should be. None when there is no nginx to come back.
    fn new(change: impl Fn(Config) -> Config) -> Option<Self> {
        let nginx = require_program("nginx")?;
        let (scratch, policy) = (Scratch::new(), policy());
        let handler = LogService::behind_a_server();
        let certificates = tempfile::tempdir().unwrap();
        write_certificates(certificates.path());
        let addr = free_addr();
        let config = config(&scratch, &policy, &handler)
            .set("log.url", format!("https://{addr}/cgi-bin/logupload.pl"))
            .set("https.ca_file", certificates.path().join("ca.pem").to_str().unwrap())
            .unset("log.spool_age");
        let log = PacketLog::create(scratch.path().join("pflog"));
        let config = change(config);
        let daemon = Daemon::spawn_faulty(&scratch, &config);
        daemon.wait_until_ready();
        assert!(daemon.ctl(&["update"]).status.success(), "{}", daemon.output());
        let (batches, records, _policy) = (Vec::new(), 0, policy);
        let stage = Self {
            daemon,
            config,
            scratch,
            log,
            batches,
            records,
            nginx,
            certificates,
            addr,
            handler,
            _policy,
        };
        Some(stage)
    }

    /// The log server is back.
    fn server(&self) -> Server {
        let certificates = self.certificates.path();
        Server::start_at(
            self.addr,
            |dir, addr| servers::nginx(&self.nginx, certificates, dir, addr, self.handler.addr()),
            accepts,
        )
    }

    /// Puts records of a time into the packet log.
    fn append(&mut self, count: u32, at: u64) {
        let (mut octets, mut text) = (Vec::new(), String::new());
        if self.records == 0 {
            octets = tests::sim::pflog::file_header();
        }
        for _ in 0..count {
            let packet = Packet {
                seconds: at as u32,
                micros: self.records % 1_000_000,
                out: false,
                source: BAD,
                destination: Ipv4Addr::new(192, 0, 2, 1),
                port: 22,
                anchor: "",
            };
            octets.extend(packet.record());
            text += &(packet.line() + "\n");
            self.records += 1;
        }
        self.log.append_octets(&octets);
        self.batches.push(Batch { at, text });
    }

    fn status(&self) -> Value {
        status(&self.daemon)
    }

    /// When the next attempt is due.
    fn due(&self) -> u64 {
        self.status()["upload"]["next"].as_u64().unwrap()
    }

    fn clock(&self, at: u64) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        self.scratch.set_ahead(at - now);
    }

    /// Sets the clock, to when an attempt is due or later, and waits until it has been made.
    fn attempt(&self, at: u64) {
        self.clock(at + 1);
        let looks = Looks::within(PATIENCE);
        while self.due() <= at + 1 {
            assert!(looks.go_on(), "no attempt: {}", self.daemon.output());
        }
    }

    /// Records of that time, and an attempt that fails, when it is due or at a later time.
    fn fails(&mut self, count: u32, at: Option<u64>) -> u64 {
        let due = self.due();
        let at = at.map_or(due, |at| at.max(due));
        self.append(count, at - 10);
        self.attempt(at);
        at
    }

    /// The warnings of the log path: the clock makes the policy old, too.
    fn warnings(&self) -> Vec<(String, String)> {
        let pf = self.status()["pf"].clone();
        let texts = |key: &str| -> Vec<String> { serde_json::from_value(pf[key].clone()).unwrap() };
        let all = texts("warnings").into_iter().zip(texts("ways_out"));
        all.filter(|(text, _)| text.contains("log")).collect()
    }

    /// How many lines of the daemon's log have a text.
    fn said(&self, text: &str) -> usize {
        self.daemon.output().lines().filter(|line| line.contains(text)).count()
    }

    /// Kills the engine and waits for the next one.
    fn another_engine(&self) {
        let mark = self.daemon.mark();
        kill(self.daemon.engine().unwrap(), Signal::SIGKILL).unwrap();
        self.daemon.wait_for_after(mark, "engine terminated; signal 9", PATIENCE);
        self.daemon.wait_until_ready();
    }

    /// What the server confirmed: in order, each once.
    fn confirmed(&self) -> Vec<Upload> {
        let uploads = self.handler.uploads().into_iter();
        uploads.filter(|upload| upload.confirmed).collect()
    }

    /// Everything from the batch of this number on has arrived, each in its slice and in order, and
    /// what came before is counted.
    fn assert_rest(&self, from: usize, dropped: usize) {
        let confirmed = self.confirmed();
        let ids: Vec<&str> = confirmed.iter().map(Upload::id).collect();
        assert!(ids.is_sorted(), "the oldest first: {ids:?}");
        let texts: Vec<String> = confirmed.iter().map(Upload::text).collect();
        let expected: Vec<&str> = self.batches[from..].iter().map(|b| b.text.as_str()).collect();
        assert!(texts == expected, "{} slices and not {}", texts.len(), expected.len());
        assert_eq!(dropped, from, "dropped, of {}", self.batches.len());
        let status = self.status();
        assert_eq!(status["spool"]["slices"], 0);
        assert_eq!(status["spool"]["dropped"], dropped);
        assert_eq!(status["upload"]["failing"], Value::Null);
        assert_eq!(self.warnings(), []);
    }
}

/// 1. A day: attempts come after minutes and then once an hour, the log tells the reason once, and
///    status warns when the day is over and not before, with the way out.
/// 2. Three days, hour by hour: the log tells once a day; the engine is killed, and the next one goes
///    on.
/// 3. Two months, day by day: what is older than 35 days is dropped, and counted in status and
///    metrics.
/// 4. The server is back and says 503: one slice is tried, not all.
/// 5. It takes them: the oldest first, each once, at a pace; the one of before with the same id.
#[test]
fn two_months() {
    let Some(mut stage) = Stage::new(|config| config) else { return };
    let first = stage.fails(3, None);
    let mut attempts = 1;
    let mut last = first;
    while stage.due() < first + DAY {
        assert_eq!(stage.warnings(), [], "after {} hours", (last - first) / HOUR);
        last = stage.fails(3, None);
        attempts += 1;
    }
    assert!((26..=34).contains(&attempts), "{attempts} attempts on the first day");
    assert_eq!(stage.said("log upload: "), 1, "{}", stage.daemon.output());
    // what failed first failed at the earliest then
    last = stage.fails(3, Some(first + DAY + MARGIN));
    let reason = format!("{}: Connection refused", stage.addr);
    let warnings = stage.warnings();
    let [(text, way_out)] = warnings.as_slice() else { panic!("{warnings:?}") };
    // the first attempt after a day is within 66 minutes
    assert!(
        text.starts_with("no log was uploaded for 24 hours: ")
            || text.starts_with("no log was uploaded for 25 hours: "),
        "{text}"
    );
    assert!(text.contains(&reason), "{text}");
    let tool = format!("threatstopctl -s {}", stage.scratch.socket().display());
    assert_eq!(way_out, &format!("{tool} upload tries now, {tool} test looks further"));

    while last < first + 3 * DAY {
        last = stage.fails(3, None);
    }
    let told = stage.said("log upload: ");
    assert!((3..=4).contains(&told), "told {told} times in three days");
    let reminder = "log upload: no log was uploaded for 2 days: ";
    assert_eq!(stage.said(reminder), 1, "{}", stage.daemon.output());
    assert_eq!(stage.status()["spool"]["dropped"], 0);
    assert_eq!(stage.status()["spool"]["slices"], stage.batches.len());
    let failing = stage.status()["upload"]["failing"].clone();
    stage.another_engine();
    assert_eq!(stage.status()["upload"]["failing"], failing);

    for day in 4..=60 {
        last = stage.fails(3, Some(first + day * DAY + MARGIN));
    }
    let status = stage.status();
    let (slices, dropped) = (&status["spool"]["slices"], &status["spool"]["dropped"]);
    let of_age = |now: u64| stage.batches.iter().filter(|b| b.at < now - 35 * DAY).count();
    assert_eq!(dropped.as_u64(), Some(of_age(last) as u64), "{status}");
    assert_eq!(slices.as_u64(), Some((stage.batches.len() - of_age(last)) as u64));
    let metrics = stage.daemon.ctl(&["metrics"]).stdout;
    let line = format!("\nthreatstop_spool_dropped_slices {dropped}\n");
    assert!(metrics.contains(&line), "{metrics}");
    assert!(
        stage.warnings()[0].0.starts_with("no log was uploaded for 60 days: "),
        "{:?}",
        stage.warnings()
    );
    let told = stage.said("longer in the spool than log.spool_age");
    assert!((1..=26).contains(&told), "told {told} times in 25 days");

    let server = stage.server();
    stage.handler.set(Behaviour::Say(503, "", "back soon"));
    let due = stage.due();
    stage.attempt(due);
    let tried = stage.handler.uploads();
    assert_eq!(tried.len(), 1, "{}", stage.daemon.output());
    stage.handler.set(Behaviour::Confirm);
    let (due, began) = (stage.due(), Instant::now());
    stage.attempt(due);
    let from = of_age(due);
    let sent = stage.batches.len() - from;
    assert!(began.elapsed() >= PACE * (sent as u32 - 1), "{sent} in {:?}", began.elapsed());
    assert_eq!(stage.confirmed()[0].id(), tried[0].id());
    let dropped = stage.status()["spool"]["dropped"].as_u64().unwrap();
    stage.assert_rest(from, dropped as usize);
    // and from now on as if nothing had been
    let wait = stage.due() - due;
    assert!((800..=1000).contains(&wait), "the next in {wait} seconds");
    drop(server);
}

/// 1. A day and a half with more than the spool holds: it stays within its size, the oldest falls out,
///    status says so, and the log says so at once and then once a day.
/// 2. The server is back: the rest comes in order, and what the log told of is what was lost.
#[test]
fn more_than_the_spool_holds() {
    let Some(mut stage) = Stage::new(|config| config.set("log.spool_size", "1M")) else { return };
    let first = stage.due();
    let mut last = first;
    while last < first + 36 * HOUR {
        last = stage.fails(700, None);
        let octets = stage.status()["spool"]["octets"].as_u64().unwrap();
        assert!(octets <= 1 << 20, "{octets}");
    }
    let warnings = stage.warnings();
    assert!(warnings[0].0.starts_with("no log was uploaded for 3"), "{warnings:?}");
    assert!(warnings[1].0.starts_with("the spool is full: "), "{warnings:?}");
    assert!(warnings[1].1.contains("log.spool_size"), "{warnings:?}");
    let told = stage.said("the spool is full: dropped ");
    assert!((1..=2).contains(&told), "told {told} times in 36 hours");

    let server = stage.server();
    let due = stage.due();
    stage.attempt(due);
    let dropped = stage.status()["spool"]["dropped"].as_u64().unwrap() as usize;
    assert!((10..stage.batches.len() - 8).contains(&dropped), "{dropped}");
    stage.assert_rest(dropped, dropped);
    let output = stage.daemon.output();
    let sums = output.lines().filter_map(|line| line.split_once("the spool is full: dropped "));
    let lost = sums.map(|(_, sum)| {
        let (_, records) = sum.split_once(" with ").unwrap();
        records.split(' ').next().unwrap().parse::<usize>().unwrap()
    });
    assert_eq!(lost.sum::<usize>(), 700 * dropped, "{output}");
    drop(server);
}

/// 1. Let uploads fail for some hours, then let the disk be full for new slices, and 40 days go by: the
///    old slices make room all the same, and what could not be kept is told.
/// 2. Turn the packet log off: nobody is warned of what failed before; status says what becomes of what
///    waits, and it is dropped when it is too old.
#[test]
fn a_full_disk_and_an_end() {
    let Some(mut stage) = Stage::new(|config| config) else { return };
    let first = stage.fails(3, None);
    stage.fails(3, None);
    assert_eq!(stage.status()["spool"]["slices"], 2);
    let fault = stage.scratch.spool().join("fault");
    let new = stage.scratch.spool().join("fault.new");
    fs::write(&new, "create slice:28\n").unwrap();
    fs::rename(&new, &fault).unwrap();
    for day in 1..=40 {
        stage.fails(3, Some(first + day * DAY));
    }
    let spool = stage.status()["spool"].clone();
    assert_eq!((&spool["slices"], &spool["dropped"]), (&0.into(), &2.into()), "{spool}");
    let warnings = stage.daemon.ctl(&["status"]).stdout;
    assert!(warnings.contains("No space left on device"), "{warnings}");
    fs::remove_file(&fault).unwrap();
    let due = stage.due();
    stage.attempt(due);
    assert_eq!(stage.status()["spool"]["slices"], 1);
    assert!(stage.warnings()[0].0.starts_with("no log was uploaded for 40 days: "));
    let last = due;

    stage.config = stage.config.set("log.enabled", false);
    stage.config.write(&stage.scratch);
    let reload = stage.daemon.ctl(&["reload"]);
    assert!(reload.status.success(), "{reload:?}");
    assert_eq!(stage.warnings(), []);
    let shown = stage.daemon.ctl(&["status"]).stdout;
    assert!(shown.contains("1 slice ") && shown.contains("log.enabled is false: what"), "{shown}");
    for day in [1, 2, 3] {
        stage.clock(last + day * DAY);
        sleep(Duration::from_secs(1));
    }
    assert_eq!(stage.status()["spool"]["slices"], 1);
    for day in 4..=50 {
        stage.clock(last + day * DAY);
        sleep(Duration::from_millis(100));
    }
    crate::common::wait_until("what is too old is dropped", || {
        stage.status()["spool"]["slices"] == 0
    });
}

/// 1. Let uploads fail for some hours, and start the engine anew with a clock that is twelve years
///    ahead, as a host without a battery may boot; let some more fail then.
/// 2. Start it with the clock that is right. The server is back.
/// 3. Check that nothing was dropped for its age, and that all of it comes.
#[test]
fn a_clock_far_ahead_at_boot_drops_nothing() {
    let Some(mut stage) = Stage::new(|config| config) else { return };
    stage.fails(3, None);
    let last = stage.fails(3, None);
    stage.clock(last + 12 * 365 * DAY);
    stage.another_engine();
    for _ in 0..3 {
        stage.attempt(stage.due());
        assert_eq!(stage.status()["spool"]["slices"], 2);
    }
    stage.clock(last + HOUR);
    stage.another_engine();
    let server = stage.server();
    stage.attempt(stage.due());
    stage.assert_rest(0, 0);
    drop(server);
}
