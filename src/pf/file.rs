//! Table files: written beside and renamed over, read strictly.
//!
//! All names are relative to a descriptor of the directory. `NAME.pftable` is at every moment the
//! old set or the new one, whole. The old one stays as a second link, `.NAME.pftable.old`, until
//! pf has the new set; then it becomes `NAME.pftable.prev`, or else `NAME.pftable` again.

use std::io::{BufRead, BufReader, Read, Write};
use std::{fs::File, os::fd::OwnedFd, path::Path, path::PathBuf};

use nix::Result as Sys;
use nix::errno::Errno::{self, EACCES, EILSEQ, EINVAL, EIO, ENOENT, ENOMEM, EPERM};
use nix::fcntl::{AtFlags, OFlag, open, openat, renameat};
use nix::libc::{S_IFMT, S_IFREG};
use nix::sys::stat::{Mode, fchmod, fstat, fstatat};
use nix::unistd::{Uid, UnlinkatFlags, fsync, linkat, unlinkat};
use prefix::{Prefix, read_line, write_line};

use crate::error::failed;
use crate::{Error, PfrAddr, Result, Table, fault};

const READ: OFlag = OFlag::O_NOFOLLOW.union(OFlag::O_CLOEXEC);
const CREATE: OFlag = READ.union(OFlag::O_WRONLY).union(OFlag::O_CREAT).union(OFlag::O_EXCL);

/// The name of a file until it has none.
const NAMELESS: &str = ".listing.tmp";

/// The directory of the table files.
#[derive(Debug)]
pub struct Directory {
    /// Its descriptor.
    pub fd: OwnedFd,
    /// Whether others had access to it, which they have no more.
    pub was_open: bool,
    /// Its path, for messages.
    pub(crate) path: PathBuf,
}

/// The names beside a file: being written, kept until pf has agreed, the set before.
pub(crate) fn beside(name: &str) -> [String; 3] {
    [format!(".{name}.tmp"), format!(".{name}.old"), format!("{name}.prev")]
}

/// The text of a table file, in parts.
fn text(set: &[PfrAddr]) -> impl Iterator<Item = Sys<Vec<u8>>> {
    set.chunks(1 << 12).map(|part| {
        let mut text = Vec::with_capacity(part.len() * 20);
        for addr in part {
            write_line(addr.prefix().ok_or(EINVAL)?, &mut text);
        }
        Ok(text)
    })
}

/// The value, or `None` where nothing has the name.
pub(crate) fn present<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Err(error) if error.errno == ENOENT => Ok(None),
        other => other.map(Some),
    }
}

pub(crate) fn errno(error: std::io::Error) -> Errno {
    Errno::try_from(error).unwrap_or(EIO)
}

impl Directory {
    /// Opens the directory; refuses a symbolic link, and one of others than the starting user. Takes all
    /// access from group and others: who can open it can lock it, and give its files names of his own.
    pub fn open(path: &Path) -> Result<Self> {
        let (name, uid) = (path.display().to_string(), Uid::effective());
        let refused = |errno, why: &str| Error::words(errno, format!("{name}: {why}"));
        let others = match uid.is_root() {
            true => "must belong to root: chown root it, and look at what is in it",
            false => "not yours: set tables.directory to a directory of your own",
        };
        let opened = open(path, READ | OFlag::O_DIRECTORY, Mode::empty());
        let fd = opened.map_err(|errno| match errno {
            ENOENT => refused(errno, "no such directory; run threatstopctl setup"),
            EACCES => refused(errno, others),
            errno => failed(&name, "open")(errno),
        })?;
        let stat = fstat(&fd).map_err(failed(&name, "fstat"))?;
        if stat.st_uid != uid.as_raw() {
            return Err(refused(EPERM, others));
        }
        let was_open = stat.st_mode & 0o077 != 0;
        if was_open {
            fchmod(&fd, Mode::S_IRWXU).map_err(failed(&name, "fchmod"))?;
        }
        Ok(Self { fd, was_open, path: path.into() })
    }

    /// Opens a file of a table for reading, of `kind` as for [`Directory::load`].
    pub fn open_table(&self, table: &Table, kind: &str) -> Result<OwnedFd> {
        Ok(self.file(&table.file(kind))?.into())
    }

    /// The set of a table in its file, of `kind` "pftable", or "pftable.prev" for the set before.
    /// Fails when the file is missing, not as we leave it, or not in canonical form.
    pub fn load(&self, table: &Table, kind: &str) -> Result<Vec<PfrAddr>> {
        let (name, mut set) = (&table.file(kind), Vec::new());
        // counted first: a vector that grows holds the set twice at times
        let count = self.each(name, |_| ())?;
        self.step("read", name, || set.try_reserve_exact(count).map_err(|_| ENOMEM))?;
        self.each(name, |prefix| set.push(prefix.into()))?;
        Ok(set)
    }

    /// A set as the text of a table file, in a file that is gone with its last descriptor. Left out is
    /// what is no plain prefix.
    pub fn nameless(&self, set: &[PfrAddr]) -> Result<OwnedFd> {
        let set: Vec<_> = set.iter().copied().filter(|addr| addr.prefix().is_some()).collect();
        self.write(NAMELESS, &set).inspect_err(|_| drop(self.remove(NAMELESS)))?;
        let opened = self.file(NAMELESS);
        self.remove(NAMELESS)?;
        Ok(opened?.into())
    }

    /// Hands out the prefixes of a file, in order; gives their number.
    ///
    /// # Errors
    /// When it cannot be read, or is not as it is written here.
    pub(crate) fn each(&self, name: &str, mut take: impl FnMut(Prefix)) -> Result<usize> {
        let (mut file, mut text) = (BufReader::new(self.file(name)?), vec![]);
        let (mut last, mut count) = (None, 0);
        loop {
            text.clear();
            let mut read = || {
                file.by_ref().take(1 << 16).read_to_end(&mut text)?;
                file.by_ref().take(64).read_until(b'\n', &mut text) // longer than any line
            };
            self.step("read", name, || read().map_err(errno))?;
            let mut rest = &text[..];
            while let Some((prefix, behind)) = read_line(rest, last.as_ref()) {
                take(prefix);
                (rest, last, count) = (behind, Some(prefix), count + 1);
            }
            if !rest.is_empty() {
                let why = format!("{}: not the next prefix; run threatstopctl update", count + 1);
                return Err(Error::words(EILSEQ, format!("{}:{why}", self.path(name))));
            } else if text.is_empty() {
                return Ok(count);
            }
        }
    }

    /// Whether a file has just this set: the octets that would be written.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn has(&self, name: &str, set: &[PfrAddr]) -> Result<bool> {
        let Some(file) = present(self.file(name))? else { return Ok(false) };
        let is_there = |part: Sys<Vec<u8>>| {
            let (part, mut found) = (part?, Vec::with_capacity(1 << 16));
            (&file).take(part.len().max(1) as u64).read_to_end(&mut found).map_err(errno)?;
            Ok(found == part)
        };
        // and nothing behind it
        let mut parts = text(set).chain([Ok(Vec::new())]).map(is_there);
        self.step("read", name, || parts.find(|part| *part != Ok(true)).unwrap_or(Ok(true)))
    }

    /// Opens a file of ours for reading.
    pub(crate) fn file(&self, name: &str) -> Result<File> {
        // O_NONBLOCK: a FIFO in its place must not hold us up
        let open = || openat(&self.fd, name, READ | OFlag::O_NONBLOCK, Mode::empty());
        let file = File::from(self.step("open", name, open)?);
        let stat = self.step("fstat", name, || fstat(&file))?;
        let ours = [0, Uid::effective().as_raw()].contains(&stat.st_uid);
        // how many names it has says nothing: link(2) asks for no right to the file
        if ours && stat.st_mode & (S_IFMT | 0o022) == S_IFREG {
            return Ok(file);
        }
        let why = "not a regular file that only root may write to; remove it";
        Err(Error::words(EPERM, format!("{}: {why}", self.path(name))))
    }

    /// Puts a set in place of a file, down to the disk. With `keep` the file before stays for `undo` or
    /// `settle`; whether there was one.
    pub(crate) fn install(&self, name: &str, set: &[PfrAddr], keep: bool) -> Result<bool> {
        let [temp, old, prev] = beside(name);
        self.settle(name)?;
        present(self.file(&prev))?; // if it is not ours we stop now, not half way
        let sync = |file| self.step("fsync", &temp, || fsync(&file));
        self.write(&temp, set).and_then(sync).inspect_err(|_| drop(self.remove(&temp)))?;
        let link = || linkat(&self.fd, name, &self.fd, &old[..], AtFlags::empty());
        let kept = keep && present(self.step("link", &old, link))?.is_some();
        self.rename("rename", &temp, name)?;
        self.sync().map_err(|error| self.undo(name, kept, error))?;
        Ok(kept)
    }

    /// Takes back an `install` because of an error, or tells that this cannot be: without a file before,
    /// the new one is the one in force, for a missing one has pf.conf(5) not load.
    pub(crate) fn undo(&self, name: &str, kept: bool, error: Error) -> Error {
        let undone = match kept {
            true => self.rename("undo", &beside(name)[1], name),
            false => Err(error.clone()),
        };
        if let Err(error) = undone {
            return Error { differ: true, ..error };
        }
        // whichever set a crash would leave now, pf has the same after the next start
        let _ = self.sync();
        error
    }

    /// Makes what `install` kept the set before; also after a crash.
    pub(crate) fn settle(&self, name: &str) -> Result<()> {
        let [_, old, prev] = beside(name);
        if self.same(&old, name) {
            return self.remove(&old); // the new file never came
        }
        if self.same(&old, &old) { self.rename("settle", &old, &prev) } else { Ok(()) }
    }

    /// Writes a set to a new file.
    pub(crate) fn write(&self, name: &str, set: &[PfrAddr]) -> Result<File> {
        self.remove(name)?; // what a crash left
        let open = || openat(&self.fd, name, CREATE, Mode::S_IRUSR | Mode::S_IWUSR);
        let mut file = File::from(self.step("create", name, open)?);
        let write = || text(set).try_for_each(|part| file.write_all(&part?).map_err(errno));
        self.step("write", name, write).map(|()| file)
    }

    pub(crate) fn rename(&self, call: &'static str, name: &str, new: &str) -> Result<()> {
        self.step(call, new, || renameat(&self.fd, name, &self.fd, new))
    }

    /// Removes a name, not what it may point to; refuses a directory.
    pub(crate) fn remove(&self, name: &str) -> Result<()> {
        let unlink = || unlinkat(&self.fd, name, UnlinkatFlags::NoRemoveDir);
        present(self.step("unlink", name, unlink)).map(drop)
    }

    /// Has the names of the directory on disk.
    ///
    /// # Errors
    /// Those of fsync(2).
    pub(crate) fn sync(&self) -> Result<()> {
        self.step("fsync", ".", || fsync(&self.fd))
    }

    fn same(&self, a: &str, b: &str) -> bool {
        let stat = |name: &str| fstatat(&self.fd, name, AtFlags::AT_SYMLINK_NOFOLLOW);
        stat(a).is_ok_and(|a| stat(b).is_ok_and(|b| (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino)))
    }

    fn step<T>(&self, call: &'static str, on: &str, f: impl FnOnce() -> Sys<T>) -> Result<T> {
        fault::at(call, on).and_then(|()| f()).map_err(|errno| failed(&self.path(on), call)(errno))
    }

    fn path(&self, name: &str) -> String {
        self.path.join(name).display().to_string()
    }
}
