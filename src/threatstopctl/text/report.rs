//! The report as text, for daily(8) and its mail: what nobody may overlook first, then what changed,
//! what was blocked day by day and by what, and what failed.

use core::cmp::Reverse;

use control::units::count;
use control::{DayReport, ListReport, Report, SuspectHost, TableReport};

use super::status::head;
use crate::advice::Advice;
use crate::columns::{Stand::*, columns};
use crate::narrow::{Heading, WIDE, fitted, short, widest};
use crate::printable::printable;

/// Lists that are shown, those that were hit most.
const LISTS: usize = 20;
/// Ports, protocols and hosts that are shown.
const ROWS: usize = 10;
/// Failures that are shown, the last ones.
const FAILURES: usize = 20;
/// What stands for what is not known.
const UNKNOWN: &str = "-";

/// The text, sentences in 80 columns and tables in so many, with `advice` for the commands that it names.
pub fn render(report: &Report, advice: &Advice, room: usize) -> String {
    let warnings: Vec<[String; 2]> = report
        .warnings
        .iter()
        .map(|warning| [advice.fit(&warning.text), advice.fit(&warning.way_out)])
        .collect();
    let warnings = warnings.iter().map(|[text, way_out]| (text.as_str(), way_out.as_str()));
    let mut page = Page { text: String::new(), room };
    for line in head(&report.verdict, warnings).lines() {
        page.sentence(line);
    }
    page.gap();
    page.sentence(&heading(report));
    page.sentence(&ended(report));
    page.section(&tables(&report.tables, room));
    page.section(&days(&report.days));
    page.lists(report, advice);
    let protocol = |hits: &control::ProtocolHits| (hits.protocol.clone(), [hits.r#in, hits.out]);
    page.section(&counts("protocol", report.protocols.iter().map(protocol), room));
    let port = |hits: &control::PortHits| {
        (format!("{}/{}", hits.port, hits.protocol), [hits.r#in, hits.out])
    };
    page.section(&counts("port", report.ports.iter().map(port), room));
    page.hosts(report);
    page.missed(report);
    page.failures(report, advice);
    page.text
}

/// Text under construction, and the room of a table.
struct Page {
    text: String,
    room: usize,
}

impl Page {
    fn gap(&mut self) {
        self.text.push('\n');
    }

    /// A table, or nothing where there is none.
    fn section(&mut self, table: &str) {
        if !table.is_empty() {
            self.gap();
            self.text += table;
        }
    }

    /// A sentence, in as many lines as it takes; all but the first are indented as far as the first is,
    /// and by two more.
    fn sentence(&mut self, sentence: &str) {
        let sentence = printable(sentence);
        let words = sentence.trim_start();
        let indent = (sentence.len() - words.len()).min(WIDE / 2);
        let mut line = " ".repeat(indent);
        let (mut long, mut is_begun) = (indent, false);
        let mut broken = |line: &mut String| {
            self.text += line;
            self.text.push('\n');
            *line = " ".repeat(indent + 2);
            indent + 2
        };
        for word in words.split_whitespace() {
            let width = word.chars().count();
            // one that fits into no line need not begin a new one
            let fits = indent + 2 + width <= WIDE;
            if is_begun && (long + 1 + width > WIDE && fits || long + 2 > WIDE) {
                (long, is_begun) = (broken(&mut line), false);
            }
            if is_begun {
                line.push(' ');
                long += 1;
            }
            // what is longer than a line is broken where that ends
            for character in word.chars() {
                if long == WIDE {
                    long = broken(&mut line);
                }
                line.push(character);
                long += 1;
            }
            is_begun = true;
        }
        if is_begun {
            broken(&mut line);
        }
    }

    /// The lists that were hit most, and what was counted for no list of now.
    fn lists(&mut self, report: &Report, advice: &Advice) {
        struct Row<'a> {
            name: &'a str,
            list: Option<&'a ListReport>,
            counts: [Option<u64>; 2],
        }
        let of_list = |list: &ListReport| [list.r#in, list.out];
        let lists = report.lists.iter().map(|list| Row {
            name: &list.list,
            list: Some(list),
            counts: of_list(list),
        });
        let others = report.others.iter().map(|other| Row {
            name: &other.list,
            list: None,
            counts: [Some(other.r#in), Some(other.out)],
        });
        let mut rows: Vec<Row<'_>> = lists.chain(others).collect();
        // of equal ones the order of the configuration stays
        rows.sort_by_key(|row| Reverse(sum(row.counts.iter().flatten().copied())));
        let more = rows.len().saturating_sub(LISTS);
        rows.truncate(LISTS);
        let names: Vec<String> = rows.iter().map(|row| row.name.to_owned()).collect();
        let headings: [Heading; 6] = [
            ("list", Left),
            ("entries", Right),
            ("in", Right),
            ("out", Right),
            ("renewed", Right),
            ("state", Left),
        ];
        let row = |(row, name): (&Row<'_>, &String)| {
            let of =
                |value: &dyn Fn(&ListReport) -> String| row.list.map(value).unwrap_or_default();
            vec![
                name.clone(),
                of(&|list| known(list.entries)),
                row.counts[0].map(number).unwrap_or_default(),
                row.counts[1].map(number).unwrap_or_default(),
                of(&|list| number(list.renewed)),
                of(&|list| list.state.word().to_owned()),
            ]
        };
        self.section(&fitted(self.room, [&names], |[names]| {
            columns(&headings, &rows.iter().zip(names).map(row).collect::<Vec<_>>())
        }));
        if more > 0 {
            let more = count(more as u64, "more list", "more lists");
            self.sentence(&advice.fit(&format!("{more}: threatstopctl show lists")));
        }
    }

    /// The hosts that have sent to what is blocked.
    fn hosts(&mut self, report: &Report) {
        if report.hosts.is_empty() {
            if report.r#in.is_some() {
                self.gap();
                self.sentence("No host on this side has sent to an address in a block table.");
            }
            return;
        }
        let headings: [Heading; 5] =
            [("suspect host", Left), ("out", Right), ("in", Right), ("last", Left), ("with", Left)];
        let row = |host: &SuspectHost| {
            vec![
                host.address.to_string(),
                number(host.out),
                number(host.r#in),
                host.date.clone(),
                host.far.map(|far| far.to_string()).unwrap_or_default(),
            ]
        };
        let rows: Vec<Vec<String>> = report.hosts.iter().take(ROWS).map(row).collect();
        let whole = columns(&headings, &rows);
        let is_narrow = widest(whole.lines()) <= self.room;
        self.section(&if is_narrow { whole } else { columns(&headings[..4], &rows) });
        let more = report.suspects.saturating_sub(rows.len() as u64);
        if more > 0 {
            self.sentence(&count(more, "more suspect host", "more suspect hosts"));
        }
    }

    /// How exact the numbers are.
    fn missed(&mut self, report: &Report) {
        let missed = &report.missed;
        let of = [(missed.lists, "a list"), (missed.ports, "a port"), (missed.hosts, "a host")];
        let some = of.iter().filter(|(most, _)| *most > 0);
        let some: Vec<String> = some.map(|(most, one)| format!("{most} of {one}")).collect();
        if !some.is_empty() {
            self.gap();
            self.sentence(&format!("Not counted: at most {}.", some.join(", ")));
        }
    }

    /// What failed, the last ones.
    fn failures(&mut self, report: &Report, advice: &Advice) {
        self.gap();
        if report.failures.is_empty() && report.lost == 0 {
            let counts = [report.runs.failed, report.runs.held, report.uploads.failed];
            return self.sentence(match counts {
                [0, 0, 0] => "Nothing failed or was held back.",
                _ => "What failed or was held back was so before these days, or passed at once.",
            });
        }
        let beyond = report.failures.len().saturating_sub(FAILURES);
        let left_out = sum([report.left_out, beyond as u64]);
        if report.lost > 0 {
            let events = count(report.lost, "event", "events");
            self.sentence(&format!("Not kept any more: {events} of before, see the log."));
        }
        if left_out > 0 {
            let failures = count(left_out, "failure", "failures");
            self.sentence(&format!("Left out: {failures} before these, see the log."));
        }
        for failure in report.failures.iter().skip(beyond) {
            let text = advice.fit(&failure.text);
            self.sentence(&format!("{} {}: {text}", failure.date, failure.event));
        }
    }
}

/// Of which days it is, and what was blocked on them.
fn heading(report: &Report) -> String {
    let [first, last] = [report.days.first(), report.days.last()]
        .map(|day| day.map(|day| day.date.as_str()).unwrap_or_default());
    let days = count(report.period.into(), "day", "days");
    let span = if first == last { first.to_owned() } else { format!("{first} to {last}") };
    match (report.r#in, report.out) {
        (Some(r#in), Some(out)) if report.monitoring => format!(
            "{days}, {span}: {in} packets in and {out} out would have been blocked; with \
             tables.monitor nothing is.",
            in = r#in,
        ),
        (Some(r#in), Some(out)) => {
            format!("{days}, {span}: {in} packets blocked in, {out} out.", in = r#in)
        }
        _ => {
            format!("{days}, {span}: packets were not counted, for the packet log is not followed.")
        }
    }
}

/// How runs and uploads ended.
fn ended(report: &Report) -> String {
    let (runs, uploads) = (&report.runs, &report.uploads);
    let mut text = match sum([runs.good, runs.failed, runs.held]) {
        0 => String::new(),
        _ => format!("Runs: {} good, {} failed, {} held back.", runs.good, runs.failed, runs.held),
    };
    if uploads.confirmed > 0 || uploads.failed > 0 {
        let gap = if text.is_empty() { "" } else { " " };
        text +=
            &format!("{gap}Uploads: {} confirmed, {} failed.", uploads.confirmed, uploads.failed);
    }
    text
}

/// What became of the tables.
fn tables(tables: &[TableReport], room: usize) -> String {
    let headings: [Heading; 8] = [
        ("table", Left),
        ("entries", Right),
        ("change", Right),
        ("added", Right),
        ("deleted", Right),
        ("addresses", Right),
        ("change", Right),
        ("v6 /32", Right),
    ];
    let row = |(table, name): (&TableReport, &String)| {
        let (now, before) = (table.size, table.before);
        // what had no set before has come as a whole
        let v4 = |size: Option<control::TableSize>| size.map_or(Some(0), |size| size.v4);
        let entries = |size: Option<control::TableSize>| size.map_or(0, |size| size.entries);
        vec![
            name.clone(),
            known(now.map(|size| size.entries)),
            change(entries(now), entries(before), number),
            number(table.added),
            number(table.deleted),
            now.and_then(|size| size.v4).map_or_else(|| UNKNOWN.to_owned(), addresses),
            match (v4(now), v4(before)) {
                (Some(now), Some(before)) => change(now, before, addresses),
                _ => UNKNOWN.to_owned(),
            },
            // most have none
            now.and_then(|size| size.v6).filter(|v6| *v6 > 0).map(number).unwrap_or_default(),
        ]
    };
    let names: Vec<String> = tables.iter().map(|table| table.name.clone()).collect();
    fitted(room, [&names], |[names]| {
        columns(&headings, &tables.iter().zip(names).map(row).collect::<Vec<_>>())
    })
}

/// Day by day.
fn days(days: &[DayReport]) -> String {
    let headings: [Heading; 9] = [
        ("day", Left),
        ("in", Right),
        ("out", Right),
        ("hosts", Right),
        ("added", Right),
        ("deleted", Right),
        ("runs", Right),
        ("failed", Right),
        ("held", Right),
    ];
    let row = |day: &DayReport| {
        let runs = |of: &dyn Fn(&control::RunCounts) -> u64| known(day.runs.as_ref().map(of));
        // where nothing ran, nothing is known
        let tables = |of: &dyn Fn(&control::DayTable) -> u64| {
            known(day.runs.map(|_| sum(day.tables.iter().map(of))))
        };
        vec![
            day.date.clone(),
            known(day.r#in),
            known(day.out),
            known(day.suspects),
            tables(&|table| table.added),
            tables(&|table| table.deleted),
            runs(&|runs| sum([runs.good, runs.failed, runs.held])),
            runs(&|runs| runs.failed),
            runs(&|runs| runs.held),
        ]
    };
    columns(&headings, &days.iter().map(row).collect::<Vec<_>>())
}

/// The busiest of a kind.
fn counts(
    key: &'static str,
    rows: impl Iterator<Item = (String, [u64; 2])>,
    room: usize,
) -> String {
    let headings: [Heading; 3] = [(key, Left), ("in", Right), ("out", Right)];
    let (names, counts): (Vec<String>, Vec<[u64; 2]>) = rows.take(ROWS).unzip();
    let row =
        |(name, [r#in, out]): (&String, &[u64; 2])| vec![name.clone(), number(*r#in), number(*out)];
    fitted(room, [&names], |[names]| {
        columns(&headings, &names.iter().zip(&counts).map(row).collect::<Vec<_>>())
    })
}

/// Numbers together, however large an answer makes them.
fn sum(numbers: impl IntoIterator<Item = u64>) -> u64 {
    numbers.into_iter().fold(0, u64::saturating_add)
}

/// A number in at most seven characters.
fn number(number: u64) -> String {
    if number < 10_000_000 { number.to_string() } else { short(number) }
}

/// A number of addresses in at most nine.
fn addresses(number: u64) -> String {
    if number < 1_000_000_000 { number.to_string() } else { short(number) }
}

fn known(number: Option<u64>) -> String {
    number.map_or_else(|| UNKNOWN.to_owned(), self::number)
}

/// What a number has become more or less by, as `text` has it; nothing where it is the same.
fn change(now: u64, before: u64, text: fn(u64) -> String) -> String {
    match (now.checked_sub(before), before.checked_sub(now)) {
        (Some(0), _) => String::new(),
        (Some(more), _) => format!("+{}", text(more)),
        (_, less) => format!("-{}", text(less.unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests;
