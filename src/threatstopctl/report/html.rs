//! The report as a page: one file without script, and without anything from outside.
//!
//! What stands where is in the templates of this folder; here is what stands there.
//!
//! * In: the engine's report of some days.
//! * Out: the page.
//! * Never: put text of a stranger's into it without escaping, or refer to anything outside.

mod bars;
mod chart;
mod words;

use std::fmt;

use askama::Template;
use askama::filters::{Escaper, Html};
use control::{DayReport, ListReport, Report, TableKind, TableReport, TableSize};

use crate::advice::Advice;
use crate::printable::printable;
use bars::{Bars, Row};
use chart::{Chart, Day, Of, Shape};
use words::{change, grouped, known};

/// The page, with `advice` for the commands that it names.
///
/// # Errors
/// Never, as far as is known: what is laid out has names and numbers alone.
pub fn render(report: &Report, advice: &Advice) -> Result<String, askama::Error> {
    Page::new(report, advice).render()
}

/// Writes what is no template: nothing of it is markup, and nothing is what it does not look like. Who
/// searches the file for attributes finds none of somebody else's, either.
#[derive(Clone, Copy)]
pub struct Visible;

impl Escaper for Visible {
    fn write_escaped_str<W: fmt::Write>(&self, mut dest: W, text: &str) -> fmt::Result {
        for (at, part) in printable(text).split('=').enumerate() {
            if at > 0 {
                dest.write_str("&#61;")?;
            }
            Html.write_escaped_str(&mut dest, part)?;
        }
        Ok(())
    }
}

/// What the page says.
#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    report: &'a Report,
    /// `2026-11-22 to 2026-11-28`.
    dates: String,
    /// The verdict, where no warning says the same.
    verdict: Option<&'a str>,
    /// The warnings, each with the way out.
    warnings: Vec<[String; 2]>,
    /// What happened to packets: `blocked`, or `that would have been blocked`.
    fate: &'static str,
    figures: Vec<Figure>,
    /// Blocked packets by day, in and out; none where nobody counted.
    traffic: Vec<Chart>,
    days: Vec<DayRow<'a>>,
    hosts: Bars,
    /// Where there are more hosts than are shown, how many of how many.
    more_hosts: Option<[String; 2]>,
    lists: Bars,
    all_lists: Vec<ListRow<'a>>,
    ports: Bars,
    protocols: Bars,
    tables: Vec<TableView<'a>>,
    failures: Vec<[String; 3]>,
    /// Failures that are left out, and events that are not kept.
    left_out: String,
    lost: String,
}

/// A number above all others.
struct Figure {
    name: String,
    value: String,
    note: String,
}

/// A day, in words.
struct DayRow<'a> {
    date: &'a str,
    /// Packets in and out, hosts, and how runs and uploads ended; none of a day of which nothing is
    /// known.
    cells: Option<[String; 5]>,
}

/// A list, and how it is.
struct ListRow<'a> {
    list: &'a ListReport,
    entries: String,
    renewed: String,
}

/// A table, and what became of it.
struct TableView<'a> {
    table: &'a TableReport,
    kind: &'static str,
    /// Prefixes, change, IPv4, IPv6, added, deleted.
    cells: [String; 6],
    /// Its size by day; none where nothing is known.
    chart: Option<Chart>,
    days: Vec<SizeRow<'a>>,
}

/// A table on a day, in words.
struct SizeRow<'a> {
    date: &'a str,
    /// Prefixes, IPv4, IPv6, added, deleted; none where it was not looked at.
    cells: Option<[String; 5]>,
}

impl<'a> Page<'a> {
    fn new(report: &'a Report, advice: &Advice) -> Self {
        let warnings: Vec<[String; 2]> = report
            .warnings
            .iter()
            .map(|warned| [advice.fit(&warned.text), advice.fit(&warned.way_out)])
            .collect();
        let verdict = report.verdict.as_str();
        let is_said = |warning: &control::Warned| verdict.ends_with(&warning.text);
        let verdict = Some(verdict).filter(|_| !report.warnings.first().is_some_and(is_said));
        let fate = match report.monitoring {
            true => "that would have been blocked",
            false => "blocked",
        };
        let failure = |trouble: &control::Trouble| {
            [trouble.date.clone(), trouble.event.clone(), advice.fit(&trouble.text)]
        };
        Self {
            report,
            dates: dates(&report.days),
            verdict,
            warnings,
            fate,
            figures: figures(report),
            traffic: traffic(report),
            days: report.days.iter().map(day).collect(),
            hosts: hosts(report),
            more_hosts: more_hosts(report),
            lists: lists(report),
            all_lists: report.lists.iter().map(list).collect(),
            ports: ports(report),
            protocols: protocols(report),
            tables: report.tables.iter().enumerate().map(|it| table(it, &report.days)).collect(),
            failures: report.failures.iter().map(failure).collect(),
            left_out: grouped(report.left_out),
            lost: grouped(report.lost),
        }
    }
}

fn dates(days: &[DayReport]) -> String {
    match days {
        [] => String::new(),
        [day] => day.date.clone(),
        [first, .., last] => format!("{} to {}", first.date, last.date),
    }
}

fn figures(report: &Report) -> Vec<Figure> {
    let figure = |name: &str, value: String, note: &str| Figure {
        name: name.into(),
        value,
        note: note.into(),
    };
    let fate = if report.monitoring { "would have been blocked" } else { "blocked" };
    let blocks = report.tables.iter().filter(|table| table.kind == TableKind::Block);
    let sizes = blocks.filter_map(|table| table.size);
    let entries = sizes.fold(None, |sum: Option<u64>, size| {
        Some(sum.unwrap_or_default().saturating_add(size.entries))
    });
    let runs = [(report.runs.failed, "failed"), (report.runs.held, "held")];
    let runs = runs.into_iter().filter(|(count, _)| *count > 0);
    let runs = runs.map(|(count, how)| format!(", {} {how}", grouped(count)));
    let runs = format!("good{}", runs.collect::<String>());
    let mut figures = vec![
        figure("Coming in", known(report.r#in), &format!("packets {fate}")),
        figure("Going out", known(report.out), &format!("packets {fate}")),
        figure("Suspect hosts", grouped(report.suspects), "on our side sent such packets"),
        figure("Prefixes", known(entries), "in block tables now"),
        figure("Runs", grouped(report.runs.good), &runs),
    ];
    if report.uploads != control::UploadCounts::default() {
        let failed = format!("confirmed, {} failed", grouped(report.uploads.failed));
        figures.push(figure("Uploads", grouped(report.uploads.confirmed), &failed));
    }
    figures
}

fn traffic(report: &Report) -> Vec<Chart> {
    type Number = fn(&DayReport) -> Option<u64>;
    let ways: [(&str, &str, Of, Number); 2] = [
        ("in", "Coming in", Of::Came, |day| day.r#in),
        ("out", "Going out", Of::Went, |day| day.out),
    ];
    let chart = |(id, title, of, number): (&str, &str, Of, Number)| {
        let days = report.days.iter();
        let days: Vec<Day<'_>> =
            days.map(|day| Day { date: &day.date, number: number(day) }).collect();
        let is_known = days.iter().any(|day| day.number.is_some());
        is_known.then(|| Chart::new(id, format!("{title}, packets a day"), of, &days))
    };
    ways.into_iter().filter_map(chart).collect()
}

fn day(day: &DayReport) -> DayRow<'_> {
    let is_known = day.r#in.or(day.out).or(day.suspects).is_some();
    let is_known = is_known || day.runs.is_some() || day.uploads.is_some();
    let runs = |runs: control::RunCounts| {
        vec![(runs.good, "good"), (runs.failed, "failed"), (runs.held, "held")]
    };
    let uploads = |uploads: control::UploadCounts| {
        vec![(uploads.confirmed, "confirmed"), (uploads.failed, "failed")]
    };
    let cells = || {
        [
            known(day.r#in),
            known(day.out),
            known(day.suspects),
            ended(day.runs.map(runs)),
            ended(day.uploads.map(uploads)),
        ]
    };
    DayRow { date: &day.date, cells: is_known.then(cells) }
}

/// How often what ended how: `24 good, 1 held`.
fn ended(counts: Option<Vec<(u64, &str)>>) -> String {
    let Some(counts) = counts else { return known(None) };
    let some = counts.into_iter().filter(|(count, _)| *count > 0);
    let some: Vec<String> = some.map(|(count, how)| format!("{} {how}", grouped(count))).collect();
    if some.is_empty() { "none".into() } else { some.join(", ") }
}

fn hosts(report: &Report) -> Bars {
    let rows = report.hosts.iter().map(|host| {
        let far = host.far.map(|far| format!(", with {far}")).unwrap_or_default();
        let last = format!("last on {}{far}", host.date);
        Row::new(host.address.to_string(), host.r#in, host.out).with(last)
    });
    Bars::new("Host", rows.collect()).missing(report.missed.hosts, "a host")
}

fn more_hosts(report: &Report) -> Option<[String; 2]> {
    let shown = report.hosts.len() as u64;
    (report.suspects > shown).then(|| [grouped(shown), grouped(report.suspects)])
}

/// The lists that were hit, the busiest first.
fn lists(report: &Report) -> Bars {
    let of = |list: &ListReport| {
        let (r#in, out) = (list.r#in.unwrap_or_default(), list.out.unwrap_or_default());
        Row::new(list.list.clone(), r#in, out)
    };
    let known = report.lists.iter().filter(|list| list.r#in.or(list.out).is_some()).map(of);
    let others = report.others.iter().map(|hit| Row::new(hit.list.clone(), hit.r#in, hit.out));
    let mut rows: Vec<Row> = known.chain(others).filter(Row::is_hit).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.both()));
    rows.truncate(control::REPORT_ROWS);
    Bars::new("List", rows).missing(report.missed.lists, "a list")
}

fn list(list: &ListReport) -> ListRow<'_> {
    let entries = list.entries.map_or_else(|| "no copy".into(), grouped);
    ListRow { list, entries, renewed: grouped(list.renewed) }
}

fn ports(report: &Report) -> Bars {
    let rows = report
        .ports
        .iter()
        .map(|hit| Row::new(format!("{}/{}", hit.port, hit.protocol), hit.r#in, hit.out));
    Bars::new("Port", rows.collect()).missing(report.missed.ports, "a port")
}

fn protocols(report: &Report) -> Bars {
    let rows = report.protocols.iter();
    let rows = rows.map(|hit| Row::new(hit.protocol.clone(), hit.r#in, hit.out));
    Bars::new("Protocol", rows.collect())
}

fn table<'a>((at, table): (usize, &'a TableReport), days: &'a [DayReport]) -> TableView<'a> {
    let of = |day: &'a DayReport| day.tables.iter().find(|known| known.table == table.table);
    let sizes: Vec<Day<'_>> = days
        .iter()
        .map(|day| Day { date: &day.date, number: of(day).map(|known| known.size.entries) })
        .collect();
    let title = format!("{}, prefixes", table.table);
    let chart = || Chart::new(&format!("table{at}"), title, Of::Size, &sizes);
    let chart = sizes.iter().any(|day| day.number.is_some()).then(chart);
    let row = |day: &'a DayReport| SizeRow {
        date: &day.date,
        cells: of(day).map(|known| {
            let [entries, v4, v6] = size(Some(known.size));
            [entries, v4, v6, grouped(known.added), grouped(known.deleted)]
        }),
    };
    let changed = match (table.before, table.size) {
        (Some(before), Some(now)) => change(before.entries, now.entries),
        (None, Some(now)) => change(0, now.entries),
        (_, None) => known(None),
    };
    let [entries, v4, v6] = size(table.size);
    TableView {
        table,
        kind: match table.kind {
            TableKind::Block => "blocked",
            TableKind::Allow => "let through",
        },
        cells: [entries, changed, v4, v6, grouped(table.added), grouped(table.deleted)],
        chart,
        days: days.iter().map(row).collect(),
    }
}

/// Prefixes, addresses of IPv4, networks of IPv6.
fn size(size: Option<TableSize>) -> [String; 3] {
    [
        known(size.map(|size| size.entries)),
        known(size.and_then(|size| size.v4)),
        known(size.and_then(|size| size.v6)),
    ]
}

#[cfg(test)]
mod tests;
