//! The text of `status`: the verdict, what is wrong with the way out, then the figures in columns.

use core::iter::repeat;

use control::units::{ago, count, due, duration, octets};
use control::{
    Attempted, Direction, Held, LastUpdate, Mended, ServerStatus, SourceState, SourceStatus,
    Status, Suspects, TableKind, TableStatus, WARNING,
};

use crate::columns::{Stand::*, columns};
use crate::narrow::{Heading, fit, with};
use crate::printable::printable;

/// What becomes of a spool that nothing is sent from.
const OFF: &str = "log.enabled is false: what waits is dropped when it is older than log.spool_age, and sent when the \
     log is on again";
/// Rows of tables, servers, sources or what is held back; what is beyond is told in one line.
const ROWS: usize = 4;
/// The column of a reason.
const WHY: Heading = ("why", Left);

/// The text, as of `now` in epoch seconds, with tables of so many columns.
pub fn render(status: &Status, now: u64, room: usize) -> String {
    let ways_out = status.pf.ways_out.iter().map(String::as_str).chain(repeat(""));
    let warnings = status.pf.warnings.iter().map(String::as_str).zip(ways_out);
    let mut page = Page { text: head(&status.verdict(now), warnings), now, room };
    page.process(status);
    page.tables(status);
    page.suspects(status);
    page.runs(status);
    page.servers(&status.servers);
    page.sources(&status.sources);
    page.spool(status);
    page.held(&status.held);
    page.text
}

/// The verdict or, where there are warnings, all of them, each with its way out below it; printable.
pub fn head<'a>(verdict: &str, warnings: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let indent = WARNING.len();
    let mut text = String::new();
    for (warning, way_out) in warnings {
        text += &format!("{WARNING}{}\n", printable(warning));
        if !way_out.is_empty() {
            text += &format!("{:indent$}{}\n", "", printable(way_out));
        }
    }
    if text.is_empty() { format!("{}\n", printable(verdict)) } else { text }
}

/// Text under construction, the time as of which it is true, and the room of a table.
struct Page {
    text: String,
    now: u64,
    room: usize,
}

impl Page {
    /// Adds a table. What stands first are names; why something is so stands last and may be longer than a
    /// line.
    fn columns(&mut self, headings: &[Heading], rows: Vec<Vec<String>>) {
        let names: Vec<String> = rows.iter().filter_map(|row| row.first().cloned()).collect();
        let lines = headings.strip_suffix(&[WHY]).unwrap_or(headings);
        let [names] = fit(self.room, [&names], |[names]| columns(lines, &with(&rows, 0, names)));
        let table = columns(headings, &with(&rows, 0, &names));
        if !table.is_empty() {
            self.text.push('\n');
            self.text += &table;
        }
    }

    /// Adds a line below a table.
    fn line(&mut self, line: &str) {
        self.text += &printable(line);
        self.text.push('\n');
    }

    /// A sentence, unless it stands above already: what is wrong is mostly wrong in several places.
    fn new_sentence(&self, sentence: &str) -> String {
        let known = self.text.contains(&printable(sentence));
        if known { String::new() } else { sentence.to_owned() }
    }

    fn ago(&self, at: Option<u64>) -> String {
        at.map_or_else(|| "never".into(), |at| ago(at, self.now))
    }

    fn due(&self, at: Option<u64>) -> String {
        at.map_or_else(|| "none planned".into(), |at| due(at, self.now))
    }

    fn process(&mut self, status: &Status) {
        let pf = &status.pf;
        let state = match (pf.reload, pf.enabled) {
            (false, _) => "left alone",
            (_, Some(true)) => "enabled",
            (_, Some(false)) => "disabled",
            (_, None) => "unknown",
        };
        let backend = if pf.backend == "pf" { "" } else { &format!(" ({})", pf.backend) };
        self.columns(
            &[
                ("version", Left),
                ("service up", Left),
                ("engine up", Left),
                ("restarts", Right),
                ("pf", Left),
                ("table-entries limit", Right),
            ],
            vec![vec![
                status.version.clone(),
                duration(status.uptime),
                duration(status.engine.uptime),
                status.engine.restarts.map(|restarts| restarts.to_string()).unwrap_or_default(),
                format!("{state}{backend}"),
                pf.limit.map_or_else(|| "unknown".into(), |limit| limit.to_string()),
            ]],
        );
        if let Some(error) = &pf.error {
            let error = self.new_sentence(error);
            self.line(&error);
        }
    }

    fn tables(&mut self, status: &Status) {
        let both = status.tables.iter().all(|table| table.direction == Direction::Both);
        let row = |table: &TableStatus| {
            let entries = match (table.present, table.entries) {
                (Some(false), _) if status.pf.reload => "not in pf".into(),
                (_, Some(entries)) => entries.to_string(),
                (_, None) => "unknown".into(),
            };
            // what such a table is for
            let packets = match table.kind {
                TableKind::Block => table.blocked_packets,
                TableKind::Allow => table.passed_packets,
            };
            let direction = match table.direction {
                _ if both => "",
                Direction::In => "in",
                Direction::Out => "out",
                Direction::Both => "both",
            };
            vec![
                table.name.clone(),
                direction.into(),
                entries,
                self.ago(table.changed),
                packets.map_or_else(
                    || "unknown".into(),
                    |[r#in, out]| format!("{in}/{out}", in = r#in),
                ),
                used(table),
            ]
        };
        let rows = status.tables.iter().take(ROWS).map(row).collect();
        self.columns(
            &[
                ("table", Left),
                ("direction", Left),
                ("entries", Right),
                ("changed", Left),
                ("packets in/out", Right),
                ("used by", Left),
            ],
            rows,
        );
        if let Some(more) = status.tables.get(ROWS..).filter(|more| !more.is_empty()) {
            let entries: u64 = more.iter().filter_map(|table| table.entries).sum();
            let tables = count(more.len() as u64, "more table", "more tables");
            self.line(&format!("{tables} with {}", count(entries, "entry", "entries")));
        }
        for Mended { at, text } in &status.pf.mended {
            self.line(&format!("mended {}: {text}", ago(*at, self.now)));
        }
    }

    fn suspects(&mut self, status: &Status) {
        if let Suspects { hosts: hosts @ 1.., last: Some(last) } = status.suspects {
            self.line(&format!("suspect hosts: {hosts} in the last day, such as {last}"));
        }
    }

    fn runs(&mut self, status: &Status) {
        let (update, upload) = (&status.update, &status.upload);
        // what is held back has not failed, though it was not published either
        let failed = |last: &LastUpdate| last.result == "failed";
        let failures = match update.failures {
            2.. if update.last.as_ref().is_some_and(failed) => {
                format!(", {} in a row", update.failures)
            }
            _ => String::new(),
        };
        let state = match update.state.as_str() {
            // the row has to be short; the warning has the whole word
            "waiting for provisioning" => "waiting",
            state => state,
        };
        let (last, result) = match &update.last {
            Some(LastUpdate { started, seconds, result, .. }) => {
                (Some(*started), format!("{result} in {seconds:.2}s{failures}"))
            }
            None => (None, String::new()),
        };
        let rows = vec![
            vec![
                "update".into(),
                state.into(),
                self.ago(last),
                result,
                self.ago(update.last_good),
                self.due(update.next),
            ],
            vec![
                "upload".into(),
                if upload.enabled { "on".into() } else { "off".into() },
                self.ago(upload.last.as_ref().map(|last| last.at)),
                upload
                    .last
                    .as_ref()
                    .map_or("", |last| if last.ok { "confirmed" } else { "failed" })
                    .into(),
                self.ago(upload.last_good),
                if upload.enabled { self.due(upload.next) } else { String::new() },
            ],
        ];
        self.columns(
            &[
                ("run", Left),
                ("state", Left),
                ("last", Left),
                ("result", Left),
                ("last good", Left),
                ("next", Left),
            ],
            rows,
        );
        if let Some(why) = &upload.off {
            self.line(&format!("upload: {why}"));
        }
        // what is held back has a place of its own
        let held = update.last.as_ref().is_some_and(|last| last.result == "held back");
        let update = update.last.as_ref().and_then(|last| last.why.as_deref()).filter(|_| !held);
        let upload = upload.last.as_ref().filter(|last| !last.ok).map(|last| last.text.as_str());
        for (run, why) in [("update", update), ("upload", upload)] {
            let why = self.new_sentence(why.unwrap_or_default());
            if !why.is_empty() {
                self.line(&format!("{run}: {why}"));
            }
        }
    }

    fn servers(&mut self, servers: &[ServerStatus]) {
        // those that fail first, else in the order of the configuration
        let fails =
            |server: &&ServerStatus| server.last.as_ref().is_some_and(|last| last.error.is_some());
        let (failing, others): (Vec<_>, Vec<_>) = servers.iter().partition(fails);
        let row = |server: &&ServerStatus| {
            let ServerStatus { server, last, failures } = server;
            let Some(Attempted { at, address, error }) = last else {
                return vec![server.clone(), "not asked yet".into()];
            };
            let state = if error.is_none() { "ready" } else { "failing" };
            let address = address.clone().filter(|address| address != server).unwrap_or_default();
            let failures = if *failures > 0 { failures.to_string() } else { String::new() };
            let error = self.new_sentence(error.as_deref().unwrap_or_default());
            vec![server.clone(), state.into(), ago(*at, self.now), address, failures, error]
        };
        let rows = failing.iter().chain(&others).take(ROWS).map(row).collect();
        self.columns(
            &[
                ("server", Left),
                ("state", Left),
                ("asked", Left),
                ("at", Left),
                ("failures", Right),
                WHY,
            ],
            rows,
        );
        let more = servers.len().saturating_sub(ROWS);
        if more > 0 {
            let failing = match failing.len().saturating_sub(ROWS) {
                0 => "none of them failing".to_owned(),
                failing => format!("{failing} of them failing"),
            };
            self.line(&format!("{}, {failing}", count(more as u64, "more server", "more servers")));
        }
    }

    /// The sources that are not as they should be; the others are told of by what is in force.
    fn sources(&mut self, sources: &[SourceStatus]) {
        let is_bad = |source: &&SourceStatus| source.state != SourceState::Good;
        let (bad, good): (Vec<_>, Vec<_>) = sources.iter().partition(is_bad);
        let row = |source: &&SourceStatus| {
            let alike = source.lists.iter().filter(|list| list.state == source.state).count();
            let lists = match source.lists.len() {
                // the source itself
                0 | 1 => String::new(),
                all => format!("{alike} of {all}"),
            };
            let state = if source.last.is_none() { "not asked yet" } else { source.state.word() };
            let why = self.new_sentence(source.error.as_deref().unwrap_or_default());
            let (last, good) = (self.ago(source.last), self.ago(source.last_good));
            vec![source.name.clone(), state.into(), last, good, lists, why]
        };
        let rows = bad.iter().take(ROWS).map(row).collect();
        self.columns(
            &[
                ("source", Left),
                ("state", Left),
                ("asked", Left),
                ("last good", Left),
                ("lists", Left),
                WHY,
            ],
            rows,
        );
        let more = bad.len().saturating_sub(ROWS);
        if more > 0 {
            let more = count(more as u64, "more source", "more sources");
            let good = count(good.len() as u64, "is good", "are good");
            self.line(&format!("{more} like these, {good}: threatstopctl show lists"));
        }
    }

    fn spool(&mut self, status: &Status) {
        let (spool, upload) = (&status.spool, &status.upload);
        if !upload.enabled && spool.slices == 0 {
            return;
        }
        let some = |number: u64| if number > 0 { number.to_string() } else { String::new() };
        self.columns(
            &[
                ("spool", Left),
                ("used", Left),
                ("dropped", Right),
                ("gaps in the log", Right),
                ("damaged files", Right),
            ],
            vec![vec![
                count(spool.slices, "slice", "slices"),
                format!("{} of {}", octets(spool.octets), octets(spool.limit)),
                spool.dropped.to_string(),
                some(upload.gaps),
                some(upload.damaged),
            ]],
        );
        if !upload.enabled {
            self.line(OFF);
        }
    }

    fn held(&mut self, held: &[Held]) {
        let row = |held: &Held| {
            vec![held.name(), ago(held.since, self.now), self.new_sentence(&held.text)]
        };
        let rows = held.iter().take(ROWS).map(row).collect();
        self.columns(&[("held back", Left), ("since", Left), WHY], rows);
        let more = held.len().saturating_sub(ROWS);
        if more > 0 {
            let more = count(more as u64, "more is", "more are");
            self.line(&format!("{more} held back: threatstopctl show lists"));
        }
    }
}

/// What refers to a table.
fn used(table: &TableStatus) -> String {
    let Some(by) = table.used else { return "unknown".into() };
    let rules = count(by.rules.into(), "rule", "rules");
    match by.anchors {
        0 => rules,
        anchors => format!("{rules}, {}", count(anchors.into(), "anchor", "anchors")),
    }
}

#[cfg(test)]
mod tests;
