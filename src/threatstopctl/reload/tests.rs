use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;

/// Fails when something of what stands in a file goes to an engine that could have named any file.
#[test]
fn the_engine_hears_where_and_not_what() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret");
    fs::write(&path, "password = 1\nx\nother = true\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let error = config::read(&path).unwrap_err();
    let file = path.display();
    let wanted = format!("{file}:1,2,3: threatstopd -n -f {file} says what is wrong");
    assert_eq!(place(&error), wanted);
    assert!(!denied(&error));
}
