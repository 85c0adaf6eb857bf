//! The ends of answers: what `done` carries for each command.

use control::{Forgotten, Hits, Kept, Lists, Report, Request, Status, Tested, Updated, Uploaded};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::client::ClientError;

/// What `done` carries. As JSON it is the object itself.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Ending {
    /// Of `status`.
    Status(Box<Status>),
    /// Of `update` and `rollback`.
    Updated(Updated),
    /// Of `show` with a table.
    Shown(Shown),
    /// Of `show diff`.
    Changed(Changed),
    /// Of `show hits`.
    Hits(Box<Hits>),
    /// Of `show own`, whose entries have come before.
    Own,
    /// Of `block` and `allow`.
    Kept(Kept),
    /// Of `forget`.
    Forgotten(Forgotten),
    /// Of `show lists`.
    Lists(Lists),
    /// Of `upload`.
    Uploaded(Uploaded),
    /// Of `test`.
    Tested(Tested),
    /// Of `metrics`.
    Metrics(Metrics),
    /// Of `report`.
    Report(Box<Report>),
    /// Of a command that has nothing more to say than that it was done.
    Done(Map<String, Value>),
}

/// The end of a table.
#[derive(Debug, Serialize, Deserialize)]
pub struct Shown {
    /// The word of the table: `block`, `allow`, or the name of another.
    pub table: String,
    /// Prefixes in it.
    pub entries: u64,
}

/// The end of the last change.
#[derive(Debug, Serialize, Deserialize)]
pub struct Changed {
    /// When the tables were last changed; absent when they never were.
    pub at: Option<u64>,
    /// Prefixes that came.
    pub added: u64,
    /// Prefixes that went.
    pub removed: u64,
}

/// The end of `metrics`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Metrics {
    /// OpenMetrics text.
    pub text: String,
}

impl Ending {
    /// Reads what `done` carries by what was asked.
    ///
    /// # Errors
    /// [`ClientError::Form`] when a field is missing or of another type.
    pub fn read(request: &Request, done: Value) -> Result<Self, ClientError> {
        use control::Show;
        Ok(match request {
            Request::Status {} => Self::Status(form(done)?),
            Request::Update { .. } | Request::Rollback {} => Self::Updated(form(done)?),
            // no table has the name
            Request::Table { or: Some(what), .. } if done.get("table").is_none() => {
                return Self::read(&Request::Show { what: *what }, done);
            }
            Request::Table { .. } | Request::Show { what: Show::Block | Show::Allow } => {
                Self::Shown(form(done)?)
            }
            Request::Show { what: Show::Diff } => Self::Changed(form(done)?),
            Request::Test {} => Self::Tested(form(done)?),
            Request::Metrics {} => Self::Metrics(form(done)?),
            Request::Report { .. } => Self::Report(form(done)?),
            Request::Show { what: Show::Hits } => Self::Hits(form(done)?),
            Request::Show { what: Show::Own } => Self::Own,
            Request::Block { .. } | Request::Allow { .. } => Self::Kept(form(done)?),
            Request::Forget { .. } => Self::Forgotten(form(done)?),
            Request::Show { what: Show::Lists | Show::Overlaps } => Self::Lists(form(done)?),
            Request::Upload { .. } => Self::Uploaded(form(done)?),
            Request::Reload { .. }
            | Request::Log { .. }
            | Request::Why { .. }
            | Request::Export { .. }
            | Request::Watch { .. } => {
                let mut said: Map<String, Value> = form(done)?;
                if said.is_empty() {
                    said.insert("done".into(), true.into());
                }
                Self::Done(said)
            }
        })
    }

    /// Whether the exit status is 0: every trial of `test` went well.
    pub fn is_yes(&self) -> bool {
        match self {
            Self::Tested(tested) => tested.failed == 0,
            _ => true,
        }
    }
}

fn form<T: DeserializeOwned>(done: Value) -> Result<T, ClientError> {
    Ok(serde_json::from_value(done)?)
}
