//! Is in the tables what is in the files?

use core::cmp::Ordering;

use control::units::count;
use prefix::Prefix;

use super::case::Case;
use super::files::TableFile;
use super::host::{Kind, pfctl};
use super::report::Report;
use crate::client::reason;

/// The way out when something is missing in pf.conf.
pub const SETUP: &str = "put the lines of threatstopctl setup into /etc/pf.conf, then \
                         pfctl -f /etc/pf.conf";

/// Looks at simulated tables.
pub fn simulated(case: &Case<'_>, files: &[TableFile<'_>], report: &mut Report) {
    let tables = &case.config.tables;
    let limit = tables.simulated_limit as usize;
    let entries = entries(files);
    let twice = entries.saturating_mul(2);
    if twice > limit {
        let path = case.path.display();
        let then = if case.running { ", then threatstopctl reload" } else { "" };
        let way_out = format!("set it to {twice} in [tables] of {path}{then}");
        let text = format!("simulated_limit {limit} is too small for 2 x {entries}");
        report.fail("limit", format!("{text}: {way_out}"));
    } else {
        report.ok("limit", format!("simulated_limit {limit} is enough for 2 x {entries}"));
    }
    for file in files {
        let name = file.name();
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
            Err(why) if file.allows() && file.entries() == 0 => {
                report.note("table", format!("{}: {why}, and nothing for it", path.display()));
            }
            Err(why) => {
                let way_out = case.update();
                report.fail("table", format!("{}: {why}: {way_out}", path.display()));
            }
        }
    }
}

/// The prefixes of all tables.
pub fn entries(files: &[TableFile<'_>]) -> usize {
    files.iter().map(TableFile::entries).sum()
}

/// The arguments of pfctl(8) for a table, which lives in the anchor of all tables.
fn of_table<'a>(case: &'a Case<'_>, arguments: &[&'a str]) -> Vec<&'a str> {
    match case.anchor() {
        "" => arguments.to_vec(),
        anchor => [&["-a", anchor], arguments].concat(),
    }
}

/// Holds the content of a table of pf against its file.
pub fn pf(case: &Case<'_>, file: &TableFile<'_>, report: &mut Report) {
    let table = file.name();
    match pfctl(case.host, &of_table(case, &["-t", table, "-T", "show"]))
        .and_then(|text| shown(&text))
    {
        Ok(kernel) => compare(case, file, &kernel, report),
        Err(why) if why.ends_with("does not exist.") || why.ends_with("does not exist") => {
            if file.allows() && file.entries() == 0 {
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

fn compare(case: &Case<'_>, file: &TableFile<'_>, kernel: &[Option<Prefix>], report: &mut Report) {
    let table = file.name();
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
        report.fail("table", format!("{text}: {}", case.update()));
    } else {
        let path = file.path.display().to_string();
        let way_out = of_table(case, &["-t", table, "-T", "replace", "-f", &path]).join(" ");
        report.note("table", format!("{text}, and tables.reload is false: pfctl {way_out}"));
    }
}
