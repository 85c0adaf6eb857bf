//! pf: is it enabled, has it room, do rules refer to the tables and log, and is in the tables what
//! is in the files?

use core::cmp::Ordering;

use prefix::Prefix;

use super::files::TableFile;
use super::host::Kind;
use super::rules::{self, Action, End, NoRule, Rule};
use super::{Case, Report, Table};
use crate::client::reason;
use crate::setup::limit;
use crate::units::count;

const PFCTL: &str = "/sbin/pfctl";
const LOAD: &str = "pfctl -f /etc/pf.conf";
/// The way out when something is missing in pf.conf.
const SETUP: &str = "put the lines of threatstopctl setup into /etc/pf.conf, then \
                     pfctl -f /etc/pf.conf";

/// Looks at the kernel's pf.
pub fn pf(case: &Case<'_>, files: [&TableFile; 2], report: &mut Report) {
    enabled(case, report);
    room(case, files, report);
    match rules_of(case) {
        Ok(rules) => refer(case, &rules, files, report),
        Err(why) => report.fail("rules", why),
    }
    for file in files {
        kernel(case, file, report);
    }
}

/// Looks at simulated tables.
pub fn simulated(case: &Case<'_>, files: [&TableFile; 2], report: &mut Report) {
    let tables = &case.config.tables;
    let limit = tables.simulated_limit as usize;
    let entries = entries(files);
    let twice = entries.saturating_mul(2);
    if twice > limit {
        let path = case.path.display();
        let way_out = format!("set it to {twice} in {path}, then threatstopctl reload");
        let text = format!("simulated_limit {limit} is too small for 2 x {entries}");
        report.fail("limit", format!("{text}: {way_out}"));
    } else {
        report.ok("limit", format!("simulated_limit {limit} is enough for 2 x {entries}"));
    }
    for file in files {
        let name = file.table.name(case.config);
        let path = tables.directory.join(format!("{name}.simulated"));
        let most = case.config.guard.max_entries as usize * 64;
        let found = match case.host.lstat(&path) {
            Ok(stat) if stat.kind == Kind::File => {
                case.host.read(&path, most).map_err(|error| reason(&error))
            }
            Ok(_) => Err("not a regular file".into()),
            Err(error) => Err(reason(&error)),
        };
        match found.and_then(|octets| shown(&String::from_utf8_lossy(&octets))) {
            Ok(kernel) => compare(case, file, &kernel, report),
            Err(why) if file.table == Table::Allow && file.entries() == 0 => {
                report.note("table", format!("{}: {why}, and nothing for it", path.display()));
            }
            Err(why) => {
                let way_out = "threatstopctl update";
                report.fail("table", format!("{}: {why}: {way_out}", path.display()));
            }
        }
    }
}

fn entries(files: [&TableFile; 2]) -> usize {
    files.iter().map(|file| file.entries()).sum()
}

/// What pfctl(8) prints.
fn pfctl(case: &Case<'_>, arguments: &[&str]) -> Result<String, String> {
    let output = case.host.run(PFCTL, arguments)?;
    if output.status == Some(0) {
        return Ok(output.stdout);
    }
    let said = output.stderr.lines().next().unwrap_or("it failed without a word");
    Err(format!("pfctl {}: {said}", arguments.join(" ")))
}

fn enabled(case: &Case<'_>, report: &mut Report) {
    let text = match pfctl(case, &["-s", "info"]) {
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
fn room(case: &Case<'_>, files: [&TableFile; 2], report: &mut Report) {
    let text = match pfctl(case, &["-s", "memory"]) {
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

fn rules_of(case: &Case<'_>) -> Result<Vec<Rule>, String> {
    let text = pfctl(case, &["-a", "*", "-sr"])?;
    rules::parse(&text).map_err(|NoRule(line, text)| {
        format!("pfctl -a '*' -sr: line {line} is not understood: look yourself: {text}")
    })
}

/// The anchor that the tables are in; "" is the main ruleset.
fn anchor<'a>(case: &'a Case<'_>) -> &'a str {
    case.config.tables.anchor.as_ref().map_or("", |anchor| anchor.as_str())
}

/// A rule that refers to a table, with its place among all rules.
type Referring<'r> = (usize, &'r Rule);

/// The ends of a rule that are the table, and not everything but the table: from, to.
fn ends(rule: &Rule, table: &str) -> [bool; 2] {
    [&rule.from, &rule.to].map(|end| {
        end.as_ref().is_some_and(|End { table: name, negated }| name == table && !negated)
    })
}

/// Whether rules refer to the tables, log, and stand in the right order.
fn refer(case: &Case<'_>, rules: &[Rule], files: [&TableFile; 2], report: &mut Report) {
    let before = report.failed();
    let [allow, block] = files.map(|file| deciding(case, rules, file, report));
    order(case, &allow, &block, report);
    if report.failed() == before {
        report.ok("rules", "rules refer to the tables, and log");
    }
}

/// The rules that pass what is in the allow table, or block what is in the block table. Reports
/// whether there are such, and whether all that name the table log.
fn deciding<'r>(
    case: &Case<'_>,
    rules: &'r [Rule],
    file: &TableFile,
    report: &mut Report,
) -> Vec<Referring<'r>> {
    let (anchor, table) = (anchor(case), file.table.name(case.config));
    let naming = rules.iter().enumerate().filter(|(_, rule)| {
        let ends = [&rule.from, &rule.to].into_iter().flatten();
        ends.into_iter().any(|end| end.table == table)
    });
    // A rule in an anchor without such a table refers to that of the main ruleset; a table in an
    // anchor is for the rules of that anchor alone (pfr_attach_table() in sys/net/pf_table.c).
    let (ours, others): (Vec<_>, Vec<_>) =
        naming.partition(|(_, rule)| anchor.is_empty() || rule.anchor == anchor);
    let Some((_, first)) = ours.first() else {
        unused(case, file, !others.is_empty(), report);
        return Vec::new();
    };
    logs(&ours, table, report);
    let (action, text) = match file.table {
        Table::Allow => (Action::Pass, format!("no pass rule is for <{table}>")),
        Table::Block => (Action::Block, format!("no block rule is for <{table}>")),
    };
    let decides = |rule: &Rule| rule.action == action && ends(rule, table) != [false; 2];
    let found: Vec<_> = ours.iter().copied().filter(|(_, rule)| decides(rule)).collect();
    if let Some((_, rule)) = ours.iter().find(|(_, rule)| ends(rule, table) == [false; 2]) {
        let text = format!("what is not in <{table}> is not judged here");
        report.note("rules", format!("a rule for {text}: {}", rule.text));
    } else if !found.is_empty() {
        complete(file.table, &found, table, report);
    } else if file.table == Table::Block {
        report.fail("rules", format!("{text}: nothing is blocked: {SETUP}"));
    } else {
        report.note("rules", format!("{text}: is this meant so? {}", first.text));
    }
    found
}

fn unused(case: &Case<'_>, file: &TableFile, others: bool, report: &mut Report) {
    let table = file.table.name(case.config);
    let hint = match anchor(case) {
        anchor if others => format!(" of anchor \"{anchor}\", where the table is"),
        _ => String::new(),
    };
    let text = format!("pf table <{table}> is not used by any rule{hint}");
    match file.table {
        Table::Block => {
            report.fail("rules", format!("{text}: nothing is blocked: {SETUP}"));
        }
        Table::Allow if file.entries() > 0 => {
            report.fail("rules", format!("{text}: nothing is allowed by it: {SETUP}"));
        }
        Table::Allow => report.note("rules", format!("{text}; nothing is in it either")),
    }
}

fn logs(ours: &[Referring<'_>], table: &str, report: &mut Report) {
    let silent: Vec<&Rule> =
        ours.iter().map(|(_, rule)| *rule).filter(|rule| rule.log.is_none()).collect();
    if let Some(first) = silent.first() {
        report.fail(
            "rules",
            format!(
                "{} of {} rules for <{table}> do not log, so what they match is not reported: \
                 write log behind the direction in /etc/pf.conf, then {LOAD}: {}",
                silent.len(),
                ours.len(),
                first.text
            ),
        );
    }
    if let Some((_, rule)) = ours.iter().find(|(_, rule)| rule.log.is_some_and(|to| to != 0)) {
        let way_out = "log.file must be the file that the pflogd of that interface writes";
        report.note("rules", format!("a rule does not log to pflog0: {way_out}: {}", rule.text));
    }
}

/// Whether the block rules are for both directions, and the rules final.
fn complete(of: Table, found: &[Referring<'_>], table: &str, report: &mut Report) {
    let [from, to] = [0, 1].map(|end| found.iter().any(|(_, rule)| ends(rule, table)[end]));
    if of == Table::Block && !from {
        report.note("rules", format!("no block rule is from <{table}>: what it sends comes in"));
    }
    if of == Table::Block && !to {
        report.note("rules", format!("no block rule is to <{table}>: your hosts can reach it"));
    }
    if let Some((_, rule)) = found.iter().find(|(_, rule)| !rule.quick) {
        let text = "without quick a later rule may decide otherwise";
        report.note("rules", format!("{text}: {}", rule.text));
    }
}

/// Whether what is allowed is let through before it can be blocked.
fn order(case: &Case<'_>, allow: &[Referring<'_>], block: &[Referring<'_>], report: &mut Report) {
    let (passed, blocked) = (Table::Allow.name(case.config), Table::Block.name(case.config));
    for (direction, end) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let is_for = |rule: &Rule, table| rule.direction[direction] && ends(rule, table)[end];
        let pass = allow.iter().find(|(_, rule)| is_for(rule, passed));
        let stop = block.iter().find(|(_, rule)| rule.quick && is_for(rule, blocked));
        if let (Some((pass_at, pass)), Some((stop_at, stop))) = (pass, stop)
            && stop_at < pass_at
        {
            let way_out = format!("move it behind that in /etc/pf.conf, then {LOAD}");
            let text = format!("\"{}\" stands before \"{}\"", stop.text, pass.text);
            return report.fail("rules", format!("{text}: {way_out}"));
        }
    }
}

/// Holds the content of a table of pf against its file.
fn kernel(case: &Case<'_>, file: &TableFile, report: &mut Report) {
    let table = file.table.name(case.config);
    let of_anchor = match anchor(case) {
        "" => vec![],
        anchor => vec!["-a", anchor],
    };
    let arguments = [&of_anchor[..], &["-t", table, "-T", "show"]].concat();
    match pfctl(case, &arguments).and_then(|text| shown(&text)) {
        Ok(kernel) => compare(case, file, &kernel, report),
        Err(why) if why.ends_with("does not exist.") || why.ends_with("does not exist") => {
            if file.table == Table::Allow && file.entries() == 0 {
                report.note("table", format!("pf has no table <{table}>, and nothing for it"));
            } else {
                report.fail("table", format!("pf has no table <{table}>: {SETUP}"));
            }
        }
        Err(why) => report.fail("table", why),
    }
}

/// The prefixes that `pfctl -T show` prints (`print_addrx()` in sbin/pfctl/pfctl_table.c), one a
/// line behind blanks, in ascending order; `None` stands for one behind a `!`, which is not ours.
fn shown(text: &str) -> Result<Vec<Option<Prefix>>, String> {
    let parse = |line: &str| match line.trim() {
        line if line.starts_with('!') => Ok(None),
        line => line.parse().map(Some).map_err(|why| format!("{line}: {why}")),
    };
    let mut found = text.lines().map(parse).collect::<Result<Vec<_>, _>>()?;
    found.sort_unstable();
    Ok(found)
}

fn compare(case: &Case<'_>, file: &TableFile, kernel: &[Option<Prefix>], report: &mut Report) {
    let table = file.table.name(case.config);
    // what is wrong with the file has been said
    let Some(set) = &file.set else { return };
    let (mut missing, mut surplus) = (0, 0);
    let (mut wanted, mut found) = (set.iter().map(Some).peekable(), kernel.iter().peekable());
    loop {
        let order = match (wanted.peek(), found.peek()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(one), Some(other)) => one.cmp(other),
        };
        missing += usize::from(order == Ordering::Less);
        surplus += usize::from(order == Ordering::Greater);
        if order != Ordering::Greater {
            wanted.next();
        }
        if order != Ordering::Less {
            found.next();
        }
    }
    if (missing, surplus) == (0, 0) {
        let entries = kernel.len();
        return report.ok("table", format!("pf table <{table}> is equal to its file ({entries})"));
    }
    let text = format!(
        "pf table <{table}> lacks {} of its file, and has {surplus} that are not in it",
        count(missing as u64, "prefix", "prefixes")
    );
    if case.config.tables.reload {
        report.fail("table", format!("{text}: threatstopctl update"));
    } else {
        let path = file.path.display();
        let way_out = format!("pfctl -t {table} -T replace -f {path}");
        report.note("table", format!("{text}, and tables.reload is false: {way_out}"));
    }
}
