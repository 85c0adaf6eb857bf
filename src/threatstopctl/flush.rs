//! `flush`: the end of those states of pf(4) that pass what is blocked now.
//!
//! Root's own, independent of the daemon: the same code that threatstopd-states runs.

use std::io::{self, Write as _};
use std::path::Path;

use config::Backend;
use control::Failure;
use nix::unistd::geteuid;
use serde_json::{Value, json};
use states::{Blocked, End, Found, Kernel, Pf, Report, Simulated, flush};

use crate::arguments::Arguments;
use crate::client::pledge;
use crate::error::Error;
use crate::printable::printable;
use crate::setup::{NEED_ROOT, config_path, read};
use crate::tool::Tool;

/// Ends them, or with `-n` prints them; false when some were left.
///
/// # Errors
/// When the configuration is not in order, or pf lets nobody do it; and [`Error::Stdout`].
pub fn run(tool: &Tool, arguments: &Arguments) -> Result<bool, Error> {
    let failed = |why| Error::Failed(Failure { what: "flush".into(), why });
    let trial = arguments.has('n');
    let (pf, tables) = prepare(&config_path(arguments), trial).map_err(failed)?;
    let mut out = io::stdout().lock();
    let (mut listed, mut written) = (Vec::new(), Ok(()));
    // no promise of pledge(2) lets a process end states: there is none before that is done
    let report = flush(&*pf, &tables, trial, |found| {
        if trial && tool.json {
            listed.push(document(&found));
        } else if trial && written.is_ok() {
            written = writeln!(out, "{}", line(&found));
        }
    });
    let report = report.map_err(|error| failed(error.to_string()))?;
    pledge("stdio").map_err(|error| Error::Client("flush", error))?;
    written?;
    let Report { states, found, ended, left } = report;
    if tool.json {
        let mut whole = json!({ "states": states, "found": found, "ended": ended, "left": left });
        if trial {
            whole["list"] = listed.into();
        }
        writeln!(out, "{whole}")?;
    } else {
        writeln!(out, "{}", sum(&report, trial))?;
    }
    out.flush()?;
    if left > 0 && !tool.json {
        let _ = writeln!(
            io::stderr(),
            "threatstopctl: flush: {left} left, which pf cannot find by a number: \
             pfctl -k ADDRESS ends all states of an address"
        );
    }
    Ok(left == 0)
}

/// pf and the tables.
fn prepare(path: &Path, trial: bool) -> Result<(Box<dyn Pf>, Vec<Blocked>), String> {
    let config = read(path)?;
    if config.tables.monitor && !trial {
        let why = "tables.monitor is true: nothing is blocked, and no state ends; -n prints them";
        return Err(why.into());
    }
    let tables = states::blocked(&config)?;
    let pf: Box<dyn Pf> = match config.tables.backend {
        Backend::Pf if !geteuid().is_root() => return Err(NEED_ROOT.into()),
        Backend::Pf => Box::new(Kernel::open().map_err(|error| error.to_string())?),
        Backend::Simulated => {
            let opened = Simulated::open(&config.tables.directory);
            Box::new(opened.map_err(|error| error.to_string())?)
        }
    };
    Ok((pf, tables))
}

/// A state, and why it is to end.
fn line(found: &Found<'_>) -> String {
    let end = match found.end {
        End::Initiator => "from",
        End::Target => "to",
    };
    printable(&format!("{}, {end} <{}>", found.state, found.table.name))
}

fn sum(Report { states, found, ended, .. }: &Report, trial: bool) -> String {
    match trial {
        true => format!("{found} of {states} states would end"),
        false => format!("Ended {ended} of {states} states"),
    }
}

/// A state as `-j` has it.
fn document(found: &Found<'_>) -> Value {
    let end = |end| {
        found.state.end(end).map_or(
            Value::Null,
            |addr| json!({ "address": addr.ip().to_string(), "port": addr.port() }),
        )
    };
    json!({
        "interface": found.state.interface(),
        "protocol": found.state.protocol(),
        "from": end(End::Initiator),
        "to": end(End::Target),
        "table": found.table.name,
    })
}
