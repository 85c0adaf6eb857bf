//! Tables in the forms of other programs, streamed: no more of a table is held than one reply of the
//! engine. Whoever reads a text that ends early must not take it for a whole one, so that each form
//! puts in force what it brings by its last lines, or is a syntax error without them.
//!
//! * In: the tables of one moment, reply by reply.
//! * Out: their text in the form that is asked for.
//! * Never: hold a table, or print a text that ends early and works.

mod form;
mod ipfw;
mod ipset;
mod names;
mod nft;
mod zone;

use std::ffi::OsStr;
use std::io::{self, BufWriter, Write};

use control::{Failure, Reply, Request};
use prefix::Prefix;

use crate::arguments::Arguments;
use crate::client::{Client, ClientError};
use crate::error::Error;
use crate::relay::prefixes;
use crate::tool::Tool;
use form::{Family, Form, Unfit};
use zone::Zone;

/// The words of `-o`.
const FORMATS: [&str; 5] = ["plain", "nft", "ipset", "ipfw", "apl"];

/// The zone unless `-z` names another: the one in which our own engine looks for lists.
const ZONE: &str = "threatstop.local";

/// The form of a word, of this zone where it is one.
///
/// # Errors
/// What is wrong with word or zone.
fn form(word: &str, zone: Option<&str>) -> Result<Box<dyn Form>, String> {
    match word {
        "apl" => Ok(Box::new(Zone::new(zone.unwrap_or(ZONE))?)),
        _ if zone.is_some() => Err("-z: only with -o apl".into()),
        "nft" => Ok(Box::new(nft::Nft::default())),
        "ipset" => Ok(Box::new(ipset::Ipset::default())),
        "ipfw" => Ok(Box::new(ipfw::Ipfw::default())),
        _ => Err(format!("-o: {word}: no such format; there are {}", FORMATS.join(", "))),
    }
}

/// Prints the tables that the operands name in another form than plain, if the options say so.
///
/// # Errors
/// [`Error::Failed`] when the form does not suit or the engine has no such tables, [`Error::Client`],
/// [`Error::Stdout`].
pub fn run(tool: &Tool, arguments: &Arguments) -> Option<Result<bool, Error>> {
    let text = |letter| arguments.value(letter).map(OsStr::to_string_lossy);
    let (word, zone) = (text('o'), text('z'));
    match (word.as_deref(), zone.as_deref()) {
        (None | Some("plain"), None) => None,
        (word, zone) => Some(export(tool, word.unwrap_or("plain"), zone, arguments)),
    }
}

fn export(
    tool: &Tool,
    word: &str,
    zone: Option<&str>,
    arguments: &Arguments,
) -> Result<bool, Error> {
    let fail = |why| Error::Failed(Failure { what: "show".into(), why });
    if tool.json {
        return Err(fail(format!("-o {word}: not with -j")));
    }
    if arguments.has('v') {
        return Err(fail(format!("-o {word}: not with -v")));
    }
    let mut form = form(word, zone).map_err(fail)?;
    let tables: Vec<String> =
        arguments.operands.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    if tables.is_empty() {
        return Err(fail("table missing: show -o format block|allow|table ...".into()));
    }
    let request = Request::Export { tables };
    let broken = |error| Error::Client(request.word(), error);
    let mut client = Client::ask(&tool.socket, &request).map_err(broken)?;
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    write(|| client.next(), &mut *form, &mut out).map_err(|stop| match stop {
        Stop::Client(error) => broken(error),
        Stop::Engine(failure) => Error::Failed(failure),
        Stop::Unfit(why) => fail(format!("-o {word}: {why}")),
        Stop::Stdout(error) => Error::Stdout(error),
    })?;
    Ok(true)
}

/// Why the text ends early.
enum Stop {
    Client(ClientError),
    Engine(Failure),
    Unfit(String),
    Stdout(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Stdout(error)
    }
}

impl From<Unfit> for Stop {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Why(why) => Self::Unfit(why),
            Unfit::Stdout(error) => Self::Stdout(error),
        }
    }
}

/// Writes what the replies bring. The counts of the snapshot say where one table ends; what is more or
/// less than they say is no answer.
fn write(
    mut next: impl FnMut() -> Result<Reply, ClientError>,
    form: &mut dyn Form,
    out: &mut dyn Write,
) -> Result<(), Stop> {
    let strange = |what: &str| Stop::Client(ClientError::Form(what.into()));
    let snapshot = match next().map_err(Stop::Client)? {
        Reply::Snapshot(snapshot) => snapshot,
        Reply::Error(failure) => return Err(Stop::Engine(failure)),
        _ => return Err(strange("not what was asked for")),
    };
    form.begin(out, &snapshot)?;
    let mut come = Vec::new().into_iter();
    for table in &snapshot.tables {
        form.table(out, table)?;
        for (family, count) in [(Family::V4, table.v4), (Family::V6, table.v6)] {
            form.family(out, table, family)?;
            let mut left = count;
            while left > 0 {
                let Some(prefix) = come.next() else {
                    come = match next().map_err(Stop::Client)? {
                        Reply::Prefixes(texts) if !texts.is_empty() => {
                            prefixes(&texts).map_err(Stop::Client)?.into_iter()
                        }
                        Reply::Error(failure) => return Err(Stop::Engine(failure)),
                        _ => return Err(strange("there are fewer prefixes than it says")),
                    };
                    continue;
                };
                if matches!(prefix, Prefix::V4(_)) != (family == Family::V4) {
                    return Err(strange("there are more prefixes of a family than it says"));
                }
                left -= 1;
                form.prefix(out, prefix)?;
            }
            form.end_family(out, table)?;
        }
        form.end_table(out)?;
    }
    match next().map_err(Stop::Client)? {
        Reply::Done(_) if come.next().is_none() => {}
        Reply::Error(failure) => return Err(Stop::Engine(failure)),
        _ => return Err(strange("there are more prefixes than it says")),
    }
    form.end(out, &snapshot)?;
    Ok(out.flush()?)
}

#[cfg(test)]
mod tests;
