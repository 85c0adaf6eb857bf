use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use nix::sys::stat::Mode;

use super::*;

fn try_lock(dir: &Path) -> Result<OwnedFd, String> {
    let patience = Duration::from_millis(100);
    lock(&dir.join("lock"), patience, "taken").map_err(|why| why.to_string())
}

#[test]
fn there_is_one_lock_and_it_goes_with_who_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let held = try_lock(dir.path()).unwrap();
    let meta = dir.path().join("lock").metadata().unwrap();
    assert_eq!(meta.mode() & 0o7777, 0o600);
    assert_eq!(try_lock(dir.path()).unwrap_err(), "taken");
    // what came of it by fork(2) holds it too
    let copy = held.try_clone().unwrap();
    drop(held);
    assert_eq!(try_lock(dir.path()).unwrap_err(), "taken");
    drop(copy);
    let again = try_lock(dir.path()).unwrap();
    assert_eq!(dir.path().join("lock").metadata().unwrap().ino(), meta.ino());
    drop(again);
}

#[test]
fn a_file_that_others_can_open_is_no_lock() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    let why = format!("{}: not a file that root alone can open; remove it", path.display());
    fs::write(&path, "").unwrap();
    for mode in [0o644, 0o640, 0o602, 0o604] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(try_lock(dir.path()).unwrap_err(), why, "{mode:o}");
    }
    fs::remove_file(&path).unwrap();
    nix::unistd::mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
    assert_eq!(try_lock(dir.path()).unwrap_err(), why);
    fs::remove_file(&path).unwrap();
    fs::write(dir.path().join("other"), "").unwrap();
    symlink("other", &path).unwrap();
    assert_eq!(try_lock(dir.path()).unwrap_err(), why);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(try_lock(dir.path()).unwrap_err(), why);
}
