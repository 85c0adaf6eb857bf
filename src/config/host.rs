//! What a configuration needs of this host. Root looks before there is a service, and refuses; `-n` notes
//! the same in the same words, for whoever wrote the file.

use std::fs;
use std::path::Path;

use nix::unistd::{Gid, User};

use crate::error::words;
use crate::schema::Config;

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

    /// The administrator's own lists that are not there, and the packet log that has no directory: by
    /// key, why, and the way out. Each holds up itself alone. Which user may read them is his affair.
    pub fn missing_files(&self) -> Vec<(&'static str, String)> {
        let lists = [
            ("policy.local_block", &self.policy.local_block),
            ("policy.local_allow", &self.policy.local_allow),
        ];
        let missing = lists.into_iter().filter_map(|(key, path)| {
            let path = path.as_deref()?;
            let why = no_file(path)?;
            Some((key, format!("{}: {why}; create it, or unset {key}", path.display())))
        });
        let log =
            (self.log.enabled && !self.log.file.parent().is_some_and(Path::is_dir)).then(|| {
                let way_out = "make its directory and threatstopctl reload, or set log.file";
                let file = self.log.file.display();
                ("log.file", format!("{file}: No such file or directory; {way_out}"))
            });
        missing.chain(log).collect()
    }

    /// Whether root opens nothing in the engine's own directory, where names may lead anywhere: the files
    /// of the configuration and the control socket, wherever links lead.
    ///
    /// # Errors
    /// The first that lies there, and the way out.
    pub fn apart(&self, socket: &Path) -> Result<(), String> {
        let Ok(spool) = fs::canonicalize(&self.log.spool) else { return Ok(()) };
        let log = self.log.enabled.then_some(&*self.log.file);
        for (path, what) in [
            (Some(&*self.tables.directory), "tables.directory"),
            (Some(socket), "-s"),
            (log, "log.file"),
            (self.policy.local_block.as_deref(), "policy.local_block"),
            (self.policy.local_allow.as_deref(), "policy.local_allow"),
        ] {
            let parent = path.and_then(Path::parent).and_then(|path| fs::canonicalize(path).ok());
            if let (Some(path), Some(parent)) = (path, parent)
                && parent.starts_with(&spool)
            {
                let (path, spool) = (path.display(), self.log.spool.display());
                return Err(format!(
                    "{path}: within log.spool ({spool}), which is the engine's: set another {what}"
                ));
            }
        }
        Ok(())
    }
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
