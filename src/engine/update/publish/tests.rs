use std::cell::RefCell;
use std::collections::VecDeque;
use std::fs::{self, File};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::rc::Rc;

use config::Config;
use imsg::{Changes, Channel, EngineMessage, Failed, FileId, HelperMessage, Input, Of, TableStat};
use nix::errno::Errno;
use prefix::Prefix4;
use tokio::task::{LocalSet, spawn_local, yield_now};

use super::*;
use crate::runs::Runs;
use crate::state::bare::bare;

/// pf's limit of entries.
const LIMIT: u32 = 10;

const TABLES: &str = "[[table]]\nname = \"In\"\nlists = [\"scan.x\"]\n\
                      [policy]\nblock = [\"basic.x\", \"scan.x\"]\n";

/// What a helper makes of the sets that come, one after the other.
type Answers = Rc<RefCell<VecDeque<Result<Changes, Failed>>>>;

fn set(hosts: &[u32]) -> PrefixSet {
    let hosts = hosts.iter().map(|host| Prefix4::host(0x0505_0500 + host));
    PrefixSet::new(hosts.collect(), Vec::new()).unwrap()
}

/// pf has no room; where files `differ` they have the new set.
fn full(differ: bool) -> Result<Changes, Failed> {
    let failed = Failed::words(Errno::ENOMEM, "T: DIOCRSETADDRS");
    Err(Failed { of: Of::Pf, differ, ..failed })
}

/// A helper with such answers, the files of a directory, and so many entries in each table of pf.
async fn help(mut channel: Channel, answers: Answers, directory: &Path, entries: u32) {
    let tables = 3;
    loop {
        while let Some(frame) = channel.next().unwrap() {
            let answer = match EngineMessage::read(&frame, tables).unwrap() {
                EngineMessage::TableCommit => match answers.borrow_mut().pop_front().unwrap() {
                    Ok(changes) => HelperMessage::Changed(changes),
                    Err(failed) => HelperMessage::Failed(failed),
                },
                EngineMessage::TableStats => {
                    let tables = vec![TableStat { entries, ..TableStat::default() }; tables];
                    HelperMessage::Stats(imsg::Stats { running: true, tables })
                }
                EngineMessage::Open(FileId::Table(id)) => {
                    match File::open(directory.join(id.number().to_string())) {
                        Ok(file) => HelperMessage::File(file.into()),
                        Err(_) => HelperMessage::Failed(Failed::words(Errno::ENOENT, "none")),
                    }
                }
                _ => continue,
            };
            answer.queue(&mut channel, frame.peerid).unwrap();
        }
        channel.flush().unwrap();
        if channel.read().unwrap() == Input::Closed {
            return;
        }
        yield_now().await;
    }
}

/// A publisher whose limit is a week old, its state in which the block table has 1 and 2, and the runs that
/// hear of the end, for as long as `of` takes with them.
fn with<T>(
    entries: u32,
    answers: impl IntoIterator<Item = Result<Changes, Failed>>,
    files: &[(TableId, &PrefixSet)],
    of: impl AsyncFnOnce(&Publisher, &'static State, &Runs) -> T,
) -> T {
    let dir = tempfile::tempdir().unwrap();
    let (config, state, events): (&Config, _, _) = bare(TABLES, dir.path());
    for (id, set) in files {
        let lines: String = set.v4().iter().map(|net| format!("{net}\n")).collect();
        fs::write(dir.path().join(id.number().to_string()), lines).unwrap();
    }
    state.take(TableId::BLOCK, set(&[1, 2]));
    let (ours, theirs) = UnixStream::pair().unwrap();
    [&ours, &theirs].iter().for_each(|socket| socket.set_nonblocking(true).unwrap());
    let (ours, theirs) = (Channel::new(ours.into(), 1 << 20), Channel::new(theirs.into(), 1 << 20));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, async {
        let path = dir.path().to_owned();
        let answers: Answers = Rc::new(RefCell::new(answers.into_iter().collect()));
        let asked = Rc::clone(&answers);
        spawn_local(async move { help(theirs, asked, &path, entries).await });
        let link: &Link = Box::leak(Box::new(Link::start(ours, state.tables, LIMIT).unwrap()));
        let guard: &Guard = Box::leak(Box::new(guard::of_config(config, &[])));
        let watch = Box::leak(Box::new(Watch::new(&config.tables, guard, link, state, events)));
        let runs: &Runs = Box::leak(Box::default());
        let leave = Box::leak(Box::new(Leave::new(runs, state)));
        let mut publisher = Publisher::new(guard, link, state, watch, leave, (true, LIMIT));
        publisher.since = Instant::now().checked_sub(7 * OLD).unwrap();
        let of = of(&publisher, state, runs).await;
        assert!(answers.borrow().is_empty(), "{answers:?}");
        of
    })
}

/// Fails when a table whose new file could not be taken back is remembered with what it held before: then
/// what the watch brings to pf is less than what is known to be in force.
#[test]
fn what_stands_in_a_file_is_in_force_though_pf_has_refused_it() {
    let [old, new] = [set(&[1, 2]), set(&[2, 3])];
    for (file, in_force) in [(&new, &new), (&old, &old)] {
        let files = [(TableId::BLOCK, file)];
        with(LIMIT, [full(file == &new)], &files, async |publisher, state, _| {
            let table = state.tables.find("block").unwrap();
            let put = publisher.publish(table, Some(&old), &new, Purpose::Publish).await;
            assert!(put.unwrap_err().starts_with("T: 2 entries do not fit"));
            assert_eq!(state.policy().set(TableId::BLOCK), Some(in_force));
        });
    }
}

/// Fails when a table is said to hold still what goes to another one, though its file has it no more, or the
/// other way round. Address 1 goes from the block table to the other one, which has nothing else.
#[test]
fn a_table_holds_what_its_file_has() {
    let [old, new, moved] = [&[1, 2][..], &[2], &[1]].map(set);
    for (file, holds) in [(&new, false), (&old, true)] {
        let done = || Ok(Changes::default());
        // the helper is asked to take a file back that has the new set
        let mut answers = vec![done(), done(), full(file == &new)];
        answers.extend((file == &new).then(|| full(true)));
        let files = [(TableId::BLOCK, file)];
        with(LIMIT, answers, &files, async |publisher, state, _| {
            let other = state.tables.find("In").unwrap().id;
            state.take(other, set(&[]));
            let sets = [(TableId::BLOCK, new.clone()), (other, moved.clone())].into();
            let published = publisher.publish_all(&sets, |_| Purpose::Publish).await;
            let held = holds.then_some(&old);
            assert_eq!(published.holding.get(&TableId::BLOCK), held);
            assert!(published.failures[&TableId::BLOCK].contains("entries do not fit"));
            assert_eq!(published.done, [TableId::BLOCK, other].into());
        });
    }
}

/// Fails when an engine ends, for nothing, each time that a set is too large for pf, or goes on with a limit
/// that is not that of pf any more.
#[test]
fn an_engine_ends_for_a_limit_that_is_another() {
    let all: Vec<u32> = (1..=LIMIT + 1).collect();
    for (hosts, entries, outcome, ends) in [
        // with what is in the three tables of pf there are ten, and eleven
        (&all[..3], 3, Outcome::Failed, true),
        (&all[..4], 3, Outcome::Failed, false),
        (&all[..], 0, Outcome::Failed, true),
        (&all[..], 1, Outcome::Failed, false),
        (&all[..10], 5, Outcome::Published, false),
        (&all[..], 5, Outcome::Published, true),
        (&all[..], 5, Outcome::Unchanged, true),
    ] {
        let what = format!("{} {entries} {outcome:?}", hosts.len());
        with(entries, [], &[], async |publisher, _, runs| {
            let result = TableResult {
                table: TableId::BLOCK,
                outcome,
                entries: hosts.len().try_into().unwrap(),
                added: 0,
                deleted: 0,
                full: outcome == Outcome::Failed,
                failure: String::new(),
            };
            publisher.doubt(Some(&set(&[1, 2])), &set(hosts), &result).await;
            assert_eq!(runs.are_leaving(), ends, "{what}");
        });
    }
}

/// Fails when an engine ends in the midst of the answer to who only tries, or never.
#[test]
fn no_engine_ends_for_a_trial() {
    let all: Vec<u32> = (1..=LIMIT + 1).collect();
    for (answer, purpose, ends) in [
        (full(false), Purpose::Trial, false),
        (Ok(Changes::default()), Purpose::Trial, false),
        (Ok(Changes::default()), Purpose::Publish, true),
    ] {
        with(0, [answer], &[], async |publisher, state, runs| {
            let table = state.tables.find("block").unwrap();
            let known = set(&[1, 2]);
            let _ = publisher.publish(table, Some(&known), &set(&all), purpose).await;
            assert_eq!(runs.are_leaving(), ends, "{purpose:?}");
        });
    }
}

#[test]
fn a_limit_is_stale_when_what_happens_denies_it() {
    let week = 7 * OLD;
    for (entries, full, age, stale) in [
        (1000, false, week, false),
        (1001, false, Duration::ZERO, true),
        (1001, true, week, false),
        (1000, true, week, true),
        // others may fill pf
        (1000, true, OLD, false),
    ] {
        assert_eq!(is_stale(1000, entries, full, age), stale, "{entries} {full} {age:?}");
    }
}
