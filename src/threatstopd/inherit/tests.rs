//! What survives execve(2), tried with execve(2): a test runs this program again as a process of
//! its own, which executes itself anew.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;
use std::process::Command;

use super::*;

const OUT: &str = "INHERIT_TEST_OUT";

/// A state without any default value in it, and with a path that is no text.
fn state() -> State {
    State {
        first: false,
        child: Some(Pid::from_raw(4711)),
        stop: true,
        backoff: 32,
        verbose: true,
        reverted: true,
        lock: None,
        config: None,
        previous: None,
        home: OsStr::from_bytes(b"/a b/\xff\n-1 0/'\"").into(),
    }
}

/// The process of its own. In its first image it hands over a state and two of the three
/// descriptors; in its second it writes what it has found.
#[test]
#[ignore = "the other tests run it as a process of its own"]
fn child() {
    let Some(out) = std::env::var_os(OUT).map(PathBuf::from) else { return };
    let said = match State::take() {
        Err(why) => why.to_string(),
        Ok(State { first: true, .. }) => {
            let path = out.with_extension("kept");
            let opened = File::options().read(true).write(true).create_new(true).open(path);
            let mut file = opened.unwrap();
            file.write_all(b"the text").unwrap();
            let lock = File::open("/dev/null").unwrap().into();
            let given = State { lock: Some(lock), config: Some(file.into()), ..state() };
            given.execute(&std::env::current_exe().unwrap()).to_string()
        }
        Ok(mut found) => {
            let mut text = String::new();
            let mut file = File::from(found.config.take().unwrap());
            file.rewind().unwrap();
            file.read_to_string(&mut text).unwrap();
            let fd = found.lock.take().unwrap();
            let flags = FdFlag::from_bits_truncate(fcntl(&fd, FcntlArg::F_GETFD).unwrap());
            assert!(flags.contains(FdFlag::FD_CLOEXEC));
            assert_eq!(format!("{found:?}"), format!("{:?}", state()));
            let pid = std::process::id();
            format!("{pid} {text} {:?}", std::env::args().collect::<Vec<_>>())
        }
    };
    fs::write(out, said).unwrap();
}

fn run(out: &Path, variable: Option<&str>) -> (u32, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "inherit::tests::child", "--nocapture"]);
    command.env(OUT, out).env_remove(VARIABLE);
    if let Some(value) = variable {
        command.env(VARIABLE, value);
    }
    let child = command.stdout(std::process::Stdio::null()).spawn().unwrap();
    let pid = child.id();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (pid, fs::read_to_string(out).unwrap())
}

#[test]
fn state_descriptors_arguments_and_process_id_survive() {
    let scratch = tempfile::tempdir().unwrap();
    let (pid, said) = run(&scratch.path().join("out"), None);
    assert!(said.starts_with(&format!("{pid} the text [")), "{said}");
    assert!(
        said.ends_with("\"--ignored\", \"--exact\", \"inherit::tests::child\", \"--nocapture\"]")
    );
}

#[test]
fn what_is_not_in_form_is_no_first_start() {
    let scratch = tempfile::tempdir().unwrap();
    for value in ["", "x", "1 0 0 0 0 0 0 0 0 ", "1 0 0 0 0 0 0 900 0 /"] {
        let (_, said) = run(&scratch.path().join("out"), Some(value));
        assert!(said.starts_with("THREATSTOPD_STATE: "), "{value}: {said}");
        assert!(said.ends_with("not to be set by hand"), "{value}: {said}");
    }
}

#[test]
fn every_field_has_its_form() {
    let read = |value: &str| State::read(value.as_bytes());
    assert!(read("1 0 0 0 0 0 0 0 0 /").is_some());
    assert_eq!(read("1 7 1 60 1 0 0 0 0 /").unwrap().child, Some(Pid::from_raw(7)));
    for value in [
        "2 0 0 0 0 0 0 0 0 /",          // another version
        "1 0 0 0 0 0 0 0 /",            // too few
        "1 0 0 0 0 0 0 0 0 0 /",        // too many
        "1 0 0 0 0 0 0 0 0",            // no path
        "1 -1 0 0 0 0 0 0 0 /",         // would be every process
        "1 0 2 0 0 0 0 0 0 /",          // neither yes nor no
        "1 0 0 0 0 2 0 0 0 /",          // nor this
        "1 0 0 -1 0 0 0 0 0 /",         // less than no wait
        "1 0 0 4294967296 0 0 0 0 0 /", // no i32
        "1  0 0 0 0 0 0 0 0 /",         // an empty word
        "1 0 0 0 0 0 2 0 0 /",          // one of the first three
        "1 0 0 0 0 0 -7 0 0 /",         // no descriptor
        "1 0 0 0 0 0 0 0 9999 /",       // not open
    ] {
        assert!(read(value).is_none(), "{value}");
    }
}
