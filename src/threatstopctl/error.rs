//! Why the tool did not do what it was asked to, and how it says so.

use core::fmt;
use std::io::{self, Write as _};

use control::Failure;

use crate::advice::Advice;
use crate::client::{ClientError, reason};
use crate::printable::printable;

/// Why a command was not done.
#[derive(Debug)]
pub enum Error {
    /// The command line is wrong.
    Usage {
        /// What is wrong, and with which word.
        failure: Failure,
        /// What would be right, of the command once it is known.
        synopsis: String,
    },
    /// The engine could not be asked; the word is the command's.
    Client(&'static str, ClientError),
    /// It was not done: the engine said why, or an operand made no sense.
    Failed(Failure),
    /// What there was to say could not be written.
    Stdout(io::Error),
    /// What was wrong was told when it was found, and the command went on.
    Told,
}

/// How errors are told, as far as the command line has said so when one comes up.
#[derive(Clone, Debug)]
pub struct Manner {
    /// `-j`: as a JSON document.
    pub json: bool,
    /// Not at all, for the exit status says it.
    pub quiet: bool,
    /// The exit status of an error.
    pub status: u8,
    /// What commands that they advise need.
    pub advice: Advice,
}

impl Default for Manner {
    fn default() -> Self {
        Self { json: false, quiet: false, status: 1, advice: Advice::default() }
    }
}

impl Error {
    /// Says it: one line on stderr, or with `-j` an object on stdout. Usage goes to stderr always.
    pub fn report(&self, json: bool, advice: &Advice) {
        let Some(mut failure) = self.failure() else { return };
        failure.why = advice.fit(&failure.why);
        // When neither stdout nor stderr takes it there is nobody left to tell.
        if let Self::Stdout(error) = self {
            // A reader that has seen enough, as head(1), is no failure worth a word.
            if error.kind() != io::ErrorKind::BrokenPipe {
                complain(&failure);
            }
        } else if json {
            let document = serde_json::json!({ "error": failure });
            if let Err(error) = writeln!(io::stdout(), "{document}") {
                Self::Stdout(error).report(false, advice);
            }
        } else {
            complain(&failure);
        }
        if let Self::Usage { synopsis, .. } = self {
            let _ = writeln!(io::stderr(), "{synopsis}");
        }
    }

    fn failure(&self) -> Option<Failure> {
        let (what, why) = match self {
            Self::Told => return None,
            Self::Usage { failure, .. } | Self::Failed(failure) => return Some(failure.clone()),
            Self::Client(_, error @ (ClientError::Path(_) | ClientError::Connect(..))) => {
                ("connect", error.to_string())
            }
            Self::Client(word, error) => (*word, error.to_string()),
            Self::Stdout(error) => ("stdout", reason(error)),
        };
        Some(Failure { what: what.into(), why })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.failure() {
            Some(Failure { what, why }) => write!(f, "{what}: {why}"),
            None => f.write_str("told already"),
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Stdout(error)
    }
}

fn complain(Failure { what, why }: &Failure) {
    let _ = writeln!(io::stderr(), "threatstopctl: {}", printable(&format!("{what}: {why}")));
}
