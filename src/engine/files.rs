//! Files of the engine's own directory. After a crash at any moment each is the old one or the new
//! one, whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use flate2::Crc;
use serde::de::DeserializeOwned;

use crate::errors::{of_json, words};

/// Reads a file of at most so many octets; `None` when there is none.
///
/// # Errors
/// When it cannot be read or is larger, with its path.
pub fn read(directory: &Path, name: &str, largest: u64) -> Result<Option<Vec<u8>>, String> {
    let path = directory.join(name);
    let text = match fs::metadata(&path) {
        Ok(meta) if meta.len() > largest => return Err(format!("{}: too large", path.display())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        _ => fs::read(&path).map_err(|error| format!("{}: {}", path.display(), words(&error)))?,
    };
    Ok(Some(text))
}

/// Reads a file of JSON likewise.
///
/// # Errors
/// Also when it is damaged, with what is wrong and where.
pub fn read_json<T: DeserializeOwned>(
    directory: &Path,
    name: &str,
    largest: u64,
) -> Result<Option<T>, String> {
    let text = read(directory, name, largest)?;
    text.map(|text| parse(directory, name, &text)).transpose()
}

/// What a file of JSON says whose text was read.
///
/// # Errors
/// When it is damaged, with the file, and what is wrong and where.
pub fn parse<T: DeserializeOwned>(directory: &Path, name: &str, text: &[u8]) -> Result<T, String> {
    let failed = |error| format!("{}: {}", directory.join(name).display(), of_json(&error));
    serde_json::from_slice(text).map_err(failed)
}

/// The sum by which octets are known to be those that were written: CRC-32, as gzip(1) has it.
pub fn sum(octets: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(octets);
    crc.sum()
}

/// Octets of a sum.
const SUM: usize = 4;

/// Parts of a file, and behind them the sum of all, little end first.
pub fn summed(parts: impl Iterator<Item = Vec<u8>>) -> impl Iterator<Item = Vec<u8>> {
    let (mut parts, mut crc) = (parts, Some(Crc::new()));
    std::iter::from_fn(move || match parts.next() {
        Some(part) => {
            crc.as_mut()?.update(&part);
            Some(part)
        }
        None => Some(crc.take()?.sum().to_le_bytes().to_vec()),
    })
}

/// What stands before the sum in a file, if it is the sum of that.
pub fn unsummed(octets: &[u8]) -> Option<&[u8]> {
    let (octets, last) = octets.split_last_chunk::<SUM>()?;
    (sum(octets) == u32::from_le_bytes(*last)).then_some(octets)
}

/// Writes a file, part by part, in place of the one before; with `durable` it is on disk, by its name,
/// when this returns. The name may begin with a folder.
///
/// # Errors
/// When a step fails, with the file's path. The old file, if there was one, is then still there,
/// unless all that failed was to make the new name durable.
pub fn replace(
    directory: &Path,
    name: &str,
    parts: impl IntoIterator<Item: AsRef<[u8]>>,
    durable: bool,
) -> Result<(), String> {
    let path = directory.join(name);
    let (folder, file) = name.rsplit_once('/').unwrap_or((".", name));
    let temporary = directory.join(folder).join(format!(".{file}.tmp"));
    let write = || {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = at(directory, "create", name).and_then(|()| options.open(&temporary))?;
        at(directory, "write", name)?;
        parts.into_iter().try_for_each(|part| file.write_all(part.as_ref()))?;
        if durable {
            at(directory, "fsync", name).and_then(|()| file.sync_all())?;
        }
        at(directory, "rename", name).and_then(|()| fs::rename(&temporary, &path))?;
        if durable {
            at(directory, "sync", name)
                .and_then(|()| File::open(directory.join(folder))?.sync_all())?;
        }
        Ok(())
    };
    write().map_err(|error: io::Error| {
        // on a full disk the half-written file would only take more of it
        let _ = fs::remove_file(&temporary);
        told(&path, &error)
    })
}

/// Gives a file another name, in place of what has that; whether there was one.
///
/// # Errors
/// When that fails, with the file's path.
pub fn rename(directory: &Path, from: &str, to: &str) -> Result<bool, String> {
    let [old, new] = [from, to].map(|name| directory.join(name));
    match at(directory, "move", from).and_then(|()| fs::rename(&old, new)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(format!("{}: {}", old.display(), words(&error))),
    }
}

/// How often a file is put aside beside those that were before; the last one gives way.
const ASIDE: usize = 8;

/// The names of what is put aside, from the first on.
pub fn asides(stem: &str) -> impl DoubleEndedIterator<Item = String> {
    (1..=ASIDE).map(move |number| format!("{stem}.{number}"))
}

/// One of them that no file has, as long as there are some.
pub fn free(directory: &Path, stem: &str) -> String {
    let mut names = asides(stem);
    let last = names.next_back().unwrap_or_default();
    names.find(|name| !directory.join(name).exists()).unwrap_or(last)
}

/// Puts a file that cannot be read, or is damaged, aside, for what is kept next takes its place. Gives what is
/// to be said of it; nothing where it cannot be moved.
pub fn put_aside(directory: &Path, name: &str) -> String {
    let aside = free(directory, &format!("{name}.unread"));
    match rename(directory, name, &aside) {
        Ok(true) => format!("; the file is {aside} now"),
        Ok(false) | Err(_) => String::new(),
    }
}

/// Removes a file, which may be gone already.
///
/// # Errors
/// When it cannot be removed, with its path.
pub fn remove(directory: &Path, name: &str) -> Result<(), String> {
    let path = directory.join(name);
    match at(directory, "unlink", name).and_then(|()| fs::remove_file(&path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(told(&path, &error)),
        _ => Ok(()),
    }
}

/// What happened to a file or directory, and what helps.
pub fn told(path: &Path, error: &io::Error) -> String {
    use io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    let way_out = match error.kind() {
        StorageFull | QuotaExceeded => "make room there",
        ReadOnlyFilesystem => "mount it for writing",
        PermissionDenied => "look at owners, modes and flags by ls -lao",
        _ => "threatstopctl doctor looks at it",
    };
    format!("{}: {}: {way_out}", path.display(), words(error))
}

/// A step is about to be taken. With the feature `fault-points`, the file `fault` of the directory
/// may say in its first line what becomes of it: `rename log.state:kill` ends the process there,
/// `:pass` does nothing, each once, and `:5` is error number 5 as long as the line is there. The
/// name of any slice is `slice`, that of any copy of a list `list`.
#[cfg(feature = "fault-points")]
fn at(directory: &Path, what: &str, name: &str) -> io::Result<()> {
    let path = directory.join("fault");
    let name = match name {
        slice if slice.starts_with("slice.") => "slice",
        list if list.starts_with("lists/") => "list",
        name => name,
    };
    let text = fs::read_to_string(&path).unwrap_or_default();
    let Some((line, rest)) = text.split_once('\n') else { return Ok(()) };
    match line.strip_prefix(&format!("{what} {name}:")) {
        None => return Ok(()),
        Some("kill" | "pass") => {}
        Some(errno) => {
            let errno = errno.parse().map_err(io::Error::other)?;
            return Err(io::Error::from_raw_os_error(errno));
        }
    }
    fs::remove_file(&path)?;
    fs::write(&path, rest)?;
    if line.ends_with(":kill") {
        std::process::abort();
    }
    Ok(())
}

#[cfg(all(feature = "fault-points", not(debug_assertions)))]
compile_error!("fault points belong into no release build");

#[cfg(not(feature = "fault-points"))]
#[inline]
fn at(_: &Path, _: &str, _: &str) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests;
