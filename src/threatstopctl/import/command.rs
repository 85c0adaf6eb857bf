//! The command: reading the old file, printing the new one.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write as _};

use control::Failure;
use serde_json::{Value, json};

use super::{ImportError, Imported, MAX_OCTETS, import};
use crate::Tool;
use crate::client::{pledge, reason};
use crate::error::Error;

/// Prints the new file, or with `-j` an object with it and its notes.
///
/// # Errors
/// When the old file cannot be read or imported, and [`Error::Stdout`].
pub fn run(tool: &Tool, operand: &OsStr) -> Result<bool, Error> {
    let name = if operand == "-" { "stdin".into() } else { operand.to_string_lossy() };
    let failed = |why: String| Error::Failed(Failure { what: "import".into(), why });
    let unread = |error: io::Error| {
        let why = reason(&error);
        failed(ImportError { file: name.clone().into(), line: None, why }.to_string())
    };
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
    Ok(true)
}

/// What `-j` prints.
pub fn document(new: &Imported) -> Value {
    json!({ "toml": new.toml, "notes": new.notes })
}

fn pledged(promises: &str) -> Result<(), Error> {
    pledge(promises).map_err(|error| Error::Client("import", error))
}
