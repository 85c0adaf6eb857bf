//! What the cases about failures share.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::{User, geteuid};
use serde_json::Value;
use tests::harness::{Config, Daemon, Scratch, programs};
use tests::item::{Item, table_text};
use tests::lists::{allow_list, big_list};
use tests::process::{Looks, Output, Process};
pub use tests::process::{PATIENCE, STOP};
use tests::servers::say_skipped;
use tests::sim::{Layout, PolicyService, SUFFIX, Zone};

/// The table of blocked addresses.
pub const BLOCK: &str = "ThreatSTOP-Block";
/// The table of allowed addresses.
pub const ALLOW: &str = "ThreatSTOP-Allow";
/// The block list.
pub const BASIC: &str = "basic.threatstop.local";
/// The allow list.
pub const DNS: &str = "dns.threatstop.local";

/// A zone with a block list and the usual allow list.
pub fn zone(block: &[Item]) -> Zone {
    let mut zone = Zone::new(SUFFIX);
    zone.set_list(BASIC, block, Layout::Index).set_list(DNS, &allow_list(), Layout::Single);
    zone
}

/// A list of so many prefixes and the text of its table. Two of different length have next to
/// nothing in common in the order of their names, and much in their tables.
pub fn list(prefixes: usize) -> (Vec<Item>, String) {
    let sample = big_list(prefixes);
    (sample.items, table_text(&sample.table))
}

/// An honest service with a list of so many prefixes, and the text of its table.
pub fn honest(prefixes: usize) -> (PolicyService, String) {
    let (items, table) = list(prefixes);
    (PolicyService::start(zone(&items)), table)
}

/// The text of a table, which file and kernel must agree on. Whoever has waited for the file alone
/// may come between the two; that the watch of the daemon mends something takes longer than this
/// waits.
#[track_caller]
pub fn table(daemon: &Daemon, name: &str) -> Option<String> {
    let looks = Looks::within(PATIENCE);
    loop {
        let (file, kernel) = (daemon.table_file(name), daemon.kernel_table(name));
        if file == kernel {
            return file;
        }
        let said = || format!("{name}: file {file:?}\nkernel {kernel:?}\n{}", daemon.output());
        assert!(looks.go_on(), "{}", said());
    }
}

/// Runs an update that must succeed.
#[track_caller]
pub fn update(daemon: &Daemon) -> Output {
    let output = daemon.ctl(&["update"]);
    assert!(output.status.success(), "{}{}{}", output.stdout, output.stderr, daemon.output());
    output
}

/// Runs a command that must fail with exit code 1, and gives its error text.
#[track_caller]
pub fn refused(daemon: &Daemon, arguments: &[&str]) -> String {
    let output = daemon.ctl(arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", output.stdout);
    output.stderr
}

/// A service with a list of 300, a daemon that has it in force, and what the table has.
pub struct Stage {
    pub service: PolicyService,
    pub scratch: Scratch,
    pub daemon: Daemon,
    pub old: String,
}

impl Stage {
    pub fn new(change: impl FnOnce(Config) -> Config) -> Self {
        let (service, old) = honest(300);
        let scratch = Scratch::new();
        let config = change(Config::new(&scratch, &[service.addr()]));
        let daemon = Daemon::start(&scratch, &config);
        update(&daemon);
        assert_eq!(table(&daemon, BLOCK).as_deref(), Some(old.as_str()));
        Self { service, scratch, daemon, old }
    }

    pub fn serve(&self, block: &[Item]) {
        self.service.edit(|z| *z = zone(block));
    }

    pub fn status(&self) -> Value {
        status(&self.daemon)
    }

    /// What is right again is published again.
    pub fn goes_on(self) {
        let (new, text) = list(310);
        self.serve(&new);
        update(&self.daemon);
        assert_eq!(table(&self.daemon, BLOCK), Some(text));
        assert_eq!(self.status()["held"], Value::Array(Vec::new()));
        assert_eq!(self.status()["update"]["state"], "idle");
        assert!(self.daemon.stop().success());
    }
}

/// What `status` says.
pub fn status(daemon: &Daemon) -> Value {
    let output = daemon.ctl(&["-j", "status"]);
    serde_json::from_str(&output.stdout).unwrap_or_else(|why| panic!("{why}: {}", output.stdout))
}

/// Waits until something is so.
#[track_caller]
pub fn wait_until(what: &str, is_so: impl FnMut() -> bool) {
    wait_within(PATIENCE, what, is_so);
}

/// The same with a time.
#[track_caller]
pub fn wait_within(time: Duration, what: &str, mut is_so: impl FnMut() -> bool) {
    let looks = Looks::within(time);
    while !is_so() {
        assert!(looks.go_on(), "not in {time:?}: {what}");
    }
}

/// Runs jobs on a few threads: they wait most of the time, for a new engine, or for what comes later.
pub fn in_parallel<J: Sync>(jobs: &[J], work: impl Fn(&J) + Sync) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..6)
            .map(|_| {
                scope.spawn(|| {
                    while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                        work(job);
                    }
                })
            })
            .collect();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
}

/// Whether this is root; says so visibly when it is not.
pub fn is_root(what: &str) -> bool {
    let is_root = geteuid().is_root();
    if !is_root {
        say_skipped(&format!("needs root: {what}"));
    }
    is_root
}

/// A user who is neither root nor, when root runs the tests, the one who runs them.
pub fn nobody() -> User {
    User::from_name("nobody").unwrap().expect("every system has the user nobody")
}

/// Ends a daemon by SIGKILL, without any chance to clean up, and waits until its engine has left.
pub fn kill(daemon: Daemon) {
    let engine = daemon.engine();
    daemon.signal(Signal::SIGKILL);
    daemon.wait_exit(STOP);
    wait_until("the engine leaves", || {
        engine.is_none_or(|engine| !tests::process::is_alive(engine))
    });
}

/// Starts the helper on a configuration that is there, in the foreground, and waits for nothing.
pub fn spawn(scratch: &Scratch, change: impl FnOnce(&mut Command)) -> Process {
    let mut command = Command::new(&programs().threatstopd);
    command.arg("-d").arg("-f").arg(scratch.config()).arg("-s").arg(scratch.socket());
    change(&mut command);
    Process::spawn(&mut command)
}

/// Starts the helper on a configuration; it must exit 1 by itself. Gives its log.
#[track_caller]
pub fn fails_to_start(scratch: &Scratch, config: &Config) -> String {
    config.write(scratch);
    let process = spawn(scratch, |_| {});
    assert_eq!(process.wait_exit(PATIENCE).code(), Some(1), "{}", process.output());
    process.output()
}

/// Writes a file with the mode that the program's own have.
pub fn plant(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    set_mode(path, 0o600);
}

/// Sets the permission bits of a file.
pub fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Say of the simulated pf what a real one may be like.
pub fn pf_is(scratch: &Scratch, lines: &str) {
    plant(&scratch.tables().join("simulated.conf"), lines);
}
