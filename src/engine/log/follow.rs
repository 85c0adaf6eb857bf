//! Follows the packet log across rotation, compression, truncation and restarts.
//!
//! A file is known by its first record. The generations are scanned from FILE to FILE.9: a
//! rotation in the middle of a scan shows a file twice and never hides one. The next file to read
//! is the oldest that comes before those already read. A copy of the file at hand, in the place of that, is
//! read on where that was left.

use std::cmp::Ordering;
use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::rc::Rc;
use std::time::{Duration, Instant};

use config::{Scope as Wanted, Timestamp};
use imsg::process::local_offset;
use pflog::{Fingerprint, Lines, Printer, Record, Stamp};

use super::Log;
use super::progress::Progress;
use super::scope::Scope;
use super::source::{Source, Step};
use super::suspects::Suspects;
use crate::errors::words;
use crate::events::subject::PACKET_LOG;
use crate::events::{Event, Events};
use crate::link::{Link, Source as Place};
use crate::state::State;

/// How often the packet log is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// The same while there is none.
const LOOK_FOR_FILE: Duration = Duration::from_secs(5);
/// How long a renamed file is read on while the new one has no record: pflogd(8) writes to it until
/// newsyslog(8) signals it, and what it still had goes there before it opens the new one.
const LINGER: Duration = Duration::from_secs(10);
/// FILE and FILE.0 to FILE.9.
const GENERATIONS: u8 = 11;
/// Files that are remembered to be no packet logs.
const PASSED_OVER: usize = 16;

/// What makes text of records.
struct Writer {
    scope: Scope,
    all: bool,
    /// Whether the text of records is sent somewhere.
    uploads: bool,
    timestamp: Timestamp,
    printer: Printer,
    /// The text of one record, until it is part of a slice.
    line: Lines,
    suspects: Suspects,
}

/// How a turn of reading ended.
enum Turn {
    /// There is more to read.
    More,
    /// There is no more for now.
    End,
    /// What was read cannot be kept: the disk is full.
    NoRoom,
}

/// The state of following: the file at hand, and what is known of its neighbours.
struct Follower<'a> {
    log: &'a Log,
    link: &'a Link,
    state: &'a State,
    source: Option<Source>,
    /// When it was noticed that the file that is read is FILE no more.
    renamed: Option<Instant>,
    /// Whether the file that is read has been FILE while it was.
    was_file: bool,
    /// Device and inode of what was FILE right after it, and comes next whatever it is called now.
    successor: Option<(u64, u64)>,
    /// Device and inode of files that are no packet logs, which was said once.
    passed_over: VecDeque<(u64, u64)>,
    writer: Writer,
}

/// Follows for ever.
pub async fn follow(log: &Log, link: &Link, state: &State) -> ! {
    let mut before = BTreeMap::new();
    for table in state.tables.blocking() {
        if let Ok(set) = link.list(table.id, Place::Previous).await {
            before.insert(table.id, Rc::new(set));
        }
    }
    let config = &log.config.log;
    let anchor = config.anchor.as_ref().map(config::AnchorPath::pflog_name);
    let writer = Writer {
        scope: Scope::new(anchor, state.policy(), before).monitoring(log.config.tables.monitor),
        all: config.scope == Wanted::All,
        uploads: log.config.uploads(),
        timestamp: config.timestamp,
        printer: printer(config.timestamp),
        line: Lines::default(),
        suspects: Suspects::default(),
    };
    let mut follower = Follower {
        log,
        link,
        state,
        source: None,
        renamed: None,
        was_file: false,
        successor: None,
        passed_over: VecDeque::new(),
        writer,
    };
    loop {
        log.begun.set(log.begun.get() + 1);
        follower.look().await;
        log.ended.set(log.begun.get());
        log.looked.notify_waiters();
        let pause = if follower.source.is_some() { LOOK } else { LOOK_FOR_FILE };
        // who waits for a look may come at any time
        let _ = tokio::time::timeout(pause, log.look.notified()).await;
    }
}

/// A printer for one file.
fn printer(timestamp: Timestamp) -> Printer {
    let stamp = match timestamp {
        Timestamp::Time => Stamp::Time,
        Timestamp::Date => Stamp::Date,
        Timestamp::Epoch => Stamp::Epoch,
    };
    Printer::new(stamp, local_offset(crate::clock::now()))
}

impl Follower<'_> {
    /// Reads all there is.
    async fn look(&mut self) {
        self.writer.scope.follow(self.state.policy());
        // More turns than there are files are not needed, unless they rotate as fast as we read.
        for _ in 0..2 * GENERATIONS {
            if self.source.is_none() && !self.choose(false).await {
                return;
            }
            if !self.read().await || !self.is_done().await {
                return;
            }
        }
    }

    /// Reads the file to its end; false when the text cannot be kept for now.
    async fn read(&mut self) -> bool {
        loop {
            let turn = self.turn();
            self.writer.suspects.tell(self.log.events, crate::clock::now());
            match turn {
                Turn::More => tokio::task::yield_now().await,
                Turn::End => return true,
                Turn::NoRoom => return false,
            }
        }
    }

    /// Reads as much as does not hold up the others.
    fn turn(&mut self) -> Turn {
        let log = self.log;
        let mut progress = log.progress.borrow_mut();
        let Some(source) = self.source.as_mut().filter(|source| !source.broken) else {
            return Turn::End;
        };
        if let Err(why) = progress.make_room(&log.directory, log.events) {
            progress
                .say(log.events, format!("{why}; the packet log is read on when there is room"));
            return Turn::NoRoom;
        }
        progress.days.look(crate::clock::now());
        progress.days.stand(progress.position.cursor);
        let stepped = source.step(|record| {
            self.writer.write(&mut progress, record);
            !progress.is_full()
        });
        if let Some(cursor) = progress.position.cursor.as_mut() {
            cursor.offset = source.offset();
        }
        progress.days.stand(progress.position.cursor);
        match stepped {
            Ok(Step::More) => Turn::More,
            Ok(Step::End) => {
                progress.say(log.events, String::new());
                Turn::End
            }
            Err(why) => {
                let name = self.log.name(source.generation);
                let trouble = format!("{name}: {why}; read on after the next rotation");
                progress.note_damage(log, trouble);
                Turn::End
            }
        }
    }

    /// Whether the file at hand is done with, so that another has to be chosen.
    async fn is_done(&mut self) -> bool {
        let newest = self.link.open_log(0).await;
        let Some(source) = &self.source else { return true };
        if !source.is_intact() {
            // A copy of what it was may be FILE.0; that it was truncated is a gap otherwise.
            self.source = None;
            return true;
        }
        // between the two renames of newsyslog(8), or pflogd(8) is off
        let Ok(file) = newest else { return false };
        let mut new = Source::new(0, file);
        if new.identity == source.identity {
            (self.renamed, self.successor, self.was_file) = (None, None, true);
            return false;
        }
        let renamed = *self.renamed.get_or_insert_with(Instant::now);
        if self.was_file {
            self.successor.get_or_insert(new.identity);
        }
        let lingers = source.is_plain() && source.generation <= 1 && !source.broken;
        if lingers {
            let has_begun = matches!(new.first(), Ok(Some(_)));
            if !has_begun && renamed.elapsed() < LINGER {
                return false;
            }
            // what came between the end that was read and the first record of the new one
            if !self.read().await {
                return false;
            }
        }
        let Some(source) = &self.source else { return true };
        let now = source.generation.max(1);
        let cut = source.cut().map(|why| format!("{}: {why}", self.log.name(now)));
        let log = self.log;
        let file = || log.progress.borrow().position.cursor.map(|cursor| cursor.file);
        let before = file();
        // the file at hand stays until there is something to read in another
        let left = self.choose(true).await;
        // a copy of it may have the rest
        if let Some(cut) = cut.filter(|_| left && file() != before) {
            log.progress.borrow_mut().count_damage(log, &cut);
        }
        left
    }

    /// Looks through the generations for the file to read next, and takes it. With `leave` the
    /// file that was read last is done with.
    async fn choose(&mut self, leave: bool) -> bool {
        let position = self.log.progress.borrow().position.clone();
        // from the newest to the oldest
        let mut unread: Vec<(Source, Fingerprint, u64)> = Vec::new();
        let (mut known, mut trouble) = (false, String::new());
        let at_hand = self.source.as_ref().map(|source| source.identity);
        for generation in 0..GENERATIONS {
            let file = match self.link.open_log(generation).await {
                Ok(opened) => opened,
                // only FILE itself has to be there
                Err(why) if generation == 0 && !leave => {
                    trouble = why;
                    continue;
                }
                Err(_) => continue,
            };
            let Some((source, print, first)) = self.open(generation, file) else { continue };
            let resume = position.offset_in(print);
            known = resume.is_some() || position.has_finished(print);
            let goes_on = match resume.map(|offset| source.against(offset)) {
                None => !known,
                // nobody knows which of its records were not in the one that was read
                Some(Ordering::Less) => {
                    trouble = format!(
                        "{}: shorter than what was read of it; read on from there, or after the next \
                         rotation",
                        self.log.name(generation)
                    );
                    false
                }
                Some(Ordering::Equal) => !leave,
                // a copy of the file at hand, in the place of that
                Some(Ordering::Greater) => !leave || at_hand != Some(source.identity),
            };
            if goes_on {
                unread.push((source, print, resume.unwrap_or(first)));
            }
            if known {
                break;
            }
        }
        // A file under a name that is none of FILE.n is not found; what came after it was seen.
        if !known && leave {
            let next = unread.iter().position(|(next, ..)| Some(next.identity) == self.successor);
            known = next.is_some();
            next.into_iter().for_each(|next| unread.truncate(next + 1));
        }
        let Some((mut source, print, offset)) = unread.pop() else {
            if !leave || !trouble.is_empty() {
                self.source = None;
                self.log.progress.borrow_mut().say(self.log.events, trouble);
            }
            return false;
        };
        if let Err(error) = source.seek(offset) {
            self.log.progress.borrow_mut().say(self.log.events, words(&error));
            return false;
        }
        let mut progress = self.log.progress.borrow_mut();
        // With `leave` the last file was read to its end, wherever it is now.
        let found = if leave { known } else { position.offset_in(print).is_some() };
        if !found && position.cursor.is_some() {
            progress.journal.gaps += 1;
            let text = format!(
                "the packet log was truncated, or rotated away before it was read: records may be \
                 lost; going on with {}",
                self.log.name(source.generation)
            );
            self.log.events.say(&Event::LogGap { text });
        }
        progress.position.enter(print, offset);
        drop(progress);
        self.source = Some(source);
        (self.renamed, self.successor, self.was_file) = (None, None, false);
        self.writer.printer = printer(self.writer.timestamp);
        true
    }

    /// Opens a file as far as its first record; none when it has none.
    fn open(&mut self, generation: u8, file: File) -> Option<(Source, Fingerprint, u64)> {
        let mut source = Source::new(generation, file);
        match source.first() {
            Ok(first) => first.map(|(print, first)| (source, print, first)),
            Err(why) => {
                if !self.passed_over.contains(&source.identity) {
                    let name = self.log.name(generation);
                    let (log, damage) = (self.log, format!("{name}: {why}; passed over"));
                    log.progress.borrow_mut().count_damage(log, &damage);
                    self.passed_over.push_front(source.identity);
                    self.passed_over.truncate(PASSED_OVER);
                }
                None
            }
        }
    }
}

impl Log {
    /// The name of a generation.
    fn name(&self, generation: u8) -> String {
        let file = self.config.log.file.display();
        match generation {
            0 => file.to_string(),
            rotated => format!("{file}.{}", rotated - 1),
        }
    }
}

impl Progress {
    /// Keeps what is wrong with the packet log, and tells of it when it is new and once a day; of nothing,
    /// that it is read again.
    pub(super) fn say(&mut self, events: &Events, trouble: String) {
        let name = PACKET_LOG.to_owned();
        match trouble.as_str() {
            // of this engine, or of one before it
            "" => events.end(&name, format!("{PACKET_LOG}: read again")),
            _ => {
                let (text, source) = (format!("{PACKET_LOG}: {trouble}"), Some(name));
                events.say(&Event::Failed { source, text, grave: false });
            }
        }
        self.trouble = trouble;
    }

    /// The file that is read is damaged: its rest is lost. That is shown until there is another,
    /// but told of and counted once, also over restarts.
    fn note_damage(&mut self, log: &Log, trouble: String) {
        let file = self.position.cursor.map(|cursor| cursor.file);
        if self.journal.damaged_file != file || file.is_none() {
            self.journal.damaged_file = file;
            self.count_damage(log, &trouble);
        }
        self.trouble = trouble;
    }

    /// Tells of a damaged file and counts it, durably.
    pub(super) fn count_damage(&mut self, log: &Log, what: &str) {
        log.events.say(&Event::LogGap { text: format!("{PACKET_LOG}: {what}") });
        self.journal.damaged += 1;
        if let Err(why) = self.journal.save(&log.directory) {
            log.spool_failed(&format!("{why}; the damage would be counted again"));
        }
    }
}

impl Writer {
    /// Counts a record and adds its text to what is pending, when it is ours.
    fn write(&mut self, progress: &mut Progress, record: &Record<'_>) {
        let (hits, days, suspects) = (&mut progress.hits, progress.days, &mut self.suspects);
        let ours = self.scope.judge(record, |hit| {
            if hits.add(hit) {
                suspects.add(hit);
            }
            days.count(hit, record);
        });
        if !(self.uploads && (ours || self.all)) {
            return;
        }
        // Unlike tcpdump, which takes the offset of the moment at which it starts: a file may
        // last for weeks, and its times be an hour wrong from the next change of the clocks on.
        self.printer.follow_zone(record.seconds, |at| local_offset(at.into()));
        let pending = &mut progress.pending;
        self.line.clear();
        self.printer.print(record, &mut self.line);
        pending.text.extend_from_slice(&self.line);
        pending.records += 1;
        let (first, _) = pending.times.unwrap_or((record.seconds, record.seconds));
        pending.times = Some((first, record.seconds));
    }
}
