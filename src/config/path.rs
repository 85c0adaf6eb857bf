//! Paths of files and directories.

use std::path::{Component, Path, PathBuf};

use crate::text::{Invalid, Text};

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
