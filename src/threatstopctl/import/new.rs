//! The new file while it is made.

use std::collections::BTreeMap;
use std::path::Path;

use config::{Config, ConfigError, Key, keys, quote};

use super::keys::{DEVICE_ID, DIRECTORY, Old, PACKET_LOG, Place};

/// The new file, as far as it is made.
#[derive(Default)]
pub struct New {
    values: BTreeMap<Place, Taken>,
    /// What is not carried over, and why, a comment each.
    pub notes: Vec<String>,
    /// How much is not carried over; more than there are comments when these are too many.
    pub left_out: usize,
    octets: usize,
}

/// A value of the new file, with the key and the value of the old one for a comment on them.
struct Taken {
    toml: String,
    key: String,
    value: String,
}

/// What the comments may have together, in octets: the new file has a limit of its own.
const MOST: usize = config::MAX_OCTETS / 2;
/// The characters of an old line or value that a comment shows.
const SHOWN: usize = 200;
/// The name of a table that nobody gives to one.
const OTHER: &str = "threatstopctl-import-other";
/// Stands for the device id where there is none, so that the rest can be looked at.
const ANY_ID: &str = "\"tdid_00000000\"";

impl New {
    /// Takes over an assignment, or notes why not.
    pub fn carry(&mut self, line: usize, key: &str, value: &str) {
        let taken = match Old::of(key) {
            Some(Old::DeviceId) => {
                // it is a credential: the comment has its line and not the value
                if let Err(why) = self.value(DEVICE_ID, quote(value), key, value) {
                    self.leave_out(&format!("line {line}: {key}: {why}"));
                }
                Ok(())
            }
            Some(Old::List(place)) => self.list(place, key, value),
            Some(Old::Text(place)) => self.value(place, quote(value), key, value),
            Some(Old::Switch(place)) => match value.to_ascii_lowercase().as_str() {
                "yes" | "true" | "on" | "1" => self.value(place, "true".into(), key, value),
                "no" | "false" | "off" | "0" => self.value(place, "false".into(), key, value),
                _ => Err("neither YES nor NO".into()),
            },
            Some(Old::Directory) if SHARED.contains(&value.trim_end_matches('/')) => {
                Err("the directory is not for table files alone".into())
            }
            Some(Old::Directory) => self.value(DIRECTORY, quote(value), key, value),
            Some(Old::PacketLog) => self.value(PACKET_LOG, quote(live_log(value)), key, value),
            Some(Old::TableFile) => Err("table files are DIRECTORY/NAME.pftable".into()),
            Some(Old::TextFile) => Err("no temporary file is needed".into()),
            None => Err("has no counterpart".into()),
        };
        if let Err(why) = taken {
            self.not_carried(key, value, &why);
        }
    }

    /// Notes a line that is no assignment.
    pub fn not_executed(&mut self, line: usize, text: &str, why: &str) {
        self.leave_out(&format!("line {line}: {}: {why}", cut(&text.escape_debug().to_string())));
    }

    /// Gives up what contradicts the rest, and gives the configuration that is left; a device id
    /// need not be there. Of two values that do not go together the later of the new file goes.
    ///
    /// # Errors
    /// When nothing is left to give up: the defaults contradict themselves.
    pub fn settle(&mut self) -> Result<Config, String> {
        loop {
            let why = match parse(&self.settings(ANY_ID, None)) {
                Ok(config) => return Ok(config),
                Err(why) => why,
            };
            let places = self.values.keys().rev().filter(|&&place| place != DEVICE_ID);
            let places: Vec<Place> = places.copied().collect();
            let alone =
                places.iter().find(|&&but| parse(&self.settings(ANY_ID, Some(but))).is_ok());
            let given_up = alone.or(places.first()).and_then(|place| self.values.remove(place));
            let Some(Taken { key, value, .. }) = given_up else { return Err(why) };
            self.not_carried(&key, &value, &why);
        }
    }

    /// Whether there is a device id.
    pub fn has_device_id(&self) -> bool {
        self.values.contains_key(&DEVICE_ID)
    }

    /// The new file without its comments. Without a device id its line is there to be filled in.
    pub fn text(&self) -> String {
        self.settings(self.values.get(&DEVICE_ID).map_or("\"\"", |id| &id.toml), None)
    }

    /// In the shell the last assignment counts, so a bad one also takes back what was set before.
    fn value(&mut self, place: Place, toml: String, key: &str, value: &str) -> Result<(), String> {
        self.values.remove(&place);
        check(place, &toml)?;
        self.values.insert(place, Taken { toml, key: key.into(), value: value.into() });
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
            match check(place, &format!("[{entry}]")) {
                Ok(()) if entries.contains(&entry) => {}
                Ok(()) => entries.push(entry),
                Err(why) => self.not_carried(key, word, &why),
            }
        }
        self.value(place, format!("[{}]", entries.join(", ")), key, value)
    }

    fn not_carried(&mut self, key: &str, value: &str, why: &str) {
        self.leave_out(&format!("{key} = {}: {}", cut(&quote(value)), cut(why)));
    }

    fn leave_out(&mut self, what: &str) {
        self.left_out += 1;
        let note = format!("not carried over: {}", without_id(what));
        // with the "# " and the end of the line
        self.octets += note.len() + 3;
        if self.octets <= MOST {
            self.notes.push(note);
        }
    }

    /// What is set but for one place, in the order of the new file.
    fn settings(&self, device_id: &str, but: Option<Place>) -> String {
        let mut out = format!("device_id = {device_id}\n");
        let mut section = "";
        for &Key { section: of, name, .. } in keys() {
            let place = (of, name);
            let Some(taken) = self.values.get(&place) else { continue };
            if place == DEVICE_ID || Some(place) == but {
                continue;
            }
            if of != section {
                out.push_str(&format!("\n[{of}]\n"));
                section = of;
            }
            out.push_str(&format!("{name} = {}\n", taken.toml));
        }
        out
    }
}

/// Whether the new file takes the value by itself; if not, why.
fn check((section, name): Place, toml: &str) -> Result<(), String> {
    let text = match (section, name) {
        ("", name) => format!("{name} = {toml}\n"),
        // the other table has a name that the old file may be about to change
        ("tables", "block" | "allow") => {
            let other = if name == "block" { "allow" } else { "block" };
            format!("device_id = {ANY_ID}\n[tables]\n{name} = {toml}\n{other} = \"{OTHER}\"\n")
        }
        _ => format!("device_id = {ANY_ID}\n[{section}]\n{name} = {toml}\n"),
    };
    parse(&text).map(drop)
}

/// What is wrong is told without the place, which is one of the text made here.
fn parse(text: &str) -> Result<Config, String> {
    Config::parse(text, Path::new("")).map_err(|error| match error {
        ConfigError::Mistakes { mut mistakes, .. } if !mistakes.is_empty() => {
            mistakes.swap_remove(0).why
        }
        other => other.to_string(),
    })
}

/// A text without the device ids in it, which are credentials.
fn without_id(text: &str) -> String {
    let mut parts = text.split("tdid_");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        shown += "tdid_...";
        shown += part.trim_start_matches(|c: char| c.is_ascii_alphanumeric());
    }
    shown
}

/// The beginning of a text, with dots when it is long.
fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
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
