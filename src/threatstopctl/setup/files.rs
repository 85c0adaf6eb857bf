//! The table files that pf.conf(5) is going to name.

use core::fmt;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use config::{Config, PfTable};
use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;
use nix::unistd::fsync;
use pf::{Directory, Table};

use super::lines::in_order;
use crate::client::reason;

/// What was made, and what was there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// The directory and the files that were missing.
    pub created: Vec<String>,
    /// The files that were there and were not touched.
    pub kept: Vec<String>,
    /// Prefixes in those, together.
    pub entries: usize,
}

impl Files {
    /// Makes the directory (0700) and all table files (0600, empty) where they are missing. What
    /// is there is read, to know how much it is.
    ///
    /// # Errors
    /// When something cannot be made, or when what is there is no directory or file that
    /// threatstopd(8) would use.
    pub fn make(config: &Config) -> Result<Self, String> {
        let mut files = Self::default();
        let path = &config.tables.directory;
        let new = make_directory(path)?;
        let directory = Directory::open(path).map_err(|error| error.to_string())?;
        if new {
            files.created.push(path.display().to_string());
        }
        for PfTable { name, kind, .. } in in_order(config) {
            let table = Table::new("", name.as_str(), kind)
                .ok_or_else(|| format!("pf takes no table <{name}>: set another name"))?;
            files.make_file(&directory, path, name.as_str(), &table)?;
        }
        fsync(&directory.fd).map_err(failed(path))?;
        Ok(files)
    }

    fn make_file(
        &mut self,
        directory: &Directory,
        path: &Path,
        name: &str,
        table: &Table,
    ) -> Result<(), String> {
        let name = format!("{name}.pftable");
        let path = path.join(&name);
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL;
        let flags = flags | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        match openat(&directory.fd, name.as_str(), flags, Mode::S_IRUSR | Mode::S_IWUSR) {
            Ok(file) => {
                fsync(&file).map_err(failed(&path))?;
                self.created.push(path.display().to_string());
            }
            Err(Errno::EEXIST) => {
                self.entries += match directory.load(table, "pftable") {
                    Ok(set) => set.len(),
                    // pfctl(8) may still take it, and the next update writes it anew
                    Err(error) if error.errno == Errno::EILSEQ => 0,
                    Err(error) => return Err(error.to_string()),
                };
                self.kept.push(path.display().to_string());
            }
            Err(errno) => return Err(failed(&path)(errno)),
        }
        Ok(())
    }
}

impl fmt::Display for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for path in &self.created {
            writeln!(f, "created {path}")?;
        }
        for path in &self.kept {
            writeln!(f, "left as it is {path}")?;
        }
        Ok(())
    }
}

/// Whether the directory had to be made.
fn make_directory(path: &Path) -> Result<bool, String> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => {
            let above = path.parent().unwrap_or(path).display();
            let way_out = match error.kind() {
                io::ErrorKind::NotFound => format!(": mkdir -p {above}, and try again"),
                _ => String::new(),
            };
            Err(format!("{}: {}{way_out}", path.display(), reason(&error)))
        }
    }
}

fn failed(path: &Path) -> impl Fn(Errno) -> String {
    move |errno| format!("{}: {}", path.display(), errno.desc())
}
