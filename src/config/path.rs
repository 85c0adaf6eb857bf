//! Paths of files and directories.

use std::path::{Component, Path, PathBuf};

use crate::schema::Log;
use crate::text::{Invalid, Text};

/// Rotated packet logs that are looked at: FILE.0 to FILE.9.
const ROTATED: u8 = 10;

impl Log {
    /// The packet log and where newsyslog(8) leaves it: FILE, FILE.0, FILE.0.gz, FILE.1, FILE.1.gz and so
    /// on to FILE.9.gz; nothing when it is not enabled.
    pub fn files(&self) -> impl Iterator<Item = PathBuf> {
        let rotated = (0..ROTATED).flat_map(|n| [format!(".{n}"), format!(".{n}.gz")]);
        let endings = self.enabled.then_some([String::new()].into_iter().chain(rotated));
        endings.into_iter().flatten().map(|ending| (self.file.text() + &ending).into())
    }
}

/// The longest path, in octets. PATH_MAX is 1024 with the NUL; this leaves room for the names of
/// tables, for `.pftable.prev` and for the numbers of rotated logs.
const LONGEST_PATH: usize = 900;

impl Text for PathBuf {
    const WHAT: &'static str = "an absolute path";

    fn parse(text: &str) -> Result<Self, Invalid> {
        let path = Path::new(text);
        let plain = path.components().skip(1).all(|part| matches!(part, Component::Normal(_)))
            // components() passes over these
            && !text.split('/').any(|part| part == ".");
        if !path.is_absolute() || path.parent().is_none() || !plain {
            return Err(Invalid::new(text, "not an absolute path without . and .."));
        }
        if text.len() > LONGEST_PATH || !text.chars().all(|c| !c.is_control()) {
            return Err(Invalid::new(
                text,
                "a path has at most 900 octets and no control character",
            ));
        }
        Ok(path.to_owned())
    }

    fn text(&self) -> String {
        // it was made from a str
        self.to_string_lossy().into_owned()
    }
}
