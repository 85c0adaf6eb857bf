//! Reading the file, and whether its secrets are safe.

use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::fcntl::OFlag;
use nix::unistd::Uid;

use crate::error::{ConfigError, MAX_OCTETS};
use crate::schema::Config;
use crate::syntax::SUBSTITUTE;

#[cfg(test)]
mod tests;

/// The path that `threatstopd` reads unless `-f` names another.
pub const DEFAULT_PATH: &str = "/etc/threatstopd.toml";

/// Reads a configuration file; gives the configuration and the text that it was read from.
///
/// A symbolic link is followed, for an administrator may keep the file elsewhere. What is judged
/// is the file that was opened: a regular one of root or of the real user id, to which group and
/// others have no access.
///
/// # Errors
/// [`ConfigError`], of each kind.
pub fn read(path: &Path) -> Result<(Config, String), ConfigError> {
    let io = |error| ConfigError::Io { file: path.to_owned(), error };
    // O_NONBLOCK: the open of a FIFO would wait for a writer; the check below then refuses it
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path).map_err(io)?;
    let status = file.metadata().map_err(io)?;
    if !status.is_file() {
        return Err(ConfigError::NotRegular { file: path.to_owned() });
    }
    check_secrecy(path, status.uid(), status.mode() & 0o7777, Uid::current().as_raw())?;
    let text = read_text(file, path)?;
    let config = Config::parse(&text, path)?;
    Ok((config, text))
}

/// Reads the text of a configuration, without a look at what it is read from; `path` is for
/// messages only.
///
/// # Errors
/// When it cannot be read or is larger than [`MAX_OCTETS`].
pub fn read_text(file: impl Read, path: &Path) -> Result<String, ConfigError> {
    let mut octets = Vec::new();
    file.take(MAX_OCTETS as u64 + 1)
        .read_to_end(&mut octets)
        .map_err(|error| ConfigError::Io { file: path.to_owned(), error })?;
    if octets.len() > MAX_OCTETS {
        return Err(ConfigError::TooLarge { file: path.to_owned() });
    }
    let mut text = String::with_capacity(octets.len());
    for chunk in octets.utf8_chunks() {
        text.push_str(chunk.valid());
        // the parser names the line, with whatever else is wrong
        text.extend((!chunk.invalid().is_empty()).then_some(SUBSTITUTE));
    }
    Ok(text)
}

/// Whether nobody but root and the one who starts the program can read or change the file.
fn check_secrecy(path: &Path, owner: u32, mode: u32, starter: u32) -> Result<(), ConfigError> {
    if owner != 0 && owner != starter {
        return Err(ConfigError::Owner { file: path.to_owned(), owner });
    }
    if mode & 0o077 != 0 {
        return Err(ConfigError::Mode { file: path.to_owned(), mode });
    }
    Ok(())
}
