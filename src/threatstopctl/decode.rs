//! `decode`: packet logs as text, without the engine.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal as _, Read, Write};
use std::time::{Duration, Instant};

use control::Failure;
use flate2::bufread::MultiGzDecoder;
use imsg::process::local_offset;
use pflog::{Printer, Reader, Stamp};

use crate::Tool;
use crate::arguments::Arguments;
use crate::client::{pledge, reason};
use crate::error::Error;

mod progress;

use progress::Progress;

/// How a gzip file begins (RFC 1952, section 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// How often progress is shown.
const SHOW: Duration = Duration::from_millis(100);

/// What ended a file early.
enum Trouble {
    /// The file: it cannot be read, or is no packet log.
    Input(String),
    /// The output.
    Stdout(io::Error),
}

/// Prints the files, or standard input when there is none.
///
/// # Errors
/// When a file cannot be read, is no packet log, or ends inside a record; what came before is
/// printed then. And [`Error::Stdout`].
pub fn run(tool: &Tool, arguments: &Arguments) -> Result<bool, Error> {
    let stamp = match arguments.value('t').map(OsStr::to_str) {
        None | Some(Some("time")) => Stamp::Time,
        Some(Some("date")) => Stamp::Date,
        Some(Some("epoch")) => Stamp::Epoch,
        _ => return Err(failed("decode", "-t takes time, date or epoch".into())),
    };
    // the zone's file, while it can still be seen
    local_offset(0);
    pledge("stdio rpath").map_err(|error| Error::Client("decode", error))?;
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    if tool.json {
        let mut text = Vec::new();
        all(arguments, stamp, &mut text)?;
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        writeln!(out, "{}", serde_json::json!({ "lines": lines }))?;
    } else {
        let done = all(arguments, stamp, &mut out);
        out.flush()?;
        done?;
    }
    out.flush()?;
    Ok(true)
}

fn failed(what: &str, why: String) -> Error {
    Error::Failed(Failure { what: what.into(), why })
}

fn all(arguments: &Arguments, stamp: Stamp, out: &mut impl Write) -> Result<(), Error> {
    let standard_input = ["-".into()];
    let files = match arguments.operands.as_slice() {
        [] => standard_input.as_slice(),
        files => files,
    };
    files.iter().try_for_each(|name| {
        let done = match name.as_encoded_bytes() {
            b"-" => decode(io::stdin().lock(), None, stamp, out),
            _ => file(name, stamp, out),
        };
        done.map_err(|trouble| match trouble {
            Trouble::Input(why) => failed(&name.to_string_lossy(), why),
            Trouble::Stdout(error) => error.into(),
        })
    })
}

fn file(name: &OsStr, stamp: Stamp, out: &mut impl Write) -> Result<(), Trouble> {
    let unreadable = |error: io::Error| Trouble::Input(reason(&error));
    let file = File::open(name).map_err(unreadable)?;
    let size = file.metadata().map_err(unreadable)?.len();
    let progress = io::stderr().is_terminal().then(|| Progress::new(name, size));
    decode(file, progress, stamp, out)
}

/// Counts the octets that are read.
struct Counted<R> {
    inner: R,
    octets: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(to)?;
        self.octets += count as u64;
        Ok(count)
    }
}

/// Input as it is, or unpacked.
enum Input<R> {
    Plain(R),
    Gzip(MultiGzDecoder<R>),
}

fn decode(
    input: impl Read,
    progress: Option<Progress>,
    stamp: Stamp,
    out: &mut impl Write,
) -> Result<(), Trouble> {
    let unreadable = |error: io::Error| Trouble::Input(reason(&error));
    let mut buffered = BufReader::with_capacity(1 << 16, Counted { inner: input, octets: 0 });
    let begin = buffered.fill_buf().map_err(unreadable)?;
    let mut input = match begin.starts_with(&GZIP) {
        true => Input::Gzip(MultiGzDecoder::new(buffered)),
        false => Input::Plain(buffered),
    };
    let mut reader = Reader::new();
    let mut printer = Printer::new(stamp, local_offset(now()));
    let mut text = Vec::new();
    let mut shown = Instant::now();
    loop {
        let room = reader.room();
        let count = match &mut input {
            Input::Plain(input) => input.read(room),
            Input::Gzip(input) => input.read(room),
        };
        let ended = match count {
            Ok(count) => {
                reader.filled(count);
                (count == 0).then_some(Ok(()))
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => None,
            // where in the packet log, packed or not: an offset in the file says little of gzip
            Err(error) => Some(Err(Trouble::Input(format!(
                "{}, behind octet {}",
                reason(&error),
                reader.offset()
            )))),
        };
        text.clear();
        let read = loop {
            match reader.record() {
                Ok(Some(record)) => {
                    if stamp == Stamp::Date {
                        printer.follow_zone(record.seconds, |at| local_offset(at.into()));
                    }
                    printer.print(&record, &mut text);
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(Trouble::Input(error.to_string())),
            }
        };
        // what there is before the trouble, too
        out.write_all(&text).map_err(Trouble::Stdout)?;
        if let Some(progress) = &progress
            && (shown.elapsed() >= SHOW || ended.is_some() || read.is_err())
        {
            let octets = match &input {
                Input::Plain(input) => input.get_ref().octets,
                Input::Gzip(input) => input.get_ref().get_ref().octets,
            };
            progress.show(octets, ended.is_some() || read.is_err());
            shown = Instant::now();
        }
        read?;
        if let Some(ended) = ended {
            ended?;
            return reader.finish().map_err(|error| Trouble::Input(error.to_string()));
        }
    }
}

fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests;
