//! `doctor`: whether the host is set up so that the policy has effect and its hits are reported.
//!
//! Each check is a line, and each failure names the command or line that mends it. All that is to
//! be known of the host comes through [`Host`], so that recorded situations can drive the checks.
//!
//! * In: a [`Host`]: its files, what programs of base print, and the status of threatstopd(8).
//! * Out: findings, each a line with what mends it.
//! * Never: change anything, or use a network.

use std::io::{self, Write as _};
use std::path::Path;

use config::Backend;

use crate::advice::Advice;
use crate::arguments::Arguments;
use crate::client::pledge;
use crate::error::Error;
use crate::printable::printable;
use crate::setup::{config_path, in_order};
use crate::tool::Tool;

mod case;
mod effect;
mod files;
mod filter;
mod flow;
mod host;
mod kernel;
mod monitor;
mod nat;
mod process;
mod references;
mod report;
mod rules;
mod service;
#[cfg(test)]
pub mod tests;

use case::Case;
use files::TableFile;
use host::{Host, System};
use report::{Finding, Report};

/// Looks at the host and prints what is found; false when a check failed.
///
/// # Errors
/// When somebody else than root asks for more than simulated tables, and [`Error::Stdout`].
pub fn run(tool: &Tool, arguments: &Arguments) -> Result<bool, Error> {
    // Commands are run and files of everywhere are read: the pledge comes when that is done.
    let path = config_path(arguments);
    let mut report = examine(&System { socket: &tool.socket }, &path)?;
    let advice = Advice::new(&tool.socket, Some(&path));
    report.findings.iter_mut().for_each(|finding| finding.text = advice.fit(&finding.text));
    pledge("stdio").map_err(|error| Error::Client("doctor", error))?;
    let mut out = io::stdout().lock();
    if tool.json {
        writeln!(out, "{}", report.document())?;
    } else {
        for Finding { verdict, text, .. } in &report.findings {
            writeln!(out, "{:<5}{}", verdict.word(), printable(text))?;
        }
        writeln!(out, "{}", report.summary())?;
    }
    out.flush()?;
    Ok(report.failed() == 0)
}

/// Makes all checks. threatstopd(8) comes first: what helps depends on whether it runs.
fn examine(host: &dyn Host, path: &Path) -> Result<Report, Error> {
    let status = host.ask();
    let mut report = Report::default();
    let mut of_config = Report::default();
    let config = files::config(host, path, &mut of_config)?;
    let Some(config) = &config else {
        service::daemon(&status, &format!("threatstopd -n -f {}", path.display()), &mut report);
        report.findings.append(&mut of_config.findings);
        report.note("config", "what depends on the configuration was not looked at");
        service::clock(host, &[], &mut report);
        return Ok(report);
    };
    let case = Case { host, path, config, running: status.is_ok() };
    if config.tables.backend == Backend::Pf && host.uid() != 0 {
        return Err(files::need_root());
    }
    service::daemon(&status, &case.start(), &mut report);
    report.findings.append(&mut of_config.findings);
    let engine = files::user(&case, &mut report);
    files::session(&case, &mut report);
    service::states(&case, &mut report);
    files::directory(&case, &mut report);
    let tables: Vec<TableFile<'_>> =
        in_order(config).into_iter().map(|table| files::table(&case, table, &mut report)).collect();
    files::local_lists(&case, &mut report);
    let pf = match config.tables.backend {
        Backend::Simulated => {
            kernel::simulated(&case, &tables, &mut report);
            report.note("pf", "tables are simulated: pf, its rules and pflogd were not looked at");
            false
        }
        Backend::Pf if !filter::is_there(&case) => {
            let path = path.display();
            let text = format!(
                "there is no pf on this system: backend = \"simulated\" in [tables] of {path} is \
                 for trying out"
            );
            report.fail("pf", text);
            false
        }
        Backend::Pf => {
            filter::pf(&case, &tables, &mut report);
            true
        }
    };
    files::state(&case, engine, &mut report);
    service::log(&case, pf, &mut report);
    service::upload(&case, status.as_ref().ok(), &mut report);
    service::feeds(&case, status.as_ref().ok(), &mut report);
    if pf {
        service::boot(&case, &mut report);
    }
    let files = tables.iter().map(|file| file.path.as_path());
    let dated: Vec<&Path> = files.chain([path, config.log.file.as_path()]).collect();
    service::clock(host, &dated, &mut report);
    Ok(report)
}
