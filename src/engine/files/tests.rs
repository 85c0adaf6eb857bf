use super::*;

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
