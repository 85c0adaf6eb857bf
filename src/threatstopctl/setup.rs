//! `setup`: the lines for pf.conf(5), and the table files that they name.
//!
//! The files come first: a pf.conf that names a file which does not exist is not loaded at all, so no
//! line is printed whose file is not there.
//!
//! * In: the configuration, and which table files there are.
//! * Out: lines for pf.conf(5); empty table files where there are none.
//! * Never: touch pf.conf(5), pf, or a table file that is there.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use config::{Backend, Config, ConfigError};
use control::Failure;
use nix::unistd::geteuid;
use serde_json::{Value, json};

use crate::arguments::Arguments;
use crate::client::pledge;
use crate::error::Error;
use crate::tool::Tool;

mod files;
mod lines;
#[cfg(test)]
pub mod tests;

use files::Files;
use lines::Lines;
pub use lines::{in_order, limit};

/// The file of `-f`, or the one that threatstopd(8) reads by itself.
pub fn config_path(arguments: &Arguments) -> PathBuf {
    arguments.value('f').map_or_else(|| config::DEFAULT_PATH.into(), PathBuf::from)
}

/// What is said to who would have to be root.
pub const NEED_ROOT: &str = "need root privileges";

/// The configuration of a file.
///
/// # Errors
/// Why it cannot be had; of one that is kept from who asks that root is needed.
pub fn read(path: &Path) -> Result<Config, String> {
    match config::read(path) {
        Err(error) if !geteuid().is_root() && denied(&error) => Err(NEED_ROOT.into()),
        other => Ok(other.map_err(|error| error.to_string())?.0),
    }
}

/// Whether the configuration keeps its file from the one who asks, who is not root.
pub fn denied(error: &ConfigError) -> bool {
    matches!(error, ConfigError::Io { error, .. } if error.kind() == io::ErrorKind::PermissionDenied)
}

/// Makes the missing table files, says so on stderr, and prints the lines.
///
/// # Errors
/// When the configuration is not in order, a file cannot be made, or is there and is not one that
/// threatstopd(8) would use; and [`Error::Stdout`].
pub fn run(tool: &Tool, arguments: &Arguments) -> Result<bool, Error> {
    pledge("stdio rpath wpath cpath fattr").map_err(|error| Error::Client("setup", error))?;
    let (files, lines) = prepare(&config_path(arguments), arguments.has('b'))
        .map_err(|why| Error::Failed(Failure { what: "setup".into(), why }))?;
    pledge("stdio").map_err(|error| Error::Client("setup", error))?;
    let mut out = io::stdout().lock();
    if tool.json {
        writeln!(out, "{}", document(&files, &lines))?;
    } else {
        // stdout holds the lines alone, so that it can be redirected
        let _ = write!(io::stderr(), "{files}{}", lines.advice());
        write!(out, "{lines}")?;
    }
    out.flush()?;
    Ok(true)
}

fn prepare(path: &Path, bridge: bool) -> Result<(Files, Lines), String> {
    let config = read(path)?;
    refuse_unnamed(&config)?;
    // what anybody else makes is refused by the daemon, which root starts
    if !geteuid().is_root() && config.tables.backend == Backend::Pf {
        return Err(NEED_ROOT.into());
    }
    let files = Files::make(&config)?;
    let lines = Lines::new(&config, files.entries, bridge);
    Ok((files, lines))
}

/// Refuses a directory whose path would need an escape between the quotes of pf.conf(5).
fn refuse_unnamed(config: &Config) -> Result<(), String> {
    let path = config.tables.directory.display().to_string();
    if path.contains(['"', '\\']) {
        return Err(format!("{path}: pf.conf cannot name it: set another tables.directory"));
    }
    Ok(())
}

/// What `-j` prints.
fn document(files: &Files, lines: &Lines) -> Value {
    json!({
        "pf_conf": lines.pf_conf,
        "anchor_file": lines.anchor.as_ref().map(|(file, _)| file),
        "anchor_text": lines.anchor.as_ref().map(|(_, text)| text),
        "created": files.created,
        "kept": files.kept,
    })
}
