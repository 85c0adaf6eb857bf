//! Why a configuration is not accepted.

use core::fmt;
use core::ops::Range;
use std::io;
use std::path::{Path, PathBuf};

use crate::MAX_OCTETS;

/// Why a configuration file is not accepted. `Display` gives one line, which for an error within
/// the file begins `FILE:LINE: `. It never holds the device id or a password.
#[derive(Debug)]
pub enum ConfigError {
    /// The file cannot be opened or read.
    Io {
        /// The path as it was given.
        file: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// It is a directory, a device, a FIFO or a socket.
    NotRegular {
        /// The path as it was given.
        file: PathBuf,
    },
    /// Group or others have some access.
    Mode {
        /// The path as it was given.
        file: PathBuf,
        /// The permission bits.
        mode: u32,
    },
    /// The owner is neither root nor the user who starts the program.
    Owner {
        /// The path as it was given.
        file: PathBuf,
        /// The user id of the owner.
        owner: u32,
    },
    /// It is larger than [`MAX_OCTETS`].
    TooLarge {
        /// The path as it was given.
        file: PathBuf,
    },
    /// A line is wrong.
    Line {
        /// The path as it was given.
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
}

/// What is wrong at a place of the text.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The octets in question.
    pub(crate) at: Range<usize>,
    /// What is wrong.
    pub(crate) why: String,
}

impl Fault {
    pub(crate) fn new(at: Range<usize>, why: impl Into<String>) -> Self {
        Self { at, why: why.into() }
    }

    /// The fault as an error of the file that the text came from.
    pub(crate) fn of_file(self, file: &Path, text: &[u8]) -> ConfigError {
        let before = text.get(..self.at.start).unwrap_or(text);
        let line = 1 + before.iter().filter(|&&octet| octet == b'\n').count();
        ConfigError::Line { file: file.to_owned(), line, why: self.why }
    }
}

/// Text from the file as a message shows it: quoted, escaped, and cut when long.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("\"{}...\"", text.get(..end).unwrap_or("").escape_debug()),
        None => format!("\"{}\"", text.escape_debug()),
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { file, error } => {
                let file = file.display();
                // strerror(3) alone: io::Error adds the number, which err(3) does not
                let why = error.to_string();
                let end = why.find(" (os error ").unwrap_or(why.len());
                write!(f, "{file}: {}", why.get(..end).unwrap_or(&why))?;
                if error.kind() == io::ErrorKind::NotFound {
                    write!(
                        f,
                        ": install -m 600 \
                         /usr/local/share/examples/threatstopd/threatstopd.toml {file}"
                    )?;
                }
                Ok(())
            }
            Self::NotRegular { file } => write!(f, "{}: not a regular file", file.display()),
            Self::Mode { file, mode } => {
                let file = file.display();
                write!(
                    f,
                    "{file}: mode {mode:04o}: group or others have access, and it holds the \
                     device id: chmod 600 {file}"
                )
            }
            Self::Owner { file, owner } => {
                let file = file.display();
                write!(
                    f,
                    "{file}: owned by uid {owner}, neither root nor the user who starts the \
                     program: chown root {file} && chmod 600 {file}"
                )
            }
            Self::TooLarge { file } => {
                write!(f, "{}: larger than {MAX_OCTETS} octets", file.display())
            }
            Self::Line { file, line, why } => write!(f, "{}:{line}: {why}", file.display()),
        }
    }
}

impl std::error::Error for ConfigError {}
