//! The answer to `report`.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::hits::{ListHits, PortHits, ProtocolHits};
use crate::status::{SourceState, TableKind};

/// Days of a report unless others are asked for.
pub const REPORT_DAYS: u32 = 7;
/// Most days of a report: so many are kept.
pub const MOST_REPORT_DAYS: u32 = 35;
/// Most rows of each kind but days, tables and lists, of which there are as many as there are.
pub const REPORT_ROWS: usize = 20;
/// Most failures of a report, the last ones.
pub const REPORT_FAILURES: usize = 100;

/// What happened in the last days, that of now included; days are those of the local time zone of the
/// engine. What is unknown is absent, and never 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// When this was said, epoch seconds.
    pub at: u64,
    /// The same by the local time zone, as `2026-11-22 12:00`.
    pub date: String,
    /// When the first of the days began, epoch seconds.
    pub since: u64,
    /// How many days, from 1 to [`MOST_REPORT_DAYS`].
    pub period: u32,
    /// The first line of `status`: `ok: ...`, or `warning: ...` with the first of the warnings.
    pub verdict: String,
    /// Sentences that nobody may overlook, as of [`crate::PfStatus`]; none when all is well.
    pub warnings: Vec<Warned>,
    /// Whether `tables.monitor` is set: nothing is blocked, and what is counted would have been.
    pub monitoring: bool,
    /// Packets that were blocked on their way in, on all days; absent when nobody counted on any of
    /// them.
    pub r#in: Option<u64>,
    /// The same of those on their way out.
    pub out: Option<u64>,
    /// How the runs of all days ended.
    pub runs: RunCounts,
    /// How the uploads of all days ended.
    pub uploads: UploadCounts,
    /// Day by day, the oldest first: as many as `period`, those of which nothing is known too.
    pub days: Vec<DayReport>,
    /// The tables of the configuration, in the order of `status`; at most 16.
    pub tables: Vec<TableReport>,
    /// The lists of the configuration, source by source, and those of `block` and `allow`.
    pub lists: Vec<ListReport>,
    /// What was counted for no list of the configuration, the busiest first, at most
    /// [`REPORT_ROWS`]: `anchor`, `unlisted`, and lists that have left it.
    pub others: Vec<ListHits>,
    /// By protocol, the busiest first, at most [`REPORT_ROWS`].
    pub protocols: Vec<ProtocolHits>,
    /// By destination port, the busiest first, at most [`REPORT_ROWS`].
    pub ports: Vec<PortHits>,
    /// How many hosts on our side have sent to addresses in block tables, of those that are kept: the 64
    /// busiest of each day.
    pub suspects: u64,
    /// These hosts, those that sent most first, at most [`REPORT_ROWS`].
    pub hosts: Vec<SuspectHost>,
    /// How exact lists, ports and hosts are.
    pub missed: MissedOfDays,
    /// What failed, was held back or was put right: the events of these days that are neither
    /// `published` nor `new suspect host`, the oldest first, the last [`REPORT_FAILURES`].
    pub failures: Vec<Trouble>,
    /// How many such events of these days stand before them and were left out.
    pub left_out: u64,
    /// How many events, of whatever kind, of these days or of before are not kept any more; 0 when none
    /// of them can be of these days.
    pub lost: u64,
}

/// A warning, and the way out of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warned {
    /// The sentence.
    pub text: String,
    /// What to do.
    pub way_out: String,
}

/// How runs ended that asked sources.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunCounts {
    /// As they were wanted.
    pub good: u64,
    /// The service failed, or a table could not be published.
    pub failed: u64,
    /// A list or table was held back, or there was a rollback.
    pub held: u64,
}

/// How uploads ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadCounts {
    /// Slices that the log server confirmed.
    pub confirmed: u64,
    /// Attempts that failed.
    pub failed: u64,
}

/// A day. Of one on which nothing ran all but the date is absent or empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayReport {
    /// Its date by the local time zone, as `2026-11-22`.
    pub date: String,
    /// Packets that were blocked on their way in; absent where nobody counted, while 0 says that there
    /// were none.
    pub r#in: Option<u64>,
    /// The same of those on their way out.
    pub out: Option<u64>,
    /// Hosts on our side that have sent to addresses in block tables, of the 64 that are kept; absent
    /// likewise.
    pub suspects: Option<u64>,
    /// How runs ended; absent where nothing is known of the day.
    pub runs: Option<RunCounts>,
    /// How uploads ended; absent likewise.
    pub uploads: Option<UploadCounts>,
    /// The tables as they were at its end, those that were looked at on it; at most 16.
    pub tables: Vec<DayTable>,
}

/// A table on a day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayTable {
    /// Its word, as [`TableReport`] has it.
    pub table: String,
    /// Its size after the last run of the day.
    pub size: TableSize,
    /// Prefixes that came on it.
    pub added: u64,
    /// Prefixes that went.
    pub deleted: u64,
}

/// The size of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSize {
    /// Prefixes in it.
    pub entries: u64,
    /// Addresses of IPv4 that these cover; absent where it was not measured.
    pub v4: Option<u64>,
    /// What they cover of IPv6, in numbers of a /32, rounded up, as `guard.max_coverage_v6` measures;
    /// absent where it was not measured.
    pub v6: Option<u64>,
}

/// A table, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableReport {
    /// Its word, as `show` takes it: `block`, `allow`, or its name again.
    pub table: String,
    /// Its name in pf.
    pub name: String,
    /// What it is for.
    pub kind: TableKind,
    /// Its size now; absent before its first set.
    pub size: Option<TableSize>,
    /// Its size before the first change of these days that is known, or as it is now when there is
    /// none; absent when there was no set before it.
    pub before: Option<TableSize>,
    /// Prefixes that came on these days, and again after they went.
    pub added: u64,
    /// Prefixes that went.
    pub deleted: u64,
}

/// A list, and what it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListReport {
    /// Its name.
    pub list: String,
    /// Who brings it, as `update` takes it.
    pub source: String,
    /// The table that it goes into, as `show` takes it; several between commas; `none` of what `allow`
    /// said.
    pub table: String,
    /// Prefixes of its copy; absent when there is none.
    pub entries: Option<u64>,
    /// Packets with its addresses that were blocked on their way in; absent for what is let through, and
    /// when nobody counted.
    pub r#in: Option<u64>,
    /// The same of those on their way out.
    pub out: Option<u64>,
    /// How often another copy of it came into force.
    pub renewed: u64,
    /// How it is now.
    pub state: SourceState,
}

/// A host on our side that has sent to an address in a block table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuspectHost {
    /// Its address: that of the host itself where pf has translated it and says so.
    pub address: IpAddr,
    /// Packets that it has sent to addresses in block tables, on whatever interface.
    pub out: u64,
    /// Packets that came to it from such addresses, of each day after the first that it sent.
    pub r#in: u64,
    /// When the last one was seen, epoch seconds.
    pub last: u64,
    /// The same by the local time zone, as `2026-11-22 12:00`.
    pub date: String,
    /// The address at the other end of that one.
    pub far: Option<IpAddr>,
}

/// Something that failed, was held back or was put right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// When, epoch seconds.
    pub time: u64,
    /// The same by the local time zone, as `2026-11-22 12:00`.
    pub date: String,
    /// The kind of event, as [`crate::Event`] has it.
    pub event: String,
    /// The sentence about it, the same as in the log.
    pub text: String,
}

/// By how many packets a number of these days may be too low at most, and how many somebody who is not
/// among them may have: 0 as long as there were no more of them on a day than are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissedOfDays {
    /// Packets that the number of a list may lack.
    pub lists: u64,
    /// Of a port.
    pub ports: u64,
    /// Of a host, in one direction.
    pub hosts: u64,
}
