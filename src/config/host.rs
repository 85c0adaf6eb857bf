//! What a configuration needs of this host. Root looks before there is a service, and refuses; `-n` notes
//! the same in the same words, for whoever wrote the file.

use std::fs;
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, User};

use crate::error::words;
use crate::schema::Config;

/// Links that the kernel follows on the way to a file: SYMLOOP_MAX of `<sys/syslimits.h>`.
const LINKS: u8 = 32;

impl Config {
    /// The user that the engine becomes.
    ///
    /// # Errors
    /// When there is none, or it has rights: why, and the way out.
    pub fn engine(&self) -> Result<User, String> {
        let name = self.user.as_str();
        let found = User::from_name(name).map_err(|errno| format!("user {name}: {}", errno.desc()));
        let unknown = || format!("unknown user {name}: reinstall the package, or set user");
        fit(found?.ok_or_else(unknown)?)
    }

    /// The files that root opens by their names, by key.
    pub(crate) fn named(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        let files = [
            ("policy.local_block", self.policy.local_block.as_ref()),
            ("policy.local_allow", self.policy.local_allow.as_ref()),
            ("log.file", self.log.enabled.then_some(&self.log.file)),
        ];
        files.into_iter().filter_map(|(key, path)| Some((key, &**path?)))
    }

    /// The same with the rotated logs, as far as unveil(2) takes them.
    pub fn unveiled(&self) -> Vec<PathBuf> {
        let lists = self.policy.local_block.iter().chain(&self.policy.local_allow).cloned();
        lists.chain(self.log.files()).filter(|path| unveils(path)).collect()
    }

    /// The administrator's own lists that are not there, and the packet log that has no directory: by
    /// key, why, and the way out. Each holds up itself alone. Which user may read them is his affair.
    pub fn missing_files(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.named().filter_map(|(key, path)| {
            let (why, way_out) = match (key, no_file(path)?) {
                ("log.file", _) if unveils(path) => return None,
                ("log.file", why) => (why, "make its directory and threatstopctl reload, or set"),
                (_, why) => (why, "create it, or unset"),
            };
            Some((key, format!("{}: {why}; {way_out} {key}", path.display())))
        })
    }

    /// Whether root opens nothing in the engine's own directory, where names may lead anywhere: the files
    /// of the configuration and the control socket, and each link on the way to them.
    ///
    /// # Errors
    /// The first that lies there, and the way out.
    pub fn apart(&self, socket: &Path) -> Result<(), String> {
        let Ok(spool) = fs::canonicalize(&self.log.spool) else { return Ok(()) };
        let others = [("tables.directory", &*self.tables.directory), ("-s", socket)];
        let mut all = others.into_iter().chain(self.named());
        let Some((what, path)) = all.find(|(_, path)| leads_through(path, &spool, LINKS)) else {
            return Ok(());
        };
        let why = format!("within log.spool ({}), which is the engine's", self.log.spool.display());
        Err(format!("{}: {why}: set another {what}", path.display()))
    }
}

/// Whether the way to a path, over no more than so many links, leads through a directory. What lies behind
/// that is not looked at: whose directory it is could have it lead anywhere the next moment.
fn leads_through(path: &Path, directory: &Path, links: u8) -> bool {
    // with "/" or "/." at its end a path is that of what the link before them leads to
    let path = path.components().collect::<PathBuf>();
    let Some(parent) = path.parent() else { return false };
    // the links of a parent are looked at once, and not again with each that is in it
    let on = || Some(fs::canonicalize(parent).ok()?.join(fs::read_link(&path).ok()?));
    leads_through(parent, directory, links)
        || fs::canonicalize(&path).is_ok_and(|found| found.starts_with(directory))
        || links > 0 && on().is_some_and(|on| leads_through(&on, directory, links - 1))
}

/// Whether unveil(2) takes a path: what is there, and what may come to a directory that is. It follows a
/// link to its end, and may refuse one that ends nowhere.
fn unveils(path: &Path) -> bool {
    path.exists() || !path.is_symlink() && path.parent().is_some_and(Path::is_dir)
}

/// Why there is no regular file.
pub(crate) fn no_file(path: &Path) -> Option<String> {
    match fs::metadata(path) {
        Ok(found) if found.is_file() => None,
        Ok(_) => Some("not a regular file".to_owned()),
        Err(error) => Some(words(&error)),
    }
}

/// A user of no rights; whatever it is called, one of root's ids is root's, and group 0 is wheel, whose
/// members have rights of their own.
fn fit(user: User) -> Result<User, String> {
    let why = match (user.uid.is_root(), user.gid == Gid::from_raw(0)) {
        (true, _) => "is root: set another",
        (_, true) => "is in group 0: set one with a group of its own",
        _ => return Ok(user),
    };
    Err(format!("user {} {why}", user.name))
}

#[cfg(test)]
mod tests;
