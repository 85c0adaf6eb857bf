//! A threatstopd.toml(5) for a test.

use std::fs;
use std::net::SocketAddr;

use toml::{Table, Value};

use super::scratch::{Scratch, engine_user, set_mode};

/// A configuration for the simulated backend, with all paths in a scratch directory.
///
/// The lists are basic.threatstop.local and dns.threatstop.local, and packet logs are not followed,
/// unless [`Config::set`] says otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Config(Table);

impl Config {
    /// The configuration for a directory, with the policy servers in the order of fail-over.
    pub fn new(scratch: &Scratch, servers: &[SocketAddr]) -> Self {
        let text = |path: std::path::PathBuf| path.to_str().expect("a path in UTF-8").to_string();
        let servers: Vec<Value> = servers.iter().map(|addr| addr.to_string().into()).collect();
        Self(Table::new())
            .set("device_id", "tdid_abcd1234")
            .set("user", engine_user().name)
            .set("policy.servers", servers)
            .set("policy.block", vec!["basic.threatstop.local"])
            .set("policy.allow", vec!["dns.threatstop.local"])
            .set("tables.directory", text(scratch.tables()))
            .set("tables.backend", "simulated")
            .set("log.enabled", false)
            .set("log.file", text(scratch.path().join("pflog")))
            .set("log.spool", text(scratch.spool()))
            // the records of the simulated packet log are of 2023
            .set("log.spool_age", "36500d")
    }

    /// Sets a key, such as "policy.interval" or "log.request.gzip".
    pub fn set(mut self, key: &str, value: impl Into<Value>) -> Self {
        let (sections, last) = key.rsplit_once('.').unwrap_or(("", key));
        let mut table = &mut self.0;
        for section in sections.split('.').filter(|section| !section.is_empty()) {
            let entry = table.entry(section).or_insert_with(|| Table::new().into());
            table = entry.as_table_mut().unwrap_or_else(|| panic!("{key}: {section} is a key"));
        }
        table.insert(last.to_string(), value.into());
        self
    }

    /// Adds a section of those that can stand several times, such as "feed".
    pub fn add(mut self, section: &str, keys: &[(&str, Value)]) -> Self {
        let one: Table =
            keys.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        let all = self.0.entry(section).or_insert_with(|| Value::Array(Vec::new()));
        all.as_array_mut().unwrap_or_else(|| panic!("{section} is no array")).push(one.into());
        self
    }

    /// Takes a key away, so that its default holds.
    pub fn unset(mut self, key: &str) -> Self {
        let (sections, last) = key.rsplit_once('.').unwrap_or(("", key));
        let mut table = &mut self.0;
        for section in sections.split('.').filter(|section| !section.is_empty()) {
            let Some(inner) = table.get_mut(section).and_then(Value::as_table_mut) else {
                return self;
            };
            table = inner;
        }
        table.remove(last);
        self
    }

    /// The text.
    pub fn text(&self) -> String {
        toml::to_string(&self.0).expect("a table is TOML")
    }

    /// Writes the file with the mode 0600 that the program demands.
    pub fn write(&self, scratch: &Scratch) {
        let path = scratch.config();
        fs::write(&path, self.text()).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        set_mode(&path, 0o600);
    }
}
