//! What survives execve(2), tried with execve(2): a test runs this program again as a process of
//! its own, which executes itself anew.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;
use std::process::Command;

use super::*;

const OUT: &str = "INHERIT_TEST_OUT";

/// A state without any default value in it, and with what would have to be escaped.
fn state(program: PathBuf) -> State {
    State {
        child: Some(4711),
        stop: true,
        backoff: 32,
        daemonized: true,
        verbose: true,
        program,
        config: "/etc/with \"quotes\"\\ and ünicode\n.toml".into(),
        socket: "/var/run/t'd.sock".into(),
    }
}

/// The process of its own. In its first image it hands over a state and two of the three
/// descriptors; in its second it writes what it has found.
#[test]
#[ignore = "the other tests run it as a process of its own"]
fn child() {
    let Some(out) = std::env::var_os(OUT).map(PathBuf::from) else { return };
    let said = match take() {
        Err(why) => why,
        Ok(None) => {
            let path = out.with_extension("kept");
            let opened = File::options().read(true).write(true).create_new(true).open(path);
            let mut file = opened.unwrap();
            file.write_all(b"the text").unwrap();
            let lock = File::open("/dev/null").unwrap().into();
            let kept = Kept { lock: Some(lock), config: Some(file.into()), previous: None };
            execute(&state(std::env::current_exe().unwrap()), &kept)
        }
        Ok(Some((found, kept))) => {
            let mut text = String::new();
            let mut file = File::from(kept.config.unwrap());
            file.rewind().unwrap();
            file.read_to_string(&mut text).unwrap();
            let fd = kept.lock.unwrap();
            let flags = FdFlag::from_bits_truncate(fcntl(&fd, FcntlArg::F_GETFD).unwrap());
            assert!(flags.contains(FdFlag::FD_CLOEXEC));
            assert!(kept.previous.is_none());
            assert_eq!(format!("{found:?}"), format!("{:?}", state(found.program.clone())));
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
    let sound = "fds = [-1, -1, -1]\n[state]\nstop = false\nbackoff = 0\ndaemonized = false\n\
                 verbose = false\nprogram = \"/a\"\nconfig = \"/b\"\nsocket = \"/c\"\n";
    for value in [
        "",
        "x",
        &sound.replace("stop", "halt"),
        &sound.replace("[-1, -1, -1]", "[-1, -1]"),
        // not open, and one of the first three
        &sound.replace("[-1, -1, -1]", "[-1, 900, -1]"),
        &sound.replace("[-1, -1, -1]", "[2, -1, -1]"),
    ] {
        let (_, said) = run(&scratch.path().join("out"), Some(value));
        assert!(said.starts_with("THREATSTOPD_STATE: "), "{value}: {said}");
        assert!(said.ends_with("not to be set by hand"), "{value}: {said}");
    }
}
