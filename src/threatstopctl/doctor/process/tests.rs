use super::*;

fn sh(script: &str, patience: Duration) -> Result<Output, String> {
    run("/bin/sh", &["-c", script], patience)
}

#[test]
fn what_it_says_and_how_it_ends() {
    let output = sh("echo out; echo err >&2; exit 3", PATIENCE).unwrap();
    let wanted = Output { status: Some(3), stdout: "out\n".into(), stderr: "err\n".into() };
    assert_eq!(output, wanted);
    assert_eq!(sh("kill -9 $$", PATIENCE).unwrap().status, None);
}

#[test]
fn it_has_no_input_and_a_bare_environment() {
    let output = sh("cat; env | sort | grep -v -e ^PWD= -e ^SHLVL= -e ^_= -e ^OLDPWD=", PATIENCE);
    assert_eq!(output.unwrap().stdout, format!("PATH={PATH}\n"));
}

#[test]
fn a_flood_on_both_pipes_does_not_block() {
    let flood = "head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2";
    let output = sh(flood, PATIENCE).unwrap();
    assert_eq!((output.stdout.len(), output.stderr.len()), (1_000_000, 1_000_000));
}

#[test]
fn what_is_not_utf_8_is_read_all_the_same() {
    assert_eq!(sh("printf '\\377x'", PATIENCE).unwrap().stdout, "\u{fffd}x");
}

#[test]
fn it_does_not_wait_for_ever() {
    for script in ["sleep 60", "exec >&- 2>&-; sleep 60", "sleep 60 & exit 0"] {
        let begin = Instant::now();
        let why = sh(script, Duration::from_millis(200)).unwrap_err();
        assert_eq!(why, "/bin/sh: takes too long");
        assert!(begin.elapsed() < Duration::from_secs(30), "{script}");
    }
}

#[test]
fn a_program_that_is_not_there() {
    let why = run("/nonexistent/pfctl", &[], PATIENCE).unwrap_err();
    assert_eq!(why, "/nonexistent/pfctl: No such file or directory");
}
