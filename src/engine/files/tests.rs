use super::*;

/// Fails when a file that only could not be read gives way to one that is damaged, before anybody has put it back.
#[test]
fn files_that_are_put_aside_do_not_push_each_other_out() {
    let directory = tempfile::tempdir().unwrap();
    let said: Vec<String> = (1..=ASIDE + 2)
        .map(|number| {
            fs::write(directory.path().join("x"), number.to_string()).unwrap();
            put_aside(directory.path(), "x")
        })
        .collect();
    assert_eq!(said[0], "; the file is x.unread.1 now");
    assert_eq!(fs::read_to_string(directory.path().join("x.unread.1")).unwrap(), "1");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), ASIDE);
}

/// Fails when somebody is told what is wrong with a file and not what to do.
#[test]
fn each_error_of_a_file_has_its_way_out() {
    use nix::libc::{EACCES, EDQUOT, EIO, ENOSPC, EROFS};
    for (errno, words) in [
        (ENOSPC, "No space left on device: make room there"),
        (EDQUOT, "Disk quota exceeded: make room there"),
        (EROFS, "Read-only file system: mount it for writing"),
        (EACCES, "Permission denied: look at owners, modes and flags by ls -lao"),
        (EIO, "Input/output error: threatstopctl doctor looks at it"),
    ] {
        let error = io::Error::from_raw_os_error(errno);
        assert_eq!(told(Path::new("/spool/x"), &error), format!("/spool/x: {words}"));
    }
}
