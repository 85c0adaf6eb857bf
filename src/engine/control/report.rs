//! `report`.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::hash::Hash;
use std::net::IpAddr;

use config::Config;
use control::{
    DayReport, DayTable, ListHits, ListReport, MissedOfDays, PortHits, ProtocolHits,
    REPORT_FAILURES, REPORT_ROWS, Report, RunCounts, Status, SuspectHost, TableKind, TableReport,
    Trouble, UploadCounts, Warned,
};
use prefix::Kind;

use super::lists;
use crate::clock;
use crate::days::{Day, Days, Seen, size};
use crate::events::{Events, is_trouble};
use crate::hits::busiest::{Busiest, Count};
use crate::hits::protocol_word;
use crate::state::State;
use crate::tables::Table;

/// What a report is made of besides the days.
pub struct Sources<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// What is in force.
    pub state: &'a State,
    /// What has happened on each day.
    pub days: &'a Days,
    /// What was told.
    pub events: &'a Events,
    /// The state of everything, as of now.
    pub status: &'a Status,
}

/// What happened in so many days, from 1 to [`control::MOST_REPORT_DAYS`].
pub fn report(from: &Sources<'_>, period: u32) -> Report {
    from.days.show(period.into(), |seen| from.report(seen, period))
}

impl Sources<'_> {
    fn report(&self, seen: &[Seen<'_>], period: u32) -> Report {
        let at = clock::now();
        let days: Vec<&Day> = seen.iter().filter_map(|seen| seen.day).collect();
        let counts = self.config.log.enabled || seen.iter().any(|seen| seen.counted);
        let all = days.iter().fold(Count::default(), |sum, day| sum.with(&day.hits));
        let first = seen.first().map_or(0, |seen| seen.number);
        let (lists, others) = self.lists(&days, counts);
        let hosts = hosts(&days);
        let (failures, left_out) = self.failures(first);
        let Status { pf, .. } = self.status;
        let warnings = pf.warnings.iter().zip(&pf.ways_out);
        Report {
            at,
            date: clock::minute(at),
            since: clock::begins(first),
            period,
            verdict: self.status.verdict(at),
            warnings: warnings
                .map(|(text, way_out)| Warned { text: text.clone(), way_out: way_out.clone() })
                .collect(),
            monitoring: self.config.tables.monitor,
            r#in: counts.then_some(all.r#in),
            out: counts.then_some(all.out),
            runs: days.iter().fold(RunCounts::default(), |sum, day| RunCounts {
                good: sum.good + day.runs.good,
                failed: sum.failed + day.runs.failed,
                held: sum.held + day.runs.held,
            }),
            uploads: days.iter().fold(UploadCounts::default(), |sum, day| UploadCounts {
                confirmed: sum.confirmed + day.uploads.confirmed,
                failed: sum.failed + day.uploads.failed,
            }),
            days: seen.iter().map(day).collect(),
            tables: self.state.tables.iter().map(|table| self.table(table, &days)).collect(),
            lists,
            others,
            protocols: busiest(&days, |day| &day.protocols)
                .take(REPORT_ROWS)
                .map(|(number, count)| ProtocolHits {
                    protocol: protocol_word(number),
                    r#in: count.r#in,
                    out: count.out,
                })
                .collect(),
            ports: busiest(&days, |day| &day.ports)
                .take(REPORT_ROWS)
                .map(|((number, port), count)| PortHits {
                    protocol: protocol_word(number),
                    port,
                    r#in: count.r#in,
                    out: count.out,
                })
                .collect(),
            suspects: hosts.len() as u64,
            hosts: hosts.into_iter().take(REPORT_ROWS).collect(),
            missed: MissedOfDays {
                lists: days.iter().map(|day| day.lists.error()).sum(),
                ports: days.iter().map(|day| day.ports.error()).sum(),
                hosts: days.iter().map(|day| day.suspects.error()).sum(),
            },
            failures,
            left_out,
            lost: self.lost(first),
        }
    }

    fn table(&self, table: &Table, days: &[&Day]) -> TableReport {
        let changed = || days.iter().filter_map(|day| day.changes.get(&table.word));
        let now = self.state.policy().set(table.id).map(size);
        TableReport {
            table: table.word.clone(),
            name: table.name.clone(),
            kind: if table.blocks() { TableKind::Block } else { TableKind::Allow },
            size: now,
            before: changed().next().map_or(now, |changed| changed.before()),
            added: changed().map(|changed| changed.added).sum(),
            deleted: changed().map(|changed| changed.removed).sum(),
        }
    }

    /// The lists, and what was counted for none of them.
    fn lists(&self, days: &[&Day], counts: bool) -> (Vec<ListReport>, Vec<ListHits>) {
        let mut sums: BTreeMap<String, Count> = busiest(days, |day| &day.lists).collect();
        let row = |row: lists::Row| {
            let name = &row.shown.name;
            let counts = counts && row.kind == Kind::Block;
            let count = counts.then(|| sums.remove(name).unwrap_or_default());
            let renewed = days.iter().filter_map(|day| day.renewed.get(name)).sum();
            ListReport {
                source: row.source.name().to_owned(),
                table: row.table,
                entries: row.shown.entries,
                r#in: count.map(|count| count.r#in),
                out: count.map(|count| count.out),
                renewed,
                state: row.shown.state,
                list: row.shown.name,
            }
        };
        let lists = lists::rows(self.config, self.state).into_iter().map(row).collect();
        let others = sorted(sums.into_iter().collect()).into_iter().take(REPORT_ROWS);
        let others = others.map(|(list, Count { r#in, out, .. })| ListHits { list, r#in, out });
        (lists, others.collect())
    }

    /// What was wrong since a day, and how much of it is left out.
    fn failures(&self, first: i64) -> (Vec<Trouble>, u64) {
        let is_wanted =
            |event: &control::Event| is_trouble(&event.event) && clock::day(event.time) >= first;
        let events = self.events.of(is_wanted);
        let left_out = events.len().saturating_sub(REPORT_FAILURES);
        let trouble = |event: control::Event| Trouble {
            time: event.time,
            date: clock::minute(event.time),
            event: event.event,
            text: event.text,
        };
        (events.into_iter().skip(left_out).map(trouble).collect(), left_out as u64)
    }

    /// How many events are not kept any more, if some of them may be of this day or later.
    fn lost(&self, first: i64) -> u64 {
        let oldest = self.events.get(self.events.oldest());
        let oldest = oldest.filter(|oldest| clock::day(oldest.time) >= first);
        oldest.map_or(0, |oldest| oldest.number.saturating_sub(1))
    }
}

fn day(seen: &Seen<'_>) -> DayReport {
    let counted = |number: u64| seen.counted.then_some(number);
    let date = clock::day_date(seen.number);
    let Some(day) = seen.day else { return DayReport { date, ..DayReport::default() } };
    DayReport {
        date,
        r#in: counted(day.hits.r#in),
        out: counted(day.hits.out),
        suspects: counted(day.suspects.len() as u64),
        runs: Some(RunCounts { good: day.runs.good, failed: day.runs.failed, held: day.runs.held }),
        uploads: Some(UploadCounts {
            confirmed: day.uploads.confirmed,
            failed: day.uploads.failed,
        }),
        tables: day
            .changes
            .iter()
            .map(|(word, changed)| DayTable {
                table: word.clone(),
                size: changed.size,
                added: changed.added,
                deleted: changed.removed,
            })
            .collect(),
    }
}

/// What was counted on all days by key, the busiest first; of equal ones the latest.
fn busiest<'a, K, N>(
    days: &[&'a Day],
    of: impl Fn(&'a Day) -> &'a Busiest<K, N>,
) -> impl Iterator<Item = (K, Count)>
where
    K: Eq + Hash + Ord + Clone + 'a,
    N: Clone + Default + 'a,
{
    let mut sums: BTreeMap<K, Count> = BTreeMap::new();
    for (key, count, _) in days.iter().flat_map(|day| of(day).sorted()) {
        let sum = sums.entry(key).or_default();
        *sum = sum.with(&count);
    }
    sorted(sums.into_iter().collect()).into_iter()
}

fn sorted<K: Ord>(mut all: Vec<(K, Count)>) -> Vec<(K, Count)> {
    all.sort_by(|(a, x), (b, y)| {
        (y.total(), y.last).cmp(&(x.total(), x.last)).then_with(|| a.cmp(b))
    });
    all
}

/// The hosts that have sent, the busiest senders first.
fn hosts(days: &[&Day]) -> Vec<SuspectHost> {
    let mut hosts: BTreeMap<IpAddr, (Count, Option<IpAddr>)> = BTreeMap::new();
    for (address, count, far) in days.iter().flat_map(|day| day.suspects.sorted()) {
        let (sum, last) = hosts.entry(address).or_default();
        if count.last >= sum.last {
            *last = far;
        }
        *sum = sum.with(&count);
    }
    let host = |(address, (count, far)): (IpAddr, (Count, Option<IpAddr>))| SuspectHost {
        address,
        out: count.out,
        r#in: count.r#in,
        last: count.last.into(),
        date: clock::minute(count.last.into()),
        far,
    };
    let mut hosts: Vec<SuspectHost> = hosts.into_iter().map(host).collect();
    hosts.sort_by_key(|host| Reverse((host.out, host.last)));
    hosts
}

#[cfg(test)]
mod tests;
