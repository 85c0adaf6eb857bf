//! The text of `status`: one topic a line, warnings first, then in the order of the JSON.

use core::fmt::Display;

use control::{
    Attempt, Attempted, LastUpdate, PfStatus, ServerStatus, Spool, Status, TableStatus, Update,
    Upload, UsedBy,
};

use crate::text::printable;
use crate::units::{count, duration, octets, when};

/// Column where the values begin.
const COLUMN: usize = 16;

/// Lines under construction, and the time as of which they are true.
struct Lines {
    text: String,
    now: u64,
}

/// The text, as of `now` in epoch seconds.
pub fn render(status: &Status, now: u64) -> String {
    let mut lines = Lines { text: String::new(), now };
    for warning in &status.pf.warnings {
        lines.put("warning", warning);
    }
    lines.put("version", format_args!("{}, up {}", status.version, duration(status.uptime)));
    lines.pf(&status.pf);
    lines.table("block", &status.tables.block);
    lines.table("allow", &status.tables.allow);
    lines.update(&status.update);
    lines.upload(&status.upload);
    for server in &status.servers {
        lines.server(server);
    }
    lines.spool(&status.spool);
    for held in &status.held {
        lines.put("held back", format_args!("{}, {}", held.table, when(held.since, now)));
        lines.more(Some(&held.text));
    }
    lines.text
}

impl Lines {
    fn put(&mut self, topic: &str, value: impl Display) {
        let topic = format!("{topic}:");
        self.push(format!("{topic:COLUMN$}{value}"));
    }

    /// Ends a line, which what others say must not do by itself.
    fn push(&mut self, line: String) {
        self.text += &printable(&line);
        self.text.push('\n');
    }

    /// A sentence that explains the line before. It stays whole, however long, so that a reader
    /// can search for it.
    fn more(&mut self, sentence: Option<&str>) {
        if let Some(sentence) = sentence {
            self.push(format!("{:COLUMN$}{sentence}", ""));
        }
    }

    fn when(&self, at: Option<u64>) -> String {
        at.map_or_else(|| "never".into(), |at| when(at, self.now))
    }

    /// When a run that is planned will be.
    fn due(&self, at: Option<u64>) -> String {
        match at {
            None => "none planned".into(),
            Some(at) if at <= self.now => "next now".into(),
            Some(at) => format!("next {}", when(at, self.now)),
        }
    }

    fn pf(&mut self, pf: &PfStatus) {
        let state = match pf.enabled {
            Some(true) => "enabled",
            Some(false) => "disabled",
            None => "unknown",
        };
        let limit = pf.limit.map_or_else(|| "unknown".into(), |limit| limit.to_string());
        let backend = if pf.backend == "pf" { "" } else { &format!(" ({})", pf.backend) };
        self.put("pf", format_args!("{state}{backend}, table-entries limit {limit}"));
        self.more(pf.error.as_deref());
    }

    fn table(&mut self, topic: &str, table: &TableStatus) {
        let state = match (table.present, table.entries) {
            (Some(false), _) => "not in pf".into(),
            (_, Some(entries)) => {
                format!(
                    "{}, changed {}",
                    count(entries, "entry", "entries"),
                    self.when(table.changed)
                )
            }
            (_, None) => "unknown".into(),
        };
        self.put(&format!("{topic} table"), format_args!("{}, {state}", table.name));
        self.put(&format!("{topic} rules"), table.used.map_or_else(|| "unknown".into(), used));
        let packets = |packets: Option<[u64; 2]>| match packets {
            Some([inward, outward]) => format!("{inward} in, {outward} out"),
            None => "unknown".into(),
        };
        let (blocked, passed) = (packets(table.blocked_packets), packets(table.passed_packets));
        self.put(&format!("{topic} packets"), format_args!("blocked {blocked}; passed {passed}"));
    }

    fn update(&mut self, update: &Update) {
        let failures = match update.failures {
            0 => String::new(),
            failures => format!(", {}", count(failures.into(), "failure", "failures")),
        };
        let (good, due) = (self.when(update.last_good), self.due(update.next));
        self.put("update", format_args!("{}{failures}, last good {good}, {due}", update.state));
        let Some(LastUpdate { started, seconds, result, why, server, ttl }) = &update.last else {
            return self.put("last update", "never");
        };
        let started = when(*started, self.now);
        let mut value = format!("{result}, {started}, took {seconds:.2}s");
        if let Some(server) = server {
            value += &format!(", from {server}");
        }
        if let Some(ttl) = ttl {
            value += &format!(", ttl {}", duration((*ttl).into()));
        }
        self.put("last update", value);
        self.more(why.as_deref());
    }

    fn upload(&mut self, upload: &Upload) {
        let (good, due) = (self.when(upload.last_good), self.due(upload.next));
        if upload.enabled {
            self.put("upload", format_args!("enabled, last good {good}, {due}"));
        } else {
            self.put("upload", format_args!("disabled, last good {good}"));
        }
        if upload.gaps + upload.damaged > 0 {
            let (gaps, damaged) = (count(upload.gaps, "gap", "gaps"), upload.damaged);
            self.put(
                "packet log",
                format_args!("{gaps}, {}", count(damaged, "damaged file", "damaged files")),
            );
        }
        let Some(Attempt { at, ok, text }) = &upload.last else {
            return self.put("last upload", "never");
        };
        let result = if *ok { "confirmed" } else { "failed" };
        self.put("last upload", format_args!("{result}, {}", when(*at, self.now)));
        self.more(Some(text.as_str()).filter(|_| !ok));
    }

    fn server(&mut self, ServerStatus { server, last, failures }: &ServerStatus) {
        let Some(Attempted { at, address, error }) = last else {
            return self.put("server", format_args!("{server}, not asked yet"));
        };
        let mut value = match error {
            None => format!("{server}, answered {}", when(*at, self.now)),
            Some(_) => format!("{server}, failed {}", when(*at, self.now)),
        };
        if let Some(address) = address.as_ref().filter(|address| *address != server) {
            value += &format!(" as {address}");
        }
        if *failures > 0 {
            value += &format!(", {} in a row", count((*failures).into(), "failure", "failures"));
        }
        self.put("server", value);
        self.more(error.as_deref());
    }

    fn spool(&mut self, spool: &Spool) {
        let slices = count(spool.slices, "slice", "slices");
        let (used, limit) = (octets(spool.octets), octets(spool.limit));
        self.put("spool", format_args!("{slices}, {used} of {limit}, {} dropped", spool.dropped));
    }
}

fn used(by: UsedBy) -> String {
    let rules = count(by.rules.into(), "rule", "rules");
    match by.anchors {
        0 => rules,
        anchors => format!("{rules}, {}", count(anchors.into(), "anchor", "anchors")),
    }
}

#[cfg(test)]
mod tests;
