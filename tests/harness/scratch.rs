//! A directory for one test.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::unistd::{User, chown, geteuid};

/// A directory that is removed when the test has passed, and kept and named when it has failed.
///
/// In it: `threatstopd.toml`, `threatstopd.sock`, `tables/` for the table files and `spool/` for the
/// engine.
#[derive(Debug)]
pub struct Scratch {
    dir: Option<tempfile::TempDir>,
    path: PathBuf,
}

impl Scratch {
    /// Makes the directory, readable by its owner alone.
    ///
    /// When root runs the tests, the engine runs as `engine_user` and owns its spool; it may then
    /// also pass through the directory (0711), else it could not reach the spool.
    pub fn new() -> Self {
        let mut builder = tempfile::Builder::new();
        let owner_only = Permissions::from_mode(0o700);
        let dir = builder.prefix("threatstopd-").permissions(owner_only).tempdir();
        let dir = dir.unwrap_or_else(|why| panic!("cannot make a scratch directory: {why}"));
        let path = dir.path().to_path_buf();
        let scratch = Self { dir: Some(dir), path };
        for dir in [scratch.tables(), scratch.spool()] {
            fs::create_dir(&dir).unwrap_or_else(|why| panic!("{}: {why}", dir.display()));
            set_mode(&dir, 0o700);
        }
        if geteuid().is_root() {
            set_mode(&scratch.path, 0o711);
            let user = engine_user();
            chown(&scratch.spool(), Some(user.uid), Some(user.gid))
                .unwrap_or_else(|why| panic!("chown of the spool to {}: {why}", user.name));
        }
        scratch
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The configuration file.
    pub fn config(&self) -> PathBuf {
        self.path.join("threatstopd.toml")
    }

    /// The control socket.
    pub fn socket(&self) -> PathBuf {
        self.path.join("threatstopd.sock")
    }

    /// The directory of the table files.
    pub fn tables(&self) -> PathBuf {
        self.path.join("tables")
    }

    /// The engine's own directory.
    pub fn spool(&self) -> PathBuf {
        self.path.join("spool")
    }

    /// Sets the clock of an engine that has its fault points ahead by so many seconds.
    pub fn set_ahead(&self, seconds: u64) {
        let new = self.spool().join("clock.new");
        // whole at once, for the engine looks at any time
        fs::write(&new, format!("{seconds}\n"))
            .and_then(|()| fs::rename(&new, self.spool().join("clock")))
            .unwrap_or_else(|why| panic!("{}: {why}", new.display()));
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(dir) = self.dir.take()
            && std::thread::panicking()
        {
            let kept = dir.keep();
            // not past the test runner, which shows it with the test if that has failed
            eprintln!("kept for inspection: {}", kept.display());
        }
    }
}

/// Whom the engine becomes: nobody when root runs the tests, else who runs them.
pub fn engine_user() -> User {
    let uid = geteuid();
    let found = if uid.is_root() { User::from_name("nobody") } else { User::from_uid(uid) };
    match found {
        Ok(Some(user)) => user,
        Ok(None) => panic!("no user for the engine: neither nobody nor uid {uid} has an entry"),
        Err(why) => panic!("cannot look up a user for the engine: {why}"),
    }
}

/// Sets the permission bits of a file or directory.
pub fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode))
        .unwrap_or_else(|why| panic!("chmod {mode:o} {}: {why}", path.display()));
}
