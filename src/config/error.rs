//! Why a configuration is not accepted.

use core::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::fault::Fault;

/// What strerror(3) says, without the number that the standard library puts behind it.
pub fn words(error: &io::Error) -> String {
    let mut text = error.to_string();
    text.truncate(text.find(" (os error ").unwrap_or(text.len()));
    text
}

/// The largest file that is read, in octets.
pub const MAX_OCTETS: usize = 64 * 1024;

/// The most mistakes that are told one by one: a file that is something else altogether has one in
/// each line.
const MOST: usize = 100;

/// Why a configuration file is not accepted. It never holds the device id or a password.
///
/// `Display` gives one line, [`ConfigError::lines`] one for each mistake.
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
    /// The text has mistakes.
    Mistakes {
        /// The path as it was given.
        file: PathBuf,
        /// At least one, in the order of their lines.
        mistakes: Vec<Mistake>,
    },
}

/// A line that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it, and what would be right.
    pub why: String,
}

impl ConfigError {
    /// The mistakes of a text in the order of their lines, none of them twice.
    pub(crate) fn of_text(file: &Path, text: &str, mut faults: Vec<Fault>) -> Self {
        faults.sort_by_key(|fault| fault.at.start);
        let mut mistakes: Vec<Mistake> = Vec::new();
        let all = faults.len();
        for (told, Fault { at, why }) in faults.into_iter().enumerate() {
            let line = line_of(text, at.start);
            if mistakes.len() == MOST {
                mistakes.push(Mistake { line, why: format!("{} more mistakes", all - told) });
                break;
            }
            let mistake = Mistake { line, why };
            if !mistakes.contains(&mistake) {
                mistakes.push(mistake);
            }
        }
        Self::Mistakes { file: file.to_owned(), mistakes }
    }

    /// What is wrong, a line for each mistake; within the text they begin `FILE:LINE: `.
    pub fn lines(&self) -> Vec<String> {
        match self {
            Self::Mistakes { file, mistakes } => {
                mistakes.iter().map(|mistake| mistake.of_file(file)).collect()
            }
            other => vec![other.to_string()],
        }
    }
}

impl Mistake {
    fn of_file(&self, file: &Path) -> String {
        format!("{}:{}: {}", file.display(), self.line, self.why)
    }
}

/// The line of an octet, counted from 1.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    1 + before.iter().filter(|&&octet| octet == b'\n').count()
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { file, error } => {
                let file = file.display();
                write!(f, "{file}: {}", words(error))?;
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
            Self::Mistakes { file, mistakes } => {
                if let Some(first) = mistakes.first() {
                    f.write_str(&first.of_file(file))?;
                }
                match mistakes.len() {
                    0 | 1 => Ok(()),
                    all => {
                        write!(
                            f,
                            " (the first of {all} mistakes: threatstopd -n -f {})",
                            file.display()
                        )
                    }
                }
            }
        }
    }
}

impl std::error::Error for ConfigError {}
