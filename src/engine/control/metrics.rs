//! `metrics`: figures as text that is right by OpenMetrics 1.0 and by the text format of Prometheus
//! (0.0.4), which node_exporter's text file collector reads.
//!
//! Every family is a gauge, those that only grow too. A counter `x` is `# TYPE x counter` above
//! `x_total` in the one format and `# TYPE x_total counter` in the other; each reader takes the
//! other's for a sample without a type, or refuses it, and no text has both: in OpenMetrics the names
//! clash. Other types than gauge that both have would say what is not so: a summary without a sum
//! gets the sum 0 from node_exporter.
//!
//! Names beginning with `pf_` are in the manner of pf_exporter, which has them of the whole of pf
//! and not of tables.

use std::fmt::{Display, Write as _};

use control::{SourceState, SourceStatus, Status, TableStatus};

use crate::clock;
use crate::hits::busiest::{Busiest, Count};
use crate::hits::{Hits, protocol_word};
use crate::log::Figures;

/// Ports and protocols that are worth time series of their own: strangers choose them. `show hits`
/// has the others.
const MOST: usize = 20;
/// The word of all others together.
const OTHERS: &str = "other";

/// Units as they end a name.
const UNITS: [&str; 2] = ["_seconds", "_bytes"];

/// Text under construction.
#[derive(Default)]
struct Text(String);

impl Text {
    /// Begins a family. What is said of it has no quotes and no backslash, which the formats escape
    /// differently.
    fn family(&mut self, name: &str, help: &str) {
        // writing to memory does not fail
        let _ = writeln!(self.0, "# TYPE {name} gauge");
        if let Some(unit) = UNITS.iter().find(|unit| name.ends_with(*unit)) {
            let _ = writeln!(self.0, "# UNIT {name} {}", unit.trim_start_matches('_'));
        }
        let _ = writeln!(self.0, "# HELP {name} {help}");
    }

    /// One sample.
    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let _ = writeln!(self.0, "{name}{} {value}", braces(labels));
    }

    /// A family of one sample without labels; none when its value is not known.
    fn gauge(&mut self, name: &str, help: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.family(name, help);
            self.sample(name, &[], value);
        }
    }

    /// Both directions of some counts, with another label before them if there is one.
    fn directions(&mut self, name: &str, label: Option<(&str, &str)>, count: &Count) {
        for (direction, value) in [("in", count.r#in), ("out", count.out)] {
            let labels: Vec<_> = label.into_iter().chain([("direction", direction)]).collect();
            self.sample(name, &labels, value);
        }
    }
}

/// The text of these figures.
pub fn text(status: &Status, figures: &Figures, counted: &Hits) -> String {
    let mut text = Text::default();
    text.family("threatstop_build_info", "Version of threatstopd.");
    text.sample("threatstop_build_info", &[("version", &status.version)], 1);
    text.gauge("threatstop_uptime_seconds", "How long the service runs.", Some(status.uptime));
    text.gauge(
        "threatstop_engine_uptime_seconds",
        "How long the engine runs, which may have started later.",
        Some(status.engine.uptime),
    );
    text.gauge(
        "threatstop_restarts",
        "Times that helper or engine were started anew since the service started.",
        status.engine.restarts,
    );
    text.gauge("pf_enabled", "Whether pf is enabled.", status.pf.enabled.map(u8::from));
    text.gauge("pf_table_entries_limit", "Limit table-entries of pf.", status.pf.limit);
    tables(&mut text, &status.tables);
    text.gauge(
        "threatstop_warnings",
        "Sentences in threatstopctl status that nobody may overlook.",
        Some(status.pf.warnings.len()),
    );
    text.gauge(
        "threatstop_update_last_good_timestamp_seconds",
        "Last update that published or found nothing to change.",
        status.update.last_good,
    );
    text.gauge(
        "threatstop_update_failures",
        "Updates that failed since the last good one.",
        Some(status.update.failures),
    );
    text.gauge(
        "threatstop_held",
        "Tables and lists that are held back, and a rollback.",
        Some(status.held.len()),
    );
    sources(&mut text, &status.sources);
    text.family("threatstop_server_failures", "Failures in a row on a policy server.");
    for server in &status.servers {
        let labels = [("server", server.server.as_str())];
        text.sample("threatstop_server_failures", &labels, server.failures);
    }
    log(&mut text, figures);
    hits(&mut text, counted);
    text.gauge(
        "threatstop_suspect_hosts",
        "Hosts that sent to blocked addresses in the last day.",
        Some(status.suspects.hosts),
    );
    text.gauge("threatstop_scrape_timestamp_seconds", "When this was written.", Some(clock::now()));
    text.0.push_str("# EOF\n");
    text.0
}

fn tables(text: &mut Text, tables: &[TableStatus]) {
    text.family("pf_table_entries", "Prefixes in a table of pf.");
    for table in tables {
        if let Some(entries) = table.entries {
            text.sample("pf_table_entries", &[("table", &table.name)], entries);
        }
    }
    type Packets = fn(&TableStatus) -> Option<[u64; 2]>;
    let kinds: [(&str, Packets); 2] =
        [("blocked", |table| table.blocked_packets), ("passed", |table| table.passed_packets)];
    for (kind, packets) in kinds {
        for (index, direction) in ["in", "out"].into_iter().enumerate() {
            let name = format!("pf_table_packets_{direction}_{kind}");
            let help = format!("Packets that rules {kind} {direction} because of a table.");
            text.family(&name, &help);
            for table in tables {
                if let Some(count) = packets(table).and_then(|both| both.get(index).copied()) {
                    text.sample(&name, &[("table", &table.name)], count);
                }
            }
        }
    }
}

fn sources(text: &mut Text, sources: &[SourceStatus]) {
    text.family("threatstop_source_good", "Whether a source and all of its lists are good.");
    for source in sources {
        let good = u8::from(source.state == SourceState::Good);
        text.sample("threatstop_source_good", &[("source", &source.name)], good);
    }
    let name = "threatstop_source_last_good_timestamp_seconds";
    text.family(name, "When a source last brought its lists, or said that they are the same.");
    for source in sources {
        if let Some(at) = source.last_good {
            text.sample(name, &[("source", &source.name)], at);
        }
    }
    text.family(
        "threatstop_list_good",
        "Whether a list is good: not held, refused, failing or stale.",
    );
    for list in sources.iter().flat_map(|source| &source.lists) {
        let good = u8::from(list.state == SourceState::Good);
        text.sample("threatstop_list_good", &[("list", &list.name)], good);
    }
    text.family("threatstop_list_entries", "Entries of a list, as it is in force.");
    for list in sources.iter().flat_map(|source| &source.lists) {
        if let Some(entries) = list.entries {
            text.sample("threatstop_list_entries", &[("list", &list.name)], entries);
        }
    }
}

fn log(text: &mut Text, log: &Figures) {
    let mut gauge = |name: &str, help: &str, value: u64| text.gauge(name, help, Some(value));
    gauge("threatstop_upload_slices", "Slices that the log server confirmed.", log.uploaded);
    gauge("threatstop_upload_failures", "Attempts to upload that failed.", log.failed);
    if let Some(at) = log.last_good {
        let name = "threatstop_upload_last_good_timestamp_seconds";
        gauge(name, "Last upload that the log server confirmed.", at);
    }
    gauge("threatstop_spool_slices", "Slices that wait.", log.spool.slices);
    gauge("threatstop_spool_bytes", "Their size.", log.spool.octets);
    gauge("threatstop_spool_limit_bytes", "What the spool may hold.", log.spool.limit);
    gauge("threatstop_spool_dropped_slices", "Slices that were lost.", log.spool.dropped);
    gauge("threatstop_log_gaps", "Times that packet logs went before they were read.", log.gaps);
    gauge("threatstop_log_damaged_files", "Damaged files of the packet log.", log.damaged);
}

fn hits(text: &mut Text, hits: &Hits) {
    let name = "threatstop_hits";
    text.family(name, "Logged packets that hit a block table.");
    text.directions(name, None, &hits.total);
    // as many as the administrator has named
    by(text, "list", "Hits by list.", &hits.lists, usize::MAX, String::clone);
    by(text, "protocol", "Hits by protocol.", &hits.protocols, MOST, |number| {
        protocol_word(*number)
    });
    by(text, "port", "Hits by port.", &hits.ports, MOST, |(number, port)| {
        format!("{port}/{}", protocol_word(*number))
    });
}

/// A family of hits with one more label: the busiest, and all others together.
fn by<K: Eq + std::hash::Hash + Ord + Clone>(
    text: &mut Text,
    label: &str,
    help: &str,
    counts: &Busiest<K>,
    most: usize,
    word: impl Fn(&K) -> String,
) {
    let name = format!("threatstop_{label}_hits");
    text.family(&name, help);
    let (busiest, others) = counts.split(most);
    for (key, count, ()) in busiest {
        text.directions(&name, Some((label, &word(&key))), &count);
    }
    if others.total() > 0 {
        text.directions(&name, Some((label, OTHERS)), &others);
    }
}

/// `{name="value",…}`, the values escaped as both formats have it; nothing without labels.
fn braces(labels: &[(&str, &str)]) -> String {
    if labels.is_empty() {
        return String::new();
    }
    let pair = |(name, value): &(&str, &str)| {
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        format!("{name}=\"{value}\"")
    };
    format!("{{{}}}", labels.iter().map(pair).collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests;
