//! What root gives up, what it refuses, and what the engine can no longer do. All but the
//! configuration's own mode needs root, and says so when it is skipped.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::*;
use nix::sys::stat::Mode;
use nix::unistd::{chown, geteuid, mkfifo};
use tests::harness::{Config, Daemon, Scratch, copy_program, ctl, programs};
use tests::process::{Process, run};

/// A field of /proc/PID/status as numbers; `None` where there is no /proc.
fn ids(pid: nix::unistd::Pid, field: &str) -> Option<Vec<u32>> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    Some(line.split_whitespace().map(|word| word.parse().unwrap()).collect())
}

/// Helper and engine where nobody can reach them, and a test may change them: helper in `sbin`,
/// engine in `libexec`.
fn installed(scratch: &Scratch) -> (PathBuf, PathBuf) {
    let (sbin, libexec) = (scratch.path().join("sbin"), scratch.path().join("libexec"));
    let copies =
        [(&programs().threatstopd, sbin), (&programs().engine, libexec)].map(|(from, dir)| {
            fs::create_dir(&dir).unwrap();
            let to = dir.join(from.file_name().unwrap());
            copy_program(from, &to);
            set_mode(&dir, 0o755);
            to
        });
    let [helper, engine] = copies;
    (helper, engine)
}

fn start(helper: &Path, scratch: &Scratch) -> Process {
    let mut command = Command::new(helper);
    command.arg("-d").arg("-f").arg(scratch.config()).arg("-s").arg(scratch.socket());
    Process::spawn(&mut command)
}

/// Starts an installed helper, which must exit 1; gives its log.
#[track_caller]
fn refuses(helper: &Path, scratch: &Scratch) -> String {
    let process = start(helper, scratch);
    assert_eq!(process.wait_exit(PATIENCE).code(), Some(1), "{}", process.output());
    process.output()
}

/// Start the daemon with supplementary groups of root's.
/// Check that the engine has the user's ids, real, effective, saved and of the file system, and no
/// group but the user's; that its files are its socket, the control socket, pipes and /dev/null; that
/// no process can make a core; and that monitor and helper are root still.
#[test]
fn the_engine_is_nobody_and_has_nothing() {
    if !is_root("to become somebody else") {
        return;
    }
    let (service, _) = honest(300);
    let scratch = Scratch::new();
    let config = Config::new(&scratch, &[service.addr()]);
    let daemon = Daemon::spawn(&scratch, &config, |command| {
        let threatstopd = command.get_program().to_owned();
        let args: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        *command = Command::new("setpriv");
        command.args(["--groups", "0,1,2,3"]).arg(threatstopd).args(args);
    });
    daemon.wait_until_ready();
    update(&daemon);
    assert_eq!(ids(daemon.pid(), "Groups"), Some(vec![0, 1, 2, 3]));
    let (engine, user) = (daemon.engine().unwrap(), nobody());
    assert_eq!(ids(engine, "Uid"), Some(vec![user.uid.as_raw(); 4]));
    assert_eq!(ids(engine, "Gid"), Some(vec![user.gid.as_raw(); 4]));
    let groups = ids(engine, "Groups").unwrap();
    assert!(groups.iter().all(|&group| group == user.gid.as_raw()), "{groups:?}");
    let helper =
        daemon.descendants().into_iter().find(|(_, name)| name == "threatstopd").unwrap().0;
    for pid in [daemon.pid(), helper] {
        assert_eq!(ids(pid, "Uid"), Some(vec![0; 4]));
    }
    for pid in [daemon.pid(), helper, engine] {
        let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(
            core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(),
            ["0", "0"],
            "{core}"
        );
    }
    assert_eq!(fs::read_link(format!("/proc/{engine}/cwd")).unwrap(), Path::new("/"));
    for entry in fs::read_dir(format!("/proc/{engine}/fd")).unwrap() {
        let target = fs::read_link(entry.unwrap().path()).unwrap();
        let target = target.to_string_lossy().into_owned();
        let harmless = ["socket:", "pipe:", "anon_inode:", "/dev/null"];
        let fine = harmless.iter().any(|kind| target.starts_with(kind));
        assert!(fine, "the engine has {target}");
    }
    assert!(daemon.stop().success());
}

/// Publish, then try as the engine's user what a compromised engine would: read the configuration,
/// read, write, replace and remove table files, and take a lock of root's.
/// Check that nothing of it succeeds, and that modes and owners of all files are as they should be.
#[test]
fn the_engines_user_cannot_touch_what_is_roots() {
    if !is_root("to try as somebody else") {
        return;
    }
    let (service, text) = honest(300);
    let scratch = Scratch::new();
    let daemon = Daemon::start(&scratch, &Config::new(&scratch, &[service.addr()]));
    update(&daemon);
    service.edit(|z| *z = zone(&list(310).0));
    update(&daemon);
    let (tables, user) = (scratch.tables(), nobody());
    let block = tables.join(format!("{BLOCK}.pftable"));
    let quoted = |path: &Path| format!("'{}'", path.display());
    {
        let mode = 0o700;
        for script in [
            format!("cat {}", quoted(&scratch.config())),
            format!("cat {}", quoted(&block)),
            format!("echo 1.2.3.4 >{}", quoted(&block)),
            format!("echo 1.2.3.4 >>{}.prev", quoted(&block)),
            format!("rm -f {} && ! test -e {}", quoted(&block), quoted(&block)),
            format!("mv {} {}/x", quoted(&block), tables.display()),
            format!("ln -s /etc/passwd {}/x", tables.display()),
            format!(": >{}/.{BLOCK}.pftable.tmp", tables.display()),
            format!(": >{}/simulated.conf", tables.display()),
            format!("rm {}", quoted(&scratch.socket())),
            format!("flock -n {} true", quoted(&tables)),
            format!("flock -n {}.lock true", quoted(&scratch.socket())),
            format!("flock -n {}.lock true", scratch.spool().display()),
            format!("ln {} {}/x", quoted(&block), scratch.spool().display()),
            format!("chmod 777 {}", quoted(&tables)),
        ] {
            let mut command = Command::new("/bin/sh");
            command.arg("-c").arg(&script).uid(user.uid.as_raw()).gid(user.gid.as_raw());
            let output = run(&mut command, PATIENCE);
            assert!(!output.status.success(), "{mode:o}: {script}: {}", output.stdout);
            assert!(!output.stdout.contains("tdid_"));
        }
    }
    let owned = |path: &Path| {
        let meta = path.symlink_metadata().unwrap();
        (meta.uid(), meta.mode() & 0o7777)
    };
    for name in [BLOCK, ALLOW] {
        for kind in ["pftable", "simulated"] {
            assert_eq!(owned(&tables.join(format!("{name}.{kind}"))), (0, 0o600), "{name}.{kind}");
        }
    }
    assert_eq!(owned(&tables.join(format!("{BLOCK}.pftable.prev"))), (0, 0o600));
    assert_eq!(fs::read_to_string(tables.join(format!("{BLOCK}.pftable.prev"))).unwrap(), text);
    assert_eq!(owned(&scratch.socket()), (0, 0o660));
    assert_eq!(owned(&scratch.spool()), (user.uid.as_raw(), 0o700));
    assert_eq!(owned(&scratch.path().join("spool.lock")), (0, 0o600));
    for entry in fs::read_dir(scratch.spool()).unwrap() {
        let path = entry.unwrap().path();
        let (uid, mode) = owned(&path);
        assert_eq!((uid, mode & 0o077), (user.uid.as_raw(), 0), "{}", path.display());
    }
    assert!(daemon.stop().success());
}

/// Install helper and engine as the package does, engine in libexec. Give the engine to somebody
/// else, let its group write, let everybody write, let it be a symbolic link to such a file, take it
/// away.
/// Check that the start is refused each time with the command that mends it, and works with it.
#[test]
fn an_engine_that_others_could_replace_is_not_started() {
    if !is_root("to judge by owner") {
        return;
    }
    let (service, _) = honest(20);
    let scratch = Scratch::new();
    Config::new(&scratch, &[service.addr()]).write(&scratch);
    let (helper, engine) = installed(&scratch);
    let user = nobody();
    let refused = || {
        let said = refuses(&helper, &scratch);
        let path = engine.display();
        let words = format!("must be writable by root only: chown root; chmod go-w {path}");
        assert!(said.contains(&words), "{said}");
    };
    for mode in [0o775, 0o757, 0o777] {
        set_mode(&engine, mode);
        refused();
    }
    set_mode(&engine, 0o755);
    chown(&engine, Some(user.uid), None).unwrap();
    refused();
    let link = helper.with_file_name("threatstopd-engine");
    symlink(&engine, &link).unwrap();
    refused();
    fs::remove_file(link).unwrap();
    let away = engine.with_extension("away");
    fs::rename(&engine, &away).unwrap();
    let said = refuses(&helper, &scratch);
    assert!(said.contains("no threatstopd-engine there or in ../libexec"), "{said}");
    fs::rename(&away, &engine).unwrap();
    chown(&engine, Some(nix::unistd::Uid::from_raw(0)), None).unwrap();
    let daemon = start(&helper, &scratch);
    wait_until("it answers", || ctl(&scratch.socket(), &["update"]).status.success());
    daemon.signal(nix::sys::signal::Signal::SIGTERM);
    assert!(daemon.wait_exit(STOP).success());
}

/// Let group or others read the configuration, give it to somebody else, make it a FIFO, a directory,
/// take it away. Start, and check with -n.
/// Check that both refuse it with the command that mends it, and that SIGHUP keeps what runs.
#[test]
fn a_configuration_that_others_can_read_is_refused() {
    let (service, _) = honest(20);
    let scratch = Scratch::new();
    let config = Config::new(&scratch, &[service.addr()]);
    let daemon = Daemon::start(&scratch, &config);
    let path = scratch.config();
    let shown = path.display();
    let refused = |words: &str| {
        let mut check = Command::new(&programs().threatstopd);
        let output = run(check.arg("-n").arg("-f").arg(&path), PATIENCE);
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stderr.contains(words), "{}", output.stderr);
        let process = spawn(&scratch, |_| {});
        assert_eq!(process.wait_exit(PATIENCE).code(), Some(1));
        process.wait_for(words, STOP);
        let mark = daemon.mark();
        daemon.signal(nix::sys::signal::Signal::SIGHUP);
        let line = daemon.wait_for_after(mark, "configuration reload failed: ", PATIENCE);
        assert!(line.text.contains(words), "{}", line.text);
        assert!(daemon.ctl(&["status"]).status.success());
    };
    for mode in [0o640, 0o604, 0o620, 0o602, 0o610, 0o644, 0o666, 0o777] {
        set_mode(&path, mode);
        refused(&format!(
            "{shown}: mode {mode:04o}: group or others have access, and it holds the device id: \
             chmod 600 {shown}"
        ));
    }
    set_mode(&path, 0o600);
    if is_root("a configuration of another owner") {
        let user = nobody();
        chown(&path, Some(user.uid), None).unwrap();
        refused(&format!(
            "{shown}: owned by uid {}, neither root nor the user who starts the program: chown \
             root {shown}",
            user.uid
        ));
    }
    fs::remove_file(&path).unwrap();
    refused(&format!("{shown}: No such file or directory: install -m 600 "));
    mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
    refused(&format!("{shown}: not a regular file"));
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    refused(&format!("{shown}: not a regular file"));
    fs::remove_dir(&path).unwrap();
    config.write(&scratch);
    let mark = daemon.mark();
    daemon.signal(nix::sys::signal::Signal::SIGHUP);
    daemon.wait_for_after(mark, "reloaded, helper", PATIENCE);
    daemon.wait_until_ready();
    assert!(daemon.stop().success());
}

/// Name a user that does not exist, and root.
/// Check that the start is refused and says what to do.
#[test]
fn the_user_must_exist_and_not_be_root() {
    if !is_root("to become a user") {
        return;
    }
    let (service, _) = honest(20);
    let scratch = Scratch::new();
    let config = Config::new(&scratch, &[service.addr()]);
    let said = fails_to_start(&scratch, &config.clone().set("user", "_nosuchuser"));
    let words = "unknown user _nosuchuser: reinstall the package, or set user";
    assert!(said.contains(words), "{said}");
    let said = fails_to_start(&scratch, &config.set("user", "root"));
    assert!(said.contains("the engine must not run as root"), "{said}");
    let tables = scratch.tables().read_dir().unwrap().map(|entry| entry.unwrap().file_name());
    let tables: Vec<_> = tables.filter(|name| name != "lock").collect();
    assert!(tables.is_empty(), "{tables:?}");
}

/// Give the spool to root, and to somebody else than the engine's user, and start.
/// Check that the start is refused with the command that mends it.
#[test]
fn a_spool_of_another_owner_fails_the_start() {
    if !is_root("to give a directory away") {
        return;
    }
    let scratch = Scratch::new();
    let config = Config::new(&scratch, &["127.0.0.1:9".parse().unwrap()]);
    let user = nobody();
    for owner in [0, user.uid.as_raw() - 1] {
        chown(&scratch.spool(), Some(nix::unistd::Uid::from_raw(owner)), None).unwrap();
        let said = fails_to_start(&scratch, &config);
        let spool = scratch.spool();
        let spool = spool.display();
        let words =
            format!("{spool}: not a directory of nobody: chown nobody {spool}, or set log.spool");
        assert!(said.contains(&words), "{said}");
    }
}

/// Start the programs as nobody, with a directory of nobody's: first with the real pf, then with the
/// simulated one.
/// Check that the first needs root, that the second works whole, and that nobody then counts as root
/// for his own daemon.
#[test]
fn another_user_can_try_it_out_with_the_simulated_pf_alone() {
    if !is_root("to start as somebody else") {
        return;
    }
    let (service, text) = honest(20);
    let scratch = Scratch::new();
    let (helper, _) = installed(&scratch);
    let tool = helper.with_file_name("threatstopctl");
    copy_program(&programs().threatstopctl, &tool);
    let user = nobody();
    let own = |path: &Path| chown(path, Some(user.uid), Some(user.gid)).unwrap();
    let config = Config::new(&scratch, &[service.addr()]);
    let start = |config: &Config| {
        config.write(&scratch);
        own(&scratch.config());
        let mut command = Command::new(&helper);
        command.arg("-d").arg("-f").arg(scratch.config()).arg("-s").arg(scratch.socket());
        Process::spawn(command.uid(user.uid.as_raw()).gid(user.gid.as_raw()))
    };
    let process = start(&config.clone().set("tables.backend", "pf"));
    assert_eq!(process.wait_exit(PATIENCE).code(), Some(1));
    process.wait_for("need root privileges", STOP);
    // a directory of root's is not his to write to, open to others or not
    for mode in [0o755, 0o700] {
        set_mode(&scratch.tables(), mode);
        let process = start(&config);
        assert_eq!(process.wait_exit(PATIENCE).code(), Some(1));
        let tables = scratch.tables();
        let way_out = "not yours: set tables.directory to a directory of your own";
        process.wait_for(&format!("{}: {way_out}", tables.display()), STOP);
    }
    own(&scratch.tables());
    // the socket goes where the configuration is
    own(scratch.path());
    let process = start(&config);
    process.wait_for("started, helper", PATIENCE);
    let ask = |arguments: &[&str]| {
        let mut command = Command::new(&tool);
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        run(command.arg("-s").arg(scratch.socket()).args(arguments), PATIENCE)
    };
    wait_until("it answers", || ask(&["status"]).status.success());
    let output = ask(&["update"]);
    assert!(output.status.success(), "{}", output.stderr);
    assert_eq!(ask(&["show", "block"]).stdout, text);
    let file = scratch.tables().join(format!("{BLOCK}.pftable"));
    let meta = file.metadata().unwrap();
    assert_eq!((meta.uid(), meta.permissions().mode() & 0o7777), (user.uid.as_raw(), 0o600));
    process.signal(nix::sys::signal::Signal::SIGTERM);
    assert!(process.wait_exit(STOP).success());
    assert!(geteuid().is_root());
}
