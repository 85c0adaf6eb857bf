//! How helper and engine live and die: reload, crash, back-off, stop.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::net::Ipv6Addr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tests::harness::{Config, Daemon, Scratch, programs};
use tests::item::table_text;
use tests::lists::{allow_list, basic_list};
use tests::process::{PATIENCE, Process, STOP, is_alive, run};
use tests::sim::{Layout, PolicyService, Zone};

const BLOCK: &str = "ThreatSTOP-Block";
const BASIC: &str = "basic.threatstop.local";
const DNS: &str = "dns.threatstop.local";

fn service() -> PolicyService {
    let mut zone = Zone::new("threatstop.local");
    zone.set_list(BASIC, &basic_list(500).items, Layout::Single);
    zone.set_list(DNS, &allow_list(), Layout::Single);
    PolicyService::start(zone)
}

fn running(scratch: &Scratch, service: &PolicyService) -> Daemon {
    let daemon = Daemon::start(scratch, &Config::new(scratch, &[service.addr()]));
    assert!(daemon.ctl(&["update"]).status.success());
    daemon
}

/// The engine of a daemon, which may have just been replaced.
fn engine(daemon: &Daemon) -> Pid {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(pid) = daemon.engine() {
            return pid;
        }
        assert!(Instant::now() < end, "no engine: {}", daemon.output());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn wait_gone(pid: Pid) {
    let end = Instant::now() + PATIENCE;
    while is_alive(pid) {
        assert!(Instant::now() < end, "process {pid} stays");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The helper beside an engine of the test's own: a shell script.
fn with_engine(scratch: &Scratch, script: &str) -> PathBuf {
    let dir = scratch.path().join("bin");
    fs::create_dir(&dir).unwrap();
    let helper = dir.join("threatstopd");
    fs::copy(&programs().threatstopd, &helper).unwrap();
    let engine = dir.join("threatstopd-engine");
    fs::write(&engine, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&engine, fs::Permissions::from_mode(0o755)).unwrap();
    helper
}

fn spawn(helper: &Path, scratch: &Scratch) -> Process {
    Config::new(scratch, &["127.0.0.1:9".parse().unwrap()]).write(scratch);
    let mut command = Command::new(helper);
    command.arg("-d").arg("-f").arg(scratch.config()).arg("-s").arg(scratch.socket());
    Process::spawn(&mut command)
}

/// A block table of so many hosts, in file and kernel.
fn plant_hosts(scratch: &Scratch, count: u128) {
    let hosts = (0..count).map(|n| Ipv6Addr::from_bits((0x2a00 << 112) + 2 * n));
    let text: String = hosts.map(|host| format!("{host}\n")).collect();
    for kind in ["pftable", "simulated"] {
        let path = scratch.tables().join(format!("{BLOCK}.{kind}"));
        fs::write(&path, &text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// Start the daemon and update. Send SIGTERM.
/// Check that it exits 0 within five seconds, that the engine is gone, and that files and tables
/// are still there.
#[test]
fn sigterm_stops_and_leaves_the_tables() {
    let (service, scratch) = (service(), Scratch::new());
    let daemon = running(&scratch, &service);
    let (pid, table) = (engine(&daemon), daemon.table_file(BLOCK).unwrap());
    daemon.signal(Signal::SIGTERM);
    assert!(daemon.wait_exit(STOP).success());
    wait_gone(pid);
    assert_eq!(table, table_text(&basic_list(500).table));
    assert_eq!(daemon.table_file(BLOCK), Some(table.clone()));
    assert_eq!(daemon.kernel_table(BLOCK), Some(table));
}

/// Start the daemon and update. Kill the engine with SIGKILL.
/// Check that the helper says which signal it was and keeps its process id, that a new engine
/// serves, and that the tables are as before.
#[test]
fn a_killed_engine_is_replaced() {
    let (service, scratch) = (service(), Scratch::new());
    let daemon = running(&scratch, &service);
    let old = engine(&daemon);
    let mark = daemon.mark();
    kill(old, Signal::SIGKILL).unwrap();
    daemon.wait_for_after(mark, "engine terminated; signal 9", PATIENCE);
    daemon.wait_for_after(mark, "started, engine", PATIENCE);
    daemon.wait_until_ready();
    assert_ne!(engine(&daemon), old);
    assert!(is_alive(daemon.pid()));
    assert_eq!(daemon.table_file(BLOCK), Some(table_text(&basic_list(500).table)));
    assert!(daemon.stop().success());
}

/// Start the daemon and update. Kill the helper with SIGKILL.
/// Check that the engine leaves by itself. Start the daemon again: it starts, and the tables are
/// as before.
#[test]
fn a_killed_helper_leaves_no_orphan() {
    let (service, scratch) = (service(), Scratch::new());
    let daemon = running(&scratch, &service);
    let pid = engine(&daemon);
    daemon.signal(Signal::SIGKILL);
    daemon.wait_exit(STOP);
    wait_gone(pid);
    let again = running(&scratch, &service);
    assert_eq!(again.table_file(BLOCK), Some(table_text(&basic_list(500).table)));
    assert!(again.stop().success());
}

/// Start the daemon. Start a second one with the same table directory, and a third with another
/// configuration and the same directory.
/// Check that both say that it is already running and exit 1, and that the first goes on.
#[test]
fn a_second_start_is_refused() {
    let (service, scratch) = (service(), Scratch::new());
    let daemon = running(&scratch, &service);
    let config = Config::new(&scratch, &[service.addr()]);
    for config in [config.clone(), config.set("policy.interval", "2h")] {
        let second = Daemon::spawn(&scratch, &config, |_| {});
        assert_eq!(second.wait_exit(STOP).code(), Some(1));
        second.wait_for("threatstopd already running", STOP);
    }
    assert!(daemon.ctl(&["status"]).status.success());
    assert!(daemon.stop().success());
}

/// Start the daemon. Start a second one with a table directory of its own and the same control
/// socket.
/// Check that it says so and exits 1, and that the first one still answers on the socket.
#[test]
fn a_second_start_leaves_the_control_socket_to_the_first() {
    let (service, scratch, other) = (service(), Scratch::new(), Scratch::new());
    let daemon = running(&scratch, &service);
    let config = Config::new(&other, &[service.addr()]);
    let second = Daemon::spawn(&other, &config, |command| {
        command.arg("-s").arg(scratch.socket());
    });
    assert_eq!(second.wait_exit(STOP).code(), Some(1));
    second.wait_for("threatstopd already running", STOP);
    assert!(daemon.ctl(&["status"]).status.success());
    assert!(daemon.stop().success());
}

/// Start as a daemon, with a spool, and then a packet log, in a directory that there is not.
/// Check that the terminal learns of it, with the way out, and that it exits 1.
#[test]
fn a_directory_that_is_missing_is_told_on_the_terminal() {
    let scratch = Scratch::new();
    let config = Config::new(&scratch, &["127.0.0.1:9".parse().unwrap()]);
    for (config, way_out) in [
        (config.clone().set("log.spool", "/nonexistent/dir/x"), "make it: install -d -m 700 -o "),
        (
            config.set("log.enabled", true).set("log.file", "/nonexistent/dir/x"),
            "make its directory, or set log.file",
        ),
    ] {
        config.write(&scratch);
        let mut start = Command::new(&programs().threatstopd);
        start.arg("-f").arg(scratch.config()).arg("-s").arg(scratch.socket());
        let output = run(&mut start, PATIENCE);
        assert_eq!(output.status.code(), Some(1));
        let why = format!("threatstopd: /nonexistent/dir/x: No such file or directory; {way_out}");
        assert!(output.stderr.starts_with(&why), "{}", output.stderr);
    }
}

/// Start as a daemon, with a control socket in a directory that there is not, and with one in the
/// place of a file.
/// Check that the terminal still learns of it, with the way out, that it exits 1, and that the file
/// stays.
#[test]
fn a_socket_that_cannot_be_is_told_on_the_terminal() {
    let scratch = Scratch::new();
    Config::new(&scratch, &["127.0.0.1:9".parse().unwrap()]).write(&scratch);
    let (missing, file) = (scratch.path().join("missing/sock"), scratch.path().join("file"));
    fs::write(&file, "mine").unwrap();
    for (socket, why) in [
        (&missing, "No such file or directory; use -s to put the control socket elsewhere"),
        (&file, "is there and is no socket; remove it, or use -s"),
    ] {
        let mut start = Command::new(&programs().threatstopd);
        start.arg("-f").arg(scratch.config()).arg("-s").arg(socket);
        let output = run(&mut start, PATIENCE);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(output.stderr, format!("threatstopd: {}: {why}\n", socket.display()));
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
}

/// Start the daemon. Change max_entries in the configuration and send SIGHUP.
/// Check that a new engine runs with the new value and that the process id is the same.
/// Break the configuration and send SIGHUP. Check that file and line are logged, and that the
/// engine is the same as before. Kill the engine: the kept configuration is used again.
#[test]
fn sighup_takes_a_good_configuration_and_refuses_a_bad_one() {
    let (service, scratch) = (service(), Scratch::new());
    let daemon = running(&scratch, &service);
    let (helper, old) = (daemon.pid(), engine(&daemon));

    let config = Config::new(&scratch, &[service.addr()]).set("guard.max_entries", 100);
    config.write(&scratch);
    let mark = daemon.mark();
    daemon.signal(Signal::SIGHUP);
    daemon.wait_for_after(mark, "started, engine", PATIENCE);
    wait_gone(old);
    daemon.wait_until_ready();
    let output = daemon.ctl(&["update"]);
    assert!(output.stdout.contains("more than 100 (see max_entries"), "{}", output.stdout);

    let second = engine(&daemon);
    fs::write(scratch.config(), "device_id = \"tdid_abcd1234\"\nintervall = 1\n").unwrap();
    let mark = daemon.mark();
    daemon.signal(Signal::SIGHUP);
    let line = daemon.wait_for_after(mark, "configuration reload failed", PATIENCE);
    assert!(line.text.contains("threatstopd.toml:2: unknown key"), "{}", line.text);
    assert!(line.text.contains("the running configuration stays"), "{}", line.text);
    assert_eq!(engine(&daemon), second);

    let mark = daemon.mark();
    kill(second, Signal::SIGKILL).unwrap();
    daemon.wait_for_after(mark, "started, engine", PATIENCE);
    daemon.wait_until_ready();
    let output = daemon.ctl(&["update"]);
    assert!(output.stdout.contains("more than 100 (see max_entries"), "{}", output.stdout);
    assert_eq!(daemon.pid(), helper);
    assert!(daemon.stop().success());
}

/// Run `threatstopd -nv` and `threatstopd -V` with a stdout that nobody reads.
/// Check that they say so and exit 1.
#[test]
fn a_stdout_that_nobody_reads_is_an_error() {
    let scratch = Scratch::new();
    Config::new(&scratch, &[]).set("policy.servers", vec!["192.0.2.1"]).write(&scratch);
    for flag in ["-nv", "-V"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(&programs().threatstopd);
        command.arg(flag).arg("-f").arg(scratch.config()).stdout(writer);
        let output = command.output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{flag}: {stderr}");
        assert!(stderr.starts_with("threatstopd: stdout: Broken pipe"), "{flag}: {stderr}");
    }
}

/// Start the daemon. Run `threatstopctl reload` with a good and with a bad file.
/// Check that after the first the daemon answers at once, and that the second says where the
/// mistake is and exits 1.
#[test]
fn reload_by_the_control_tool_says_what_is_wrong() {
    let (service, scratch) = (service(), Scratch::new());
    let daemon = running(&scratch, &service);
    let mark = daemon.mark();
    let output = daemon.ctl(&["reload"]);
    assert!(output.status.success(), "{}", output.stderr);
    let output = daemon.ctl(&["status"]);
    assert!(output.status.success(), "{}", output.stderr);
    daemon.wait_for_after(mark, "started, engine", PATIENCE);
    fs::write(scratch.config(), "[policy]\ninterval = \"never\"\n").unwrap();
    let output = daemon.ctl(&["reload"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stderr.starts_with("threatstopctl: reload: "), "{}", output.stderr);
    assert!(output.stderr.contains("threatstopd.toml:"), "{}", output.stderr);
    assert!(daemon.ctl(&["status"]).status.success());
    assert!(daemon.stop().success());
}

/// Start the daemon. Send SIGHUP twenty times as fast as possible, then wait.
/// Check that one process is left that serves, with one engine, under the same process id.
#[test]
fn a_storm_of_sighup_ends_in_one_engine() {
    let (service, scratch) = (service(), Scratch::new());
    let daemon = running(&scratch, &service);
    for _ in 0..20 {
        daemon.signal(Signal::SIGHUP);
        std::thread::sleep(Duration::from_millis(5));
    }
    // the last of them may still be on its way
    let end = Instant::now() + PATIENCE;
    while daemon.descendants().len() != 1 || !daemon.ctl(&["update"]).status.success() {
        assert!(Instant::now() < end, "{:?}\n{}", daemon.descendants(), daemon.output());
    }
    assert!(daemon.stop().success());
}

/// Start the helper with an engine that exits at once.
/// Check that it is started again after 1, 2 and 4 seconds. Send SIGTERM while it waits: the
/// helper stops at once.
#[test]
fn an_engine_that_dies_at_once_is_started_later_and_later() {
    let scratch = Scratch::new();
    let daemon = spawn(&with_engine(&scratch, "exit 1"), &scratch);
    for seconds in [1, 2, 4] {
        daemon.wait_for(&format!("starting it again in {seconds} s"), PATIENCE);
    }
    daemon.signal(Signal::SIGTERM);
    assert!(daemon.wait_exit(STOP).success());
}

/// Start the helper with an engine that ignores the end of its socket and SIGTERM.
/// Send SIGTERM to the helper. Check that it exits 0 within five seconds and that the engine is
/// dead.
#[test]
fn an_engine_that_hangs_does_not_hold_up_the_stop() {
    let scratch = Scratch::new();
    let script = "trap '' TERM HUP INT; exec 3<&-; while :; do sleep 1; done";
    let daemon = spawn(&with_engine(&scratch, script), &scratch);
    daemon.wait_for("started, engine", PATIENCE);
    let hanging = daemon.descendants()[0].0;
    // the helper sees the end of the socket at once, and waits for its own reason
    daemon.signal(Signal::SIGTERM);
    assert!(daemon.wait_exit(STOP).success(), "{}", daemon.output());
    assert!(!is_alive(hanging));
}

/// Plant a table, and start the helper with an engine that greets and then asks for it to be mended
/// as often as fits one read of the helper's. Send SIGTERM.
/// Check that the helper exits 0 within five seconds.
#[test]
fn an_engine_that_asks_for_a_lot_does_not_hold_up_the_stop() {
    let scratch = Scratch::new();
    plant_hosts(&scratch, 2_000);
    let frame = |kind: u32, payload: &[u8]| {
        let head = [kind, 16 + payload.len() as u32, 1, 1].map(u32::to_ne_bytes).concat();
        [&head[..], payload].concat()
    };
    let mut frames = frame(1, &imsg::VERSION.to_ne_bytes());
    (0..3_800).for_each(|_| frames.extend(frame(7, &[0])));
    let path = scratch.path().join("frames");
    fs::write(&path, frames).unwrap();
    // takes its answers, and leaves when the helper has closed the socket, which does not block
    let script = "until cat <&3; do sleep 0.1; done >/dev/null 2>&1";
    let script = format!("cat {} >&3; {script}", path.display());
    let daemon = spawn(&with_engine(&scratch, &script), &scratch);
    daemon.wait_for("started, engine", PATIENCE);
    std::thread::sleep(Duration::from_secs(1));
    daemon.signal(Signal::SIGTERM);
    assert!(daemon.wait_exit(STOP).success(), "{}", daemon.output());
    assert!(!daemon.output().contains("engine gone"), "{}", daemon.output());
}

/// Start the helper with an engine that keeps its socket open and says nothing, and ignores every
/// signal that can be ignored. Send SIGHUP.
/// Check that the helper goes on with a new engine and that the old one is dead.
#[test]
fn an_engine_that_hangs_does_not_hold_up_a_reload() {
    let scratch = Scratch::new();
    let script = "trap '' TERM HUP INT; while :; do sleep 1; done";
    let daemon = spawn(&with_engine(&scratch, script), &scratch);
    daemon.wait_for("started, engine", PATIENCE);
    let hanging = daemon.descendants()[0].0;
    let mark = daemon.mark();
    daemon.signal(Signal::SIGHUP);
    daemon.wait_for_after(mark, "engine did not leave; killed", PATIENCE);
    daemon.wait_for_after(mark, "started, engine", PATIENCE);
    assert!(!is_alive(hanging));
    daemon.signal(Signal::SIGTERM);
    assert!(daemon.wait_exit(STOP).success(), "{}", daemon.output());
}

/// Start the helper with an engine that sends it what is no message.
/// Check that the helper drops it and says why, and that nothing was written.
#[test]
fn an_engine_that_sends_garbage_is_dropped() {
    let scratch = Scratch::new();
    let daemon = spawn(&with_engine(&scratch, "head -c 4096 /dev/zero >&3; sleep 60"), &scratch);
    daemon.wait_for("engine gone: message of 0 octets", PATIENCE);
    let left: Vec<_> = fs::read_dir(scratch.tables()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    daemon.signal(Signal::SIGTERM);
    assert!(daemon.wait_exit(STOP).success());
}

/// Start the daemon. Replace the configuration by one that parses but names a user that does not
/// exist (as root), or a table directory that does not exist. Send SIGHUP.
/// Check that the helper says so and goes on with the configuration before.
#[test]
fn a_configuration_that_does_not_bear_a_start_is_taken_back() {
    let (service, scratch) = (service(), Scratch::new());
    let daemon = running(&scratch, &service);
    let config = Config::new(&scratch, &[service.addr()]);
    config.clone().set("tables.directory", "/nonexistent/threatstop").write(&scratch);
    let mark = daemon.mark();
    daemon.signal(Signal::SIGHUP);
    daemon.wait_for_after(mark, "going on with the previous configuration", PATIENCE);
    daemon.wait_for_after(mark, "started, engine", PATIENCE);
    daemon.wait_until_ready();
    assert!(daemon.ctl(&["update"]).status.success());
    assert!(daemon.stop().success());
}

/// Start the daemon. Replace the configuration by one with which the helper can start and the engine
/// cannot: a spool in a directory that nobody may write to. Send SIGHUP, twice.
/// Check that the engine says why, and that the helper goes on with the configuration before each
/// time. Kill the engine: there is a new one.
#[test]
fn a_configuration_that_does_not_bear_an_engine_is_taken_back() {
    let (service, scratch) = (service(), Scratch::new());
    let daemon = running(&scratch, &service);
    let config = Config::new(&scratch, &[service.addr()]);
    let dir = scratch.path().join("readonly");
    fs::create_dir(&dir).unwrap();
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o555)).unwrap();
    let spool = dir.join("spool").display().to_string();
    config.set("log.spool", spool.as_str()).write(&scratch);
    for _ in 0..2 {
        let mark = daemon.mark();
        daemon.signal(Signal::SIGHUP);
        daemon.wait_for_after(mark, &format!("{spool}: "), PATIENCE);
        let line = daemon.wait_for_after(mark, "engine gone: ", PATIENCE);
        assert!(line.text.ends_with("; going on with the previous configuration"), "{line:?}");
        daemon.wait_for_after(mark, "started, engine", PATIENCE);
        daemon.wait_until_ready();
    }
    let mark = daemon.mark();
    kill(engine(&daemon), Signal::SIGKILL).unwrap();
    daemon.wait_for_after(mark, "starting it again in", PATIENCE);
    daemon.wait_for_after(mark, "started, engine", PATIENCE);
    daemon.wait_until_ready();
    assert!(daemon.ctl(&["update"]).status.success());
    assert!(daemon.stop().success());
}

/// Start the daemon. Take its table directory away and kill the engine: no start succeeds. Break
/// the configuration and send SIGHUP, then put the directory back.
/// Check that the helper says what is wrong with the file, and goes on with the text that it had.
#[test]
fn a_bad_file_does_not_cost_the_text_that_was_good() {
    let (service, scratch) = (service(), Scratch::new());
    let daemon = running(&scratch, &service);
    let away = scratch.path().join("away");
    fs::rename(scratch.tables(), &away).unwrap();
    let mark = daemon.mark();
    kill(engine(&daemon), Signal::SIGKILL).unwrap();
    daemon.wait_for_after(mark, "no such directory; run threatstopctl setup; trying", PATIENCE);
    fs::write(scratch.config(), "intervall = 1\n").unwrap();
    let mark = daemon.mark();
    daemon.signal(Signal::SIGHUP);
    let line = daemon.wait_for_after(mark, "threatstopd.toml:1: ", PATIENCE);
    assert!(line.text.ends_with("; going on with the previous configuration"), "{line:?}");
    fs::rename(&away, scratch.tables()).unwrap();
    daemon.wait_for_after(mark, "started, engine", PATIENCE);
    daemon.wait_until_ready();
    assert!(daemon.ctl(&["update"]).status.success());
    assert!(daemon.stop().success());
}

/// Plant a table file, and a table, of more prefixes than fit the way to the engine with the
/// max_entries that the configuration has now. Start the daemon, with no service at first.
/// Check that it starts and says that the set is not compared with, and why; that `show block` says
/// so too; and, with the service, that an update brings the new set.
#[test]
fn a_table_of_more_than_max_entries_holds_up_no_start() {
    let (service, scratch) = (service(), Scratch::new());
    plant_hosts(&scratch, 70_000);
    let nobody = "127.0.0.1:9".parse().unwrap();
    let config = |addr| Config::new(&scratch, &[addr]).set("guard.max_entries", 1000);
    let daemon = Daemon::spawn(&scratch, &config(nobody), |_| {});
    let why = "70000 prefixes, more than 1000 (see max_entries in [guard]): raise it, or the next \
               set is compared with none";
    daemon.wait_for(&format!("no previous block set: {why}"), PATIENCE);
    daemon.wait_until_ready();
    let output = daemon.ctl(&["show", "block"]);
    assert!(output.stderr.contains(why), "{}", output.stderr);
    assert!(!daemon.output().contains("engine gone"), "{}", daemon.output());

    config(service.addr()).write(&scratch);
    assert!(daemon.ctl(&["reload"]).status.success());
    daemon.wait_until_ready();
    assert!(daemon.ctl(&["update"]).status.success(), "{}", daemon.output());
    let expected = table_text(&basic_list(500).table);
    assert_eq!(daemon.table_file(BLOCK), Some(expected.clone()));
    assert_eq!(daemon.kernel_table(BLOCK), Some(expected));
    assert!(daemon.stop().success());
}

/// Start the helper without its descriptors 0, 1 and 2.
/// Check that it works all the same.
#[test]
fn a_start_without_standard_descriptors_works() {
    let (service, scratch) = (service(), Scratch::new());
    let config = Config::new(&scratch, &[service.addr()]);
    let daemon = Daemon::spawn(&scratch, &config, |command| {
        let threatstopd = command.get_program().to_owned();
        let args: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        *command = Command::new("/bin/sh");
        command.arg("-c").arg("exec \"$0\" \"$@\" <&- >&- 2>&-").arg(threatstopd).args(args);
    });
    daemon.wait_until_ready();
    assert!(daemon.ctl(&["update"]).status.success());
    assert!(daemon.stop().success());
}
