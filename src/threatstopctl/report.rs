//! `report`: what happened in the last days.

pub mod text;

use control::{Failure, MOST_REPORT_DAYS, REPORT_DAYS, Request};

use crate::arguments::Arguments;
use crate::error::Error;
use crate::relay::relay;
use crate::tool::Tool;

/// The command's word, for errors.
const WORD: &str = "report";

/// Prints the report of the last days, of as many as `-d` says.
///
/// # Errors
/// All of [`relay`], and [`Error::Failed`] for what is no number of days.
pub fn run(tool: &Tool, arguments: &Arguments) -> Result<bool, Error> {
    let days = arguments.value('d').map_or(Ok(REPORT_DAYS), |text| {
        let text = text.to_string_lossy();
        let days = text.parse().ok().filter(|days| (1..=MOST_REPORT_DAYS).contains(days));
        let why = || format!("-d {text}: not a number of days from 1 to {MOST_REPORT_DAYS}");
        days.ok_or_else(|| Error::Failed(Failure { what: WORD.into(), why: why() }))
    })?;
    relay(tool, &Request::Report { days })
}
