//! The configuration: `threatstopd.toml(5)`.
//!
//! Each key is declared once, in `schema.rs`, with its type, default, bounds and a line of
//! documentation. Reading ([`Config::parse`], [`read`]), printing ([`Config::to_toml`]) and the
//! table of keys ([`keys`]) all come from that declaration. The helper that runs as root links
//! this crate, so it depends on the TOML parser and little else.

mod document;
mod error;
mod file;
mod key;
mod names;
mod net;
mod parse;
mod schema;
mod setting;
mod template;

#[cfg(test)]
mod tests;

pub use error::ConfigError;
pub use file::{read, read_text};
pub use key::{Key, Kind};
pub use names::{AnchorPath, DeviceId, DomainName, FieldName, Invalid, TableName, UserName};
pub use net::{Host, LogUrl, Login, Proxy, Server};
pub use schema::{
    Backend, Config, Guard, Log, Method, Policy, Request, Scope, Tables, Timestamp, keys,
};
pub use setting::{Size, quote};
pub use template::Template;

/// The path that `threatstopd` reads unless `-f` names another.
pub const DEFAULT_PATH: &str = "/etc/threatstopd.toml";

/// The largest file that is read, in octets.
pub const MAX_OCTETS: usize = 256 * 1024;
