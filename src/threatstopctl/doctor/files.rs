//! The configuration, the user, and the files and directories: are they there, whose are they, and
//! is in them what belongs there?

use std::io;
use std::path::{Path, PathBuf};

use config::{Backend, Config, ConfigError, PfTable};
use control::Failure;
use control::units::count;
use prefix::{Kind as For, Prefix, PrefixSet, write_set};

use super::case::Case;
use super::host::{Host, Kind, Stat};
use super::report::Report;
use crate::client::reason;
use crate::error::Error;
use crate::setup::{NEED_ROOT, denied};

/// The longest line of a table file, in octets: an IPv6 prefix and the line feed.
const LONGEST: usize = 44;

/// Reads the configuration as threatstopd(8) would, but goes on where mode or owner are wrong.
/// `None` when there is nothing to go on with.
///
/// # Errors
/// When it is there and may not be read.
pub fn config(host: &dyn Host, path: &Path, report: &mut Report) -> Result<Option<Config>, Error> {
    let file = || path.to_owned();
    let io = |error| ConfigError::Io { file: file(), error };
    let before = report.failed();
    let parsed = host.stat(path).map_err(io).and_then(|stat| {
        if stat.kind != Kind::File {
            return Err(ConfigError::NotRegular { file: file() });
        }
        if stat.uid != 0 && stat.uid != host.uid() {
            report.fail("config", ConfigError::Owner { file: file(), owner: stat.uid }.to_string());
        }
        if stat.mode & 0o077 != 0 {
            report.fail("config", ConfigError::Mode { file: file(), mode: stat.mode }.to_string());
        }
        let octets = host.read(path, config::MAX_OCTETS).map_err(io)?;
        let text = config::read_text(&octets[..], path)?;
        Config::parse(&text, path)
    });
    match parsed {
        Ok(config) => {
            if report.failed() == before {
                report.ok("config", format!("{} is in order", path.display()));
            }
            Ok(Some(config))
        }
        Err(error) if host.uid() != 0 && denied(&error) => Err(need_root()),
        Err(error @ ConfigError::Mistakes { .. }) => {
            let way_out = format!("mend the line, then threatstopd -n -f {}", path.display());
            for line in error.lines() {
                report.fail("config", format!("{line}: {way_out}"));
            }
            Ok(None)
        }
        Err(error) => {
            report.fail("config", error.to_string());
            Ok(None)
        }
    }
}

/// What somebody gets who may not look at these things.
pub fn need_root() -> Error {
    Error::Failed(Failure { what: "doctor".into(), why: NEED_ROOT.into() })
}

/// Whether states may end under whoever could mend that: a list may name anybody.
pub fn session(case: &Case<'_>, report: &mut Report) {
    let Config { tables, guard, .. } = case.config;
    let open = guard.never_block.is_empty() && guard.never_block_names.is_empty();
    if tables.kill_states && !tables.reload {
        let text = "tables.kill_states is true and tables.reload false: pf gets nothing that states \
                    could end for: set tables.reload to true, or tables.kill_states to false";
        report.note("config", text);
    } else if tables.kill_states && open {
        let text = "tables.kill_states is true and guard.never_block empty: a list in error would \
                    cut the session that could mend it: put the addresses that this host is \
                    administered from into never_block";
        report.note("config", text);
    }
}

/// Looks for the user that the engine becomes, and gives its id.
pub fn user(case: &Case<'_>, report: &mut Report) -> Option<u32> {
    let own = case.host.uid();
    if own != 0 {
        report.note("user", "not root: the engine keeps the user who starts threatstopd");
        return Some(own);
    }
    let name = case.config.user.as_str();
    let found = match case.host.run("/usr/bin/id", &["-u", name]) {
        Ok(output) if output.status == Some(0) => output.stdout.trim().parse().ok(),
        Ok(_) => None,
        Err(why) => {
            report.fail("user", why);
            return None;
        }
    };
    match found {
        Some(_) => report.ok("user", format!("user {name} exists")),
        None => {
            let path = case.path.display();
            let way_out = format!("reinstall the package, or set user in {path}");
            report.fail("user", format!("user {name} does not exist: {way_out}"));
        }
    }
    found
}

/// Looks at the directory of the table files.
pub fn directory(case: &Case<'_>, report: &mut Report) {
    let path = &case.config.tables.directory;
    let shown = path.display();
    let make = match (case.running, case.config.tables.backend) {
        (false, _) => "threatstopctl setup makes it with the table files",
        // threatstopd(8) has the one that was there open
        (true, Backend::Pf) => "threatstopctl setup, then rcctl restart threatstopd",
        (true, Backend::Simulated) => "threatstopctl setup, then start threatstopd anew",
    };
    let stat = match case.host.lstat(path) {
        Ok(stat) if stat.kind == Kind::Directory => stat,
        Ok(_) => {
            let way_out = format!("remove it, then {make}");
            return report.fail("directory", format!("{shown}: not a directory: {way_out}"));
        }
        Err(error) => {
            let way_out = make;
            let why = reason(&error);
            return report.fail("directory", format!("{shown}: {why}: {way_out}"));
        }
    };
    let of_another = (stat.uid != case.host.uid()).then(|| match case.host.uid() {
        0 => format!("{shown}: owned by uid {}, not root: chown root {shown}", stat.uid),
        _ => format!(
            "{shown}: owned by uid {}, not by you: set tables.directory in {}",
            stat.uid,
            case.path.display()
        ),
    });
    let wrong = [of_another, others_have_access(path, &stat)];
    let text = format!("directory {shown} is in order");
    conclude("directory", text, wrong, report);
}

/// A table file as it was found.
#[derive(Debug)]
pub struct TableFile<'c> {
    /// Which table it is for.
    pub table: PfTable<'c>,
    /// Where it is.
    pub path: PathBuf,
    /// Its prefixes, when they could be read.
    pub set: Option<PrefixSet>,
}

impl TableFile<'_> {
    /// The name of the table.
    pub fn name(&self) -> &str {
        self.table.name.as_str()
    }

    /// Whether what is in it is allowed.
    pub fn allows(&self) -> bool {
        self.table.kind == For::Allow
    }

    /// The number of prefixes; 0 when they could not be read.
    pub fn entries(&self) -> usize {
        self.set.as_ref().map_or(0, PrefixSet::len)
    }
}

/// Looks at the file of a table.
pub fn table<'c>(case: &Case<'_>, table: PfTable<'c>, report: &mut Report) -> TableFile<'c> {
    let name = format!("{}.pftable", table.name);
    let mut file = TableFile { table, path: case.config.tables.directory.join(name), set: None };
    let (path, shown) = (&file.path, file.path.display());
    let stat = match case.host.lstat(path) {
        Ok(stat) if stat.kind == Kind::File => stat,
        Ok(_) => {
            let way_out = format!("remove it, then {}", case.file());
            report.fail("file", format!("{shown}: not a regular file: {way_out}"));
            return file;
        }
        Err(error) => {
            let why = match error.kind() {
                io::ErrorKind::NotFound => "missing, and a pf.conf that names it is not loaded",
                _ => &reason(&error),
            };
            report.fail("file", format!("{shown}: {why}: {}", case.file()));
            return file;
        }
    };
    let mode = (stat.mode & 0o077 != 0)
        .then(|| format!("{shown}: mode {:04o}: chmod 600 {shown}", stat.mode));
    let mut wrong = vec![owner(case, path, &stat), mode];
    let longest = case.config.guard.max_entries as usize * LONGEST;
    match case.host.read(path, longest).map_err(|error| reason(&error)).and_then(|t| read(&t)) {
        Err(why) => {
            wrong.push(Some(format!("{shown}: {why}: {}", case.update())));
        }
        Ok(set) => {
            if set.is_empty() && !file.allows() {
                let way_out = case.update();
                wrong.push(Some(format!("{shown}: empty: nothing is blocked: {way_out}")));
            }
            file.set = Some(set);
        }
    }
    let entries = count(file.entries() as u64, "prefix", "prefixes");
    conclude("file", format!("{shown} has {entries}"), wrong, report);
    file
}

/// Looks whether the administrator's own lists are there: threatstopd(8) goes on without, with what they
/// said last.
pub fn local_lists(case: &Case<'_>, report: &mut Report) {
    let policy = &case.config.policy;
    for (key, path) in [("allow", &policy.local_allow), ("block", &policy.local_block)] {
        let Some(path) = path else { continue };
        let shown = path.display();
        let why = match case.host.stat(path) {
            Ok(stat) if stat.kind == Kind::File => {
                report.ok("file", format!("{shown} is there, as local_{key} wants it"));
                continue;
            }
            Ok(_) => "not a regular file".to_owned(),
            Err(error) => reason(&error),
        };
        let way_out = format!("create it, or unset policy.local_{key} in {}", case.path.display());
        report.fail(
            "file",
            format!("{shown}: {why}: its last copy stays, if there is one: {way_out}"),
        );
    }
}

/// The prefixes of a table file, which has to be in the form in which it is written.
fn read(octets: &[u8]) -> Result<PrefixSet, String> {
    let text = std::str::from_utf8(octets).map_err(|_| "not the text of a table")?;
    let (mut v4, mut v6) = (Vec::new(), Vec::new());
    for (number, line) in text.lines().enumerate() {
        match line.parse() {
            Ok(Prefix::V4(net)) => v4.push(net),
            Ok(Prefix::V6(net)) => v6.push(net),
            Err(why) => return Err(format!("line {}: {why}", number + 1)),
        }
    }
    let set =
        PrefixSet::new(v4, v6).map_err(|error| format!("{} is not in its order", error.at))?;
    let mut canonical = Vec::with_capacity(octets.len());
    write_set(&set, &mut canonical);
    if canonical != octets {
        return Err("its lines are not as they are written".into());
    }
    Ok(set)
}

/// Looks at the engine's own directory.
pub fn state(case: &Case<'_>, engine: Option<u32>, report: &mut Report) {
    let path = &case.config.log.spool;
    let (shown, user) = (path.display(), &case.config.user);
    let make = match case.host.uid() {
        0 => format!("install -d -o {user} -g {user} -m 700 {shown}"),
        _ => format!("install -d -m 700 {shown}"),
    };
    let stat = match case.host.lstat(path) {
        Ok(stat) if stat.kind == Kind::Directory => stat,
        Ok(_) => {
            return report
                .fail("state", format!("{shown}: not a directory: remove it, then {make}"));
        }
        Err(error) => {
            return report.fail("state", format!("{shown}: {}: {make}", reason(&error)));
        }
    };
    let wrong = [
        engine.filter(|uid| *uid != stat.uid).map(|_| {
            let owned = format!("{shown}: owned by uid {}, not by the engine", stat.uid);
            match case.host.uid() {
                0 => format!("{owned}: chown {user} {shown}"),
                _ => format!("{owned}: set log.spool in {}", case.path.display()),
            }
        }),
        (stat.mode & 0o077 != 0)
            .then(|| format!("{shown}: mode {:04o}: chmod 700 {shown}", stat.mode)),
    ];
    conclude("state", format!("directory {shown} is in order"), wrong, report);
}

/// Who owns it if that is neither root nor the one who asks, which threatstopd(8) refuses.
fn owner(case: &Case<'_>, path: &Path, stat: &Stat) -> Option<String> {
    let path = path.display();
    let wrong = stat.uid != 0 && stat.uid != case.host.uid();
    wrong.then(|| format!("{path}: owned by uid {}, not root: chown root {path}", stat.uid))
}

/// Whether others have access to the table directory: they could lock it and link its files.
fn others_have_access(path: &Path, stat: &Stat) -> Option<String> {
    let path = path.display();
    let wrong = stat.mode & 0o077 != 0;
    wrong.then(|| format!("{path}: mode {:04o}: others have access: chmod 700 {path}", stat.mode))
}

/// Reports what is wrong, or that nothing is.
fn conclude(
    what: &'static str,
    fine: String,
    wrong: impl IntoIterator<Item = Option<String>>,
    report: &mut Report,
) {
    let before = report.failed();
    for text in wrong.into_iter().flatten() {
        report.fail(what, text);
    }
    if report.failed() == before {
        report.ok(what, fine);
    }
}
