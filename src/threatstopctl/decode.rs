//! `decode`: packet logs as text, without the engine.
//!
//! * In: packet logs by name or on standard input, plain or gzip.
//! * Out: their text, or one JSON document; a bar on stderr.
//! * Never: ask the engine, change a file, or hold more of one than a piece.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal as _, Read, Write};
use std::time::{Duration, Instant};

use control::Failure;
use flate2::bufread::MultiGzDecoder;
use imsg::process::local_offset;
use pflog::{Lines, Printer, Reader, Stamp};

use crate::arguments::Arguments;
use crate::client::{pledge, reason};
use crate::error::Error;
use crate::tool::Tool;

mod progress;
mod sink;

use progress::Progress;
use sink::Sink;

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

/// Prints the files, or standard input when there is none; false when one of them cannot be read,
/// is no packet log, or ends inside a record. What came before is printed then, and the other
/// files are.
///
/// # Errors
/// [`Error::Failed`] for a wrong operand, [`Error::Client`] when pledge(2) fails,
/// [`Error::Stdout`].
pub fn run(tool: &Tool, arguments: &Arguments) -> Result<bool, Error> {
    let stamp = match arguments.value('t').map(OsStr::to_str) {
        None | Some(Some("time")) => Stamp::Time,
        Some(Some("date")) => Stamp::Date,
        Some(Some("epoch")) => Stamp::Epoch,
        _ => return Err(failed("-t takes time, date or epoch")),
    };
    // the zone's file, while it can still be seen
    local_offset(0);
    pledge("stdio rpath").map_err(|error| Error::Client("decode", error))?;
    // For JSON, which comes in small pieces. Text is that of all that was read at once: it is longer, and
    // is written without a copy.
    let out = BufWriter::with_capacity(1 << 13, io::stdout().lock());
    Ok(all(&arguments.operands, stamp, Sink::new(out, tool.json))?)
}

fn failed(why: &str) -> Error {
    Error::Failed(Failure { what: "decode".into(), why: why.into() })
}

fn all(files: &[OsString], stamp: Stamp, mut out: Sink<impl Write>) -> io::Result<bool> {
    let standard_input = ["-".into()];
    for name in if files.is_empty() { &standard_input } else { files } {
        let done = match name.as_encoded_bytes() {
            b"-" => decode(io::stdin().lock(), None, stamp, &mut out),
            _ => file(name, stamp, &mut out),
        };
        match done {
            Ok(()) => {}
            Err(Trouble::Input(why)) => {
                out.failure(Failure { what: name.to_string_lossy().into(), why })?;
            }
            Err(Trouble::Stdout(error)) => return Err(error),
        }
    }
    out.end()
}

fn file(name: &OsStr, stamp: Stamp, out: &mut Sink<impl Write>) -> Result<(), Trouble> {
    let unreadable = |error: io::Error| Trouble::Input(reason(&error));
    let file = File::open(name).map_err(unreadable)?;
    let meta = file.metadata().map_err(unreadable)?;
    let [stdout, stderr] = [io::stdout().is_terminal(), io::stderr().is_terminal()];
    let progress =
        wants_bar(stdout, stderr, meta.is_file()).then(|| Progress::new(name, meta.len()));
    decode(file, progress, stamp, out)
}

/// Whether a bar helps: somebody sees it, it does not stand between the lines on his terminal, and
/// there is an end that it can grow to.
fn wants_bar(stdout_is_terminal: bool, stderr_is_terminal: bool, input_is_file: bool) -> bool {
    stderr_is_terminal && !stdout_is_terminal && input_is_file
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
    out: &mut Sink<impl Write>,
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
    let mut text = Lines::default();
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
        out.text(&text).map_err(Trouble::Stdout)?;
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
