//! The command: reading the old file, printing the new one.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write as _};

use control::Failure;
use serde_json::{Value, json};

use super::{Imported, MAX_OCTETS, import};
use crate::client::{pledge, reason};
use crate::error::Error;
use crate::printable::printable;
use crate::tool::Tool;

/// Prints the new file, or with `-j` an object with it and its notes.
///
/// # Errors
/// When the old file cannot be read or imported, and [`Error::Stdout`].
pub fn run(tool: &Tool, operand: &OsStr) -> Result<bool, Error> {
    let name = if operand == "-" { "stdin".into() } else { operand.to_string_lossy() };
    let failed = |why: String| Error::Failed(Failure { what: "import".into(), why });
    let unread = |error: io::Error| failed(format!("{name}: {}", reason(&error)));
    let mut input: Box<dyn Read> = if operand == "-" {
        Box::new(io::stdin())
    } else {
        pledged("stdio rpath")?;
        Box::new(File::open(operand).map_err(unread)?)
    };
    pledged("stdio")?;
    let mut old = Vec::new();
    // one more than it takes, so that it refuses what is longer
    input.by_ref().take(MAX_OCTETS as u64 + 1).read_to_end(&mut old).map_err(unread)?;
    let new = import(&old, &name).map_err(|error| failed(error.to_string()))?;
    let mut out = io::stdout().lock();
    if tool.json {
        writeln!(out, "{}", document(&new))?;
    } else {
        out.write_all(new.toml.as_bytes())?;
    }
    out.flush()?;
    if let Some(line) = summary(&new, &name).filter(|_| !tool.json) {
        // without a standard error there is nobody to tell
        let _ = writeln!(io::stderr(), "threatstopctl: import: {}", printable(&line));
    }
    Ok(true)
}

/// How much was not carried over, if anything.
fn summary(new: &Imported, file: &str) -> Option<String> {
    let lines = match new.left_out {
        0 if new.device_id => return None,
        0 => String::new(),
        1 => "1 thing is not carried over, and ".to_owned(),
        n => format!("{n} things are not carried over, and "),
    };
    Some(match new.device_id {
        false => {
            format!("{file}: {lines}device_id is to be filled in: see the comments of the new file")
        }
        true => format!(
            "{file}: {}: see the comments of the new file",
            lines.trim_end_matches(", and ")
        ),
    })
}

/// What `-j` prints.
pub fn document(new: &Imported) -> Value {
    let Imported { toml, notes, left_out, device_id } = new;
    json!({ "toml": toml, "notes": notes, "left_out": left_out, "device_id": device_id })
}

fn pledged(promises: &str) -> Result<(), Error> {
    pledge(promises).map_err(|error| Error::Client("import", error))
}
