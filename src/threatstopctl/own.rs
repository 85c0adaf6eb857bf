//! `block`, `allow` and `forget`.

use control::{Failure, Request};

use crate::arguments::Arguments;
use crate::error::Error;
use crate::relay::relay;
use crate::tool::Tool;

/// Blocks a prefix from now on.
///
/// # Errors
/// All of [`relay`], and [`Error::Failed`] for what is no duration.
pub fn block(tool: &Tool, arguments: &Arguments) -> Result<bool, Error> {
    let (prefix, seconds, reason) = said("block", arguments)?;
    relay(tool, &Request::Block { prefix, seconds, reason })
}

/// Takes a prefix out of what is blocked from now on.
///
/// # Errors
/// As [`block`].
pub fn allow(tool: &Tool, arguments: &Arguments) -> Result<bool, Error> {
    let (prefix, seconds, reason) = said("allow", arguments)?;
    relay(tool, &Request::Allow { prefix, seconds, reason })
}

/// Takes back what was said of a prefix, or with `-a` everything.
///
/// # Errors
/// All of [`relay`], and [`Error::Failed`] when it is both or neither.
pub fn forget(tool: &Tool, arguments: &Arguments) -> Result<bool, Error> {
    match (operand(arguments, 0), arguments.has('a')) {
        (None, false) => Err(failed("forget", "prefix missing; -a forgets all")),
        (Some(_), true) => Err(failed("forget", "either a prefix, or -a for all")),
        (prefix, _) => relay(tool, &Request::Forget { prefix }),
    }
}

/// Prefix, seconds and reason of the command line; the engine judges them.
fn said(word: &str, arguments: &Arguments) -> Result<(String, Option<u64>, String), Error> {
    let seconds = arguments.value('t').map(|text| {
        let text = text.to_string_lossy();
        let why = format!("-t {text}: not a duration such as 90s, 15m, 4h or 7d");
        config::read_duration(&text).ok_or_else(|| failed(word, &why))
    });
    let [prefix, reason] = [0, 1].map(|at| operand(arguments, at).unwrap_or_default());
    Ok((prefix, seconds.transpose()?, reason))
}

fn operand(arguments: &Arguments, at: usize) -> Option<String> {
    arguments.operands.get(at).map(|it| it.to_string_lossy().into())
}

fn failed(what: &str, why: &str) -> Error {
    Error::Failed(Failure { what: what.into(), why: why.into() })
}
