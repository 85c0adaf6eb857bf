//! `why`: any number of addresses, of the command line or of standard input.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::IpAddr;

use control::{ADDRESSES_A_REQUEST, Failure, Reply, Request, Why};

use crate::advice::Advice;
use crate::arguments::Arguments;
use crate::client::{Client, ClientError, confine, reason};
use crate::error::Error;
use crate::printable::printable;
use crate::tool::Tool;

/// The command's word, for errors.
const WORD: &str = "why";

/// Says of each address whether it is blocked, and why; false when one is not.
///
/// # Errors
/// [`Error::Told`] when one of them is no address, which is said in its place, [`Error::Client`],
/// [`Error::Failed`] and [`Error::Stdout`].
pub fn run(tool: &Tool, arguments: &Arguments) -> Result<bool, Error> {
    confine(&tool.socket).map_err(broken)?;
    let mut asker = Asker::new(tool, io::stdout().lock());
    for operand in &arguments.operands {
        let text = operand.to_string_lossy();
        match &*text {
            "-" => asker.lines(BufReader::new(io::stdin()))?,
            text => asker.take(text, text)?,
        }
    }
    asker.ask()?;
    if asker.has_failed { Err(Error::Told) } else { Ok(asker.all_blocked) }
}

fn broken(error: ClientError) -> Error {
    Error::Client(WORD, error)
}

fn failed(why: String) -> Error {
    Error::Failed(Failure { what: WORD.into(), why })
}

/// Asks for some addresses at a time.
struct Asker<'a, W> {
    tool: &'a Tool,
    out: W,
    waiting: Vec<IpAddr>,
    all_blocked: bool,
    /// Whether one was no address.
    has_failed: bool,
}

impl<'a, W: Write> Asker<'a, W> {
    fn new(tool: &'a Tool, out: W) -> Self {
        Self { tool, out, waiting: Vec::new(), all_blocked: true, has_failed: false }
    }

    /// Takes addresses between white space, with comments behind `#`. What comes slowly is
    /// answered as it comes.
    fn lines(&mut self, mut input: BufReader<impl Read>) -> Result<(), Error> {
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            let read = input.read_until(b'\n', &mut line);
            if read.map_err(|error| failed(format!("standard input: {}", reason(&error))))? == 0 {
                break;
            }
            let text = String::from_utf8_lossy(&line);
            let text = text.split('#').next().unwrap_or_default();
            for word in text.split_whitespace() {
                self.take(word, &format!("line {number}: {word}"))?;
            }
            let is_more = input.buffer().contains(&b'\n');
            if !is_more {
                self.ask()?;
            }
        }
        Ok(())
    }

    /// Takes one address; `shown` is how a message calls it.
    fn take(&mut self, text: &str, shown: &str) -> Result<(), Error> {
        let Ok(address) = text.parse() else {
            // in its place among the others
            self.ask()?;
            failed(format!("{shown}: not a numeric IP address"))
                .report(self.tool.json, &Advice::default());
            self.has_failed = true;
            return Ok(());
        };
        self.waiting.push(address);
        if self.waiting.len() == ADDRESSES_A_REQUEST { self.ask() } else { Ok(()) }
    }

    /// Asks for what waits, and prints the answers.
    fn ask(&mut self) -> Result<(), Error> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let addresses = std::mem::take(&mut self.waiting);
        let mut due = addresses.len();
        let mut client =
            Client::again(&self.tool.socket, &Request::Why { addresses }).map_err(broken)?;
        loop {
            match client.next().map_err(broken)? {
                Reply::Why(why) if due > 0 => {
                    due -= 1;
                    self.print(&why)?;
                }
                Reply::Done(_) if due == 0 => break,
                Reply::Error(failure) => return Err(Error::Failed(failure)),
                _ => return Err(broken(ClientError::Form("not what was asked for".into()))),
            }
        }
        Ok(self.out.flush()?)
    }

    fn print(&mut self, why: &Why) -> Result<(), Error> {
        self.all_blocked &= why.blocked;
        if self.tool.json {
            serde_json::to_writer(&mut self.out, why).map_err(io::Error::from)?;
            writeln!(self.out)?;
        } else {
            writeln!(self.out, "{}", printable(&why.text))?;
        }
        Ok(())
    }
}
