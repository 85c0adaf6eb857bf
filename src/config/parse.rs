//! From text to a configuration and back.

use std::path::Path;

use crate::document::Document;
use crate::error::{ConfigError, Fault};
use crate::schema::Config;
use crate::{MAX_OCTETS, keys};

impl Config {
    /// Reads a configuration from its text; `file` is for messages only.
    ///
    /// # Errors
    /// [`ConfigError::Line`] for the first thing that is wrong, [`ConfigError::TooLarge`].
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        if text.len() > MAX_OCTETS {
            return Err(ConfigError::TooLarge { file: file.to_owned() });
        }
        Document::parse(text, keys())
            .and_then(|document| {
                let config = Self::read(&document)?;
                config.check(&document)?;
                Ok(config)
            })
            .map_err(|fault| fault.of_file(file, text.as_bytes()))
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

    /// What no single key shows.
    fn check(&self, document: &Document<'_>) -> Result<(), Fault> {
        let fault = |keys: &[_], why: String| Err(Fault::new(document.place(keys), why));
        if self.tables.block == self.tables.allow {
            return fault(
                &[("tables", "allow"), ("tables", "block")],
                format!("tables.block and tables.allow are the same, \"{}\"", self.tables.block),
            );
        }
        if let Some(list) = self.policy.block.iter().find(|list| self.policy.allow.contains(list)) {
            return fault(
                &[("policy", "allow"), ("policy", "block")],
                format!("\"{list}\" is in policy.block and in policy.allow"),
            );
        }
        // the engine can write in its spool, and must not be able to change what root publishes
        let (spool, tables) = (&self.log.spool, &self.tables.directory);
        if spool.starts_with(tables) || tables.starts_with(spool) {
            return fault(
                &[("log", "spool"), ("tables", "directory")],
                "log.spool and tables.directory must lie apart".to_owned(),
            );
        }
        let covered = |addr| self.guard.never_block.iter().find(|prefix| prefix.contains(addr));
        let expected = self.guard.expect.iter().find_map(|&addr| Some((addr, covered(addr)?)));
        if let Some((addr, prefix)) = expected {
            return fault(
                &[("guard", "expect"), ("guard", "never_block")],
                format!("guard.expect has {addr}, which guard.never_block has in {prefix}"),
            );
        }
        self.check_request(document)
    }

    fn check_request(&self, document: &Document<'_>) -> Result<(), Fault> {
        let fault = |key, why: String| {
            let place = document.place(&[("log.request", key)]);
            Err(Fault::new(place, format!("log.request.{key}: {why}")))
        };
        let request = &self.log.request;
        if request.success.as_str().trim().is_empty() {
            return fault("success", "nothing to look for".to_owned());
        }
        if request.file_name.as_str().trim().is_empty() {
            return fault(
                "file_name",
                "empty: the log needs a name, such as the default".to_owned(),
            );
        }
        if let Some(name) = &request.device_field
            && request.fields.contains_key(name)
        {
            let why = format!("\"{name}\" is log.request.device_field already: name it once");
            return fault("fields", why);
        }
        Ok(())
    }
}
