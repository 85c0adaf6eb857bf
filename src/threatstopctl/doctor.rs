//! `doctor`: whether the host is set up so that the policy has effect and its hits are reported.
//!
//! Each check is a line, and each failure names the command or line that mends it. All that is to
//! be known of the host comes through [`Host`], so that recorded situations can drive the checks.
//! Nothing is changed, and no network is used.

use std::io::{self, Write as _};
use std::path::Path;

use config::{Backend, Config};
use control::Failure;
use serde_json::{Value, json};

use crate::Tool;
use crate::arguments::Arguments;
use crate::client::pledge;
use crate::error::Error;
use crate::setup::config_path;
use crate::text::printable;

mod files;
mod filter;
mod host;
mod process;
mod rules;
mod service;
#[cfg(test)]
pub mod tests;

use host::{Host, System};

/// Looks at the host and prints what is found; false when a check failed.
///
/// # Errors
/// When somebody else than root asks for more than simulated tables, and [`Error::Stdout`].
pub fn run(tool: &Tool, arguments: &Arguments) -> Result<bool, Error> {
    // Commands are run and files of everywhere are read: the pledge comes when that is done.
    let report = examine(&System { socket: &tool.socket }, &config_path(arguments))?;
    pledge("stdio").map_err(|error| Error::Client("doctor", error))?;
    let mut out = io::stdout().lock();
    if tool.json {
        writeln!(out, "{}", report.document())?;
    } else {
        for Finding { verdict, text, .. } in &report.findings {
            writeln!(out, "{:<5}{}", verdict.word(), printable(text))?;
        }
    }
    out.flush()?;
    Ok(report.failed() == 0)
}

/// What became of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// As it should be.
    Ok,
    /// Not as it should be.
    Fail,
    /// Worth knowing, or not looked at.
    Note,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Fail => "FAIL",
            Self::Note => "note",
        }
    }
}

/// A check and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    /// What was looked at, in a word that scripts can rely on.
    what: &'static str,
    verdict: Verdict,
    /// A sentence for people, and the way out.
    text: String,
}

/// All findings, in the order of the checks.
#[derive(Clone, Debug, Default)]
pub struct Report {
    findings: Vec<Finding>,
}

impl Report {
    fn ok(&mut self, what: &'static str, text: impl Into<String>) {
        self.findings.push(Finding { what, verdict: Verdict::Ok, text: text.into() });
    }

    fn fail(&mut self, what: &'static str, text: impl Into<String>) {
        self.findings.push(Finding { what, verdict: Verdict::Fail, text: text.into() });
    }

    fn note(&mut self, what: &'static str, text: impl Into<String>) {
        self.findings.push(Finding { what, verdict: Verdict::Note, text: text.into() });
    }

    fn failed(&self) -> usize {
        self.findings.iter().filter(|finding| finding.verdict == Verdict::Fail).count()
    }

    /// What `-j` prints.
    fn document(&self) -> Value {
        let check = |Finding { what, verdict, text }: &Finding| json!({ "what": what, "ok": *verdict != Verdict::Fail, "text": text });
        let checks: Vec<Value> = self.findings.iter().map(check).collect();
        json!({ "checks": checks, "failed": self.failed() })
    }
}

/// What the checks work on.
struct Case<'a> {
    host: &'a dyn Host,
    /// The configuration file.
    path: &'a Path,
    config: &'a Config,
}

/// Makes all checks. The one that asks threatstopd(8) comes last, for it closes the sandbox.
fn examine(host: &dyn Host, path: &Path) -> Result<Report, Error> {
    let mut report = Report::default();
    let config = files::config(host, path, &mut report)?;
    if let Some(config) = &config {
        let case = Case { host, path, config };
        if config.tables.backend == Backend::Pf && host.uid() != 0 {
            return Err(need_root());
        }
        all(&case, &mut report);
    } else {
        report.note("config", "what depends on the configuration was not looked at");
    }
    service::clock(host, config.as_ref().map(|config| (path, config)), &mut report);
    service::daemon(host, &mut report);
    Ok(report)
}

/// The checks that depend on the configuration.
fn all(case: &Case<'_>, report: &mut Report) {
    let engine = files::user(case, report);
    files::directory(case, report);
    let allow = files::table(case, Table::Allow, report);
    let block = files::table(case, Table::Block, report);
    files::local_lists(case, report);
    match case.config.tables.backend {
        Backend::Pf => filter::pf(case, [&allow, &block], report),
        Backend::Simulated => {
            filter::simulated(case, [&allow, &block], report);
            report.note("pf", "tables are simulated: pf, its rules and pflogd were not looked at");
        }
    }
    files::state(case, engine, report);
    service::log(case, report);
    if case.config.tables.backend == Backend::Pf {
        service::boot(case, report);
    }
}

fn need_root() -> Error {
    Error::Failed(Failure { what: "doctor".into(), why: "need root privileges".into() })
}

/// One of the two tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Table {
    Allow,
    Block,
}

impl Table {
    fn name(self, config: &Config) -> &str {
        match self {
            Self::Allow => config.tables.allow.as_str(),
            Self::Block => config.tables.block.as_str(),
        }
    }
}
