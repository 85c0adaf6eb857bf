//! `watch`: a line for each event, as long as threatstopd runs.

use std::io::{self, Write};

use control::{Event, Failure, Reply, Request};
use serde_json::json;

use crate::advice::Advice;
use crate::arguments::Arguments;
use crate::client::{Client, ClientError};
use crate::error::Error;
use crate::printable::printable;
use crate::tool::Tool;

/// The command's word, for errors.
const WORD: &str = "watch";

/// Prints each event from now on, or from the number of `-e` on; never ends well.
///
/// # Errors
/// [`Error::Client`] when threatstopd ends, [`Error::Failed`] when it will not tell, or for what is no
/// number, and [`Error::Stdout`].
pub fn run(tool: &Tool, arguments: &Arguments) -> Result<bool, Error> {
    let from = arguments.value('e').map(|text| {
        let text = text.to_string_lossy();
        let why = format!("-e {text}: not a number of an event");
        text.parse::<u64>().map_err(|_| Error::Failed(Failure { what: WORD.into(), why }))
    });
    let from = from.transpose()?;
    let broken = |error| Error::Client(WORD, error);
    let mut client = Client::ask(&tool.socket, &Request::Watch { from }).map_err(broken)?;
    let advice = Advice::new(&tool.socket, None);
    let mut out = io::stdout().lock();
    loop {
        match client.next().map_err(broken)? {
            Reply::Event(line, event) => told(tool, &advice, &line, &event, &mut out)?,
            Reply::Lost(lost) if tool.json => writeln!(out, "{}", json!({ "lost": lost }))?,
            Reply::Lost(lost) => writeln!(out, "{lost} events before are not kept any more")?,
            Reply::Error(failure) => return Err(Error::Failed(failure)),
            _ => return Err(broken(ClientError::Form("not what was asked for".into()))),
        }
        out.flush()?;
    }
}

fn told(
    tool: &Tool,
    advice: &Advice,
    line: &str,
    event: &Event,
    out: &mut impl Write,
) -> io::Result<()> {
    if tool.json {
        advice.write(&mut *out, event)?;
        return writeln!(out);
    }
    writeln!(out, "{}", printable(&advice.fit(line)))
}
