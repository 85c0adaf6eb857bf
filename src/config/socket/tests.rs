use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use super::*;

/// Fails when the bound is another one than that of the system.
#[test]
fn the_bound_is_that_of_the_system() {
    let dir = tempfile::tempdir().unwrap();
    let path = |octets: usize| -> PathBuf {
        let directory = dir.path().to_str().unwrap();
        format!("{directory}/{}", "s".repeat(octets - directory.len() - 1)).into()
    };
    let (fits, too_long) = (path(LONGEST_SOCKET), path(LONGEST_SOCKET + 1));
    check_socket(&fits).unwrap();
    UnixListener::bind(&fits).unwrap();
    assert!(UnixListener::bind(&too_long).is_err());
    let why = check_socket(&too_long).unwrap_err();
    let octets = LONGEST_SOCKET + 1;
    let bound =
        format!("at most {LONGEST_SOCKET} octets, not {octets}: use -s to put it elsewhere");
    assert_eq!(why, format!("{}: the path of a control socket has {bound}", too_long.display()));
}
