//! `report`: what happened in the last days.
//!
//! * In: the engine's report of some days.
//! * Out: text, see [`crate::text`], or a page.
//! * Never: show an unknown number as 0.

mod html;

use std::io::{self, Write as _};

use control::{Failure, MOST_REPORT_DAYS, REPORT_DAYS, Request};

use crate::advice::Advice;
use crate::arguments::Arguments;
use crate::client::OTHER_VERSION;
use crate::ending::Ending;
use crate::error::Error;
use crate::relay::{ask, relay};
use crate::tool::Tool;

/// The command's word, for errors.
const WORD: &str = "report";

/// Prints the report of the last days, of as many as `-d` says; with `-H` as a page.
///
/// # Errors
/// All of [`relay`], and [`Error::Failed`] for what is no number of days, or two forms at once.
pub fn run(tool: &Tool, arguments: &Arguments) -> Result<bool, Error> {
    let days = arguments.value('d').map_or(Ok(REPORT_DAYS), |text| {
        let text = text.to_string_lossy();
        let days = text.parse().ok().filter(|days| (1..=MOST_REPORT_DAYS).contains(days));
        let why = || format!("-d {text}: not a number of days from 1 to {MOST_REPORT_DAYS}");
        days.ok_or_else(|| failed(why()))
    })?;
    let request = Request::Report { days };
    match (arguments.has('H'), tool.json) {
        (true, true) => Err(failed("-H: not with -j, which is another form of the same".into())),
        (true, false) => page(tool, &request),
        (false, _) => relay(tool, &request),
    }
}

fn page(tool: &Tool, request: &Request) -> Result<bool, Error> {
    let Ending::Report(report) = ask(tool, request)? else {
        return Err(failed(format!("the answer is not in form; {OTHER_VERSION}")));
    };
    let page = html::render(&report, &Advice::new(&tool.socket, None));
    let page = page.map_err(|error| failed(error.to_string()))?;
    let mut out = io::stdout().lock();
    writeln!(out, "{page}")?;
    out.flush()?;
    Ok(true)
}

fn failed(why: String) -> Error {
    Error::Failed(Failure { what: WORD.into(), why })
}
