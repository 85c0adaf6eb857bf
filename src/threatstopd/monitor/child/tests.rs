use std::time::Instant;

use super::*;

/// A child that runs a script and is told a text.
fn start(script: &str, text: &str) -> Child {
    signals::block().unwrap();
    let (one, _other) = nix::unistd::pipe().unwrap();
    let arguments = ["-c".into(), script.into()];
    Child::start(
        "test",
        Path::new("/bin/sh"),
        &arguments,
        &["TZ=UTC".into()],
        [one.as_fd(); 3],
        text,
    )
    .unwrap()
}

fn end(child: &mut Child) -> Ended {
    let deadline = Instant::now() + Duration::from_secs(30);
    while child.ended.is_none() && Instant::now() < deadline {
        child.turn(Duration::from_millis(1));
        std::thread::sleep(Duration::from_millis(5));
    }
    child.ended.unwrap()
}

#[test]
fn it_ends_with_what_its_status_says() {
    for (status, ended) in [
        (0, End::Left),
        (1, End::Fault),
        (2, End::Renew),
        (3, End::Reload),
        (4, End::Peer),
        (5, End::Served),
        // none of ours, which is logged
        (6, End::Fault),
        (134, End::Fault),
    ] {
        let mut child = start(&format!("exit {status}"), "");
        assert_eq!(end(&mut child), Ended::Exited(ended));
    }
    assert_eq!(end(&mut start("kill -9 $$", "")), Ended::Killed);
}

#[test]
fn it_is_told_the_text_as_fast_as_it_reads() {
    let text = "x".repeat(64 << 10);
    let dir = tempfile::tempdir().unwrap();
    let (go, out) = (dir.path().join("go"), dir.path().join("out"));
    let script = format!(
        "until test -e {0}; do sleep 0.05; done; : >{1}
        until tail -c 5 {1} | tr '\\0' . | grep -q note.; do
            cat <&4 >>{1} 2>/dev/null; sleep 0.05
        done",
        go.display(),
        out.display()
    );
    let mut child = start(&script, &text);
    assert!(child.told.watch().is_some(), "the pipe took it whole, and the case shows nothing");
    std::fs::write(go, "").unwrap();
    child.told.tell("note");
    assert_eq!(end(&mut child), Ended::Exited(End::Left));
    assert!(std::fs::read_to_string(out).unwrap() == format!("{text}\0note\0"));
}

#[test]
fn it_has_nothing_but_what_it_was_given() {
    // descriptor 10 and up are the shell's own
    let script = "for fd in 0 1 2 3 4 5 6 7; do test -e /dev/fd/$fd || exit 2; done
        for fd in 8 9; do test -e /dev/fd/$fd && exit 3; done; test \"$TZ\" = UTC && test \"$(env | grep -v -e ^TZ= -e ^PWD= \
        -e ^SHLVL= -e ^_= -e ^OLDPWD=)\" = ''";
    let _open: Vec<_> = (0..8).map(|_| nix::unistd::pipe().unwrap()).collect();
    assert_eq!(end(&mut start(script, "")), Ended::Exited(End::Left));
}

#[test]
fn only_what_ends_it_reaches_it_before_it_has_handlers() {
    let mut child = start("echo x >&5; sleep 30", "");
    while !child.ready {
        child.turn(Duration::from_millis(1));
        std::thread::sleep(Duration::from_millis(5));
    }
    for harmless in [Signal::SIGUSR1, Signal::SIGHUP, Signal::SIGINT] {
        kill(child.pid, harmless).unwrap();
    }
    std::thread::sleep(Duration::from_millis(50));
    child.turn(Duration::from_millis(1));
    assert_eq!(child.ended, None);
    kill(child.pid, Signal::SIGTERM).unwrap();
    assert_eq!(end(&mut child), Ended::Killed);
}

/// What it is told ends, and with it whoever waits for more.
#[test]
fn who_is_told_the_end_leaves() {
    let mut child = start("echo x >&5; until cat <&4 >/dev/null 2>&1; do sleep 0.05; done", "text");
    while !child.ready {
        child.turn(Duration::from_millis(1));
        std::thread::sleep(Duration::from_millis(5));
    }
    child.told.end();
    assert_eq!(end(&mut child), Ended::Exited(End::Left));
    child.told.tell("nobody hears that");
    assert!(child.told.watch().is_none());
}

#[test]
fn who_has_ended_is_sent_no_signal() {
    let mut child = start("exit 0", "");
    end(&mut child);
    // had it gone to what is at the number now, this process would be over
    child.pid = Pid::this();
    child.kill("is not there");
    assert!(!child.killed);
}

#[test]
fn silence_counts_turns_and_not_the_clock() {
    let mut child = start(
        "echo x >&5; until head -c 3 <&4 2>/dev/null | grep -q go; do sleep 0.05; done; \
         echo x >&5; sleep 30",
        "",
    );
    while !child.ready {
        child.turn(Duration::ZERO);
        std::thread::sleep(Duration::from_millis(5));
    }
    // the host slept for an hour
    child.turn(Duration::from_secs(3600));
    assert_eq!((child.quiet, child.killed), (TURN, false));
    child.told.tell("go\n");
    let deadline = Instant::now() + Duration::from_secs(30);
    while child.quiet > Duration::ZERO && Instant::now() < deadline {
        child.turn(Duration::ZERO);
        std::thread::sleep(Duration::from_millis(5));
    }
    (0..5).for_each(|_| child.turn(Duration::from_secs(10)));
    assert!(!child.killed);
    child.turn(Duration::from_secs(10));
    assert!(child.killed);
    assert_eq!(end(&mut child), Ended::ByUs);
}

#[test]
fn who_says_nothing_any_more_is_not_listened_to() {
    let mut child = start("exec 5>&-; sleep 30", "");
    assert_eq!(child.watch().count(), 1);
    let deadline = Instant::now() + Duration::from_secs(30);
    while child.watch().count() > 0 && Instant::now() < deadline {
        child.turn(Duration::ZERO);
        std::thread::sleep(Duration::from_millis(5));
    }
    // else poll(2) would come back from it at once for ever
    assert_eq!(child.watch().count(), 0);
    child.kill("is done");
    end(&mut child);
}

/// What its pipes say once it has ended is the end, again and again: nobody waits for that.
#[test]
fn nothing_is_awaited_of_one_that_has_ended() {
    let mut child = start("exit 0", &"x".repeat(64 << 10));
    end(&mut child);
    assert_eq!(child.watch().count(), 0);
}
