//! The modules of the programs that are fuzzed, as they stand in the programs' folders, and what
//! they expect around them.

use core::fmt::Display;

#[path = "../../src/threatstopd"]
#[allow(dead_code, reason = "what only the start of the helper uses")]
pub mod helper {
    pub mod dispatch;
    pub mod transaction;
}

#[path = "../../src/threatstopctl"]
#[allow(dead_code, unused_imports, reason = "the command around the import is not called here")]
pub mod tool {
    pub mod import;
}

/// Of the engine what reads the files in its own directory.
#[path = "../../src/engine/state"]
#[allow(dead_code, reason = "a part of the engine is here, and not all that uses it")]
pub mod state {
    use std::path::Path;

    use policy::{List, Since};

    pub mod memory;
    pub mod store;

    /// What is kept of a policy in force.
    pub struct Policy {
        pub since: Since,
        pub block_lists: Vec<List>,
        pub allow_lists: Vec<List>,
    }

    /// Writes a file of the directory.
    pub fn replace(
        directory: &Path,
        name: &str,
        parts: &[&[u8]],
        _durable: bool,
    ) -> Result<(), String> {
        std::fs::write(directory.join(name), parts.concat()).map_err(|error| error.to_string())
    }
}

/// How the engine words errors.
#[path = "../../src/engine"]
pub mod engine {
    pub mod errors;
}

pub use engine::errors;
pub use helper::transaction;

/// How the helper words errors, which no target looks at.
pub fn words(error: &std::io::Error) -> String {
    error.to_string()
}

pub mod clock {
    /// The same time in every run.
    pub fn now() -> u64 {
        1_700_000_000
    }
}

/// What the command `import` of the tool names, which is not called here.
#[path = "../../src/threatstopctl"]
#[allow(dead_code, reason = "named, and not called")]
pub mod of_the_tool {
    use std::io;

    pub mod printable;
    pub mod tool;

    pub mod client {
        pub fn pledge(_promises: &str) -> Result<(), String> {
            Ok(())
        }

        pub fn reason(error: &std::io::Error) -> String {
            error.to_string()
        }
    }

    pub mod error {
        pub enum Error {
            Client(&'static str, String),
            Failed(control::Failure),
            Stdout(super::io::Error),
        }

        impl From<super::io::Error> for Error {
            fn from(error: super::io::Error) -> Self {
                Self::Stdout(error)
            }
        }
    }
}

/// Takes a message for the log.
pub fn err(_message: impl Display) {}

/// Takes the level of the log.
pub fn set_verbose(_verbose: bool) {}
