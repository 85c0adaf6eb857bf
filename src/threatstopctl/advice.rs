//! Commands that messages advise: they have to reach the same daemon and read the same file as the
//! command that prints them.

use std::io::{self, Write};
use std::path::Path;

use config::DEFAULT_SOCKET;
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// What stands before a command of this tool.
const TOOL: &str = "threatstopctl ";
/// What starts the daemon by hand.
const DAEMON: &str = "threatstopd -f ";
/// The commands that ask the daemon.
const ASKING: &[&str] = &[
    "allow", "block", "doctor", "forget", "log", "metrics", "reload", "report", "rollback", "show",
    "status", "test", "update", "upload", "watch", "why",
];
/// Those that take the file of the configuration.
const READING: &[&str] = &["doctor", "flush", "setup"];

/// What follows the command in a sentence that whoever looks for it has word for word, wherever the daemon
/// listens: that of a second rollback.
const QUOTED: &str = " ends that";

/// What to put into a command so that it does the same for whoever has said `-s` or `-f`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Advice {
    socket: String,
    file: String,
}

impl Advice {
    /// For this control socket, and this file of the configuration where the command takes one.
    pub fn new(socket: &Path, file: Option<&Path>) -> Self {
        let option = |letter, path: &Path, default: &str| match path.to_str() {
            Some(path) if path == default => String::new(),
            _ => format!("-{letter} {} ", argument(path)),
        };
        Self {
            socket: option('s', socket, DEFAULT_SOCKET),
            file: file.map_or_else(String::new, |file| option('f', file, config::DEFAULT_PATH)),
        }
    }

    /// The text with these options in the commands that it names.
    pub fn fit(&self, text: &str) -> String {
        let mut fitted = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(TOOL) {
            let (before, behind) = rest.split_at(at + TOOL.len());
            let end = behind.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(behind.len());
            let (word, behind) = behind.split_at(end);
            fitted += before;
            if ASKING.contains(&word) && !behind.starts_with(QUOTED) {
                fitted += &self.socket;
            }
            fitted += word;
            if READING.contains(&word) && !behind.starts_with(" -f ") && !self.file.is_empty() {
                fitted.push(' ');
                fitted += self.file.trim_end();
            }
            rest = behind;
        }
        fitted += rest;
        match self.socket.is_empty() {
            true => fitted,
            false => fitted.replace(DAEMON, &format!("threatstopd {}-f ", self.socket)),
        }
    }

    /// Writes a document with these options in the commands that its strings name.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, out: impl Write, document: &impl Serialize) -> io::Result<()> {
        Ok(document.serialize(&mut Serializer::with_formatter(out, self))?)
    }
}

impl Formatter for &Advice {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let fitted = self.fit(fragment);
        if fitted == fragment {
            return out.write_all(fragment.as_bytes());
        }
        // the path that has come into it may have what is to be escaped
        let quoted = serde_json::to_string(&fitted)?;
        let inner = quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        out.write_all(inner.unwrap_or_default().as_bytes())
    }
}

/// A path as sh(1) reads it.
fn argument(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@%=".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests;
