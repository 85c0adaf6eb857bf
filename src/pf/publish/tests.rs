//! Publication and every way in which it may stop.
//!
//! Faults are met in a process of its own (`child` below, which is this test program again), so
//! that one may be killed and no test meets the fault of another.

use std::cell::Cell;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};

use nix::errno::Errno;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SigHandler, Signal, signal};
use prefix::Kind;

use super::*;

const OLDER: &str = "9.9.9.9";
const OLD: &str = "1.1.1.1 2.0.0.0/8 ::1";
const NEW: &str = "1.1.1.1 2.0.0.0/9 3.3.3.3 ::1 2001:db8::/32";

/// A directory with the simulated pf and `OLD` published after `OLDER`.
fn published() -> (tempfile::TempDir, Simulated, Directory) {
    let scratch = tempfile::tempdir().unwrap();
    let pf = Simulated::open(scratch.path(), 2_000_000).unwrap();
    let directory = Directory::open(scratch.path()).unwrap();
    for text in [OLDER, OLD] {
        publish(Some(&pf), &directory, &table("T"), &set(text), false).unwrap();
    }
    (scratch, pf, directory)
}

/// Brings the set of the file to pf, as the helper does when the engine asks for it.
fn mend(pf: &Simulated, directory: &Directory) -> Result<Changes> {
    let set = directory.load(&table("T"), "pftable")?;
    directory.publish(Some(pf), &table("T"), &set, Purpose::Repair)
}

/// Brings both back to `OLD`.
fn repair(pf: &Simulated, directory: &Directory) -> Result<Changes> {
    directory.publish(Some(pf), &table("T"), &set(OLD), Purpose::Repair)
}

/// What is in the file, in the table, and in the file of the set before.
fn contents(pf: &Simulated, directory: &Directory) -> [String; 3] {
    let file = directory.load(&table("T"), "pftable").unwrap();
    let before = directory.load(&table("T"), "pftable.prev").unwrap();
    [file, pf.list(&table("T")).unwrap(), before].map(|set| texts(&set))
}

const WHOLE: [&str; 3] = ["T.pftable", "T.pftable.prev", "T.simulated"];

#[test]
fn file_and_table_go_on_together() {
    let (scratch, pf, directory) = published();
    assert_eq!(contents(&pf, &directory), [OLD, OLD, OLDER]);
    let expected = Changes { file: true, added: 3, deleted: 1, ..Changes::default() };
    let run = |dry_run| publish(Some(&pf), &directory, &table("T"), &set(NEW), dry_run);
    assert_eq!(run(true), Ok(expected));
    assert_eq!(contents(&pf, &directory), [OLD, OLD, OLDER]);
    assert_eq!(run(false), Ok(expected));
    assert_eq!(contents(&pf, &directory), [NEW, NEW, OLD]);
    assert_eq!(run(false), Ok(Changes::default()));
    assert_eq!(run(true), Ok(Changes::default()));
    assert_eq!(contents(&pf, &directory), [NEW, NEW, OLD]);
    assert_eq!(names(scratch.path()), WHOLE);
}

#[test]
fn a_rollback_is_a_publication_of_the_set_before() {
    let (_scratch, pf, directory) = published();
    let before = directory.load(&table("T"), "pftable.prev").unwrap();
    publish(Some(&pf), &directory, &table("T"), &before, false).unwrap();
    assert_eq!(contents(&pf, &directory), [OLDER, OLDER, OLD]);
}

#[test]
fn unchanged_means_unchanged_against_both() {
    let (scratch, pf, directory) = published();
    // somebody took one from the table
    plant(scratch.path(), "T.simulated", "1.1.1.1\n::1\n");
    let run = |text| publish(Some(&pf), &directory, &table("T"), &set(text), false);
    assert_eq!(run(OLD), Ok(Changes { added: 1, ..Changes::default() }));
    assert_eq!(contents(&pf, &directory), [OLD, OLD, OLDER]);
    // somebody edited the file: it is written anew, and pf is left alone
    for text in ["1.1.1.1\n", "gone mad\n"] {
        plant(scratch.path(), "T.pftable", text);
        assert_ne!(run(OLD), Ok(Changes::default()));
        assert_eq!(directory.load(&table("T"), "pftable"), Ok(set(OLD)));
        assert_eq!(run(OLD), Ok(Changes::default()));
    }
    std::fs::remove_file(scratch.path().join("T.pftable")).unwrap();
    assert_eq!(run(OLD), Ok(Changes { file: true, ..Changes::default() }));
    assert_eq!(directory.load(&table("T"), "pftable"), Ok(set(OLD)));
}

/// What somebody may make of the file: other prefixes, nothing, no text at all, no file.
const SPOILT: [Option<&str>; 4] = [Some("1.1.1.1\n"), Some(""), Some("gone mad\n"), None];

#[test]
fn a_repair_never_touches_the_set_before() {
    for spoilt in SPOILT {
        for kernel in [lines(&set(OLD)), "8.8.8.8\n".into()] {
            let (scratch, pf, directory) = published();
            std::fs::remove_file(scratch.path().join("T.pftable")).unwrap();
            if let Some(text) = spoilt {
                plant(scratch.path(), "T.pftable", text);
            }
            plant(scratch.path(), "T.simulated", &kernel);
            let run = || repair(&pf, &directory);
            let done = run().unwrap();
            assert_ne!(done, Changes::default(), "{spoilt:?}");
            assert!(done.file, "{spoilt:?}");
            assert_eq!(done.added > 0, kernel == "8.8.8.8\n", "{spoilt:?}");
            assert_eq!(contents(&pf, &directory), [OLD, OLD, OLDER], "{spoilt:?}");
            assert_eq!(run(), Ok(Changes::default()));
            assert_eq!(names(scratch.path()), WHOLE);
        }
    }
}

/// Whatever step a repair ends at, the set before stays, and the next one is whole.
#[test]
fn a_repair_that_is_killed_leaves_the_set_before_too() {
    for (step, _) in STEPS {
        for ending in ["kill".to_owned(), (Errno::ENOSPC as i32).to_string()] {
            let (scratch, pf, directory) = published();
            plant(scratch.path(), "T.pftable", "1.1.1.1\n");
            plant(scratch.path(), "T.simulated", "8.8.8.8\n");
            in_child("repair", scratch.path(), &format!("{step}:{ending}"));
            let before = directory.load(&table("T"), "pftable.prev").unwrap();
            assert_eq!(texts(&before), OLDER, "{step}:{ending}");
            repair(&pf, &directory).unwrap();
            assert_eq!(contents(&pf, &directory), [OLD, OLD, OLDER], "{step}:{ending}");
            converges(step, scratch.path(), &pf, &directory);
        }
    }
}

#[test]
fn without_reload_only_the_file_is_written() {
    let (_scratch, pf, directory) = published();
    let expected = Changes { added: 3, deleted: 1, ..Changes::default() };
    let in_file = Ok(Changes { file: true, ..Changes::default() });
    assert_eq!(publish(None, &directory, &table("T"), &set(NEW), true), in_file);
    assert_eq!(publish(None, &directory, &table("T"), &set(NEW), false), in_file);
    assert_eq!(contents(&pf, &directory), [NEW, OLD, OLD]);
    assert_eq!(mend(&pf, &directory), Ok(expected));
    assert_eq!(contents(&pf, &directory), [NEW, NEW, OLD]);
    assert_eq!(mend(&pf, &directory), Ok(Changes::default()));
}

#[test]
fn a_block_table_is_never_emptied() {
    let (scratch, pf, directory) = published();
    let error = publish(Some(&pf), &directory, &table("T"), &[], false).unwrap_err();
    assert_eq!(error.to_string(), "T: an empty set would block nothing");
    assert_eq!(publish(None, &directory, &table("T"), &[], false), Err(error.clone()));
    assert_eq!(contents(&pf, &directory), [OLD, OLD, OLDER]);
    // not even when somebody emptied the file
    plant(scratch.path(), "T.pftable", "");
    assert_eq!(mend(&pf, &directory), Err(error));
    assert_eq!(texts(&pf.list(&table("T")).unwrap()), OLD);

    let allow = Table::new("", "A", Kind::Allow).unwrap();
    let created = Changes { file: true, created: true, ..Changes::default() };
    assert_eq!(publish(Some(&pf), &directory, &allow, &[], false), Ok(created));
    assert_eq!(directory.load(&allow, "pftable"), Ok(vec![]));
    assert!(pf.stats(&allow).unwrap().present);
    assert_eq!(publish(Some(&pf), &directory, &allow, &[], false), Ok(Changes::default()));
}

#[test]
fn what_pf_refuses_in_the_trial_touches_nothing() {
    let (scratch, _, directory) = published();
    let small = Simulated::open(scratch.path(), 5).unwrap();
    for dry_run in [true, false] {
        let error = publish(Some(&small), &directory, &table("T"), &set(NEW), dry_run);
        let error = error.unwrap_err();
        assert_eq!((error.differ, error.errno), (false, Errno::ENOMEM));
        assert_eq!((error.of, &*error.what), (Of::Pf, "T: DIOCRSETADDRS"));
    }
    plant(scratch.path(), "simulated.conf", "const T\n");
    let error = publish(Some(&small), &directory, &table("T"), &set("2.2.2.2"), false);
    let error = error.unwrap_err();
    assert_eq!((error.differ, error.errno), (false, Errno::EPERM));
    plant(scratch.path(), "simulated.conf", "");
    assert_eq!(contents(&small, &directory), [OLD, OLD, OLDER]);
    let (_, pf, empty) = {
        let scratch = tempfile::tempdir().unwrap();
        let pf = Simulated::open(scratch.path(), 10).unwrap();
        let directory = Directory::open(scratch.path()).unwrap();
        (scratch, pf, directory)
    };
    assert_eq!(mend(&pf, &empty).unwrap_err().errno, Errno::ENOENT);
}

/// A pf that agrees in the trial and then fails, after something else has happened.
struct Turncoat<'a>(&'a Simulated, &'a dyn Fn(), Cell<u32>);

impl Backend for Turncoat<'_> {
    fn replace(&self, table: &Table, set: &[PfrAddr], dummy: bool) -> Result<Changes> {
        if dummy {
            return self.0.replace(table, set, true);
        }
        self.2.set(self.2.get() + 1);
        self.1();
        Err(failed(&table.name, "DIOCRSETADDRS")(Errno::EFAULT))
    }

    fn running(&self) -> Result<bool> {
        self.0.running()
    }

    fn stats(&self, table: &Table) -> Result<TableStat> {
        self.0.stats(table)
    }

    fn list(&self, table: &Table) -> Result<Vec<PfrAddr>> {
        self.0.list(table)
    }
}

#[test]
fn when_pf_fails_after_all_the_old_file_is_back() {
    let (scratch, pf, directory) = published();
    let look = || assert_eq!(directory.load(&table("T"), "pftable"), Ok(set(NEW)));
    let turncoat = Turncoat(&pf, &look, Cell::new(0));
    let error = publish(Some(&turncoat), &directory, &table("T"), &set(NEW), false).unwrap_err();
    assert_eq!(turncoat.2.get(), 1);
    assert_eq!((error.differ, error.errno), (false, Errno::EFAULT));
    assert_eq!(error.to_string(), "T: DIOCRSETADDRS: Bad address");
    assert_eq!(contents(&pf, &directory), [OLD, OLD, OLDER]);
    assert_eq!(names(scratch.path()), WHOLE);

    // where there was no file the new one stays, and is told of: without one pf.conf is not loaded
    std::fs::remove_file(scratch.path().join("T.pftable")).unwrap();
    let error = publish(Some(&turncoat), &directory, &table("T"), &set(NEW), false).unwrap_err();
    assert!(error.differ);
    assert_eq!(contents(&pf, &directory), [NEW, OLD, OLDER]);
    mend(&pf, &directory).unwrap();
    assert_eq!(contents(&pf, &directory), [NEW, NEW, OLDER]);
}

#[test]
fn when_the_old_file_cannot_come_back_the_new_one_is_brought_to_pf() {
    let (scratch, pf, directory) = published();
    let spoil = || std::fs::remove_file(scratch.path().join(".T.pftable.old")).unwrap();
    let turncoat = Turncoat(&pf, &spoil, Cell::new(0));
    let error = publish(Some(&turncoat), &directory, &table("T"), &set(NEW), false).unwrap_err();
    assert!(error.differ);
    assert_eq!(contents(&pf, &directory), [NEW, OLD, OLDER]);
    mend(&pf, &directory).unwrap();
    assert_eq!(contents(&pf, &directory), [NEW, NEW, OLDER]);
}

/// The new file is in place, its directory does not reach the disk, and the old one stays away.
#[test]
fn an_installation_that_cannot_be_taken_back_is_told_too() {
    let (scratch, pf, directory) = published();
    let fault = format!("fsync .:{},undo T.pftable:{}", Errno::EIO as i32, Errno::ENOSPC as i32);
    let (said, _) = in_child("publish", scratch.path(), &fault);
    assert_eq!(said, format!("true {}", Errno::ENOSPC as i32));
    assert_eq!(contents(&pf, &directory), [NEW, OLD, OLDER]);
    mend(&pf, &directory).unwrap();
    assert_eq!(contents(&pf, &directory), [NEW, NEW, OLD]);
}

/// Fails when a listing that could not be written keeps its part of a full disk.
#[test]
fn a_listing_that_fails_leaves_nothing() {
    for step in ["unlink", "create", "write", "open", "fstat"] {
        let (scratch, pf, directory) = published();
        let fault = format!("{step} .listing.tmp:{}", Errno::ENOSPC as i32);
        let (said, _) = in_child("list", scratch.path(), &fault);
        assert_eq!(said, format!("false {}", Errno::ENOSPC as i32), "{step}");
        assert_eq!(names(scratch.path()), WHOLE, "{step}");
        assert_eq!(contents(&pf, &directory), [OLD, OLD, OLDER], "{step}");
    }
}

/// Runs `child` on a directory, with a fault; what it said, and how it ended.
fn in_child(work: &str, directory: &Path, fault: &str) -> (String, ExitStatus) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "tests::publish::child"]);
    command.env("PF_CHILD", work).env("PF_DIRECTORY", directory).env("THREATSTOPD_FAULT", fault);
    let status = command.output().unwrap().status;
    let said = std::fs::read_to_string(directory.with_extension("said")).unwrap_or_default();
    let _ = std::fs::remove_file(directory.with_extension("said"));
    (said, status)
}

#[test]
#[ignore = "the other tests run it as a process of its own"]
fn child() {
    let Some(path) = std::env::var_os("PF_DIRECTORY") else { return };
    let path = Path::new(&path);
    let work = std::env::var("PF_CHILD").unwrap();
    let pf = Simulated::open(path, 2_000_000).unwrap();
    let directory = Directory::open(path).unwrap();
    let done = match work.as_str() {
        "publish" => publish(Some(&pf), &directory, &table("T"), &set(NEW), false),
        "repair" => repair(&pf, &directory),
        "large" => publish(Some(&pf), &directory, &table("T"), &hosts(845_023, 5), false),
        "mend" => mend(&pf, &directory),
        "list" => directory.nameless(&set(OLD)).map(|_| Changes::default()),
        "short of room" => {
            // SAFETY: no handler is installed; EFBIG instead of the end of the process
            unsafe { signal(Signal::SIGXFSZ, SigHandler::SigIgn) }.unwrap();
            setrlimit(Resource::RLIMIT_FSIZE, 40_000, 40_000).unwrap();
            publish(Some(&pf), &directory, &table("T"), &hosts(10_000, 3), false)
        }
        other => panic!("{other}"),
    };
    let peak = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = peak.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or("").to_owned();
    let said = match done {
        Ok(changes) => format!("Ok {} {}\n{peak}", changes.added, changes.deleted),
        Err(error) => format!("{} {}", error.differ, error.errno as i32),
    };
    std::fs::write(path.with_extension("said"), said).unwrap();
}

/// Hosts that are no neighbours.
fn hosts(count: u32, step: u32) -> Vec<PfrAddr> {
    let host = |n| prefix::Prefix::V4(prefix::Prefix4::host(0x0100_0000 + n * step)).into();
    (0..count).map(host).collect()
}

/// Every step of a publication, in order, and whether its failure is reported and not only left for
/// the next publication.
const STEPS: [(&str, bool); 23] = [
    ("trial T", true),
    ("open T.simulated", true),
    ("fstat T.simulated", true),
    ("read T.simulated", true),
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
    ("fsync .", true), // fails in the undo, too
    ("replace T", true),
    ("open simulated.conf", true),
    ("unlink .T.simulated.tmp", true),
    ("create .T.simulated.tmp", true),
    ("write .T.simulated.tmp", true),
    ("rename T.simulated", true),
    ("settle T.pftable.prev", false),
];

#[test]
fn a_failure_at_any_step_leaves_the_old_set_in_both() {
    for (step, reported) in STEPS {
        for errno in [Errno::ENOSPC, Errno::EIO] {
            let (scratch, pf, directory) = published();
            let fault = format!("{step}:{}", errno as i32);
            let (said, status) = in_child("publish", scratch.path(), &fault);
            assert!(status.success(), "{fault}");
            if reported {
                assert_eq!(said, format!("false {}", errno as i32), "{fault}");
                assert_eq!(contents(&pf, &directory), [OLD, OLD, OLDER], "{fault}");
            } else {
                assert!(said.starts_with("Ok 3 1"), "{fault}: {said}");
                let before = directory.load(&table("T"), "pftable.prev").unwrap();
                assert_eq!(texts(&before), OLDER, "{fault}");
            }
            converges(&fault, scratch.path(), &pf, &directory);
        }
    }
}

#[test]
fn an_end_at_any_step_leaves_the_old_set_or_the_new_one_in_each() {
    for (step, _) in STEPS {
        let (scratch, pf, directory) = published();
        let (said, status) = in_child("publish", scratch.path(), &format!("{step}:kill"));
        assert_eq!((said.as_str(), status.signal()), ("", Some(6)), "{step}");
        let [file, kernel, before] = contents(&pf, &directory);
        assert!([OLD, NEW].contains(&file.as_str()), "{step}: {file}");
        assert!([OLD, NEW].contains(&kernel.as_str()), "{step}: {kernel}");
        assert!(file == NEW || kernel == OLD, "{step}: pf is ahead of the file");
        assert_eq!(before, OLDER, "{step}");
        // what a restart does, and what it leaves when it ends early, too
        in_child("mend", scratch.path(), &format!("{step}:kill"));
        mend(&pf, &directory).unwrap();
        let [file_now, kernel_now, _] = contents(&pf, &directory);
        assert_eq!([&file_now, &kernel_now], [&file, &file], "{step}");
        converges(step, scratch.path(), &pf, &directory);
    }
}

/// The next publication succeeds and leaves nothing behind.
fn converges(after: &str, path: &Path, pf: &Simulated, directory: &Directory) {
    publish(Some(pf), directory, &table("T"), &set(NEW), false).unwrap();
    assert_eq!(contents(pf, directory), [NEW, NEW, OLD], "{after}");
    publish(Some(pf), directory, &table("T"), &set(OLDER), false).unwrap();
    assert_eq!(contents(pf, directory), [OLDER, OLDER, NEW], "{after}");
    assert_eq!(names(path), WHOLE, "{after}");
}

#[test]
fn an_end_while_tidying_up_is_no_harm_either() {
    for (first, second) in [
        ("rename T.pftable", "unlink .T.pftable.old"),
        ("replace T", "replace T"),
        ("replace T", "settle T.pftable.prev"),
        ("settle T.pftable.prev", "settle T.pftable.prev"),
    ] {
        let (scratch, pf, directory) = published();
        for (work, step) in [("publish", first), ("mend", second)] {
            let (_, status) = in_child(work, scratch.path(), &format!("{step}:kill"));
            assert_eq!(status.signal(), Some(6), "{first}, {work} {step}");
        }
        converges(second, scratch.path(), &pf, &directory);
    }
}

#[test]
fn a_file_that_does_not_fit_leaves_the_old_one() {
    let (scratch, pf, directory) = published();
    let (said, status) = in_child("short of room", scratch.path(), "");
    assert!(status.success());
    assert_eq!(said, format!("false {}", Errno::EFBIG as i32));
    assert_eq!(contents(&pf, &directory), [OLD, OLD, OLDER]);
    converges("EFBIG", scratch.path(), &pf, &directory);
}

/// The largest policy known, after another of that size: what root's process may take.
#[test]
fn the_largest_set_is_held_once() {
    let (scratch, pf, directory) = published();
    publish(Some(&pf), &directory, &table("T"), &hosts(845_023, 3), false).unwrap();
    for (work, answer) in [("large", "Ok "), ("mend", "Ok 0 0")] {
        let (said, status) = in_child(work, scratch.path(), "");
        assert!(status.success() && said.starts_with(answer), "{said}");
        if let Some(peak) = said.split_once("VmHWM:") {
            let peak: u32 = peak.1.trim().strip_suffix("kB").unwrap().trim().parse().unwrap();
            assert!(peak < 64 * 1024, "{work}: {peak} kB");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn file_and_table_agree_after_any_run(
        limit in 10usize..40,
        runs in proptest::collection::vec((small_set(), any::<bool>()), 1..8)
    ) {
        let scratch = tempfile::tempdir().unwrap();
        let pf = Simulated::open(scratch.path(), limit).unwrap();
        let directory = Directory::open(scratch.path()).unwrap();
        let mut current: Option<Vec<PfrAddr>> = None;
        for (set, dry_run) in runs {
            if publish(Some(&pf), &directory, &table("T"), &set, dry_run).is_ok() && !dry_run {
                prop_assert!(!set.is_empty());
                current = Some(set);
            }
            prop_assert_eq!(directory.load(&table("T"), "pftable").ok(), current.clone());
            prop_assert_eq!(pf.list(&table("T")).ok(), current.clone());
        }
    }
}
