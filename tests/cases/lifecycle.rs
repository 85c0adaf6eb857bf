//! How monitor, helper and engine live and die: start, reload, crash, back-off, stop.

use std::fs;
use std::net::Ipv6Addr;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::common::{status, update, wait_until, wait_within};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tests::harness::{Config, Daemon, Scratch, copy_program, programs, write_script};
use tests::item::table_text;
use tests::lists::{allow_list, basic_list};
use tests::process::{Looks, PATIENCE, Process, STOP, is_alive, run};
use tests::sim::{Layout, PolicyService, Zone};

const BLOCK: &str = "ThreatSTOP-Block";
const BASIC: &str = "basic.threatstop.local";
const DNS: &str = "dns.threatstop.local";
/// The way out where the spool is missing.
const MAKE: &str = "make it: install -d -m 700 ";

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
    let looks = Looks::within(PATIENCE);
    loop {
        if let Some(pid) = daemon.engine() {
            return pid;
        }
        assert!(looks.go_on(), "no engine: {}", daemon.output());
    }
}

/// The helper of a daemon.
fn helper(daemon: &Process) -> Pid {
    let all = daemon.descendants();
    let found = all.iter().find(|(_, name)| name == "threatstopd").map(|(pid, _)| *pid);
    found.unwrap_or_else(|| panic!("no helper: {all:?}\n{}", daemon.output()))
}

fn wait_gone(pid: Pid) {
    wait_until(&format!("process {pid} is gone"), || !is_alive(pid));
}

/// The helper beside an engine of the test's own: a shell script.
fn with_engine(scratch: &Scratch, script: &str) -> PathBuf {
    let dir = scratch.path().join("bin");
    fs::create_dir(&dir).unwrap();
    let helper = dir.join("threatstopd");
    copy_program(&programs().threatstopd, &helper);
    let engine = dir.join("threatstopd-engine");
    write_script(&engine, script);
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
/// Check that it is told which signal it was, that the service keeps its process id and another engine
/// serves, and that the tables are as before. The same with the helper.
#[test]
fn a_killed_engine_is_replaced() {
    let (service, scratch) = (service(), Scratch::new());
    let daemon = running(&scratch, &service);
    let old = engine(&daemon);
    let mark = daemon.mark();
    kill(old, Signal::SIGKILL).unwrap();
    daemon.wait_for_after(mark, "engine terminated; signal 9", PATIENCE);
    daemon.wait_for_after(mark, "engine restarted, helper ", PATIENCE);
    daemon.wait_until_ready();
    assert_ne!(engine(&daemon), old);
    assert!(is_alive(daemon.pid()));
    let old = helper(&daemon);
    let mark = daemon.mark();
    kill(old, Signal::SIGKILL).unwrap();
    daemon.wait_for_after(mark, "helper terminated; signal 9", PATIENCE);
    daemon.wait_for_after(mark, "restarted, helper ", PATIENCE);
    daemon.wait_until_ready();
    assert!(!is_alive(old));
    assert!(is_alive(daemon.pid()));
    assert_eq!(daemon.table_file(BLOCK), Some(table_text(&basic_list(500).table)));
    assert!(daemon.stop().success());
}

/// Start the daemon and update. Kill the monitor with SIGKILL.
/// Check that helper and engine leave by themselves. Start the daemon again: it starts, and the tables
/// are as before.
#[test]
fn a_killed_monitor_leaves_no_orphan() {
    let (service, scratch) = (service(), Scratch::new());
    let daemon = running(&scratch, &service);
    let pids = [engine(&daemon), helper(&daemon)];
    daemon.signal(Signal::SIGKILL);
    daemon.wait_exit(STOP);
    pids.into_iter().for_each(wait_gone);
    let again = running(&scratch, &service);
    assert_eq!(again.table_file(BLOCK), Some(table_text(&basic_list(500).table)));
    assert!(again.stop().success());
}

/// Open the table directory to others, and start the daemon. Check that it says so, and that the
/// directory is closed. Start it again, and check that it says nothing.
#[test]
fn a_table_directory_is_closed_to_others() {
    let (service, scratch) = (service(), Scratch::new());
    let words =
        format!("{}: others had access to it; it has mode 0700 now", scratch.tables().display());
    for mode in [0o755, 0o777, 0o700] {
        fs::set_permissions(scratch.tables(), fs::Permissions::from_mode(mode)).unwrap();
        let daemon = running(&scratch, &service);
        assert_eq!(scratch.tables().metadata().unwrap().permissions().mode() & 0o7777, 0o700);
        assert_eq!(daemon.output().matches(&words).count(), usize::from(mode != 0o700), "{mode:o}");
        assert!(daemon.stop().success());
    }
}

/// Put the control socket, the packet log or a list of the administrator's into the spool, and start. Name
/// a list by a link into the spool, where a link of the engine's leads out again, or the table directory by a
/// link to the spool, and start.
/// Check that the start is refused each time, and says what to set.
#[test]
fn root_opens_nothing_within_the_spool() {
    let scratch = Scratch::new();
    let spool = scratch.spool();
    let inner = |name: &str| spool.join(name).display().to_string();
    fs::write(inner("list"), "1.1.1.1\n").unwrap();
    let config = Config::new(&scratch, &["127.0.0.1:9".parse().unwrap()]);
    let log = config.clone().set("log.enabled", true).set("log.file", inner("pflog"));
    let list = config.clone().set("policy.local_allow", inner("list"));
    let link = scratch.path().join("link");
    symlink(inner("away"), &link).unwrap();
    symlink("/etc/services", inner("away")).unwrap();
    let linked = config.clone().set("policy.local_block", link.display().to_string());
    let around = scratch.path().join("around");
    symlink(&spool, &around).unwrap();
    fs::create_dir(inner("tables")).unwrap();
    let tables = around.join("tables").display().to_string();
    let tables = config.clone().set("tables.directory", tables);
    for (config, socket, what) in [
        (log, scratch.socket(), "log.file"),
        (list, scratch.socket(), "policy.local_allow"),
        (linked, scratch.socket(), "policy.local_block"),
        (tables, scratch.socket(), "tables.directory"),
        (config, spool.join("sock"), "-s"),
    ] {
        let refused = Daemon::spawn(&scratch, &config, |command| {
            command.arg("-s").arg(socket);
        });
        assert_eq!(refused.wait_exit(PATIENCE).code(), Some(1), "{}", refused.output());
        refused.wait_for("within log.spool", PATIENCE);
        refused.wait_for(&format!(", which is the engine's: set another {what}"), PATIENCE);
    }
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
        (&missing, ".lock: No such file or directory; use -s to put the control socket elsewhere"),
        (&file, ": is there and is no socket; remove it, or use -s"),
    ] {
        let mut start = Command::new(&programs().threatstopd);
        start.arg("-f").arg(scratch.config()).arg("-s").arg(socket);
        let output = run(&mut start, PATIENCE);
        assert_eq!(output.status.code(), Some(1));
        let line = format!("threatstopd: {}{why}\n", socket.display());
        assert!(output.stderr.contains(&line), "{}", output.stderr);
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
    let (service_pid, old) = (daemon.pid(), engine(&daemon));

    let config = Config::new(&scratch, &[service.addr()]).set("guard.max_entries", 100);
    config.write(&scratch);
    let mark = daemon.mark();
    daemon.signal(Signal::SIGHUP);
    daemon.wait_for_after(mark, "reloaded, helper ", PATIENCE);
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
    wait_for_warning(
        &daemon,
        "the configuration file does not load",
        "threatstopd.toml:2: unknown",
    );

    let mark = daemon.mark();
    kill(second, Signal::SIGKILL).unwrap();
    daemon.wait_for_after(mark, "engine restarted", PATIENCE);
    daemon.wait_until_ready();
    wait_for_warning(
        &daemon,
        "the configuration file does not load",
        "threatstopd.toml:2: unknown",
    );
    let output = daemon.ctl(&["update"]);
    assert!(output.stdout.contains("more than 100 (see max_entries"), "{}", output.stdout);
    assert_eq!(daemon.pid(), service_pid);
    config.write(&scratch);
    assert!(daemon.ctl(&["reload"]).status.success());
    assert!(!daemon.ctl(&["status"]).stdout.contains("does not load"));
    assert!(daemon.stop().success());
}

/// Waits until `status` has a warning with these words.
fn wait_for_warning(daemon: &Daemon, what: &str, why: &str) {
    let looks = Looks::within(PATIENCE);
    loop {
        let status = daemon.ctl(&["status"]).stdout;
        if status.lines().any(|line| line.contains(what) && line.contains(why)) {
            return;
        }
        assert!(looks.go_on(), "no warning of {what}: {status}");
    }
}

/// Start the daemon. Have it reload three times by the control tool, and once more.
/// Check that each of the three is at once, and that for the fourth the log says how long that rests. Send
/// SIGHUP. Check that it does not wait, and that the fourth has succeeded.
#[test]
fn who_reloads_often_is_told_what_does_not_wait() {
    let (service, scratch) = (service(), Scratch::new());
    let daemon = running(&scratch, &service);
    for _ in 0..3 {
        let output = daemon.ctl(&["reload"]);
        assert!(output.status.success(), "{}", output.stderr);
    }
    let mark = daemon.mark();
    std::thread::scope(|scope| {
        let fourth = scope.spawn(|| daemon.ctl(&["reload"]));
        let words = "started anew often: in 30 s once more, or at SIGHUP; the tables stay";
        daemon.wait_for_after(mark, words, PATIENCE);
        let mark = daemon.mark();
        daemon.signal(Signal::SIGHUP);
        daemon.wait_for_after(mark, "reloaded, helper ", Duration::from_secs(20));
        let output = fourth.join().unwrap();
        assert!(output.status.success(), "{}", output.stderr);
    });
    assert!(daemon.stop().success());
}

/// Start the daemon. Send SIGHUP twenty times as fast as possible, then wait.
/// Check that in the end one helper and one engine serve, under the same process id.
#[test]
fn a_storm_of_sighup_ends_in_one_engine() {
    let (service, scratch) = (service(), Scratch::new());
    let daemon = running(&scratch, &service);
    for _ in 0..20 {
        daemon.signal(Signal::SIGHUP);
        std::thread::sleep(Duration::from_millis(5));
    }
    // the last of them may still be on its way
    let looks = Looks::within(PATIENCE);
    loop {
        let names: Vec<_> = daemon.descendants().into_iter().map(|(_, name)| name).collect();
        let both = names == ["threatstopd", "threatstopd-eng"];
        if both && daemon.ctl(&["update"]).status.success() {
            break;
        }
        assert!(looks.go_on(), "{names:?}\n{}", daemon.output());
    }
    assert!(daemon.stop().success());
}

/// What a script does until helper and monitor take it for an engine that is ready: the helper says
/// something once it is.
const READY: &str = "until head -c 16 <&3 >/dev/null 2>&1; do sleep 0.05; done; echo ready >&5;";

/// Start the service with an engine that exits at once.
/// Check that the start fails, and that nothing is left of it. The same as a daemon.
#[test]
fn an_engine_that_can_never_begin_fails_the_start() {
    let scratch = Scratch::new();
    let program = with_engine(&scratch, "echo no such thing >&2; exit 1");
    let daemon = spawn(&program, &scratch);
    assert_eq!(daemon.wait_exit(PATIENCE).code(), Some(1), "{}", daemon.output());
    daemon.wait_for("no such thing", PATIENCE);
    let output = run(&mut background(&program, &scratch), PATIENCE);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stderr.contains("no such thing"), "{}", output.stderr);
    assert_eq!(monitor(&program), None);
}

/// The command that starts the service in the background.
fn background(program: &Path, scratch: &Scratch) -> Command {
    let mut command = Command::new(program);
    command.arg("-f").arg(scratch.config()).arg("-s").arg(scratch.socket());
    command
}

/// The monitor of a program that runs in the background, found as rc.subr(8) finds it.
fn monitor(program: &Path) -> Option<Pid> {
    let wanted = format!("{}\0-f\0", program.display());
    let all = fs::read_dir("/proc").unwrap().flatten();
    let found = all.filter(|entry| {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        line.starts_with(wanted.as_bytes())
    });
    let mut pids = found.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let pid = pids.next().map(Pid::from_raw);
    assert_eq!(pids.next(), None, "more than one");
    pid
}

/// Start the service in the background. Start it again. Send SIGTERM to the first.
/// Check that each start ends when it is known what came of it, the first with 0; that one process has
/// the command line, with stdin, stdout and stderr on /dev/null; that the second says what is the
/// matter; and that the first is gone within five seconds.
#[test]
fn a_start_in_the_background_ends_when_the_service_is_there() {
    let (service, scratch) = (service(), Scratch::new());
    Config::new(&scratch, &[service.addr()]).write(&scratch);
    let dir = scratch.path().join("bin");
    fs::create_dir(&dir).unwrap();
    let all = programs();
    let [program, _] = [&all.threatstopd, &all.engine].map(|from| {
        let to = dir.join(from.file_name().unwrap());
        copy_program(from, &to);
        to
    });
    let output = run(&mut background(&program, &scratch), PATIENCE);
    assert_eq!(output.status.code(), Some(0), "{}", output.stderr);
    let pid = monitor(&program).unwrap();
    let answer = tests::harness::ctl(&scratch.socket(), &["status"]);
    assert!(answer.status.success(), "{}", answer.stderr);
    for fd in 0..3 {
        assert_eq!(fs::read_link(format!("/proc/{pid}/fd/{fd}")).unwrap(), Path::new("/dev/null"));
    }
    let output = run(&mut background(&program, &scratch), PATIENCE);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stderr.ends_with("threatstopd already running\n"), "{}", output.stderr);
    kill(pid, Signal::SIGTERM).unwrap();
    wait_within(STOP, "it is gone", || !is_alive(pid));
}

/// Start the service in the background with an engine that never becomes ready. Send SIGTERM to the
/// process that waits.
/// Check that it ends, and that the service is gone.
#[test]
fn who_ends_the_start_ends_the_service() {
    let scratch = Scratch::new();
    let program = with_engine(&scratch, "trap '' TERM; while :; do sleep 1; done");
    Config::new(&scratch, &["127.0.0.1:9".parse().unwrap()]).write(&scratch);
    let start = Process::spawn(&mut background(&program, &scratch));
    wait_until("both are started", || start.descendants().len() >= 3);
    let children = start.descendants();
    start.signal(Signal::SIGTERM);
    assert_eq!(start.wait_exit(STOP).code(), Some(1));
    children.into_iter().for_each(|(pid, _)| wait_gone(pid));
}

/// Start the service with an engine that exits as soon as it is ready.
/// Check that it is started again after 1, 2 and 4 seconds. Send SIGTERM while it waits: it stops at
/// once.
#[test]
fn an_engine_that_dies_at_once_is_started_later_and_later() {
    let scratch = Scratch::new();
    let daemon = spawn(&with_engine(&scratch, &format!("{READY} exit 1")), &scratch);
    for seconds in [1, 2, 4] {
        daemon.wait_for(&format!("engine gone; starting again in {seconds} s"), PATIENCE);
    }
    daemon.signal(Signal::SIGTERM);
    assert!(daemon.wait_exit(STOP).success());
}

/// Start the service with an engine that is killed by a signal as soon as it is ready.
/// Check that the fifth time is the end, with exit status 1, and that it is said what to do.
#[test]
fn an_engine_that_signals_kill_time_and_again_is_the_end() {
    let scratch = Scratch::new();
    let daemon = spawn(&with_engine(&scratch, &format!("{READY} kill -SEGV $$")), &scratch);
    assert_eq!(daemon.wait_exit(3 * PATIENCE).code(), Some(1), "{}", daemon.output());
    daemon.wait_for("five times in a row: threatstopd ends, the tables stay", PATIENCE);
    assert_eq!(daemon.output().matches("engine terminated; signal 11").count(), 5);
}

/// Start the service with an engine that asks for a new image, and with one that asks for a reload.
/// Check that both are started anew without a wait, three times, and that then there is one.
#[test]
fn what_an_engine_asks_for_it_gets_within_bounds() {
    for (status, words) in [(2, "started anew, helper"), (3, "reloaded, helper")] {
        let scratch = Scratch::new();
        let daemon = spawn(&with_engine(&scratch, &format!("{READY} exit {status}")), &scratch);
        let mut mark = 0;
        for _ in 0..3 {
            daemon.wait_for_after(mark, words, PATIENCE);
            mark = daemon.mark();
        }
        std::thread::sleep(Duration::from_secs(5));
        assert_eq!(daemon.output().matches(words).count(), 3, "{}", daemon.output());
        assert!(!daemon.output().contains("gone"), "{}", daemon.output());
        daemon.signal(Signal::SIGTERM);
        assert!(daemon.wait_exit(STOP).success());
    }
}

/// Start the service with an engine that ignores the end of its socket and every signal that can be
/// ignored. Send SIGTERM; again with an engine, and with a helper, that was stopped by SIGSTOP.
/// Check that the service exits 0 within five seconds each time, and that nobody is left.
#[test]
fn a_child_that_hangs_does_not_hold_up_the_stop() {
    for who in ["", "threatstopd-eng", "threatstopd"] {
        let scratch = Scratch::new();
        // a helper whose engine has closed the socket leaves, and cannot be stopped then
        let close = if who == "threatstopd" { "" } else { "exec 3<&-;" };
        let script = format!("trap '' TERM HUP INT; {close} while :; do sleep 1; done");
        let daemon = spawn(&with_engine(&scratch, &format!("{READY} {script}")), &scratch);
        daemon.wait_for("started, helper", PATIENCE);
        let children = daemon.descendants();
        for (pid, _) in children.iter().filter(|(_, name)| name == who) {
            kill(*pid, Signal::SIGSTOP).unwrap();
        }
        daemon.signal(Signal::SIGTERM);
        assert!(daemon.wait_exit(STOP).success(), "{}", daemon.output());
        children.into_iter().for_each(|(pid, _)| wait_gone(pid));
    }
}

/// Plant a table, and start the service with an engine that greets and then asks for the state of pf as
/// often as fits one read of the helper's. Send SIGTERM.
/// Check that it exits 0 within five seconds.
#[test]
fn an_engine_that_asks_for_a_lot_does_not_hold_up_the_stop() {
    let scratch = Scratch::new();
    plant_hosts(&scratch, 2_000);
    let frame = |kind: u32, payload: &[u8]| {
        let head = [kind, 16 + payload.len() as u32, 1, 1].map(u32::to_ne_bytes).concat();
        [&head[..], payload].concat()
    };
    let mut frames = frame(1, &imsg::VERSION.to_ne_bytes());
    (0..3_800).for_each(|_| frames.extend(frame(5, &[])));
    let path = scratch.path().join("frames");
    fs::write(&path, frames).unwrap();
    // takes its answers, and leaves when the helper has closed the socket, which does not block
    let script = "until cat <&3; do sleep 0.1; done >/dev/null 2>&1";
    let script = format!("{READY} cat {} >&3; {script}", path.display());
    let daemon = spawn(&with_engine(&scratch, &script), &scratch);
    daemon.wait_for("started, helper", PATIENCE);
    std::thread::sleep(Duration::from_secs(1));
    daemon.signal(Signal::SIGTERM);
    assert!(daemon.wait_exit(STOP).success(), "{}", daemon.output());
    for words in ["gone", "dropped", "killed"] {
        assert!(!daemon.output().contains(words), "{}", daemon.output());
    }
}

/// Start the daemon. Replace the configuration by one that parses but names another table directory.
/// Send SIGHUP.
/// Check that the log says that this takes a restart, and that the engine is the one from before.
#[test]
fn another_table_directory_takes_a_restart() {
    let (service, scratch) = (service(), Scratch::new());
    let daemon = running(&scratch, &service);
    let before = engine(&daemon);
    let config = Config::new(&scratch, &[service.addr()]);
    config.set("tables.directory", "/nonexistent/threatstop").write(&scratch);
    let mark = daemon.mark();
    daemon.signal(Signal::SIGHUP);
    let words = "tables.directory: another one takes a restart of threatstopd";
    daemon.wait_for_after(mark, words, PATIENCE);
    wait_for_warning(&daemon, "does not load", words);
    assert_eq!(engine(&daemon), before);
    assert!(daemon.stop().success());
}

/// Start the daemon. Replace the configuration by one with which nothing can be started: a spool in a
/// directory that is not there. Send SIGHUP, and run "threatstopctl reload".
/// Check that the reason is told, in the log, by status, and in the answer to reload, and that the
/// service goes on with the configuration before. Kill the engine: there is a new one.
#[test]
fn a_configuration_that_does_not_bear_a_start_is_taken_back() {
    let (service, scratch) = (service(), Scratch::new());
    let daemon = running(&scratch, &service);
    let config = Config::new(&scratch, &[service.addr()]);
    config.clone().set("log.spool", "/nonexistent/x").write(&scratch);
    let mark = daemon.mark();
    daemon.signal(Signal::SIGHUP);
    let line = daemon.wait_for_after(mark, MAKE, PATIENCE);
    assert!(line.text.contains(": /nonexistent/x: "), "{}", line.text);
    daemon.wait_for_after(mark, "; going on with the previous configuration", PATIENCE);
    daemon.wait_for_after(mark, "previous configuration in use, helper ", PATIENCE);
    daemon.wait_until_ready();
    wait_for_warning(&daemon, "the last reload was taken back", MAKE);
    let output = daemon.ctl(&["reload"]);
    assert_eq!(output.status.code(), Some(1), "{}", output.stdout);
    assert!(output.stderr.starts_with("threatstopctl: reload: the last"), "{}", output.stderr);
    assert!(output.stderr.contains(MAKE), "{}", output.stderr);
    let mark = daemon.mark();
    kill(engine(&daemon), Signal::SIGKILL).unwrap();
    daemon.wait_for_after(mark, "engine gone; starting again in", PATIENCE);
    daemon.wait_for_after(mark, "engine restarted, helper ", PATIENCE);
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
    daemon.wait_for_after(mark, "no such directory; run threatstopctl setup", PATIENCE);
    fs::write(scratch.config(), "intervall = 1\n").unwrap();
    let mark = daemon.mark();
    daemon.signal(Signal::SIGHUP);
    let line = daemon.wait_for_after(mark, "configuration reload failed: ", PATIENCE);
    assert!(line.text.ends_with("; the running configuration stays"), "{line:?}");
    fs::rename(&away, scratch.tables()).unwrap();
    daemon.wait_for_after(mark, "restarted, helper ", 3 * PATIENCE);
    daemon.wait_until_ready();
    assert!(daemon.ctl(&["update"]).status.success());
    assert!(daemon.stop().success());
}

/// Plant a table file, and a table, of more prefixes than the max_entries that the configuration has
/// now. Start the daemon.
/// Check that it starts and compares the next set with the file, so that a small one is held back; that
/// `show block`, which asks the kernel, shows them all; and that `update -f` brings the new set.
#[test]
fn a_table_of_more_than_max_entries_holds_up_no_start() {
    let (service, scratch) = (service(), Scratch::new());
    plant_hosts(&scratch, 70_000);
    let config = Config::new(&scratch, &[service.addr()]).set("guard.max_entries", 1000);
    let daemon = Daemon::start(&scratch, &config);
    let output = daemon.ctl(&["show", "block"]);
    assert!(output.status.success(), "{}", output.stderr);
    assert_eq!(output.stdout.lines().count(), 70_000);
    let output = daemon.ctl(&["update"]);
    assert!(output.stdout.contains("70000 -> "), "{}", output.stdout);
    assert!(!daemon.output().contains("gone"), "{}", daemon.output());

    let output = daemon.ctl(&["update", "-f"]);
    assert!(output.status.success(), "{}{}", output.stdout, daemon.output());
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

/// Start the helper by its name in PATH, with the files of the command line by their names in the directory
/// of the start, and with a descriptor that nobody takes from it. Update, send SIGHUP, and kill the engine.
/// Check that it works, and that no process has the descriptor, then or after any of these.
#[test]
fn a_start_by_path_from_anywhere_with_open_descriptors_works() {
    let (service, scratch) = (service(), Scratch::new());
    let config = Config::new(&scratch, &[service.addr()]);
    let open = fs::canonicalize(scratch.path()).unwrap().join("open");
    fs::write(&open, "").unwrap();
    let daemon = Daemon::spawn(&scratch, &config, |command| {
        let place = Path::new(command.get_program()).parent().unwrap().to_owned();
        let name = |path: PathBuf| path.file_name().unwrap().to_owned();
        let (config, socket) = (name(scratch.config()), name(scratch.socket()));
        *command = Command::new("/bin/sh");
        command.current_dir(scratch.path()).env("PATH", place);
        command
            .arg("-c")
            .arg("exec threatstopd -d -f \"$0\" -s \"$1\" 9<open")
            .args([config, socket]);
    });
    let works = || {
        daemon.wait_until_ready();
        update(&daemon);
        for pid in daemon.descendants().into_iter().map(|(pid, _)| pid).chain([daemon.pid()]) {
            let all = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
            let has = all.filter_map(|fd| fs::read_link(fd.path()).ok()).any(|file| file == open);
            assert!(!has, "{pid}: {:?}", daemon.descendants());
        }
    };
    works();
    let mark = daemon.mark();
    daemon.signal(Signal::SIGHUP);
    daemon.wait_for_after(mark, "reloaded, helper", PATIENCE);
    works();
    if let Some(engine) = daemon.engine() {
        let mark = daemon.mark();
        kill(engine, Signal::SIGKILL).unwrap();
        daemon.wait_for_after(mark, "engine restarted, helper ", PATIENCE);
        works();
    }
    assert!(daemon.stop().success());
}

/// Update, and set the clock ahead by a day.
/// Check that the next update is due within an interval from then, as before: it is waited for on the
/// monotonic clock.
#[test]
fn when_the_next_run_is_due_follows_a_clock_that_is_set() {
    let service = service();
    let scratch = Scratch::new();
    let daemon = Daemon::spawn_faulty(&scratch, &Config::new(&scratch, &[service.addr()]));
    daemon.wait_until_ready();
    update(&daemon);
    wait_until("the run has ended", || status(&daemon)["update"]["state"] == "idle");
    let next = || {
        let status = status(&daemon);
        [&status["update"], &status["sources"][0]].map(|of| of["next"].as_u64().unwrap())
    };
    let before = next();
    let day = 24 * 60 * 60;
    scratch.set_ahead(day);
    let after = next();
    for (before, after) in before.into_iter().zip(after) {
        assert!(after.abs_diff(before + day) <= 1, "{before} {after}");
    }
    assert!(daemon.stop().success());
}
