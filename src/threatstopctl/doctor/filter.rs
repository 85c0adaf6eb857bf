//! pf: is it enabled, has it room, and which interfaces does it look at?

use control::units::count;

use super::case::Case;
use super::files::TableFile;
use super::flow::{Interfaces, is_loopback};
use super::host::{PFCTL, pfctl};
use super::kernel::{self, entries};
use super::references;
use super::report::Report;
use super::rules;
use crate::setup::limit;

const LOAD: &str = "pfctl -f /etc/pf.conf";

/// Whether there is a pf to look at.
pub fn is_there(case: &Case<'_>) -> bool {
    use std::io::ErrorKind::NotFound;
    !matches!(case.host.stat(PFCTL.as_ref()), Err(error) if error.kind() == NotFound)
}

/// Looks at the kernel's pf.
pub fn pf(case: &Case<'_>, files: &[TableFile<'_>], report: &mut Report) {
    enabled(case, report);
    room(case, files, report);
    match pfctl(case.host, &["-a", "*", "-sr"]) {
        Ok(text) => {
            let rules = rules::read(&text);
            let interfaces = interfaces(case, &rules, report);
            references::refer(case, &rules, &interfaces, files, report);
        }
        Err(why) => report.fail("rules", why),
    }
    for file in files {
        kernel::pf(case, file, report);
    }
}

fn enabled(case: &Case<'_>, report: &mut Report) {
    let text = match pfctl(case.host, &["-s", "info"]) {
        Ok(text) => text,
        Err(why) => return report.fail("pf", why),
    };
    let status = text.lines().find_map(|line| line.strip_prefix("Status: "));
    match status.and_then(|status| status.split_whitespace().next()) {
        Some("Enabled") => report.ok("pf", "pf is enabled"),
        Some("Disabled") => {
            let way_out = "pfctl -e, and rcctl enable pf for the next boot";
            report.fail("pf", format!("pf is disabled: nothing is blocked: {way_out}"));
        }
        _ => report.fail("pf", "pfctl -s info: no line with \"Status:\": is it OpenBSD's pfctl?"),
    }
}

/// Whether pf has room for the tables twice, as it needs when pf.conf is loaded.
fn room(case: &Case<'_>, files: &[TableFile<'_>], report: &mut Report) {
    let text = match pfctl(case.host, &["-s", "memory"]) {
        Ok(text) => text,
        Err(why) => return report.fail("limit", why),
    };
    let line = text.lines().find_map(|line| line.strip_prefix("table-entries"));
    let words: Vec<&str> = line.into_iter().flat_map(str::split_whitespace).collect();
    let most = match words.as_slice() {
        ["unlimited"] => None,
        ["hard", "limit", number] => match number.parse::<usize>() {
            Ok(number) => Some(number),
            Err(_) => return report.fail("limit", format!("pfctl -s memory: limit of {number}?")),
        },
        _ => {
            let text = "pfctl -s memory: no line of table-entries: is it OpenBSD's pfctl?";
            return report.fail("limit", text);
        }
    };
    let entries = entries(files);
    match most {
        Some(most) if entries.saturating_mul(2) > most => {
            let line = format!("set limit table-entries {}", limit(entries));
            let prefixes = count(entries as u64, "prefix", "prefixes");
            report.fail(
                "limit",
                format!(
                    "table-entries limit {most} is too small for {prefixes}, which {LOAD} holds \
                     twice: put \"{line}\" above the tables of /etc/pf.conf, then \
                     {LOAD}"
                ),
            );
        }
        Some(most) => {
            report.ok("limit", format!("table-entries limit {most} is enough for 2 x {entries}"));
        }
        None => report.ok("limit", "table-entries has no limit"),
    }
}

/// What is known of interfaces, as far as the rules ask for it; and says where pf does not look.
fn interfaces(case: &Case<'_>, rules: &rules::Ruleset, report: &mut Report) -> Interfaces {
    let mut interfaces = Interfaces::default();
    match pfctl(case.host, &["-v", "-s", "Interfaces"]) {
        Ok(text) => {
            // print_iface() in sbin/pfctl/pfctl_table.c
            let skipped = text.lines().filter_map(|line| line.trim_end().strip_suffix(" (skip)"));
            interfaces.skipped = skipped.map(str::to_owned).collect();
        }
        Err(why) => report.note("rules", format!("what pf skips is not known: {why}")),
    }
    let counts =
        |name: &&String| !is_loopback(name) && name.ends_with(|l: char| l.is_ascii_digit());
    let skipped: Vec<String> = interfaces.skipped.iter().filter(counts).cloned().collect();
    if skipped.is_empty() && interfaces.named(rules).is_empty() {
        return interfaces;
    }
    interfaces.egress = egress(case);
    for name in skipped {
        let text = format!("pf does not look at {name} (set skip on)");
        if interfaces.is_egress(&name) {
            let way_out = format!("take it out of set skip in /etc/pf.conf, then {LOAD}");
            report.fail("rules", format!("{text}: nothing is blocked there: {way_out}"));
        } else if !name.starts_with("pf") {
            report.note("rules", format!("{text}: what crosses it is not blocked there"));
        }
    }
    interfaces
}

/// The interfaces where the default routes go, as ifconfig(8) prints them; none when there is no
/// such route.
fn egress(case: &Case<'_>) -> Vec<String> {
    let Ok(output) = case.host.run("/sbin/ifconfig", &["egress"]) else { return Vec::new() };
    let name = |line: &str| line.split_once(": flags=").map(|(name, _)| name.to_owned());
    output.stdout.lines().filter_map(name).collect()
}
