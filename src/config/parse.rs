//! From text to a configuration and back.

use std::path::Path;

use crate::check::check;
use crate::error::{ConfigError, MAX_OCTETS};
use crate::reader::Reader;
use crate::schema::{Config, keys};
use crate::section::Section as _;
use crate::syntax::Sound;

impl Config {
    /// Reads a configuration from its text; `file` is for messages only.
    ///
    /// # Errors
    /// [`ConfigError::Mistakes`] with all that is wrong, [`ConfigError::TooLarge`].
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        if text.len() > MAX_OCTETS {
            return Err(ConfigError::TooLarge { file: file.to_owned() });
        }
        let mut faults = Vec::new();
        let sound = Sound::new(text, keys(), &mut faults);
        let mut reader = Reader::new(&sound, keys());
        let config = Self::read(&mut reader, "");
        if let Some(config) = &config {
            check(config, &mut reader);
        }
        faults.extend(reader.faults());
        match config {
            Some(config) if faults.is_empty() => Ok(config),
            _ => Err(ConfigError::of_text(file, text, faults)),
        }
    }

    /// The configuration with all its keys as TOML, which [`Config::parse`] reads as the same.
    ///
    /// Device id and proxy password are in it, as they are in the file: it is for whoever can
    /// read that, and not for a log.
    pub fn to_toml(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }
}
