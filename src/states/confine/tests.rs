use std::io::{Read as _, Seek as _, Write as _};
use std::process::{Command, Stdio};

use nix::sys::stat::fstat;
use nix::unistd::{geteuid, getgroups, getresuid};

use super::*;

/// Set where this program is to confine itself.
const CONFINED: &str = "STATES_TEST_CONFINED";

/// Root alone can give all this up: another process does it, which cannot be used for more. What it prints,
/// with its stderr in a file or not; `None` without root.
fn another(name: &str, stderr: Stdio) -> Option<String> {
    if !geteuid().is_root() {
        let thread = std::thread::current();
        let line = format!("SKIPPED: {}: needs root\n", thread.name().unwrap());
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        return None;
    }
    let empty = tempfile::tempdir().unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("confine::tests::{name}"), "--nocapture"]);
    let done = command.env(CONFINED, empty.path()).stderr(stderr).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    Some(said)
}

#[test]
fn nothing_is_left_but_what_is_open() {
    let Some(said) = another("the_one_who_gives_up", Stdio::piped()) else { return };
    assert!(said.contains("all given up"), "{said}");
}

/// As after `threatstopd -d 2>FILE`.
#[test]
fn what_is_logged_to_a_file_gets_there() {
    let mut log = tempfile::tempfile().unwrap();
    let Some(_) = another("the_one_who_logs", log.try_clone().unwrap().into()) else { return };
    let mut text = String::new();
    log.rewind().unwrap();
    log.read_to_string(&mut text).unwrap();
    assert!(text.contains("ended 1 of 2 states"), "{text}");
}

#[test]
fn the_one_who_logs() {
    let Ok(empty) = std::env::var(CONFINED) else { return };
    let user = User::from_name("nobody").unwrap().unwrap();
    confine(&empty, &user, 1000).unwrap();
    logger::init(true, false);
    logger::info("ended 1 of 2 states");
}

#[test]
fn the_one_who_gives_up() {
    let Ok(empty) = std::env::var(CONFINED) else { return };
    let user = User::from_name("nobody").unwrap().unwrap();
    confine(&empty, &user, 1000).unwrap();
    let ids = getresuid().unwrap();
    assert_eq!([ids.real, ids.effective, ids.saved], [user.uid; 3]);
    assert_eq!(getgroups().unwrap(), [user.gid]);
    assert!(setresuid(0.into(), 0.into(), 0.into()).is_err(), "root again");
    assert!(std::fs::File::open(".").is_err(), "something was opened");
    assert!(std::fs::metadata("/etc").is_err(), "files are there");
    assert!(Command::new("/bin/true").status().is_err(), "a program ran");
    for resource in [Resource::RLIMIT_FSIZE, Resource::RLIMIT_CORE] {
        assert_eq!(getrlimit(resource).unwrap(), (0, 0));
    }
    // stderr belongs to whoever waits for its end, as rcctl(8) of a remote shell does
    logger::init(false, false);
    logger::settle();
    let [stdin, stderr] = [fstat(std::io::stdin()), fstat(std::io::stderr())].map(Result::unwrap);
    assert_eq!(stderr.st_rdev, stdin.st_rdev, "stderr is not /dev/null");
    println!("all given up");
}
