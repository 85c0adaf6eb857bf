//! `metrics`: counters as OpenMetrics text (OpenMetrics 1.0).
//!
//! Names beginning with `pf_` are in the manner of pf_exporter, which has them of the whole of pf
//! and not of tables.

use std::fmt::{Display, Write as _};

use control::TableStatus;

use super::report;
use crate::log::hits::{BUSIEST, Busiest, Count, protocol_word};
use crate::{Engine, clock};

/// Ports that are worth a time series each; `show hits` has the others.
const PORTS: usize = 100;

/// Units as they end a name.
const UNITS: [&str; 2] = ["_seconds", "_bytes"];

/// Text under construction.
#[derive(Default)]
struct Text(String);

impl Text {
    /// Begins a family.
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // writing to memory does not fail
        let _ = writeln!(self.0, "# TYPE {name} {kind}");
        if let Some(unit) = UNITS.iter().find(|unit| name.ends_with(*unit)) {
            let _ = writeln!(self.0, "# UNIT {name} {}", unit.trim_start_matches('_'));
        }
        let _ = writeln!(self.0, "# HELP {name} {help}");
    }

    /// One sample, its labels already in form.
    fn sample(&mut self, name: &str, labels: &str, value: impl Display) {
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    /// A family of one sample without labels; none when its value is not known.
    fn gauge(&mut self, name: &str, help: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.family(name, "gauge", help);
            self.sample(name, "", value);
        }
    }

    fn counter(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, "counter", help);
        self.sample(&format!("{name}_total"), "", value);
    }

    /// Both directions of some counts.
    fn directions(&mut self, name: &str, label: impl Fn(&str) -> String, count: &Count) {
        for (direction, value) in [("in", count.r#in), ("out", count.out)] {
            self.sample(&format!("{name}_total"), &label(direction), value);
        }
    }
}

/// The text of this moment.
pub async fn text(engine: &Engine) -> String {
    let status = report::status(engine).await;
    let mut text = Text::default();
    // No "info": node_exporter refuses a file with a type that Prometheus' own format has not.
    text.family("threatstop_build_info", "gauge", "Version of threatstopd.");
    text.sample("threatstop_build_info", &labels(&[("version", &status.version)]), 1);
    text.gauge("threatstop_uptime_seconds", "Time since the start.", Some(status.uptime));
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
    text.gauge("threatstop_held", "Tables that are held back.", Some(status.held.len()));
    text.family("threatstop_server_failures", "gauge", "Failures in a row on a policy server.");
    for server in &status.servers {
        let labels = labels(&[("server", &server.server)]);
        text.sample("threatstop_server_failures", &labels, server.failures);
    }
    log(&mut text, engine);
    hits(&mut text, engine);
    text.gauge("threatstop_scrape_timestamp_seconds", "When this was written.", Some(clock::now()));
    text.0.push_str("# EOF\n");
    text.0
}

fn tables(text: &mut Text, tables: &[TableStatus]) {
    text.family("pf_table_entries", "gauge", "Prefixes in a table of pf.");
    for table in tables {
        if let Some(entries) = table.entries {
            text.sample("pf_table_entries", &labels(&[("table", &table.name)]), entries);
        }
    }
    type Packets = fn(&TableStatus) -> Option<[u64; 2]>;
    let kinds: [(&str, Packets); 2] =
        [("blocked", |table| table.blocked_packets), ("passed", |table| table.passed_packets)];
    for (kind, packets) in kinds {
        for (index, direction) in ["in", "out"].into_iter().enumerate() {
            let name = format!("pf_table_packets_{direction}_{kind}");
            let help = format!("Packets that rules {kind} {direction} because of a table.");
            text.family(&name, "counter", &help);
            for table in tables {
                if let Some(count) = packets(table).and_then(|both| both.get(index).copied()) {
                    let labels = labels(&[("table", &table.name)]);
                    text.sample(&format!("{name}_total"), &labels, count);
                }
            }
        }
    }
}

fn log(text: &mut Text, engine: &Engine) {
    let log = engine.log.figures();
    text.counter("threatstop_upload_slices", "Slices that the log server confirmed.", log.uploaded);
    text.counter("threatstop_upload_failures", "Attempts to upload that failed.", log.failed);
    text.gauge(
        "threatstop_upload_last_good_timestamp_seconds",
        "Last upload that the log server confirmed.",
        log.last_good,
    );
    text.gauge("threatstop_spool_slices", "Slices that wait.", Some(log.spool.slices));
    text.gauge("threatstop_spool_bytes", "Their size.", Some(log.spool.octets));
    text.gauge("threatstop_spool_limit_bytes", "What the spool may hold.", Some(log.spool.limit));
    text.counter("threatstop_spool_dropped", "Slices that were lost.", log.spool.dropped);
    text.counter(
        "threatstop_log_gaps",
        "Times that packet logs went before they were read.",
        log.gaps,
    );
    text.counter("threatstop_log_damaged", "Damaged files of the packet log.", log.damaged);
}

fn hits(text: &mut Text, engine: &Engine) {
    let hits = engine.log.hits();
    let name = "threatstop_hits";
    text.family(name, "counter", "Logged packets that hit the block table.");
    text.directions(name, |direction| labels(&[("direction", direction)]), &hits.total);
    by(text, "list", "Hits by list.", &hits.lists, BUSIEST, String::clone);
    by(text, "protocol", "Hits by protocol.", &hits.protocols, BUSIEST, |number| {
        protocol_word(*number)
    });
    by(text, "port", "Hits on the busiest ports.", &hits.ports, PORTS, |(number, port)| {
        format!("{port}/{}", protocol_word(*number))
    });
}

/// A family of hits with one more label.
fn by<K: Eq + std::hash::Hash + Ord + Clone>(
    text: &mut Text,
    label: &str,
    help: &str,
    counts: &Busiest<K>,
    most: usize,
    word: impl Fn(&K) -> String,
) {
    let name = format!("threatstop_{label}_hits");
    text.family(&name, "counter", help);
    for (key, count) in counts.sorted().iter().take(most) {
        let key = word(key);
        let both = |direction: &str| labels(&[(label, &key), ("direction", direction)]);
        text.directions(&name, both, count);
    }
}

/// `{name="value",…}`, the values escaped.
fn labels(pairs: &[(&str, &str)]) -> String {
    let pair = |(name, value): &(&str, &str)| {
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        format!("{name}=\"{value}\"")
    };
    format!("{{{}}}", pairs.iter().map(pair).collect::<Vec<_>>().join(","))
}
