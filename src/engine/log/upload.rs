//! When slices are sent, and what becomes of them.

use std::collections::BTreeSet;
use std::time::Duration;

use config::Timestamp;
use control::{Attempt, Uploaded};

use super::Log;
use super::answer::{Failure, Verdict, judge, shown};
use super::request::Request;
use super::spool::{Slice, Stored, Unread};
use crate::backoff::scheduled;
use crate::clock;
use crate::events::Event;
use crate::https::Call;

/// The first wait after a failure; it doubles.
const FIRST: Duration = Duration::from_secs(60);
/// The longest wait after failures, and the only one when the server refuses.
const LONGEST: Duration = Duration::from_secs(60 * 60);
/// How soon after the start what was left over is sent.
const START: Duration = Duration::from_secs(60);
/// The pause between two slices: the server that is back has all devices to deal with.
const PACE: Duration = Duration::from_millis(200);
/// How long an upload waits for the follower, which may have much to read.
const CATCH_UP: Duration = Duration::from_secs(10);

/// Why nothing is sent of who has no device.
pub const OFF: &str = "off without device_id";

/// How long to wait after failures in a row. What the server asked for is spread upwards only: it
/// is not to be asked sooner.
fn after(failures: u32, failure: &Failure, random: u32) -> Duration {
    let doubled = FIRST.saturating_mul(2_u32.saturating_pow((failures - 1).min(16))).min(LONGEST);
    let wait = scheduled(if failure.slow { LONGEST } else { doubled }, random);
    failure.wait.map_or(wait, |asked| wait.max(scheduled(asked, random) + asked / 10))
}

/// How a slice left.
enum Sent {
    /// The server confirmed it.
    Whole,
    /// It was too large; its halves are in the spool now.
    InHalves,
}

impl Log {
    /// Sends what is due in time; never returns.
    pub async fn schedule(&self) -> ! {
        let interval = self.config.log.interval;
        let mut wait = scheduled(START.min(interval), rand::random());
        let mut failures = 0;
        loop {
            self.progress.borrow_mut().next = Some(clock::monotonic() + wait);
            let result = tokio::select! {
                () = clock::sleep(wait) => self.send().await.map(drop),
                () = self.asked.notified() => self.asked_failed.take().map_or(Ok(()), Err),
            };
            wait = match result {
                Err(failure) => {
                    failures += 1;
                    after(failures, &failure, rand::random())
                }
                Ok(()) => {
                    failures = 0;
                    scheduled(interval, rand::random())
                }
            };
        }
    }

    /// Sends everything that there is, the oldest first.
    ///
    /// # Errors
    /// The first failure; what was sent before it was delivered all the same. A slice that cannot be read
    /// is none: no server is to be waited for longer, nor called failing, as long as one is there.
    async fn send(&self) -> Result<Uploaded, Failure> {
        let _one = self.uploading.lock().await;
        let _ = tokio::time::timeout(CATCH_UP, self.caught_up()).await;
        self.is_spool_bad.set(false);
        let mut failed = None;
        let kept = self.cut();
        // what is too old makes room on a disk that is full
        let expired = self.expire();
        // what is in the spool already may be sent all the same
        if let Err(why) = kept.and(expired) {
            self.spool_failed(&why);
            failed = Some(Failure { why, slow: false, wait: None });
        }
        let mut uploaded = Uploaded::default();
        if !self.config.uploads() {
            return failed.map_or(Ok(uploaded), Err);
        }
        self.progress.borrow_mut().forget();
        let mut tried = BTreeSet::new();
        while let Some(stored) = self.next(&tried) {
            if !tried.is_empty() {
                tokio::time::sleep(PACE).await;
            }
            let id = &stored.head.id;
            tried.insert(id.clone());
            self.progress.borrow_mut().unread.remove(id);
            let slice = match self.read(&stored) {
                Ok(Some(slice)) => slice,
                Ok(None) => continue,
                // others may be read all the same
                Err(why) => {
                    self.spool_failed(&format!("{why}; the slice is kept"));
                    self.progress.borrow_mut().unread.insert(id.clone(), why);
                    continue;
                }
            };
            match self.deliver(&slice).await {
                Ok(Sent::InHalves) => {}
                Ok(Sent::Whole) => {
                    uploaded.slices += 1;
                    uploaded.records += slice.head.records;
                    uploaded.octets += slice.head.octets;
                }
                Err((failure, others_too)) => {
                    failed.get_or_insert(failure);
                    if others_too {
                        break;
                    }
                }
            }
        }
        uploaded.left = self.progress.borrow().spool.slices().len() as u64;
        match failed {
            None => {
                self.all_is_well(uploaded.slices > 0);
                Ok(uploaded)
            }
            Some(failure) => Err(failure),
        }
    }

    /// The same because somebody asked for it; the schedule goes on from how it ended.
    ///
    /// # Errors
    /// As [`Log::send`], and for a slice that cannot be read.
    pub async fn send_now(&self) -> Result<Uploaded, String> {
        let result = self.send().await;
        self.asked_failed.set(result.as_ref().err().cloned());
        self.asked.notify_one();
        let uploaded = result.map_err(|failure| failure.why)?;
        self.progress.borrow().unread().map_or(Ok(uploaded), |why| Err(why.clone()))
    }

    /// The oldest slice that was not tried yet.
    fn next(&self, tried: &BTreeSet<String>) -> Option<Stored> {
        let progress = self.progress.borrow();
        progress.spool.slices().find(|stored| !tried.contains(&stored.head.id)).cloned()
    }

    /// Reads a slice; none when it is damaged: then it is lost, which is counted.
    ///
    /// # Errors
    /// When it cannot be read for now; it stays in the spool.
    fn read(&self, stored: &Stored) -> Result<Option<Slice>, String> {
        let why = match self.progress.borrow().spool.read(stored) {
            Ok(slice) => return Ok(Some(slice)),
            Err(Unread::There(why)) => return Err(why),
            Err(Unread::Lost(why)) => why,
        };
        let mut progress = self.progress.borrow_mut();
        match progress.spool.remove(&stored.head.id) {
            Ok(()) => {
                let records = match stored.by_name {
                    true => "its".to_owned(),
                    false => stored.head.records.to_string(),
                };
                let text = format!("{why}: {records} records are lost");
                self.events.say(&Event::LogGap { text });
                progress.journal.dropped += 1;
                if let Err(why) = progress.journal.save(&self.directory) {
                    self.spool_failed(&format!("{why}; the loss is not counted after a restart"));
                }
            }
            // it is there the next time, too
            Err(error) => {
                drop(progress);
                self.spool_failed(&format!("{why}; {error}"));
            }
        }
        Ok(None)
    }

    /// Sends one slice and takes note of what became of it. The failure comes with whether other
    /// slices would fail likewise.
    async fn deliver(&self, slice: &Slice) -> Result<Sent, (Failure, bool)> {
        let config = self.config;
        if config.log.timestamp == Timestamp::Time
            && clock::day(slice.head.first.into()) != clock::day(clock::now())
        {
            logger::debug(format_args!(
                "slice {} begins on another day than today, and its lines have no date \
                 (see log.timestamp)",
                slice.head.id
            ));
        }
        let Some(device) = &config.device_id else {
            return Err((Failure { why: OFF.into(), slow: true, wait: None }, true));
        };
        let Request { headers, body } = Request::new(config, device, slice);
        let call = Call::Post { url: config.log.url.clone(), headers, body };
        let success = config.log.request.success.fill(device, "");
        let verdict = match self.https.call(call).await {
            Ok(answer) => judge(&answer, &success, device),
            Err(why) => Verdict::Failed(shown(&why, device), None),
        };
        let id = &slice.head.id;
        let failure = |why, slow, wait| Failure { why, slow, wait };
        let (failure, others_too) = match verdict {
            Verdict::Delivered => {
                logger::info(format_args!(
                    "log uploaded: slice {id}, {} records, {} octets",
                    slice.head.records, slice.head.octets
                ));
                // A journal that stands before the slice would read its records into another one.
                if self.note(true, "confirmed".into()) {
                    self.remove(id);
                }
                return Ok(Sent::Whole);
            }
            Verdict::OtherDevice(why) => {
                let text = format!("{why}; is device_id the one of this host? slice {id} is kept");
                self.events.say_as(&Event::UploadFailing { text, grave: true }, &why);
                (failure(why, true, None), true)
            }
            Verdict::TooLarge(why) => {
                let split = self.progress.borrow_mut().spool.split(slice);
                match split {
                    Ok(true) => {
                        if self.is_news(&format!("halves: {why}")) {
                            logger::info(format_args!(
                                "log upload: {why}; slice {id} is sent in halves"
                            ));
                        }
                        return Ok(Sent::InHalves);
                    }
                    // A server that takes not even one record is out of order more likely than not:
                    // one is lost, and the others wait for the next time.
                    Ok(false) => return Err((self.give_up(slice, why), true)),
                    Err(error) => {
                        (failure(format!("{why}; not halved: {error}"), true, None), true)
                    }
                }
            }
            Verdict::Refused(why) => {
                self.progress.borrow_mut().refused.insert(id.clone(), why.clone());
                (failure(why, true, None), false)
            }
            Verdict::Denied(why) => (failure(why, true, None), true),
            Verdict::Failed(why, wait) => (failure(why, false, wait), true),
        };
        self.note(false, failure.why.clone());
        let text = match self.progress.borrow().failing(clock::now()) {
            Some(warning) => warning.to_string(),
            None => format!("{}; slice {id} is kept", failure.why),
        };
        self.events.say_as(&Event::UploadFailing { text, grave: false }, &failure.why);
        Err((failure, others_too))
    }

    /// Drops a record that is too large for the server all by itself.
    fn give_up(&self, slice: &Slice, why: String) -> Failure {
        let id = &slice.head.id;
        if self.is_news(&format!("single record: {why}")) {
            let text = format!("log upload: {why}; slice {id} is a single record and is dropped");
            self.events.say(&Event::LogGap { text });
        }
        self.progress.borrow_mut().journal.dropped += 1;
        let why = format!("{why}; a single record was too large and is dropped");
        if self.note(false, why.clone()) {
            self.remove(id);
        }
        Failure { why, slow: true, wait: None }
    }

    /// Takes note of an attempt; says whether that is on disk.
    fn note(&self, ok: bool, text: String) -> bool {
        let mut progress = self.progress.borrow_mut();
        let journal = &mut progress.journal;
        let at = clock::now();
        journal.last = Some(Attempt { at, ok, text });
        progress.days.note_upload(ok);
        let journal = &mut progress.journal;
        if ok {
            journal.last_good = Some(at);
            journal.failing = None;
            journal.uploaded += 1;
        } else {
            journal.failing.get_or_insert(at);
            journal.failed += 1;
        }
        let saved = journal.save(&self.directory);
        drop(progress);
        if let Err(why) = &saved {
            self.spool_failed(&format!("{why}; slices stay in the spool and may be sent again"));
        }
        saved.is_ok()
    }

    /// Removes a slice that was delivered.
    fn remove(&self, id: &str) {
        let removed = self.progress.borrow_mut().spool.remove(id);
        if let Err(why) = removed {
            self.spool_failed(&format!("{why}; the slice will be sent again"));
        }
    }

    /// The request that would be sent next, as text; none when nothing is due.
    ///
    /// # Errors
    /// When the slice cannot be read.
    pub async fn preview(&self) -> Result<Option<Vec<String>>, String> {
        let _ = tokio::time::timeout(CATCH_UP, self.caught_up()).await;
        let progress = self.progress.borrow();
        // what is older falls out before anything is sent
        let (now, mut seen) = (clock::now(), progress.journal.seen);
        let age = self.config.log.spool_age.as_secs();
        let before = if seen.look(now) { now.saturating_sub(age) } else { 0 };
        let mut due = progress.spool.slices().skip_while(|stored| stored.is_before(before));
        let slice = match (due.next(), progress.pending.times) {
            (Some(stored), _) => progress.spool.read(stored)?,
            (None, Some(times)) if u64::from(times.1) >= before => {
                let (text, records) = (progress.pending.text.clone(), progress.pending.records);
                Slice::new(progress.journal.next, times, records, text, progress.position.clone())
            }
            (None, _) => return Ok(None),
        };
        let Some(device) = &self.config.device_id else { return Err(OFF.into()) };
        Ok(Some(Request::new(self.config, device, &slice).lines(self.config)))
    }
}

#[cfg(test)]
mod tests;
