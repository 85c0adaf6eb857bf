use std::panic::catch_unwind;

use super::*;

const WITHIN: Duration = Duration::from_secs(10);

fn sh(script: &str) -> Process {
    Process::spawn(Command::new("/bin/sh").arg("-c").arg(script))
}

#[test]
fn lines_of_both_streams_are_collected() {
    let process = sh("echo one; echo two >&2; exec sleep 60");
    process.wait_for("one", WITHIN);
    assert_eq!(process.wait_for("tw", WITHIN).text, "two");
    assert_eq!(process.lines().len(), 2);
    assert!(!process.has_ended());
}

/// Let a program write ten thousand lines and end, or go on without a word.
/// Check that whoever looks after that sees all of them, however far the thread that reads is.
#[test]
fn no_line_is_missed() {
    let many = "i=0; while [ $i -lt 10000 ]; do echo $i; i=$((i + 1)); done; printf end";
    let process = sh(many);
    process.wait_exit(6 * WITHIN);
    assert_eq!(process.lines().len(), 10_001);
    assert_eq!(process.lines()[10_000].text, "end");
    let dir = tempfile::tempdir().unwrap();
    let done = dir.path().join("done");
    let process = sh(&format!("{many}; echo; : >{}; exec sleep 600", done.display()));
    let deadline = Instant::now() + 6 * WITHIN;
    while !done.exists() && Instant::now() < deadline {
        sleep(LOOK);
    }
    assert_eq!(process.mark(), 10_001);
    assert_eq!(process.take_lines().len(), 10_001);
    assert_eq!(process.lines(), []);
}

#[test]
fn a_mark_parts_old_lines_from_new_ones() {
    let process = sh("trap 'echo again' USR1; echo ready; while :; do sleep 0.05; done");
    process.wait_for("ready", WITHIN);
    process.signal(Signal::SIGUSR1);
    process.wait_for("again", WITHIN);
    let mark = process.mark();
    process.signal(Signal::SIGUSR1);
    let line = process.wait_for_after(mark, "again", WITHIN);
    assert!(line.at <= process.age());
    assert!(process.lines()[..mark].iter().any(|line| line.text == "again"));
}

#[test]
#[should_panic(expected = "no line with \"never\" in 50ms")]
fn a_line_that_does_not_come_is_a_failure() {
    sh("echo other; exec sleep 60").wait_for("never", Duration::from_millis(50));
}

#[test]
fn the_end_is_waited_for() {
    assert_eq!(sh("exit 3").wait_exit(WITHIN).code(), Some(3));
    let process = sh("exec sleep 60");
    process.signal(Signal::SIGTERM);
    assert_eq!(process.wait_exit(WITHIN).code(), None);
}

#[test]
#[should_panic(expected = "still runs after 50ms")]
fn a_program_that_does_not_end_is_a_failure() {
    sh("exec sleep 60").wait_exit(Duration::from_millis(50));
}

/// The script prints the id of a child, which lives on in the same group.
fn child_of(process: &Process) -> Pid {
    let line = process.wait_for("child ", WITHIN).text;
    Pid::from_raw(line.strip_prefix("child ").unwrap().parse().unwrap())
}

fn ends(pid: Pid) -> bool {
    let deadline = Instant::now() + WITHIN;
    while is_alive(pid) && Instant::now() < deadline {
        sleep(LOOK);
    }
    !is_alive(pid)
}

#[test]
fn children_do_not_outlive_it() {
    let process = sh("sleep 60 & echo child $!; wait");
    let child = child_of(&process);
    assert!(is_alive(child));
    drop(process);
    assert!(ends(child));
}

#[test]
fn orphans_do_not_outlive_it() {
    let process = sh("sleep 60 & echo child $!");
    let child = child_of(&process);
    process.wait_exit(WITHIN);
    assert!(is_alive(child));
    drop(process);
    assert!(ends(child));
}

/// A session leader leaves the group; it is found by its parent.
#[cfg(target_os = "linux")]
#[test]
fn children_in_other_groups_do_not_outlive_it() {
    let Some(setsid) = crate::servers::require_program("setsid") else { return };
    let process = sh(&format!("{} sleep 60 & echo child $!; wait", setsid.display()));
    let child = child_of(&process);
    let deadline = Instant::now() + WITHIN;
    while process.descendants() != [(child, "sleep".to_string())] && Instant::now() < deadline {
        sleep(LOOK);
    }
    assert_eq!(process.descendants(), [(child, "sleep".to_string())]);
    drop(process);
    assert!(ends(child));
}

#[test]
fn a_program_is_run_to_its_end() {
    let output =
        run(Command::new("/bin/sh").args(["-c", "echo out; echo err >&2; exit 2"]), WITHIN);
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("out\n", "err\n"));
    assert_eq!(output.status.code(), Some(2));
}

#[test]
#[should_panic(expected = "still runs after 50ms")]
fn a_program_that_hangs_is_ended() {
    run(Command::new("/bin/sleep").arg("60"), Duration::from_millis(50));
}

/// Have a program leave another with its output, which goes on while a file is there.
/// Check what is said of it, once the time was long enough for the program itself.
#[test]
fn output_that_does_not_end_is_a_failure() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let script = format!("while [ -e {} ]; do sleep 0.1; done & exit 0", file.path().display());
    let said = |within| {
        let run = || run(Command::new("/bin/sh").args(["-c", &script]), within);
        *catch_unwind(run).unwrap_err().downcast::<String>().unwrap()
    };
    let mut within = Duration::from_millis(50);
    let said = loop {
        let said = said(within);
        if within > PATIENCE || !said.contains("still runs after") {
            break said;
        }
        within *= 2;
    };
    assert!(said.contains("has its output open after"), "{said}");
}

#[test]
fn names_with_parentheses_are_read() {
    let stat = "17 (a) b) c) S 5 17 17 0";
    assert_eq!(parse_stat(stat), Some((17, 5, "a) b) c".to_string())));
    assert_eq!(parse_stat("17 (a"), None);
}
