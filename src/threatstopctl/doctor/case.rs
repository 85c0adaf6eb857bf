//! What the checks work on.

use std::path::Path;

use config::{Backend, Config};

use super::host::Host;

/// A host with its configuration.
#[derive(Clone, Copy)]
pub struct Case<'a> {
    /// The host.
    pub host: &'a dyn Host,
    /// The configuration file.
    pub path: &'a Path,
    /// What is in it.
    pub config: &'a Config,
    /// Whether threatstopd(8) answers. What helps depends on it.
    pub running: bool,
}

impl Case<'_> {
    /// The anchor that the tables are in; "" is the main ruleset.
    pub fn anchor(&self) -> &str {
        self.config.tables.anchor.as_ref().map_or("", |anchor| anchor.as_str())
    }

    /// How threatstopd(8) is started.
    pub fn start(&self) -> String {
        match self.config.tables.backend {
            // rcctl(8) starts it with the file that it reads by itself
            Backend::Pf if self.path == Path::new(config::DEFAULT_PATH) => {
                "rcctl start threatstopd".into()
            }
            _ => format!("threatstopd -f {}", self.path.display()),
        }
    }

    /// What puts tables and files in order again.
    pub fn update(&self) -> String {
        match self.running {
            true => "threatstopctl update".into(),
            false => format!("{}, then threatstopctl update", self.start()),
        }
    }

    /// What makes a table file that is not there. While threatstopd(8) runs, an empty one would be
    /// taken for the table.
    pub fn file(&self) -> &'static str {
        if self.running { "threatstopctl update" } else { "threatstopctl setup" }
    }
}
