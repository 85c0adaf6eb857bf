//! The modules of the programs that are fuzzed, as they stand in the programs' folders, and what
//! they expect around them.

#[path = "../../src/threatstopd"]
#[allow(dead_code, reason = "what only the start of the helper uses")]
pub mod helper {
    pub mod dispatch;
    pub mod failure;
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
    pub mod ages;
    pub mod memory;
    pub mod serial;
}

/// The copies of lists, as they are kept.
#[path = "../../src/engine/lists"]
#[allow(dead_code, reason = "a part of the engine is here, and not all that uses it")]
pub mod lists {
    pub mod copies;
}

/// What `block` and `allow` said, as it is kept.
#[path = "../../src/engine/source/own"]
#[allow(dead_code, reason = "what the commands use is not called here")]
pub mod own {
    pub mod entry;
    pub mod file;
}

/// How the engine words errors and keeps files.
#[path = "../../src/engine"]
#[allow(dead_code, unexpected_cfgs, reason = "without what is there for crashes")]
pub mod engine {
    pub mod errors;
    pub mod files;
}

pub use engine::{errors, files};
pub use helper::{failure, transaction};

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

/// Takes what would be an error of the log.
pub fn err(_message: impl std::fmt::Display) {}
