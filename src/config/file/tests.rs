use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::PathBuf;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use tempfile::TempDir;

use super::*;

const TEXT: &str = "device_id = \"tdid_abcd1234\"\n";

/// A directory with a file of this content and mode.
fn file(content: &[u8], mode: u32) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("threatstopd.toml");
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    (directory, path)
}

fn message(path: &Path) -> String {
    read(path).unwrap_err().to_string()
}

#[test]
fn a_private_file_is_read() {
    for mode in [0o600, 0o400, 0o700] {
        let (_directory, path) = file(TEXT.as_bytes(), mode);
        let (config, text) = read(&path).unwrap();
        assert_eq!(text, TEXT);
        assert_eq!(config, Config::parse(TEXT, Path::new("x")).unwrap());
    }
}

#[test]
fn a_link_to_a_private_file_is_followed() {
    let (directory, path) = file(TEXT.as_bytes(), 0o600);
    let link = directory.path().join("link");
    symlink(&path, &link).unwrap();
    assert_eq!(read(&link).unwrap().1, TEXT);
}

#[test]
fn any_access_of_group_or_others_is_refused() {
    for bit in [0o001, 0o002, 0o004, 0o010, 0o020, 0o040] {
        let (_directory, path) = file(TEXT.as_bytes(), 0o600 | bit);
        let file = path.display();
        assert_eq!(
            message(&path),
            format!(
                "{file}: mode {:04o}: group or others have access, and it holds the device id: \
                 chmod 600 {file}",
                0o600 | bit
            )
        );
    }
}

#[test]
fn the_owner_is_root_or_whoever_starts_the_program() {
    let check = |owner, starter| check_secrecy(Path::new("f"), owner, 0o600, starter);
    assert!(check(0, 0).is_ok());
    assert!(check(0, 1000).is_ok());
    assert!(check(1000, 1000).is_ok());
    for starter in [0, 1001] {
        assert_eq!(
            check(1000, starter).unwrap_err().to_string(),
            "f: owned by uid 1000, neither root nor the user who starts the program: chown root f \
             && chmod 600 f"
        );
    }
}

#[test]
fn the_owner_on_the_disk_counts() {
    let (_directory, path) = file(TEXT.as_bytes(), 0o600);
    assert!(read(&path).is_ok());
    if !Uid::current().is_root() {
        // not eprintln: the test harness would swallow it
        let thread = std::thread::current();
        let line = format!("SKIPPED: {}: needs root\n", thread.name().unwrap());
        return io::stderr().write_all(line.as_bytes()).unwrap();
    }
    chown(&path, Some(12345), None).unwrap();
    assert!(matches!(read(&path), Err(ConfigError::Owner { owner: 12345, .. })));
}

#[test]
fn a_missing_file_is_named_with_the_way_out() {
    let (directory, _) = file(b"", 0o600);
    let path = directory.path().join("none");
    let file = path.display();
    assert_eq!(
        message(&path),
        format!(
            "{file}: No such file or directory: install -m 600 \
             /usr/local/share/examples/threatstopd/threatstopd.toml {file}"
        )
    );
}

#[test]
fn what_is_no_regular_file_is_refused_and_a_fifo_does_not_hang() {
    let (directory, _) = file(b"", 0o600);
    let fifo = directory.path().join("fifo");
    mkfifo(&fifo, Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
    for path in [fifo.as_path(), directory.path(), Path::new("/dev/null")] {
        assert_eq!(message(path), format!("{}: not a regular file", path.display()));
    }
}

#[test]
fn a_large_file_is_refused_and_one_at_the_limit_is_not() {
    let mut text = TEXT.to_owned();
    text.push_str(&"#".repeat(MAX_OCTETS - text.len()));
    let (_directory, path) = file(text.as_bytes(), 0o600);
    assert!(read(&path).is_ok());
    text.push('#');
    assert!(matches!(read_text(text.as_bytes(), &path), Err(ConfigError::TooLarge { .. })));
    assert!(matches!(Config::parse(&text, &path), Err(ConfigError::TooLarge { .. })));
    let endless = read_text(io::repeat(b'#'), Path::new("f")).unwrap_err();
    assert_eq!(endless.to_string(), "f: larger than 65536 octets");
}

#[test]
fn what_is_not_utf_8_is_refused_with_its_line_and_the_rest_is_read() {
    let (_directory, path) = file(b"# 1\n# gr\xfcn\nuser = \"\xff\"\nb = 1\n", 0o600);
    let file = path.display();
    assert_eq!(
        read(&path).unwrap_err().lines(),
        [
            format!(
                "{file}:1: device_id: not set: it is the id beginning with tdid_ that the portal shows for this device"
            ),
            format!("{file}:2: not UTF-8: iconv -f latin1 -t utf-8 may help"),
            format!("{file}:3: not UTF-8: iconv -f latin1 -t utf-8 may help"),
            format!("{file}:4: unknown key \"b\""),
        ]
    );
}

#[test]
fn a_failed_read_is_an_error() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::from_raw_os_error(5))
        }
    }
    let error = read_text(Broken, Path::new("f")).unwrap_err();
    assert_eq!(error.to_string(), "f: Input/output error");
}
