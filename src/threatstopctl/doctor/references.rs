//! Do rules refer to the tables, and log; and in which order?

use std::collections::BTreeSet;

use config::{Config, Scope};
use prefix::Prefix;

use super::case::Case;
use super::effect;
use super::files::TableFile;
use super::flow::{Interfaces, Takes, Watch};
use super::host::pfctl;
use super::kernel::SETUP;
use super::monitor;
use super::nat;
use super::report::Report;
use super::rules::{self, Action, Direction, End, Item, Rule, Ruleset, Unread};

const LOAD: &str = "pfctl -f /etc/pf.conf";

/// Whether rules refer to the tables, log, stand in the right order, and get what is for them.
pub fn refer(
    case: &Case<'_>,
    rules: &Ruleset,
    interfaces: &Interfaces,
    files: &[TableFile<'_>],
    report: &mut Report,
) {
    let before = report.findings.len();
    unread(rules, report);
    let monitors = case.config.tables.monitor;
    let own = [case.host.networks(), case.config.guard.never_block.clone()].concat();
    let watches: Vec<Watch<'_>> =
        files.iter().filter(|file| !file.allows()).map(|file| watch(case, file, &own)).collect();
    let monitored;
    let rules = if monitors {
        monitored = monitor::as_blocks(rules, &watches, report);
        &monitored
    } else {
        rules
    };
    let mut all = Vec::new();
    flatten(&rules.items, &mut all);
    of_anchors(case, &all, files, report);
    let named = interfaces.named(rules);
    for file in files {
        let watch = watch(case, file, &own);
        let used = used(case, rules, &watch, &all, file, report);
        if file.allows() {
            continue;
        }
        let directions = match file.table.direction {
            config::Direction::In => &[Direction::In][..],
            config::Direction::Out => &[Direction::Out],
            config::Direction::Both => &[Direction::In, Direction::Out],
        };
        order(&watch, directions, &all, (interfaces, &named), report);
        if used {
            effect::judge(rules, &watch, interfaces, directions, report);
            nat::hosts(&all, &watch, interfaces, report);
            if directions.contains(&Direction::Out) {
                nat::families(&all, &watch, report);
            }
        }
    }
    if report.findings.len() == before {
        report.ok("rules", "rules refer to the tables, and log");
    }
    if monitors {
        report.note("rules", "tables.monitor is true: nothing is blocked");
    }
}

fn watch<'a>(case: &'a Case<'_>, file: &'a TableFile<'_>, own: &'a [Prefix]) -> Watch<'a> {
    let Config { tables, guard, .. } = case.config;
    Watch {
        table: file.name(),
        allow: tables.allow.as_str(),
        anchor: case.anchor(),
        private: guard.block_private,
        own,
        monitor: tables.monitor,
    }
}

/// Says what is not understood, for nobody has looked at it.
fn unread(rules: &Ruleset, report: &mut Report) {
    for Unread { line, what, rule } in &rules.unread {
        let text = format!("pfctl -a '*' -sr: line {line} is not understood: look yourself");
        match rule {
            None => report.fail("rules", format!("{text}: {what}")),
            Some(rule) => report.note("rules", format!("{text}: \"{what}\" in {rule}")),
        }
    }
}

/// All rules, and what packets must be to get into anchors, in their order.
fn flatten<'r>(items: &'r [Item], found: &mut Vec<&'r Rule>) {
    for item in items {
        found.push(item.rule());
        flatten(item.items(), found);
    }
}

/// Whether rules are for a table, and log what they decide.
fn used(
    case: &Case<'_>,
    rules: &Ruleset,
    watch: &Watch<'_>,
    all: &[&Rule],
    file: &TableFile<'_>,
    report: &mut Report,
) -> bool {
    let table = file.name();
    let names = |rule: &Rule| rule.ends.iter().any(|end| end.table() == Some(table));
    let refers = |rule: &Rule| rule.ends.iter().any(|end| watch.refers(rule, end, table));
    let ours: Vec<&Rule> = all.iter().copied().filter(|rule| refers(rule)).collect();
    let Some(first) = ours.first() else {
        unused(case, rules, file, all.iter().any(|rule| names(rule)), report);
        return false;
    };
    let (action, everything) = match file.allows() {
        true => (Action::Pass, case.config.log.scope == Scope::All),
        false => (Action::Block, true),
    };
    let decides = |rule: &&Rule| {
        let plain = |end| watch.refers(rule, end, table) && !end.not;
        rule.action == action && rule.ends.iter().any(plain)
    };
    let deciding: Vec<&Rule> = ours.iter().copied().filter(decides).collect();
    if everything {
        logs(&deciding, all, file, report);
    }
    if file.allows() {
        if deciding.is_empty() {
            let text = format!("no pass rule is for <{table}>: is this meant so?");
            report.note("rules", format!("{text} {}", first.text));
        } else if let Some(rule) = deciding.iter().find(|rule| !rule.quick) {
            let text = "without quick a later rule may decide otherwise";
            report.note("rules", format!("{text}: {}", rule.text));
        }
    }
    true
}

/// Whether rules in anchors have a table of their anchor in place of the one that is filled, which pf
/// prefers (`pfr_ktable_select_active()` in sys/net/pf_table.c).
fn of_anchors(case: &Case<'_>, all: &[&Rule], files: &[TableFile<'_>], report: &mut Report) {
    // only the rules of the anchor that the tables are in count then
    if !case.anchor().is_empty() {
        return;
    }
    let within = all.iter().filter(|rule| !rule.anchor.is_empty());
    let tables = within.flat_map(|rule| {
        rule.ends.iter().filter_map(|end| Some((end.table()?, rule.anchor.as_str())))
    });
    let ours = |(table, _): &(&str, &str)| files.iter().any(|file| file.name() == *table);
    let used: BTreeSet<(&str, &str)> = tables.filter(ours).collect();
    if used.is_empty() {
        return;
    }
    let text = match pfctl(case.host, &["-a", "*", "-s", "Tables"]) {
        Ok(text) => text,
        Err(why) => {
            let text = "whether anchors have tables of their own is not known";
            return report.note("rules", format!("{text}: {why}"));
        }
    };
    // print_table() in sbin/pfctl/pfctl_table.c
    for (table, anchor) in text.lines().filter_map(|line| line.split_once('@')) {
        let called = rules::nameless(anchor);
        if !used.contains(&(table, called.as_str())) {
            continue;
        }
        let path = case.path.display();
        let then = if case.running { ", then threatstopctl reload" } else { "" };
        let set = match called == anchor {
            true => format!("set anchor to \"{anchor}\" in [tables] of {path}{then}, or "),
            // pf gives it another name when rules are loaded
            false => String::new(),
        };
        // no load ends a table that persists or that rules refer to
        report.fail(
            "rules",
            format!(
                "anchor \"{anchor}\" has a table <{table}> of its own: its rules do not see the one \
                 that threatstopd fills: {set}take the line of the table out of the anchor, then \
                 pfctl -a {anchor} -t {table} -T kill"
            ),
        );
    }
}

fn unused(
    case: &Case<'_>,
    rules: &Ruleset,
    file: &TableFile<'_>,
    others: bool,
    report: &mut Report,
) {
    let table = file.name();
    let hint = match case.anchor() {
        "" => String::new(),
        anchor if !evaluated(&rules.items, anchor) => {
            format!(": no rule calls anchor \"{anchor}\", where the table is")
        }
        anchor if others => format!(" of anchor \"{anchor}\", where the table is"),
        _ => String::new(),
    };
    let text = format!("pf table <{table}> is not used by any rule{hint}");
    let monitor = case.config.tables.monitor;
    match file.allows() {
        false if monitor => report.fail("rules", format!("{text}: nothing is recorded: {SETUP}")),
        false => report.fail("rules", format!("{text}: {}: {SETUP}", nothing(file, case.config))),
        true if file.entries() > 0 => {
            report.fail("rules", format!("{text}: nothing is allowed by it: {SETUP}"));
        }
        true => report.note("rules", format!("{text}; nothing is in it either")),
    }
}

/// What comes of it that no rule is for a block table.
fn nothing(file: &TableFile<'_>, config: &Config) -> &'static str {
    match *file.table.name == config.tables.block {
        true => "nothing is blocked",
        false => "nothing is blocked by it",
    }
}

/// Whether packets get into the anchor of this path.
fn evaluated(items: &[Item], path: &str) -> bool {
    items.iter().any(|item| match item {
        Item::Rule(_) => false,
        Item::Anchor(anchor) => {
            anchor.path == path && !anchor.wildcard || evaluated(&anchor.items, path)
        }
    })
}

/// Whether what rules decide gets into the packet log. What is allowed need not be there, unless
/// every record is wanted.
fn logs(ours: &[&Rule], all: &[&Rule], file: &TableFile<'_>, report: &mut Report) {
    let table = file.name();
    let before: Vec<_> = ours.iter().map(|rule| (*rule, logged_before(rule, all))).collect();
    let silent = before.iter().filter(|(rule, other)| rule.log.is_none() && other.is_none());
    let silent: Vec<&Rule> = silent.map(|(rule, _)| *rule).collect();
    if let Some(first) = silent.first() {
        let text = format!(
            "{} of {} rules for <{table}> do not log, so what they match is not reported: write \
             log behind the direction in /etc/pf.conf, then {LOAD}: {}",
            silent.len(),
            ours.len(),
            first.text
        );
        match file.allows() {
            true => report.note("rules", text),
            false => report.fail("rules", text),
        }
    }
    if let Some(other) = before.iter().find_map(|(_, other)| *other) {
        // once by itself, once by pf_match_rule() and once more by pf_test_rule() in sys/net/pf.c
        let instead = match before.iter().any(|(rule, other)| rule.log.is_none() && other.is_some())
        {
            true => format!(" and write log into the rules for <{table}>"),
            false => String::new(),
        };
        report.note(
            "rules",
            format!(
                "\"{}\" records each packet of the rules for <{table}> several times, and show hits counts \
                 all: take log (matches) out of it{instead} in /etc/pf.conf, then {LOAD}",
                other.text
            ),
        );
    }
    if let Some(rule) = ours.iter().find(|rule| rule.log.is_some_and(|to| to != 0)) {
        let way_out = "log.file must be the file that the pflogd of that interface writes";
        report.note("rules", format!("a rule does not log to pflog0: {way_out}: {}", rule.text));
    }
}

/// A match rule before that has all packets of a rule, and logs what is done with them.
fn logged_before<'r>(rule: &Rule, all: &[&'r Rule]) -> Option<&'r Rule> {
    let mut before = all.iter().copied().take_while(|other| !core::ptr::eq(*other, rule));
    before.find(|other| {
        let has = |end: usize| {
            let same = other.ends[end] == End::ANY || other.ends[end] == rule.ends[end];
            same && other.conditions(end).is_empty()
        };
        other.records_matches()
            && other.direction.is_none_or(|way| rule.direction == Some(way))
            && (other.anchor.is_empty() || other.anchor == rule.anchor)
            && (has(0) || has(1))
    })
}

/// Whether what is allowed is let through before it can be blocked, on each interface.
fn order(
    watch: &Watch<'_>,
    directions: &[Direction],
    all: &[&Rule],
    (interfaces, named): (&Interfaces, &[String]),
    report: &mut Report,
) {
    for crossed in named.iter().map(|name| Some(name.as_str())).chain([None]) {
        for direction in directions.iter().copied() {
            for end in [0, 1] {
                let place = |action, table: &str, quick: bool| {
                    all.iter().enumerate().find(|(_, rule)| {
                        rule.action == action
                            && (rule.quick || !quick)
                            && rule.direction.is_none_or(|way| way == direction)
                            && interfaces.on(rule.interface.as_ref(), crossed) != Takes::None
                            && !rule.ends[end].not
                            && watch.refers(rule, &rule.ends[end], table)
                    })
                };
                let pass = place(Action::Pass, watch.allow, false);
                let stop = place(Action::Block, watch.table, true);
                if let (Some((pass_at, pass)), Some((stop_at, stop))) = (pass, stop)
                    && stop_at < pass_at
                {
                    let way_out = format!("move it behind that in /etc/pf.conf, then {LOAD}");
                    let text = format!("\"{}\" stands before \"{}\"", stop.text, pass.text);
                    return report.fail("rules", format!("{text}: {way_out}"));
                }
            }
        }
    }
}
