use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;

/// What is read of a file of this mode.
fn reading(text: &[u8], mode: u32) -> Result<List, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    let config = Config::parse("device_id = \"tdid_abcd1234\"\n", Path::new("test")).unwrap();
    read(File::open(&path).unwrap(), Source::LocalBlock, Path::new("/etc/mine"), &config)
}

#[test]
fn a_file_is_a_list_under_the_name_of_its_source() {
    let list = reading(b"# mine\n192.0.2.1\r\n\n198.51.100.0/24 # a net\n", 0o600).unwrap();
    assert_eq!((list.name(), list.len()), ("local_block", 2));
    assert!(reading(b"", 0o600).unwrap().is_empty());
}

/// Fails when who may look at status gets to read a file of root's.
#[test]
fn a_line_is_quoted_only_where_everybody_may_read_it() {
    let text = b"192.0.2.1\nsecret\n";
    let public = reading(text, 0o644).unwrap_err();
    assert!(public.starts_with("/etc/mine:2: \"secret\": "), "{public}");
    let mine = reading(text, 0o640).unwrap_err();
    assert!(mine.starts_with("/etc/mine:2: ") && !mine.contains("secret"), "{mine}");
}
