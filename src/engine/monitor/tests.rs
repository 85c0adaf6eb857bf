use super::*;

fn parse(line: &str) -> Option<Arguments> {
    Arguments::parse(line.split_whitespace().map(str::to_owned))
}

#[test]
fn arguments_are_those_of_the_monitor() {
    let all = Arguments {
        version: 2,
        debug: true,
        verbose: true,
        uptime: Duration::from_secs(70),
        config: "/etc/a.toml".into(),
        restarts: 3,
    };
    assert_eq!(parse("2 -d -v -u 70 -r 3 -f /etc/a.toml"), Some(all));
    assert_eq!(parse("2"), Some(Arguments { version: 2, ..Arguments::default() }));
    for line in ["", "-d", "x", "2 x", "2 -u", "2 -u x", "2 -r -1", "2 -f", "2 -h"] {
        assert_eq!(parse(line), None, "{line}");
    }
}

#[test]
fn a_note_says_why_and_keeps_what_those_before_have_left() {
    let (reader, writer) = nix::unistd::pipe().unwrap();
    nix::unistd::write(&writer, b"spool: no").unwrap();
    let monitor = Monitor::new(Arguments::default(), &reader);
    assert_eq!(monitor.note(), None);
    monitor.take(b"Ffile:2: unknown key");
    assert_eq!(monitor.note(), Some(Note::Broken("file:2: unknown key".into())));
    monitor.take(b"B");
    assert_eq!(monitor.note(), Some(Note::TakenBack("spool: no".into())));
    // SIGUSR1 has no reason
    monitor.take(b"U");
    assert_eq!(monitor.note(), Some(Note::TakenBack("spool: no".into())));
    drop(writer);
    let monitor = Monitor::new(Arguments::default(), &reader);
    monitor.take(b"B");
    assert_eq!(monitor.note(), Some(Note::TakenBack("see the log".into())));
}

#[test]
fn control_characters_in_a_reason_are_made_visible() {
    assert_eq!(visible("/tmp/a\n\u{1b}[31mb: no"), "/tmp/a\\n\\u{1b}[31mb: no");
}
