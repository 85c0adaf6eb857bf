//! From the answer to stdout.

use std::io::{self, BufWriter};

use control::{BROKEN, Failure, REVERTED, Reply, Request, Status};
use prefix::Prefix;

use crate::advice::Advice;
use crate::client::{Client, ClientError};
use crate::ending::Ending;
use crate::error::Error;
use crate::json::Json;
use crate::output::{Output, Part};
use crate::text::Text;
use crate::tool::Tool;

/// Asks the engine and prints what it answers; false when it was done and the answer is no.
///
/// # Errors
/// [`Error::Client`], [`Error::Failed`] when the engine did not do it, [`Error::Stdout`].
pub fn relay(tool: &Tool, request: &Request) -> Result<bool, Error> {
    let client =
        Client::ask(&tool.socket, request).map_err(|e| Error::Client(request.word(), e))?;
    let out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let advice = Advice::new(&tool.socket, None);
    if tool.json {
        print(tool, client, request, &mut Json::new(out, advice))
    } else {
        print(tool, client, request, &mut Text::new(out, advice))
    }
}

/// Asks the engine and prints nothing.
///
/// # Errors
/// [`Error::Client`], and [`Error::Failed`] when the engine did not do it.
pub fn ask(tool: &Tool, request: &Request) -> Result<Ending, Error> {
    end(Client::ask(&tool.socket, request), request, request.word())
}

/// The same under the promises of whoever asks, for the command `word`.
///
/// # Errors
/// Those of [`ask`].
pub fn ask_openly(tool: &Tool, request: &Request, word: &'static str) -> Result<Ending, Error> {
    end(Client::again(&tool.socket, request), request, word)
}

fn end(
    client: Result<Client, ClientError>,
    request: &Request,
    word: &'static str,
) -> Result<Ending, Error> {
    let broken = |error| Error::Client(word, error);
    let mut client = client.map_err(broken)?;
    loop {
        match client.next().map_err(broken)? {
            Reply::Done(done) => return Ending::read(request, done).map_err(broken),
            Reply::Error(failure) => return Err(Error::Failed(failure)),
            _ => {}
        }
    }
}

fn print(
    tool: &Tool,
    mut client: Client,
    request: &Request,
    out: &mut dyn Output,
) -> Result<bool, Error> {
    let broken = |error| Error::Client(request.word(), error);
    let parse = |texts: Vec<String>| prefixes(&texts).map_err(broken);
    loop {
        match client.next().map_err(broken)? {
            Reply::Line(line) => out.line(&line)?,
            Reply::Progress(what) => out.progress(&what)?,
            Reply::Own(entries) => out.own(entries)?,
            Reply::Check(check) => out.check(check)?,
            Reply::Prefixes(texts) => out.prefixes(Part::Table, parse(texts)?)?,
            Reply::Add(texts) => out.prefixes(Part::Add, parse(texts)?)?,
            Reply::Remove(texts) => out.prefixes(Part::Remove, parse(texts)?)?,
            Reply::Done(done) => {
                let ending = Ending::read(request, done).map_err(broken)?;
                if let Request::Reload { .. } = request {
                    let next = client.outlive(&tool.socket).map_err(broken)?;
                    if let Some(why) = not_in_use(next) {
                        let what = request.word().into();
                        return Err(Error::Failed(Failure { what, why }));
                    }
                }
                out.end(&ending)?;
                return Ok(ending.is_yes());
            }
            Reply::Error(Failure { what, why }) => {
                let unsaid = out.unsaid(&why).map(str::to_owned);
                return Err(unsaid.map_or(Error::Told, |why| Error::Failed(Failure { what, why })));
            }
            Reply::Why(_) | Reply::Snapshot(_) | Reply::Event(..) | Reply::Lost(_) => {
                return Err(broken(ClientError::Form("not what was asked for".into())));
            }
        }
    }
}

/// Why an engine that answers so goes on with the configuration before a reload, if it does.
fn not_in_use(answer: Reply) -> Option<String> {
    let Reply::Done(status) = answer else { return None };
    let status = serde_json::from_value::<Status>(status).ok()?;
    let says = |warning: &String| [BROKEN, REVERTED].iter().any(|words| warning.starts_with(words));
    status.pf.warnings.into_iter().find(says)
}

/// What is printed here ends up in files and in pf: it has to be prefixes and nothing else.
///
/// # Errors
/// [`ClientError::Form`] with the first text that is none.
pub fn prefixes(texts: &[String]) -> Result<Vec<Prefix>, ClientError> {
    let parse =
        |text: &String| text.parse().map_err(|error| ClientError::Form(format!("{text}: {error}")));
    texts.iter().map(parse).collect()
}
