//! The configuration: `threatstopd.toml(5)`.
//!
//! Each key is declared once, in `schema`, with its type, default, bounds and a line of
//! documentation; `section` makes of that the struct, the table of keys ([`keys`]), the reader
//! and the writer ([`Config::to_toml`]). A text is read in these steps, each of which notes all
//! that it finds wrong and goes on with the rest: `syntax` leaves out what is no TOML (`wording`
//! says why), `reader` takes the values (`setting`, `text`), `check` holds them against one
//! another, and `host` against what this host has.
//!
//! * In: the text of the file, of at most [`MAX_OCTETS`]; for notes and for the engine's user,
//!   what this host has.
//! * Out: a [`Config`] each value of which is within its bounds, or every mistake with its line; a
//!   text that gives the same again.
//! * Never: execute anything, ask the network, show a device id or a password, or depend on much
//!   besides the TOML parser: root links it.

mod bounds;
mod check;
mod error;
mod fault;
mod feed;
mod file;
mod host;
mod key;
mod names;
mod near;
mod net;
mod notes;
mod parse;
mod path;
mod reader;
mod schema;
mod section;
mod setting;
mod socket;
mod syntax;
mod table;
mod template;
mod text;
mod unit;
mod word;
mod wording;

#[cfg(test)]
mod tests;

pub use error::{ConfigError, MAX_OCTETS, Mistake, words};
pub use feed::{Credential, FeedFormat, FeedName};
pub use file::{DEFAULT_PATH, read, read_text};
pub use key::{Key, Kind};
pub use names::{AnchorPath, DeviceId, DomainName, FieldName, ListName, TableName, UserName};
pub use net::{Host, Login, Proxy, Server, WebUrl};
pub use schema::{
    Backend, Config, Direction, Feed, FeedKind, Guard, Https, Log, Method, Policy, Request, Scope,
    Table, Tables, Timestamp, keys,
};
pub use socket::{DEFAULT_SOCKET, LONGEST_SOCKET, check_socket};
pub use table::PfTable;
pub use template::Template;
pub use text::{Invalid, quote};
pub use unit::{Size, read_duration};
