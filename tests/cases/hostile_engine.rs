//! An engine that somebody has taken over: what it sends, keeps and leaves undone, and how it ends.
//! The engine is `../hostile_engine`, which does what a word beside it says. Every case ends alike:
//! tables and files are as they were, the service stops in time, and nobody is left behind.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Deref;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use crate::common::{ALLOW, BLOCK, PATIENCE, STOP, set_mode, wait_until};
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use tests::harness::{Config, Scratch, copy_program, ctl, programs};
use tests::process::{Looks, Process, is_alive};

/// The service with a hostile engine, and what it must not touch.
struct Host {
    scratch: Scratch,
    config: Config,
    process: Process,
    before: BTreeMap<PathBuf, (u64, Vec<u8>)>,
}

impl Host {
    /// Plants tables, and starts the service with an engine that does what the word says.
    fn start(word: &str) -> Self {
        let scratch = Scratch::new();
        let bin = scratch.path().join("bin");
        fs::create_dir(&bin).unwrap();
        set_mode(&bin, 0o755);
        let program = bin.join("threatstopd");
        copy_program(&programs().threatstopd, &program);
        for (table, text) in [(BLOCK, "198.18.0.1\n198.18.0.4/30\n"), (ALLOW, "198.18.9.9\n")] {
            for kind in ["pftable", "simulated"] {
                let path = scratch.tables().join(format!("{table}.{kind}"));
                fs::write(&path, text).unwrap();
                set_mode(&path, 0o600);
            }
        }
        fs::write(scratch.path().join("pflog"), "").unwrap();
        let config = Config::new(&scratch, &["127.0.0.1:9".parse().unwrap()]);
        // what may wait for the engine grows with the entries of a table
        let config = config.set("log.enabled", true).set("guard.max_entries", 1000);
        config.write(&scratch);
        install(&bin, Path::new(env!("CARGO_BIN_EXE_hostile-engine")));
        fs::write(bin.join("word"), word).unwrap();
        let before = files(&scratch);
        let mut command = Command::new(&program);
        command.arg("-d").arg("-f").arg(scratch.config()).arg("-s").arg(scratch.socket());
        let process = Process::spawn(&mut command);
        Self { scratch, config, process, before }
    }

    /// The same once it has started.
    fn started(word: &str) -> Self {
        let host = Self::start(word);
        host.wait_for("started, helper ", PATIENCE);
        host
    }

    /// Says what the next engine does, and reloads; what comes then is behind the mark.
    fn play(&self, word: &str) -> usize {
        fs::write(self.scratch.path().join("bin/word"), word).unwrap();
        let mark = self.mark();
        self.signal(Signal::SIGHUP);
        mark
    }

    /// The same once the log has these words.
    #[track_caller]
    fn play_until(&self, word: &str, words: &str) -> usize {
        let mark = self.play(word);
        self.wait_for_after(mark, words, PATIENCE);
        mark
    }

    fn child(&self, wanted: &str) -> Option<Pid> {
        let mut all = self.descendants().into_iter();
        all.find(|(_, name)| name == wanted).map(|(pid, _)| pid)
    }

    /// Puts an engine of ours in the place of the hostile one, and checks that it serves.
    fn heal(&self) {
        install(&self.scratch.path().join("bin"), &programs().engine);
        self.play_until("sit", "reloaded, helper ");
        let looks = Looks::within(PATIENCE);
        while !ctl(&self.scratch.socket(), &["status"]).status.success() {
            assert!(looks.go_on(), "{}", self.output());
        }
    }

    /// Stops, and checks that tables and files are as they were and that nobody is left.
    #[track_caller]
    fn stop(self) {
        let children = self.descendants();
        assert!(!self.has_ended(), "{}", self.output());
        self.signal(Signal::SIGTERM);
        assert!(self.wait_exit(STOP).success(), "{}", self.output());
        let looks = Looks::within(PATIENCE);
        for (pid, name) in children {
            while is_alive(pid) {
                assert!(looks.go_on(), "{name} stays: {}", self.output());
            }
        }
        assert!(files(&self.scratch) == self.before, "{}", self.output());
    }
}

impl Deref for Host {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

/// Puts a program in the place of the engine, of which one may run.
fn install(bin: &Path, engine: &Path) {
    let new = bin.join("new");
    copy_program(engine, &new);
    fs::rename(new, bin.join("threatstopd-engine")).unwrap();
}

/// Inode and content of every table and table file.
fn files(scratch: &Scratch) -> BTreeMap<PathBuf, (u64, Vec<u8>)> {
    let all = fs::read_dir(scratch.tables()).unwrap().map(|entry| entry.unwrap().path());
    all.filter(|path| path.extension().is_none_or(|suffix| suffix != "lock"))
        .filter(|path| path.file_name().is_some_and(|name| name != "lock"))
        .map(|path| {
            let found = (path.metadata().unwrap().ino(), fs::read(&path).unwrap());
            (path, found)
        })
        .collect()
}

/// How many descriptors a process has.
fn open_files(pid: Pid) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

/// Have the engine send what is no message, one about a table beyond those there are, a message with a descriptor of each type, one before the
/// greeting, lengths at and beyond the bounds.
/// Check that it is dropped each time and that the log says why, and that in the end an engine of ours
/// serves.
#[test]
fn what_may_not_be_sent_is_told_and_drops_the_engine() {
    let host = Host::started("sit");
    let dropped = |word: &str, why: &str| host.play_until(word, &format!("engine dropped: {why}"));
    dropped("garbage", "message of 631612837 octets");
    for (length, shown) in [(0, 0), (15, 15), (16_385, 16_385), (u32::MAX, u32::MAX >> 1)] {
        dropped(&format!("length {length}"), &format!("message of {shown} octets"));
    }
    // a table beyond those of the configuration
    for number in [2, 15, 16, 255] {
        dropped(&format!("table {number}"), "message of type 7: payload not in form");
        dropped(&format!("file {number}"), "message of type 8: payload not in form");
    }
    for kind in [1, 2, 3, 4, 5, 7, 8, 10] {
        let why = format!("message of type {kind}: descriptor missing or not asked for");
        dropped(&format!("marked {kind}"), &why);
    }
    let mark = dropped("ungreeted", "a request before the greeting");
    host.wait_for_after(mark, "engine gone; starting again in 1 s, the tables stay", PATIENCE);
    host.heal();
    host.stop();
}

/// Have the engine send thousands of descriptors with whole messages and with halves of some.
/// Check that each message is answered, and that the helper has no more open than before.
#[test]
fn descriptors_of_the_engine_come_to_nothing() {
    let host = Host::started("sit");
    let before = open_files(host.child("threatstopd").unwrap());
    let mark = host.play_until("descriptors", "hostile: 40 answers");
    let is_open = || open_files(host.child("threatstopd").unwrap());
    wait_until("no more is open than before", || is_open() == before);
    assert!(!host.lines()[mark..].iter().any(|line| line.text.contains("dropped")));
    host.stop();
}

/// Have the engine ask for the state of pf, for a table, for the packet log and for table files, many
/// times, and never read an answer.
/// Check that it is dropped and that the log says why.
#[test]
fn who_does_not_read_the_answers_is_dropped() {
    let host = Host::started("sit");
    for (word, why) in [
        ("unread 5 100000", "the other process does not read its messages"),
        ("unread 8 100000 3", "the other process does not read its messages"),
        ("unread 8 1300", "the other process does not read its messages"),
        ("unread 8 1300 0", "the other process does not read its messages"),
    ] {
        host.play_until(word, &format!("engine dropped: {why}"));
    }
    host.heal();
    host.stop();
}

/// Have the engine send half a header, half a message, or the beginning of a set, and no more; and have
/// it never read its configuration.
/// Check that nothing is said of it and that a reload brings another one.
#[test]
fn who_begins_and_says_no_more_harms_nobody() {
    let host = Host::started("sit");
    for word in ["head", "half", "begin", "deaf", "sit"] {
        let mark = host.play_until(word, "reloaded, helper ");
        sleep(Duration::from_millis(200));
        for words in ["gone", "dropped", "killed"] {
            assert!(!host.lines()[mark..].iter().any(|line| line.text.contains(words)), "{word}");
        }
    }
    host.play_until("begin", "reloaded, helper ");
    host.stop();
}

/// Have the engine never read what it is told, and reload a file that is no configuration time and again,
/// until the pipe to it must be full.
/// Check that monitor and helper go on, and that a good file brings an engine that serves.
#[test]
fn who_is_never_told_holds_up_nobody() {
    let host = Host::started("sit");
    let filler = format!("# {}\n", "x".repeat(60_000));
    fs::write(host.scratch.config(), format!("{filler}{}", host.config.text())).unwrap();
    host.play_until("deaf", "reloaded, helper ");
    fs::write(host.scratch.config(), format!("intervall = \"{}\"\n", "y".repeat(500))).unwrap();
    for _ in 0..40 {
        host.play_until("deaf", "configuration reload failed: ");
    }
    host.config.write(&host.scratch);
    host.heal();
    host.stop();
}

/// Have the engine ignore the end of its socket and every signal that can be ignored, stop itself, close
/// its socket and live on. Reload, and stop.
/// Check that it is killed, that the log says so, and that neither takes long.
#[test]
fn who_does_not_leave_is_killed() {
    let host = Host::started("sit");
    for word in ["stays", "stopped"] {
        host.play_until(word, "reloaded, helper ");
        let engine = host.child("threatstopd-eng").unwrap();
        let mark = host.play_until("sit", "engine did not leave; killed");
        host.wait_for_after(mark, "reloaded, helper ", PATIENCE);
        assert!(!is_alive(engine));
    }
    let mark = host.play_until("closes", "engine did not leave; killed");
    host.wait_for_after(mark, "engine gone; starting again in 1 s, the tables stay", PATIENCE);
    host.heal();
    host.stop();
    for word in ["stays", "stopped", "closes"] {
        Host::started(word).stop();
    }
}

/// Have the engine end with each exit status as soon as it is ready, and by a signal; and at the first
/// start without a word before it is.
/// Check that it is started again, or anew, or with the configuration read again, as the status says;
/// and that a start fails and says so.
#[test]
fn every_end_is_told() {
    let host = Host::started("sit");
    for status in [0, 1, 2, 3, 4, 5, 6, 42, 134, 255] {
        let words = match status {
            2 => "started anew, helper ",
            3 => "reloaded, helper ",
            // it says that the helper hangs
            4 => "helper gone; starting again in 1 s, the tables stay",
            // which of them ended first is not to be seen where both end in order
            0 | 5 => "gone; starting again in 1 s, the tables stay",
            _ => "engine gone; starting again in 1 s, the tables stay",
        };
        host.play_until(&format!("exit {status}"), words);
        host.play_until("sit", "reloaded, helper ");
    }
    let mark = host.play_until("dies", "engine terminated; signal 9");
    host.wait_for_after(mark, "engine gone; starting again in 1 s, the tables stay", PATIENCE);
    host.heal();
    host.stop();
    for status in [0, 1, 2, 3, 5, 42] {
        let host = Host::start(&format!("exit-early {status}"));
        assert_eq!(host.wait_exit(PATIENCE).code(), Some(1), "{}", host.output());
        host.wait_for("ended before it was ready: nothing was started", PATIENCE);
        assert!(files(&host.scratch) == host.before);
    }
}

/// Have the engine fill its pipes with garbage and have others wait for room in the one that it shares
/// with the helper. Reload a configuration with which the helper cannot start.
/// Check that the helper ends, and that the service goes on with the configuration before.
#[test]
fn garbage_in_the_pipes_holds_up_nobody() {
    let host = Host::started("pipes");
    host.config.clone().set("log.spool", "/nonexistent/x").write(&host.scratch);
    let mark = host.play_until("pipes", "/nonexistent/x: No such file or directory; make it:");
    host.wait_for_after(mark, "previous configuration in use, helper ", PATIENCE);
    assert!(!host.lines()[mark..].iter().any(|line| line.text.contains("killed")));
    host.config.write(&host.scratch);
    host.heal();
    host.stop();
}

/// Have the engine put directories where its own directory might have a lock, and end.
/// Check that it is started again all the same.
#[test]
fn nothing_in_the_spool_keeps_the_helper_from_starting() {
    let host = Host::started("sit");
    let word = format!("plants {}", host.scratch.spool().display());
    let mark = host.play_until(&word, "engine gone; starting again in 1 s, the tables stay");
    host.wait_for_after(mark, "engine restarted, helper ", PATIENCE);
    host.heal();
    host.stop();
}

/// Fifty times, with an engine that offends, ends, dies or floods in turn.
/// Check that the monitor has neither more open than before nor children but two, none of them dead,
/// and that then an engine of ours serves.
#[test]
fn fifty_rounds_leave_nothing_behind() {
    let host = Host::started("sit");
    let before = open_files(host.pid());
    let rounds = [
        ("garbage", "engine dropped: "),
        ("exit 1", "engine gone; "),
        ("unread 8 1300", "engine dropped: "),
        ("dies", "engine terminated; signal 9"),
        ("descriptors", "hostile: 40 answers"),
    ];
    for (word, words) in rounds.iter().cycle().take(50) {
        host.play_until(word, words);
    }
    host.play_until("sit", "reloaded, helper ");
    wait_until("no more is open than before", || open_files(host.pid()) == before);
    let children = host.descendants();
    assert_eq!(children.len(), 2, "{children:?}");
    assert!(children.iter().all(|(pid, _)| is_alive(*pid)), "{children:?}");
    host.heal();
    host.stop();
}
