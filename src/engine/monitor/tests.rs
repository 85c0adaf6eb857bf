use super::*;

fn parse(line: &str) -> Option<Arguments> {
    Arguments::parse(line.split_whitespace().map(str::to_owned))
}

#[test]
fn arguments_are_those_of_the_monitor() {
    let none = Arguments { version: VERSION, ..Arguments::default() };
    let all = Arguments {
        debug: true,
        verbose: true,
        uptime: Duration::from_secs(70),
        config: "/etc/a.toml".into(),
        restarts: 3,
        ..none.clone()
    };
    let parse = |line: &str| parse(&format!("{VERSION} {line}"));
    assert_eq!(parse("70 3 -d -v -f /etc/a.toml -s /var/run/s"), Some(all));
    assert_eq!(parse("0 0"), Some(none));
    for line in ["", "0", "x 0", "0 -1", "0 0 x", "0 0 -f", "0 0 -s", "0 0 -h"] {
        assert_eq!(parse(line), None, "{line}");
    }
}

#[test]
fn of_another_version_the_version_is_read() {
    for line in ["4 -d -u 7 -r 0", "99", "99 what is that"] {
        assert!(parse(line).is_some_and(|all| all.version != VERSION), "{line}");
    }
    for line in ["", "-d", "x"] {
        assert_eq!(parse(line), None, "{line}");
    }
}

#[test]
fn a_note_says_why_and_keeps_what_those_before_have_left() {
    let (reader, writer) = nix::unistd::pipe().unwrap();
    nix::unistd::write(&writer, b"spool: no; log: never; ").unwrap();
    let monitor = Monitor::new(Arguments::default(), &reader);
    assert_eq!(monitor.note(), None);
    assert!(monitor.take(b"Ffile:2: unknown key").is_some());
    assert_eq!(monitor.note(), Some(Note::Broken("file:2: unknown key".into())));
    assert!(monitor.take(b"B").is_some());
    assert_eq!(monitor.note(), Some(Note::TakenBack("spool: no; log: never".into())));
    // SIGUSR1 has no reason
    assert_eq!(monitor.take(b"U"), None);
    assert_eq!(monitor.note(), Some(Note::TakenBack("spool: no; log: never".into())));
    drop(writer);
    let monitor = Monitor::new(Arguments::default(), &reader);
    assert!(monitor.take(b"B").is_some());
    assert_eq!(monitor.note(), Some(Note::TakenBack("see the log".into())));
}

/// Fails when who watches hears of the same configuration again with each engine that is started, or not
/// of another mistake in it.
#[test]
fn a_configuration_that_is_not_in_use_is_told_once() {
    let dir = tempfile::tempdir().unwrap();
    let broken = |why: &str| Note::Broken(why.into());
    let long = broken(&"x".repeat(5000));
    for (note, numbers) in [
        (broken("file:2: unknown key"), 2),
        (broken("file:2: unknown key"), 2),
        (broken("file:3: unknown key"), 3),
        (Note::TakenBack("why".into()), 4),
        (Note::TakenBack("another".into()), 4),
        (long.clone(), 5),
        (long, 5),
    ] {
        let events = Events::load(dir.path());
        events.keep(&note.event());
        assert_eq!(events.next(), numbers, "{note:?}");
    }
    let events = Events::load(dir.path());
    events.end(CONFIGURATION, "in use");
    events.keep(&broken("file:2: unknown key").event());
    assert_eq!(events.next(), 7);
}

#[test]
fn control_characters_in_a_reason_are_made_visible() {
    assert_eq!(visible("/tmp/a\n\u{1b}[31mb: no"), "/tmp/a\\n\\u{1b}[31mb: no");
}

/// Fails when a crash, or another reason to start anew, is taken for a file that was read again: it is as
/// broken as before, and the monitor does not know.
#[test]
fn a_refusal_holds_until_the_file_is_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let (_, state, events) = crate::state::bare::bare("", dir.path());
    let of = |restarts| {
        let (note, update_now) = (RefCell::default(), Notify::new());
        let (started, before) = (Instant::now(), String::new());
        let arguments = Arguments { restarts, ..Arguments::default() };
        Monitor { arguments, started, before, note, update_now }
    };
    let broken = Some(Note::Broken("file:2: unknown key".into()));
    let resumed = |restarts| {
        let monitor = of(restarts);
        monitor.resume(state);
        monitor.note()
    };
    of(3).refuse("file:2: unknown key", events, state);
    // crashes
    assert_eq!(resumed(4), broken);
    assert_eq!(resumed(6), broken);
    // the interfaces have changed
    state.remember(|memory| memory.refused.as_mut().unwrap().renewed = true);
    assert_eq!(resumed(6), broken);
    // SIGHUP or reload
    assert_eq!(resumed(6), None);
    assert_eq!(resumed(7), None);
    // the service itself was started
    of(3).refuse("file:2: unknown key", events, state);
    assert_eq!(resumed(0), None);
}
