//! Disks that fail, helpers that die, names that somebody planted, and a pf that says no: file and
//! table are each the old set or the new one, whole, and they come to agree.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::common::*;
use nix::errno::Errno;
use nix::sys::stat::{Mode, SFlag, mknod};
use nix::unistd::{chown, mkfifo};
use tests::harness::{Config, Daemon, Scratch, faulty_helper};
use tests::item::{items, table_text};
use tests::lists::allow_list;
use tests::servers::say_skipped;
use tests::sim::{ConnectionFault, HostileService, Layout, Plan, PolicyService};

/// What a disk may say to any step: full, broken, read-only, beyond the quota.
const ERRORS: [Errno; 4] = [Errno::ENOSPC, Errno::EIO, Errno::EROFS, Errno::EDQUOT];

/// The sets that are in force at first, before the service brings its own.
const OLDER: &str = "200.0.0.1\n";
const OLD_BLOCK: &str = "200.0.0.1\n200.0.1.0/24\n2a0e::/32\n";
const OLD_ALLOW: &str = "200.1.0.1\n";

/// A directory in which two publications have taken place, and the configuration for a server.
fn seeded(server: &PolicyService) -> (Scratch, Config) {
    let scratch = Scratch::new();
    for (name, set) in [(BLOCK, OLD_BLOCK), (ALLOW, OLD_ALLOW)] {
        for (kind, text) in [("pftable", set), ("simulated", set), ("pftable.prev", OLDER)] {
            plant(&scratch.tables().join(format!("{name}.{kind}")), text);
        }
    }
    let config = Config::new(&scratch, &[server.addr()]);
    (scratch, config)
}

/// Starts the helper whose step fails so.
pub fn start_faulty(scratch: &Scratch, config: &Config, fault: &str) -> Daemon {
    Daemon::spawn(scratch, config, |command| {
        let args: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        *command = Command::new(faulty_helper());
        command.args(args).env("THREATSTOPD_FAULT", fault);
    })
}

/// The text of a file in the table directory.
fn read(scratch: &Scratch, name: &str) -> String {
    fs::read_to_string(scratch.tables().join(name)).unwrap_or_else(|why| panic!("{name}: {why}"))
}

/// Checks that file and table have the old set or the new one; gives both.
#[track_caller]
fn whole(what: &str, scratch: &Scratch, name: &str, old: &str, new: &str) -> [String; 2] {
    ["pftable", "simulated"].map(|kind| {
        let text = read(scratch, &format!("{name}.{kind}"));
        assert!([old, new].contains(&text.as_str()), "{what}: {name}.{kind}: {text}");
        text
    })
}

/// Starts the ordinary daemon and updates: both tables have the new sets, and nothing is left over.
#[track_caller]
fn converges(what: &str, scratch: &Scratch, config: &Config, new: [&str; 2]) {
    let daemon = Daemon::start(scratch, config);
    let output = daemon.ctl(&["update"]);
    assert!(output.status.success(), "{what}: {}", output.stderr);
    assert_eq!(
        [table(&daemon, BLOCK), table(&daemon, ALLOW)],
        new.map(|set| Some(set.into())),
        "{what}"
    );
    assert!(daemon.stop().success());
    let left: Vec<String> = fs::read_dir(scratch.tables())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('.'))
        .collect();
    assert!(left.is_empty(), "{what}: {left:?}");
}

/// Every step of a publication of table T, and whether the old set then stays.
const STEPS: [(&str, bool); 23] = [
    ("trial T", true),
    ("open T.simulated", true),
    ("fstat T.simulated", true),
    ("read T.simulated", true),
    ("open simulated.conf", true),
    ("open T.pftable", true),
    ("fstat T.pftable", true),
    ("read T.pftable", true),
    ("open T.pftable.prev", true),
    ("fstat T.pftable.prev", true),
    ("unlink .T.pftable.tmp", true),
    ("create .T.pftable.tmp", true),
    ("write .T.pftable.tmp", true),
    ("fsync .T.pftable.tmp", true),
    ("link .T.pftable.old", true),
    ("rename T.pftable", true),
    ("fsync .", true),
    ("replace T", true),
    ("unlink .T.simulated.tmp", true),
    ("create .T.simulated.tmp", true),
    ("write .T.simulated.tmp", true),
    ("rename T.simulated", true),
    // the set before is settled by the next publication
    ("settle T.pftable.prev", false),
];

/// With old sets in force, let one step of the publication fail, for each step, for block and for
/// allow, as on a disk that fails or is full. Update.
/// Check that the update fails with the reason, that the old set is in file and table, whole, and
/// that of a failing allow table the block table does not get ahead. Start without the fault:
/// everything is as it should be, and nothing is left over.
#[test]
fn a_failing_step_leaves_the_old_set() {
    let (service, new_block) = honest(20);
    let new_allow = table_text(&allow_list());
    let mut jobs = Vec::new();
    for name in [BLOCK, ALLOW] {
        for (index, (step, stays)) in STEPS.into_iter().enumerate() {
            let errno = ERRORS[(index + name.len()) % ERRORS.len()];
            jobs.push((name, step.replace('T', name), stays, errno));
        }
    }
    faulty_helper();
    in_parallel(&jobs, |(name, step, stays, errno)| {
        let what = format!("{step}:{}", *errno as i32);
        let (scratch, config) = seeded(&service);
        let daemon = start_faulty(&scratch, &config, &what);
        daemon.wait_until_ready();
        let output = daemon.ctl(&["update"]);
        let [block, _] = whole(&what, &scratch, BLOCK, OLD_BLOCK, &new_block);
        let [allow, _] = whole(&what, &scratch, ALLOW, OLD_ALLOW, &new_allow);
        if *stays {
            assert_eq!(output.status.code(), Some(1), "{what}: {}", output.stdout);
            assert!(
                output.stderr.contains(&format!(": {}; the old set stays", errno.desc())),
                "{what}: {}",
                output.stderr
            );
            assert_eq!(table(&daemon, BLOCK).as_deref(), Some(OLD_BLOCK), "{what}");
            // what is in the way of one table may be in the way of both
            assert!(*name == BLOCK || allow == OLD_ALLOW, "{what}");
        } else {
            assert!(output.status.success(), "{what}: {}", output.stderr);
            assert_eq!((block, allow), (new_block.clone(), new_allow.clone()), "{what}");
        }
        assert!(daemon.stop().success(), "{what}");
        converges(&what, &scratch, &config, [&new_block, &new_allow]);
    });
}

/// The same with a helper that is killed at each step.
/// Check that its engine leaves, and that file and table are each whole, old or new. Start it again
/// without any server: file and table agree. Start it with one: everything is as it should be.
#[test]
fn a_helper_killed_at_any_step_leaves_whole_sets() {
    let (service, new_block) = honest(20);
    let new_allow = table_text(&allow_list());
    let mut jobs = Vec::new();
    for name in [BLOCK, ALLOW] {
        // those before only read
        jobs.extend(STEPS[8..].iter().map(|(step, _)| step.replace('T', name)));
    }
    jobs.extend(STEPS[..8].iter().map(|(step, _)| step.replace('T', BLOCK)));
    faulty_helper();
    in_parallel(&jobs, |step| {
        let what = format!("{step}:kill");
        let (scratch, config) = seeded(&service);
        let daemon = start_faulty(&scratch, &config, &what);
        // abort(3): as sudden as SIGKILL, and at the very step
        wait_until(&format!("{what}: the helper is gone"), || {
            let said = daemon.output();
            // at the first look at the tables the start may not be over
            let ends = ["helper terminated; signal 6", "helper ended before it was ready"];
            ends.iter().any(|end| said.contains(end))
        });
        // before the next one is started, which comes to the same step
        let children = daemon.descendants();
        let _ = nix::sys::signal::kill(daemon.pid(), nix::sys::signal::Signal::SIGKILL);
        let gone = || children.iter().all(|(pid, _)| !tests::process::is_alive(*pid));
        wait_until("helper and engine leave", gone);
        drop(daemon);
        for (name, old, new) in [(BLOCK, OLD_BLOCK, &new_block), (ALLOW, OLD_ALLOW, &new_allow)] {
            let [file, kernel] = whole(&what, &scratch, name, old, new);
            assert!(file == *new || kernel == old, "{what}: pf is ahead of the file");
        }
        let alone = Config::new(&scratch, &["127.0.0.1:9".parse().unwrap()]);
        let daemon = Daemon::start(&scratch, &alone);
        for name in [BLOCK, ALLOW] {
            let agree = || daemon.table_file(name) == daemon.kernel_table(name);
            wait_until(&format!("{what}: {name} agrees"), agree);
            assert!(daemon.table_file(name).is_some_and(|text| !text.is_empty()), "{what}");
        }
        assert!(daemon.stop().success());
        converges(&what, &scratch, &config, [&new_block, &new_allow]);
    });
}

/// Let pf fail after the file is there, and then the old file not come back.
/// Check that the log says that file and table differ, that both are whole, and that the next look
/// brings them together once the disk is well.
#[test]
fn a_failing_way_back_is_told_and_mended() {
    let (service, new_block) = honest(20);
    let (scratch, config) = seeded(&service);
    // what pf's own file would be written to, so that pf fails in earnest and not in the trial
    let trap = scratch.tables().join(format!(".{BLOCK}.simulated.tmp"));
    fs::create_dir(&trap).unwrap();
    let config = config.set("tables.check_interval", "1s");
    let daemon =
        start_faulty(&scratch, &config, &format!("undo {BLOCK}.pftable:{}", Errno::EIO as i32));
    let told = ": undo: I/O error; file and table differ; run threatstopctl update";
    daemon.wait_for(told, PATIENCE);
    daemon.wait_until_ready();
    refused(&daemon, &["update"]);
    whole("undo", &scratch, BLOCK, OLD_BLOCK, &new_block);
    fs::remove_dir(&trap).unwrap();
    let kernel = scratch.tables().join(format!("{BLOCK}.simulated"));
    wait_until("the table has the set of the file", || {
        fs::read_to_string(&kernel).is_ok_and(|now| now == new_block)
    });
    wait_until("that set is the one in force", || {
        daemon.ctl(&["show", "block"]).stdout == new_block
    });
    assert!(daemon.stop().success());
    converges("undo", &scratch, &config, [&new_block, &table_text(&allow_list())]);
}

/// Limit the size of files to less than the new table, as login.conf(5) may.
/// Check that the old set stays, that the helper survives, and that the update says why.
#[test]
fn a_limit_of_file_size_is_an_error_and_no_end() {
    let (service, new_block) = honest(300);
    let (scratch, config) = seeded(&service);
    let daemon = Daemon::spawn(&scratch, &config, |command| {
        let threatstopd = command.get_program().to_owned();
        let args: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        *command = Command::new("/bin/sh");
        command.arg("-c").arg("ulimit -f 4; exec \"$0\" \"$@\"").arg(threatstopd).args(args);
    });
    daemon.wait_until_ready();
    let why = refused(&daemon, &["update", "-f"]);
    assert!(why.contains("File too large; the old set stays"), "{why}");
    assert_eq!(table(&daemon, BLOCK).as_deref(), Some(OLD_BLOCK));
    assert!(daemon.stop().success());
    let daemon = Daemon::start(&scratch, &config);
    assert!(daemon.ctl(&["update", "-f"]).status.success());
    assert_eq!(table(&daemon, BLOCK), Some(new_block));
    assert!(daemon.stop().success());
}

/// A file system of its own, unmounted when dropped.
struct Tmpfs(PathBuf);

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

/// Put the table directory on a small file system and fill it to the last octet.
/// Check that the old set stays and that the update says why; then make room: it succeeds.
#[test]
fn a_full_disk_leaves_the_old_set() {
    if !is_root("a file system to fill") {
        return;
    }
    let (service, new_block) = honest(2000);
    let scratch = Scratch::new();
    let mount = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs"])
        .arg(scratch.tables())
        .output();
    if !mount.is_ok_and(|output| output.status.success()) {
        say_skipped("needs root: mount(8) of a tmpfs");
        return;
    }
    let _mounted = Tmpfs(scratch.tables());
    for kind in ["pftable", "simulated"] {
        plant(&scratch.tables().join(format!("{BLOCK}.{kind}")), OLD_BLOCK);
    }
    let filler = scratch.tables().join("filler");
    let config = Config::new(&scratch, &[service.addr()]);
    let silent = Config::new(&scratch, &["127.0.0.1:9".parse().unwrap()]);
    let daemon = Daemon::start(&scratch, &silent);
    let mut full = fs::File::create(&filler).unwrap();
    while std::io::Write::write_all(&mut full, &[0; 512]).is_ok() {}
    // a reload needs no room
    config.write(&scratch);
    assert!(daemon.ctl(&["reload"]).status.success());
    fs::write(&filler, vec![0; 40 << 10]).unwrap();
    assert!(daemon.ctl(&["reload"]).status.success());
    daemon.wait_until_ready();
    let why = refused(&daemon, &["update", "-f"]);
    assert!(why.contains("No space left on device; the old set stays"), "{why}");
    assert_eq!(table(&daemon, BLOCK).as_deref(), Some(OLD_BLOCK));
    drop(full);
    fs::remove_file(&filler).unwrap();
    // 2,000 entries in four files need more room than there is
    let remount =
        Command::new("mount").args(["-o", "remount,size=4m"]).arg(scratch.tables()).status();
    assert!(remount.unwrap().success());
    assert!(daemon.ctl(&["update", "-f"]).status.success());
    assert_eq!(table(&daemon, BLOCK), Some(new_block));
    assert!(daemon.stop().success());
}

/// What somebody may have put in the place of a file.
#[derive(Clone, Copy, Debug)]
enum Planted {
    Symlink,
    Dangling,
    Fifo,
    Directory,
    Writable,
    Foreign,
    Device,
}

impl Planted {
    const ALL: [Self; 7] = [
        Self::Symlink,
        Self::Dangling,
        Self::Fifo,
        Self::Directory,
        Self::Writable,
        Self::Foreign,
        Self::Device,
    ];

    /// Whether this user may put it there: owners are root's to give, devices not even always.
    fn possible(self) -> bool {
        match self {
            Self::Foreign => is_root("a file of another owner"),
            Self::Device => {
                let scratch = Scratch::new();
                let made = null_device(&scratch.path().join("null"));
                if let Err(why) = made {
                    say_skipped(&format!("needs root: a device: {}", why.desc()));
                }
                made.is_ok()
            }
            _ => true,
        }
    }

    fn put(self, path: &Path, victim: &Path) {
        let _ = fs::remove_file(path);
        match self {
            Self::Symlink => symlink(victim, path).unwrap(),
            Self::Dangling => symlink(victim.with_extension("missing"), path).unwrap(),
            Self::Fifo => mkfifo(path, Mode::S_IRUSR | Mode::S_IWUSR).unwrap(),
            Self::Directory => fs::create_dir(path).unwrap(),
            Self::Writable => {
                plant(path, "9.9.9.9\n");
                set_mode(path, 0o622);
            }
            Self::Foreign => {
                plant(path, "9.9.9.9\n");
                let user = nobody();
                chown(path, Some(user.uid), Some(user.gid)).unwrap();
            }
            Self::Device => null_device(path).unwrap(),
        }
    }
}

/// A second /dev/null.
fn null_device(path: &Path) -> nix::Result<()> {
    let device = fs::metadata("/dev/null").unwrap().rdev();
    mknod(path, SFlag::S_IFCHR, Mode::S_IRUSR | Mode::S_IWUSR, device as _)
}

/// At each name that the helper uses, plant a symbolic link, one to nothing, a FIFO, a directory,
/// a file that others may write to, one of another owner, and a device.
/// Update.
/// Check that the update either goes through or says which name is in the way, that it does not
/// hang, that what a link points to is as before, and that no planted prefix comes into force. Take
/// it away: an update goes through.
#[test]
fn planted_names_are_refused_or_replaced() {
    let (service, new_block) = honest(20);
    let new_allow = table_text(&allow_list());
    let possible: Vec<_> = Planted::ALL.into_iter().filter(|one| one.possible()).collect();
    let mut jobs = Vec::new();
    for name in [
        "T.pftable",
        ".T.pftable.tmp",
        ".T.pftable.old",
        "T.pftable.prev",
        "T.simulated",
        ".T.simulated.tmp",
    ] {
        jobs.extend(possible.iter().map(|&planted| (name.replace('T', BLOCK), planted)));
    }
    in_parallel(&jobs, |(name, planted)| {
        let what = format!("{planted:?} at {name}");
        let (scratch, config) = seeded(&service);
        let victim = scratch.path().join("victim");
        plant(&victim, "9.9.9.9\n");
        let path = scratch.tables().join(name);
        let kernel_before = read(&scratch, &format!("{BLOCK}.simulated"));
        planted.put(&path, &victim);
        let daemon = Daemon::start(&scratch, &config);
        let output = daemon.ctl(&["update"]);
        if !output.status.success() {
            // .old becomes .prev before anything else
            let name = name.trim_start_matches('.').replace(".old", ".prev");
            let named = output.stderr.contains(&name);
            assert!(named, "{what}: {}", output.stderr);
        }
        assert_eq!(fs::read_to_string(&victim).unwrap(), "9.9.9.9\n", "{what}");
        assert!(!victim.with_extension("missing").exists(), "{what}");
        let kernel = scratch.tables().join(format!("{BLOCK}.simulated"));
        if path != kernel {
            let kernel = fs::read_to_string(&kernel).unwrap();
            assert!(kernel == kernel_before || kernel == new_block, "{what}: {kernel}");
        }
        match path.symlink_metadata() {
            Ok(meta) if meta.is_dir() => fs::remove_dir(&path).unwrap(),
            // it was replaced by the real one, or is gone
            Ok(meta) if meta.is_file() && meta.nlink() == 1 && output.status.success() => {}
            Ok(_) => fs::remove_file(&path).unwrap(),
            Err(_) => {}
        }
        // .old is what becomes the set before, and is in the way as that now
        let prev = scratch.tables().join(format!("{BLOCK}.pftable.prev"));
        if !prev.symlink_metadata().is_ok_and(|meta| meta.is_file() && meta.nlink() == 1)
            || name.ends_with(".old")
        {
            let _ = fs::remove_file(&prev);
        }
        let output = daemon.ctl(&["update"]);
        assert!(output.status.success(), "{what}: {}", output.stderr);
        assert_eq!(table(&daemon, BLOCK).as_deref(), Some(new_block.as_str()), "{what}");
        assert!(daemon.stop().success(), "{what}");
        converges(&what, &scratch, &config, [&new_block, &new_allow]);
    });
}

/// Make the table directory a symbolic link, or one of another owner.
/// Check that the start is refused with the reason.
#[test]
fn a_directory_of_others_is_refused() {
    let (service, _) = honest(20);
    let scratch = Scratch::new();
    let config = Config::new(&scratch, &[service.addr()]);
    let link = scratch.path().join("link");
    symlink(scratch.tables(), &link).unwrap();
    let said =
        fails_to_start(&scratch, &config.clone().set("tables.directory", link.to_str().unwrap()));
    assert!(said.contains(&format!("{}: open: ", link.display())), "{said}");
    let words = format!("{}: must belong to root: chown root it", scratch.tables().display());
    if is_root("a directory of another owner") {
        let user = nobody();
        chown(&scratch.tables(), Some(user.uid), Some(user.gid)).unwrap();
        let said = fails_to_start(&scratch, &config);
        assert!(said.contains(&words), "{said}");
    }
    let missing = scratch.path().join("missing");
    let said = fails_to_start(&scratch, &config.set("tables.directory", missing.to_str().unwrap()));
    assert!(
        said.contains(&format!(
            "{}: no such directory; run threatstopctl setup",
            missing.display()
        )),
        "{said}"
    );
}

/// Have a link lead through the spool to the table directory, then to that of the control socket.
/// Check that the start is refused each time, and that nothing in the spool was closed, made or changed.
#[test]
fn a_start_that_is_refused_changes_nothing_in_the_spool() {
    let scratch = Scratch::new();
    let config = Config::new(&scratch, &["127.0.0.1:9".parse().unwrap()]);
    let (within, way) = (scratch.spool().join("dir"), scratch.path().join("way"));
    symlink(scratch.spool(), &way).unwrap();
    fs::create_dir(&within).unwrap();
    set_mode(&within, 0o755);
    let way = way.join("dir");
    let tables = config.clone().set("tables.directory", way.to_str().unwrap());
    for (config, socket, what) in
        [(tables, scratch.socket(), "tables.directory"), (config, way.join("sock"), "-s")]
    {
        let refused = Daemon::spawn(&scratch, &config, |command| {
            command.arg("-s").arg(socket);
        });
        assert_eq!(refused.wait_exit(PATIENCE).code(), Some(1), "{}", refused.output());
        refused.wait_for(&format!(", which is the engine's: set another {what}"), PATIENCE);
        assert_eq!(fs::metadata(&within).unwrap().mode() & 0o7777, 0o755, "{what}");
        assert_eq!(fs::read_dir(&within).unwrap().count(), 0, "{what}");
    }
}

/// Disable pf; take the table out of all rules; each before the start and while the daemon runs.
/// Check that update, status and log have the sentence of the contract, that the tables are kept
/// up to date all the same, and that the sentence goes when all is well again.
#[test]
fn nothing_blocked_is_never_silent() {
    let block = format!("pf table <{BLOCK}> is not used by any rule: nothing is blocked");
    let (service, _) = honest(20);
    let used = format!("pf table <{BLOCK}> is used by a rule again");
    for (line, sentence, over) in [
        (
            "disabled".to_owned(),
            "pf is disabled: nothing is blocked",
            "pf is enabled and answers again",
        ),
        (format!("unused {BLOCK}"), &block, &used),
    ] {
        let (scratch, config) = seeded(&service);
        let daemon = Daemon::start(&scratch, &config.set("tables.check_interval", "1s"));
        update(&daemon);
        assert!(!daemon.output().contains(sentence), "{}", daemon.output());
        assert!(!daemon.ctl(&["status"]).stdout.contains("warning:"));

        let mark = daemon.mark();
        pf_is(&scratch, &line);
        daemon.wait_for_after(mark, sentence, PATIENCE);
        let status = daemon.ctl(&["status"]);
        assert!(
            status.stdout.contains(&format!("warning: {sentence}\n         ")),
            "{}",
            status.stdout
        );
        let output = update(&daemon);
        assert!(output.stdout.contains(&format!("Warning: {sentence}\n")), "{}", output.stdout);
        let json = daemon.ctl(&["-j", "update"]);
        assert!(json.stdout.contains(sentence), "{}", json.stdout);
        let said = daemon.lines();
        let said = said.iter().filter(|line| line.text.contains(sentence)).count();
        assert_eq!(said, 1, "updates say it, and the log has it once: {}", daemon.output());

        let mark = daemon.mark();
        pf_is(&scratch, "");
        daemon.wait_for_after(mark, over, PATIENCE);
        let output = update(&daemon);
        assert!(!output.stdout.contains(sentence), "{}", output.stdout);
        assert!(daemon.stop().success());
    }
}

/// Make the table const, and show it; make it missing at securelevel 2, then its file too; make the set too
/// large for the limit.
/// Check each message of the update, with the way out, that file and table have the old set, and that the
/// log has it once, and neither log nor status that an update makes a table at securelevel 2; and that
/// status warns of a set that is too large, over a restart too, until one fits.
#[test]
fn what_pf_refuses_is_told_with_the_way_out() {
    let (service, new_block) = honest(300);
    let (scratch, config) = seeded(&service);
    let daemon = Daemon::start(&scratch, &Config::new(&scratch, &["127.0.0.1:9".parse().unwrap()]));
    pf_is(&scratch, &format!("const {BLOCK}\n"));
    config.write(&scratch);
    let output = daemon.ctl(&["reload"]);
    assert!(output.status.success(), "{}{}", output.stderr, daemon.output());
    wait_until("the new engine answers", || daemon.ctl(&["status"]).status.success());
    let why = refused(&daemon, &["update", "-f"]);
    let words = format!(
        "{BLOCK}: DIOCRSETADDRS: a const table; remove that word in pf.conf; the old set stays"
    );
    assert!(why.contains(&words), "{why}");
    // the kernel does not list it either, so that there is only its file to look at
    let why = refused(&daemon, &["show", "block"]);
    let words = "a const table; remove that word in pf.conf and load it; until then only pfctl(8)";
    assert!(why.contains(words), "{why}");
    assert_eq!(daemon.table_file(BLOCK).as_deref(), Some(OLD_BLOCK));
    pf_is(&scratch, "");
    assert_eq!(table(&daemon, BLOCK).as_deref(), Some(OLD_BLOCK));

    pf_is(&scratch, "securelevel 2\n");
    let kernel = scratch.tables().join(format!("{BLOCK}.simulated"));
    fs::remove_file(&kernel).unwrap();
    let why = refused(&daemon, &["update", "-f"]);
    let words = format!(
        "{BLOCK}: DIOCRADDTABLES: not at this securelevel; declare it in pf.conf; the old set stays"
    );
    assert!(why.contains(&words), "{why}");
    assert!(!kernel.exists());
    let status = daemon.ctl(&["status"]).stdout;
    let missing = format!("warning: pf table <{BLOCK}> is not there, but 3 prefixes for it are\n");
    assert!(status.contains(&missing), "{status}");
    let way_out = " update makes it; at securelevel 2 pf.conf has to, at the next boot\n";
    assert!(status.contains(way_out), "{status}");
    assert!(!status.contains(" at once"), "{status}");
    assert_eq!(daemon.table_file(BLOCK).as_deref(), Some(OLD_BLOCK));
    fs::remove_file(scratch.tables().join(format!("{BLOCK}.pftable"))).unwrap();
    let why = refused(&daemon, &["update", "-f"]);
    assert!(why.contains(&words), "{why}");
    assert!(!kernel.exists());
    assert_eq!(daemon.table_file(BLOCK).as_deref(), Some(OLD_BLOCK));
    assert!(!daemon.output().contains("run threatstopctl update"), "{}", daemon.output());
    assert!(daemon.stop().success());

    plant(&kernel, OLD_BLOCK);
    pf_is(&scratch, "");
    let config = config.set("tables.simulated_limit", 302);
    let daemon = Daemon::start(&scratch, &config);
    let why = refused(&daemon, &["update", "-f"]);
    let words = format!(
        "{BLOCK}: 300 entries do not fit; put \"set limit table-entries 100000\" above the tables \
         of pf.conf; the old set stays"
    );
    assert!(why.contains(&words), "{why}");
    // helper and engine both know of it, and one of them tells, once as long as it is so
    daemon.wait_for(&words, PATIENCE);
    let told = || daemon.output().lines().filter(|line| line.contains(&words)).count();
    assert_eq!(told(), 1, "{}", daemon.output());
    let why = refused(&daemon, &["update", "-f"]);
    assert!(why.contains(&words), "{why}");
    assert_eq!(told(), 1, "{}", daemon.output());
    assert_eq!(table(&daemon, BLOCK).as_deref(), Some(OLD_BLOCK));
    // who makes room is not to wait for an hour
    let status = daemon.ctl(&["-j", "status"]).stdout;
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    let next = status["update"]["next"].as_u64().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert!(next <= now + 20 * 60, "{next} {now}");
    let warned = |daemon: &Daemon| {
        let status = daemon.ctl(&["status"]).stdout;
        let first =
            format!("warning: the block table is not what it should be: block table: {words}\n");
        assert!(status.starts_with(&first), "{status}");
        assert!(status.contains("\n         it is tried again; threatstopctl "), "{status}");
        assert_eq!(status.matches(&words).count(), 1, "{status}");
        assert_eq!(daemon.ctl(&["status", "-q"]).status.code(), Some(1));
    };
    warned(&daemon);
    assert!(daemon.stop().success());
    // another engine, to which nothing comes, knows of it too
    let none = Config::new(&scratch, &["127.0.0.1:9".parse().unwrap()]);
    let daemon = Daemon::start(&scratch, &none.set("tables.simulated_limit", 302));
    warned(&daemon);
    assert!(daemon.stop().success());
    let daemon = Daemon::start(&scratch, &config.unset("tables.simulated_limit"));
    assert!(daemon.ctl(&["update", "-f"]).status.success());
    assert_eq!(daemon.ctl(&["status", "-q"]).status.code(), Some(0));
    assert_eq!(table(&daemon, BLOCK), Some(new_block));
    assert!(daemon.stop().success());
}

/// Empty the table of pf, add to it, remove it, each behind the back of the daemon.
/// Check that within check_interval the file's set is back, and that the log says so; also while an
/// update hangs on a silent server, and at a start without any server.
#[test]
fn a_table_changed_by_others_is_mended() {
    let (old, text) = list(50);
    let service = HostileService::start(zone(&old), Plan::honest());
    let scratch = Scratch::new();
    let config = Config::new(&scratch, &[service.addr()]).set("tables.check_interval", "1s");
    let daemon = Daemon::start(&scratch, &config);
    update(&daemon);
    let kernel = scratch.tables().join(format!("{BLOCK}.simulated"));
    let mended = |daemon: &Daemon| {
        wait_until("the table is mended", || {
            fs::read_to_string(&kernel).is_ok_and(|now| now == text)
        });
        daemon.wait_for_after(
            0,
            &format!("pf table <{BLOCK}> had been changed by somebody: "),
            STOP,
        );
    };
    // the seconds of mtime stand for those of tzero
    plant(&kernel, "");
    mended(&daemon);
    plant(&kernel, &format!("1.2.3.4\n{text}"));
    mended(&daemon);
    // pf knows no order
    plant(&kernel, &format!("{text}1.2.3.4\n"));
    mended(&daemon);
    fs::remove_file(&kernel).unwrap();
    mended(&daemon);

    service.set_plan(Plan::connection(ConnectionFault::Silent));
    let connections = service.queries().connections();
    let socket = scratch.socket();
    let hanging = std::thread::spawn(move || tests::harness::ctl(&socket, &["update"]));
    wait_until("a run hangs", || service.queries().connections() > connections);
    plant(&kernel, "9.9.9.9\n");
    mended(&daemon);
    assert!(daemon.stop().success());
    assert!(!hanging.join().unwrap().status.success());

    plant(&kernel, "9.9.9.9\n");
    let silent = Config::new(&scratch, &["127.0.0.1:9".parse().unwrap()]);
    let daemon = Daemon::start(&scratch, &silent);
    mended(&daemon);
    assert_eq!(table(&daemon, BLOCK).as_deref(), Some(text.as_str()));
    assert!(daemon.stop().success());
}

/// Publish, stop, and lose the file of the block table while pf still has the table. Start with a
/// list that has shrunk.
/// Check that the file is made again of what pf has, and that the list is held back.
#[test]
fn a_lost_table_file_is_made_of_the_table() {
    let (service, text) = honest(300);
    let scratch = Scratch::new();
    let config = Config::new(&scratch, &[service.addr()]);
    let daemon = Daemon::start(&scratch, &config);
    update(&daemon);
    assert!(daemon.stop().success());
    fs::remove_file(scratch.tables().join(format!("{BLOCK}.pftable"))).unwrap();

    let (service, _) = honest(12);
    let config = Config::new(&scratch, &[service.addr()]);
    let daemon = Daemon::start(&scratch, &config);
    let told = "block table: file was missing or damaged; made again of 300 prefixes in pf";
    daemon.wait_for(told, PATIENCE);
    let why = refused(&daemon, &["update"]);
    assert!(why.contains("Keeping the previous list basic.threatstop.local: 300 -> 12"), "{why}");
    assert_eq!(read(&scratch, &format!("{BLOCK}.pftable")), text);
    assert!(daemon.stop().success());
}

/// Set reload to false. Update twice with different lists.
/// Check that the files are written and that pf is not touched nor spoken of.
#[test]
fn without_reload_pf_is_left_alone() {
    let (service, text) = honest(50);
    let scratch = Scratch::new();
    let config = Config::new(&scratch, &[service.addr()]).set("tables.reload", false);
    let daemon = Daemon::start(&scratch, &config);
    update(&daemon);
    assert_eq!(daemon.table_file(BLOCK).as_deref(), Some(text.as_str()));
    assert_eq!(daemon.kernel_table(BLOCK), None);
    service.edit(|z| {
        z.set_list(BASIC, &items("5.5.5.5 6.6.6.6"), Layout::Single);
    });
    let output = update(&daemon);
    assert!(output.stdout.contains("Adding 2 blocked addresses\n"), "{}", output.stdout);
    assert!(!output.stdout.contains("pf"), "{}", output.stdout);
    assert_eq!(daemon.table_file(BLOCK).as_deref(), Some("5.5.5.5\n6.6.6.6\n"));
    assert_eq!((daemon.kernel_table(BLOCK), daemon.kernel_table(ALLOW)), (None, None));
    assert!(daemon.stop().success());
}
