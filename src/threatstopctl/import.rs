//! `import`: the old threatstop.conf as a `threatstopd.toml(5)`.
//!
//! The old file was a piece of shell that root sourced. Here it is data: assignments are read,
//! anything else is named in a comment and not executed. Each value goes through the parser of
//! the new file, so that what comes out is accepted by it.

use core::fmt;
use std::collections::BTreeMap;
use std::path::Path;

use config::{Config, ConfigError, Key, keys, quote};

mod command;
mod shell;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub use command::document;
pub use command::run;

/// What an old file becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The new file. It holds the device id.
    pub toml: String,
    /// What was not carried over, and what may go from crontab(5), newsyslog.conf(5) and
    /// pf.conf(5). The same lines stand as comments in the new file.
    pub notes: Vec<String>,
}

/// Why an old file cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportError {
    file: String,
    line: Option<usize>,
    why: String,
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, why } = self;
        match line {
            Some(line) => write!(f, "{file}:{line}: {why}"),
            None => write!(f, "{file}: {why}"),
        }
    }
}

impl std::error::Error for ImportError {}

/// The largest old file, in octets.
const MAX_OCTETS: usize = 64 * 1024;

/// Makes a new file of an old one; `file` is for messages only.
///
/// # Errors
/// When the text is larger than 64 KiB, not UTF-8, ends within quotes, or has no device id that
/// the new file takes; or when the new file would contradict itself or be too large.
pub fn import(text: &[u8], file: &str) -> Result<Imported, ImportError> {
    let error = |line, why: &str| ImportError { file: file.into(), line, why: why.into() };
    if text.len() > MAX_OCTETS {
        return Err(error(None, "larger than 65536 octets"));
    }
    let text = std::str::from_utf8(text).map_err(|at| {
        let before = text.get(..at.valid_up_to()).unwrap_or_default();
        let line = 1 + before.iter().filter(|&&octet| octet == b'\n').count();
        error(Some(line), "not UTF-8: convert it with iconv -f latin1 -t utf-8")
    })?;
    let statements = shell::read(&text.replace("\r\n", "\n"))
        .map_err(|shell::Unclosed(line)| error(Some(line), "a quote is not closed"))?;

    let mut new = New::default();
    let mut device_id = None;
    for statement in statements {
        let line = statement.line();
        match statement {
            shell::Statement::NotExecuted { text, why, .. } => {
                let text = text.escape_debug();
                new.notes.push(format!("not carried over: line {line}: {text}: {why}"));
            }
            shell::Statement::Assignment { key, value, .. } => match Old::of(&key) {
                Some(Old::DeviceId) => {
                    New::check(DEVICE_ID, &quote(&value)).map_err(|why| error(Some(line), &why))?;
                    device_id = Some(value);
                }
                old => new.carry(old, &key, &value),
            },
        }
    }
    let Some(device_id) = device_id else {
        return Err(error(
            None,
            "no device_id: add device_id=\"tdid_...\" from the portal and try again",
        ));
    };
    new.set(DEVICE_ID, quote(&device_id));
    let settings = new.settings();
    let config =
        Config::parse(&settings, Path::new(file)).map_err(|why| error(None, &reason(why)))?;
    new.notes.extend(advice(&config));
    let mut toml = format!("# Made from {} by threatstopctl import.\n\n", file.escape_debug());
    toml.push_str(&settings);
    toml.push('\n');
    for note in &new.notes {
        toml.push_str(&format!("# {note}\n"));
    }
    if toml.len() > config::MAX_OCTETS {
        return Err(error(None, "too much of it is no setting"));
    }
    Ok(Imported { toml, notes: new.notes })
}

/// What is wrong, without the place, which is one of the text made here.
fn reason(error: ConfigError) -> String {
    match error {
        ConfigError::Mistakes { mut mistakes, .. } if !mistakes.is_empty() => {
            mistakes.swap_remove(0).why
        }
        other => other.to_string(),
    }
}

/// A key of the old file, as far as it means something here.
#[derive(Clone, Copy)]
enum Old {
    DeviceId,
    /// Words separated by blanks.
    List(Place),
    Text(Place),
    /// `YES` or `NO`.
    Switch(Place),
    Directory,
    PacketLog,
    TableFile,
    TextFile,
}

/// Section and key of the new file.
type Place = (&'static str, &'static str);

const DEVICE_ID: Place = ("", "device_id");
const DIRECTORY: Place = ("tables", "directory");
const PACKET_LOG: Place = ("log", "file");

impl Old {
    /// Case, underscores and the vendor's name make no difference: samples of several years
    /// differ in these.
    fn of(key: &str) -> Option<Self> {
        let name = key.to_ascii_lowercase().replace('_', "");
        let name = name.strip_prefix("threatstop").or(name.strip_prefix("ts")).unwrap_or(&name);
        Some(match name {
            "deviceid" | "device" | "tdid" => Self::DeviceId,
            "dns" | "dnsip" | "dnsserver" | "dnsservers" | "nameserver" | "nameservers"
            | "server" | "servers" => Self::List(("policy", "servers")),
            "block" | "blocklist" | "blocklists" | "blockpolicy" => Self::List(("policy", "block")),
            "allow" | "allowlist" | "allowlists" | "allowpolicy" | "whitelist" => {
                Self::List(("policy", "allow"))
            }
            "blocktable" => Self::Text(("tables", "block")),
            "allowtable" => Self::Text(("tables", "allow")),
            "reload" | "reloadpf" => Self::Switch(("tables", "reload")),
            "url" | "logurl" | "uploadurl" => Self::Text(("log", "url")),
            "proxy" | "httpproxy" | "httpsproxy" => Self::Text(("log", "proxy")),
            "outdir" | "outputdir" => Self::Directory,
            "pflog" | "pflogfile" => Self::PacketLog,
            "blockfile" | "allowfile" => Self::TableFile,
            "logfile" => Self::TextFile,
            _ => return None,
        })
    }
}

/// The new file, as far as it is made.
#[derive(Default)]
struct New {
    values: BTreeMap<Place, String>,
    notes: Vec<String>,
}

impl New {
    fn set(&mut self, place: Place, toml: String) {
        self.values.insert(place, toml);
    }

    /// Whether the new file takes the value; if not, why.
    fn check((section, name): Place, toml: &str) -> Result<(), String> {
        let text = if section.is_empty() {
            format!("{name} = {toml}\n")
        } else {
            format!("device_id = \"tdid_00000000\"\n[{section}]\n{name} = {toml}\n")
        };
        Config::parse(&text, Path::new("")).map(drop).map_err(reason)
    }

    /// Takes over an assignment, or notes why not.
    fn carry(&mut self, old: Option<Old>, key: &str, value: &str) {
        let taken = match old {
            Some(Old::List(place)) => self.list(place, key, value),
            Some(Old::Text(place)) => self.value(place, quote(value)),
            Some(Old::Switch(place)) => match value.to_ascii_lowercase().as_str() {
                "yes" | "true" | "on" | "1" => self.value(place, "true".into()),
                "no" | "false" | "off" | "0" => self.value(place, "false".into()),
                _ => Err("neither YES nor NO".into()),
            },
            Some(Old::Directory) if SHARED.contains(&value.trim_end_matches('/')) => {
                Err("the directory is not for table files alone".into())
            }
            Some(Old::Directory) => self.value(DIRECTORY, quote(value)),
            Some(Old::PacketLog) => self.value(PACKET_LOG, quote(live_log(value))),
            Some(Old::TableFile) => Err("table files are DIRECTORY/NAME.pftable".into()),
            Some(Old::TextFile) => Err("no temporary file is needed".into()),
            Some(Old::DeviceId) | None => Err("has no counterpart".into()),
        };
        if let Err(why) = taken {
            self.not_carried(key, value, &why);
        }
    }

    /// In the shell the last assignment counts, so a bad one also takes back what was set before.
    fn value(&mut self, place: Place, toml: String) -> Result<(), String> {
        self.values.remove(&place);
        Self::check(place, &toml)?;
        self.set(place, toml);
        Ok(())
    }

    /// Each entry stands for itself: one that the new file does not take costs not the others.
    fn list(&mut self, place: Place, key: &str, value: &str) -> Result<(), String> {
        self.values.remove(&place);
        let words = value.split(|c: char| c.is_whitespace() || c == ',').filter(|w| !w.is_empty());
        let words: Vec<&str> = words.collect();
        if words.len() > 64 {
            return Err("more than 64 entries".into());
        }
        let mut entries: Vec<String> = Vec::new();
        for word in words {
            let entry = quote(word);
            match Self::check(place, &format!("[{entry}]")) {
                Ok(()) if entries.contains(&entry) => {}
                Ok(()) => entries.push(entry),
                Err(why) => self.not_carried(key, word, &why),
            }
        }
        self.value(place, format!("[{}]", entries.join(", ")))
    }

    fn not_carried(&mut self, key: &str, value: &str, why: &str) {
        self.notes.push(format!("not carried over: {key} = {}: {why}", quote(value)));
    }

    /// What is set, in the order of the new file.
    fn settings(&self) -> String {
        let mut out = String::new();
        let mut section = "";
        for &Key { section: of, name, .. } in keys() {
            let Some(value) = self.values.get(&(of, name)) else { continue };
            if of != section {
                out.push_str(&format!("\n[{of}]\n"));
                section = of;
            }
            out.push_str(&format!("{name} = {value}\n"));
        }
        out
    }
}

/// Directories that others use too. Root writes in the directory of the table files and nowhere
/// else, so it should be one of its own.
const SHARED: [&str; 11] = [
    "/etc",
    "/root",
    "/tmp",
    "/usr/local/etc",
    "/usr/local/sbin",
    "/var",
    "/var/db",
    "/var/log",
    "/var/run",
    "/var/spool",
    "/var/tmp",
];

/// The old file named a rotated log; the daemon follows the live one and finds the others itself.
fn live_log(path: &str) -> &str {
    let plain = path.strip_suffix(".gz").unwrap_or(path);
    match plain.rsplit_once('.') {
        Some((live, number))
            if !number.is_empty() && number.bytes().all(|o| o.is_ascii_digit()) =>
        {
            live
        }
        _ => plain,
    }
}

/// What the administrator has to change elsewhere.
fn advice(config: &Config) -> [String; 4] {
    let table = |name| {
        format!(
            "table <{name}> persist file \"{}/{name}.pftable\"",
            config.tables.directory.display()
        )
    };
    [
        "may go, from root's crontab (crontab -e): the lines with threatstop-pf.sh and sendlog.sh"
            .into(),
        "may go, from /etc/newsyslog.conf: \"600 10 * 1 ZB\" in the line of /var/log/pflog, which \
         was \"600 3 250 * ZB\""
            .into(),
        format!("goes into /etc/pf.conf, for the old line: {}", table(&config.tables.block)),
        format!("goes into /etc/pf.conf, for the old line: {}", table(&config.tables.allow)),
    ]
}
