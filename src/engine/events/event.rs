//! What can happen, and how it is said.

use core::fmt;
use std::net::IpAddr;

use super::subject::UPLOAD;
use crate::warning::Warning;

/// A change of state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The tables have another content: by a run, or by a rollback, after which nothing is published.
    Published {
        /// How, and what.
        text: String,
        /// Whether it was a rollback.
        rollback: bool,
    },
    /// A list or table is held back.
    Held {
        /// The list or table.
        name: String,
        /// What, and why.
        text: String,
        /// Whether it has been for too long.
        long: bool,
    },
    /// A source brought nothing, a table could not be published, the policy is old, a name cannot be
    /// looked up, the packet log not be read, or the spool not be written.
    Failed {
        /// The source, or what else it is about, if there is a name for it.
        source: Option<String>,
        /// What, and why.
        text: String,
        /// Whether nobody may overlook it.
        grave: bool,
    },
    /// What had failed, or was held back, is as it should be: [`super::Events::end`] says it.
    Recovered {
        /// The source, list, or what else had failed, such as `upload` or `pf`.
        name: String,
        /// What it does again, in a sentence.
        text: String,
    },
    /// No log is uploaded.
    UploadFailing {
        /// What is said of it: why no log is uploaded.
        text: String,
        /// Whether nobody may overlook it.
        grave: bool,
    },
    /// A table has no effect: no rule refers to it, or pf is off.
    TableUnused {
        /// The table in pf, or pf.
        subject: String,
        /// What is wrong, and what helps.
        warning: Warning,
    },
    /// A table, or its file, had been changed by somebody, and has its set again.
    Mended {
        /// The table, by the word of `show`.
        table: String,
        /// What was found.
        text: String,
    },
    /// Records of the packet log are lost, or may be.
    LogGap {
        /// How many, as far as that is known, why, and what to do.
        text: String,
    },
    /// What was kept cannot be read any more.
    Damaged {
        /// What, why, and what comes of it.
        text: String,
        /// Whether it was something that an administrator has said.
        grave: bool,
    },
    /// What an administrator should look at, said once.
    Warned(String),
    /// A host on our side sends to an address in a block table, and had not for a day.
    Suspect {
        /// The host that has sent.
        host: IpAddr,
        /// The listed address that it has sent to.
        far: Option<IpAddr>,
        /// The lists that name it.
        lists: Vec<String>,
    },
    /// And more hosts than are told one by one.
    Suspects,
}

/// The words of events that tell of nothing that is wrong, or was.
const USUAL: [&str; 2] = ["published", "new suspect host"];

/// Whether the word of an event is one of something that is wrong, or was.
pub fn is_trouble(word: &str) -> bool {
    !USUAL.contains(&word)
}

/// Whether the word of an event is one of something that begins to be wrong with its subject, or that is
/// over; of neither mostly.
pub fn begins(word: &str) -> Option<bool> {
    match word {
        "failed" | "held" | "upload failing" | "table unused" => Some(true),
        "recovered" => Some(false),
        _ => None,
    }
}

impl Event {
    /// Its word for watchers.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Published { .. } => USUAL[0],
            Self::Held { .. } => "held",
            Self::Failed { .. } => "failed",
            Self::Recovered { .. } => "recovered",
            Self::UploadFailing { .. } => "upload failing",
            Self::TableUnused { .. } => "table unused",
            Self::Mended { .. } => "mended",
            Self::LogGap { .. } => "log gap",
            Self::Damaged { .. } => "damaged",
            Self::Warned(_) => "warning",
            Self::Suspect { .. } | Self::Suspects => USUAL[1],
        }
    }

    /// What it is about.
    pub fn subject(&self) -> Option<String> {
        match self {
            Self::Held { name, .. } | Self::Recovered { name, .. } => Some(name.clone()),
            Self::Failed { source, .. } => source.clone(),
            Self::Suspect { host, .. } => Some(host.to_string()),
            Self::Mended { table, .. } => Some(table.clone()),
            Self::TableUnused { subject, .. } => Some(subject.clone()),
            Self::UploadFailing { .. } => Some(UPLOAD.to_owned()),
            Self::Published { .. } | Self::Suspects => None,
            Self::LogGap { .. } | Self::Damaged { .. } | Self::Warned(_) => None,
        }
    }

    /// Whether nobody may overlook it.
    pub fn is_grave(&self) -> bool {
        match self {
            Self::Held { long: grave, .. }
            | Self::Failed { grave, .. }
            | Self::Damaged { grave, .. }
            | Self::UploadFailing { grave, .. } => *grave,
            _ => false,
        }
    }

    /// Logs it, as grave as it is.
    pub fn log(&self) {
        match self {
            _ if self.is_grave() => logger::crit(self),
            Self::Failed { .. } | Self::UploadFailing { .. } => logger::err(self),
            Self::LogGap { .. } => logger::err(self),
            Self::Held { .. } | Self::TableUnused { .. } => logger::warn(self),
            Self::Mended { .. } => logger::warn(self),
            Self::Damaged { .. } | Self::Warned(_) => logger::warn(self),
            Self::Published { rollback: true, .. } => logger::warn(self),
            Self::Suspect { .. } | Self::Suspects => logger::warn(self),
            Self::Published { .. } | Self::Recovered { .. } => logger::info(self),
        }
    }
}

/// The sentence for the log and for watchers.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Published { text, .. }
            | Self::Held { text, .. }
            | Self::Failed { text, .. }
            | Self::Recovered { text, .. }
            | Self::Mended { text, .. }
            | Self::LogGap { text }
            | Self::Damaged { text, .. }
            | Self::Warned(text) => f.write_str(text),
            Self::UploadFailing { text, .. } => write!(f, "log upload: {text}"),
            Self::TableUnused { warning, .. } => write!(f, "{warning}"),
            Self::Suspect { host, far, lists } => {
                write!(f, "host {host} sends to a blocked address")?;
                if let Some(far) = far {
                    write!(f, ": {far}")?;
                }
                if !lists.is_empty() {
                    write!(f, ", listed by {}", lists.join(", "))?;
                }
                f.write_str(" (threatstopctl show hits)")
            }
            Self::Suspects => f.write_str(
                "more hosts send to blocked addresses than are told of one by one \
                 (threatstopctl show hits)",
            ),
        }
    }
}
