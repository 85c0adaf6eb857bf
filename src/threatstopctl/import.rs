//! `import`: the old threatstop.conf as a `threatstopd.toml(5)`.
//!
//! The old file was a piece of shell that root sourced. Here it is data: assignments are read,
//! anything else is named in a comment and not executed. Each value goes through the parser of
//! the new file, so that what comes out is accepted by it.
//!
//! * In: the text of an old file, at most 64 KiB.
//! * Out: a new file, and notes of what was not carried over.
//! * Never: execute a line, or carry over a value that the new file would not take.

use core::fmt;

use config::Config;

mod command;
mod keys;
mod new;
mod shell;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub use command::document;
pub use command::run;

use keys::Old;
use new::New;

/// What an old file becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The new file. It holds the device id.
    pub toml: String,
    /// What was not carried over, and what may go from crontab(5), newsyslog.conf and
    /// pf.conf(5). The same lines stand as comments in the new file.
    pub notes: Vec<String>,
    /// How many statements and entries of lists were not carried over.
    pub left_out: usize,
    /// Whether the new file has a device id; else it has a line for it.
    pub device_id: bool,
}

/// Why an old file cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportError {
    file: String,
    why: String,
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, why } = self;
        write!(f, "{file}: {why}")
    }
}

impl std::error::Error for ImportError {}

/// The largest old file, in octets.
const MAX_OCTETS: usize = 64 * 1024;

/// Makes a new file of an old one; `file` is for messages only. A line that cannot be carried over
/// becomes a comment.
///
/// # Errors
/// When the text is larger than 64 KiB, or has no line that the old scripts would have looked at.
pub fn import(text: &[u8], file: &str) -> Result<Imported, ImportError> {
    let error = |why: &str| ImportError { file: file.into(), why: why.into() };
    if text.len() > MAX_OCTETS {
        return Err(error("larger than 65536 octets"));
    }
    let text = String::from_utf8_lossy(text).replace("\r\n", "\n");
    // a byte order mark, as editors of other systems put it there
    let statements = shell::read(text.strip_prefix('\u{feff}').unwrap_or(&text));
    if !statements.iter().any(|statement| Old::of(statement.key()).is_some()) {
        return Err(error("sets nothing that the old scripts know: name their threatstop.conf"));
    }
    let mut new = New::default();
    for statement in statements {
        let line = statement.line();
        match statement {
            shell::Statement::NotExecuted { text, why, .. } => new.not_executed(line, &text, why),
            shell::Statement::Assignment { key, value, .. } => new.carry(line, &key, &value),
        }
    }
    let config = new.settle().map_err(|why| error(&why))?;
    let device_id = new.has_device_id();
    let mut notes = Vec::new();
    if !device_id {
        notes.push("to be filled in: device_id, with the tdid_... that the portal shows".into());
    }
    notes.extend(new.notes.iter().cloned());
    if let more @ 1.. = new.left_out - new.notes.len() {
        notes.push(format!("not carried over: {more} more, which are too many to be named"));
    }
    notes.extend(advice(&config));
    let mut toml = format!("# Made from {} by threatstopctl import.\n\n", file.escape_debug());
    toml.push_str(&new.text());
    toml.push('\n');
    for note in &notes {
        toml.push_str(&format!("# {note}\n"));
    }
    Ok(Imported { toml, notes, left_out: new.left_out, device_id })
}

/// What the administrator has to change elsewhere.
fn advice(config: &Config) -> [String; 5] {
    let table = |name| {
        format!(
            "table <{name}> persist file \"{}/{name}.pftable\"",
            config.tables.directory.display()
        )
    };
    [
        "differs: the old scripts sent the whole packet log; what is sent now are the packets of the \
         two tables, and all of it with scope = \"all\" in [log]"
            .into(),
        "may go, from root's crontab (crontab -e): the lines with threatstop-pf.sh and sendlog.sh"
            .into(),
        "may go, from /etc/newsyslog.conf: \"600 10 * 1 ZB\" in the line of /var/log/pflog, which \
         was \"600 3 250 * ZB\""
            .into(),
        format!("goes into /etc/pf.conf, for the old line: {}", table(&config.tables.block)),
        format!("goes into /etc/pf.conf, for the old line: {}", table(&config.tables.allow)),
    ]
}
