use super::subject::UPLOAD;
use super::*;

fn published(text: &str) -> Event {
    Event::Published { text: text.into(), rollback: false }
}

/// Numbers go on over a restart, and a thousand are kept.
#[test]
fn a_thousand_are_kept_with_their_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let events = Events::load(dir.path());
    assert_eq!((events.next(), events.oldest()), (1, 1));
    for number in 1..=KEPT + 3 {
        events.say(&published(&number.to_string()));
    }
    let events = Events::load(dir.path());
    assert_eq!((events.next(), events.oldest()), (1004, 4));
    for number in [4, 700, 1003] {
        let event = events.get(number).unwrap();
        assert_eq!((event.number, event.text), (number, number.to_string()));
    }
    assert!([0, 3, 1004, u64::MAX].iter().all(|number| events.get(*number).is_none()));
    let long = "é".repeat(5000);
    events.say(&published(&long));
    assert_eq!(events.get(1004).unwrap().text.len(), LONGEST);
    std::fs::write(dir.path().join(FILE), "{").unwrap();
    assert_eq!(Events::load(dir.path()).next(), 1);
}

#[test]
fn each_has_its_word_and_what_it_is_about() {
    let (name, text, source) = ("list a".to_owned(), "why".to_owned(), Some("drop".to_owned()));
    for (event, word, subject, said) in [
        (published("why"), "published", None, "why"),
        (
            Event::Held { name: name.clone(), text: text.clone(), long: false },
            "held",
            Some("list a"),
            "why",
        ),
        (Event::Failed { source, text: text.clone(), grave: false }, "failed", Some("drop"), "why"),
        (
            Event::Recovered { name, text: "list a: good again".into() },
            "recovered",
            Some("list a"),
            "list a: good again",
        ),
        (
            Event::UploadFailing { text, grave: true },
            "upload failing",
            Some("upload"),
            "log upload: why",
        ),
        (
            Event::TableUnused {
                subject: "pf".into(),
                warning: crate::warning::Warning::new("pf is off", "pfctl -e"),
            },
            "table unused",
            Some("pf"),
            "pf is off (pfctl -e)",
        ),
        (Event::Suspects, "new suspect host", None, &Event::Suspects.to_string()),
        (
            Event::Mended { table: "block".into(), text: "why".into() },
            "mended",
            Some("block"),
            "why",
        ),
        (Event::LogGap { text: "why".into() }, "log gap", None, "why"),
        (Event::Damaged { text: "why".into(), grave: true }, "damaged", None, "why"),
        (Event::Warned("why".into()), "warning", None, "why"),
    ] {
        let expected = (word, subject.map(str::to_owned), said.to_owned());
        assert_eq!((event.word(), event.subject(), event.to_string()), expected);
    }
}

/// Fails when something is said to be over that nobody has heard of, or twice, or when a restart forgets
/// what was wrong.
#[test]
fn what_was_said_to_be_wrong_ends_once() {
    let dir = tempfile::tempdir().unwrap();
    let failed = |source: Option<&str>| {
        let source = source.map(str::to_owned);
        Event::Failed { source, text: "why".into(), grave: false }
    };
    let held = Event::Held { name: "list a".into(), text: "why".into(), long: false };
    let warning = crate::warning::Warning::new("pf is off", "pfctl -e");
    let unused = Event::TableUnused { subject: "pf".into(), warning };
    let upload = Event::UploadFailing { text: "why".into(), grave: false };
    let events = Events::load(dir.path());
    events.end("drop", "good again");
    assert_eq!(events.next(), 1);
    for event in [failed(Some("drop")), failed(Some("drop")), failed(None), held, unused, upload] {
        events.say(&event);
    }
    assert_eq!(events.next(), 6, "the same is told once");
    events.say(&failed(None));
    let events = Events::load(dir.path());
    for (name, next) in [
        ("other", 7),
        ("drop", 8),
        ("drop", 8),
        ("list a", 9),
        ("list a", 9),
        ("pf", 10),
        (UPLOAD, 11),
        (UPLOAD, 11),
    ] {
        events.end(name, "good again");
        assert_eq!((events.next(), events.is_open(name)), (next, false), "{name}");
    }
    events.say(&failed(Some("drop")));
    events.end("drop", "good again");
    assert_eq!(events.next(), 13);
}

/// Fails when what is wrong is forgotten behind a thousand other events, or when each engine tells it anew.
#[test]
fn what_is_wrong_now_is_known_behind_the_thousandth_event() {
    let dir = tempfile::tempdir().unwrap();
    let source = Some("drop".to_owned());
    let failed =
        |text: &str| Event::Failed { source: source.clone(), text: text.into(), grave: false };
    let events = Events::load(dir.path());
    events.say(&failed("no server, for 3 hours"));
    events.say_as(&failed("no server"), "numbers");
    (0..KEPT).for_each(|number| events.say(&published(&number.to_string())));
    let events = Events::load(dir.path());
    assert!(events.is_open("drop") && events.get(1).is_none());
    let next = events.next();
    events.say(&failed("no server, for 3 hours"));
    events.say_as(&failed("no server, for 9 hours"), "numbers");
    assert_eq!(events.next(), next);
    events.say(&failed("another reason"));
    assert_eq!(events.next(), next + 1);
    events.end("drop", "good again");
    assert_eq!(events.next(), next + 2);
}

/// Fails when after a restart the log has the reminder of an event, and its own at another time of the day.
#[test]
fn events_and_log_remind_at_the_same_time() {
    const NOW: u64 = 1_800_000_000;
    let dir = tempfile::tempdir().unwrap();
    let source = Some("drop".to_owned());
    let failed = Event::Failed { source, text: "why".into(), grave: false };
    let mut events = Events::load(dir.path());
    assert_eq!(events.are_due(&failed, "why", NOW), (true, true));
    events.logged = Told::default();
    let at = |hour: u64| events.are_due(&failed, "why", NOW + hour * 3600);
    assert_eq!(at(5), (false, true));
    let told: Vec<_> = (6..80).map(|hour| (hour, at(hour))).collect();
    let told: Vec<_> = told.into_iter().filter(|(_, due)| *due != (false, false)).collect();
    assert_eq!(told, [24, 48, 72].map(|hour| (hour, (true, true))));
}

/// Fails when what is held back with other numbers in each run is never told of as grave as it is.
#[test]
fn an_alarm_is_told_behind_all_that_was_told() {
    let dir = tempfile::tempdir().unwrap();
    let events = Events::load(dir.path());
    let held = |text: String, long| Event::Held { name: "list a".into(), text, long };
    (0..20).for_each(|run| events.say(&held(format!("{run} entries"), false)));
    let next = events.next();
    (0..3).for_each(|_| events.say_as(&held("for 3 hours".into(), true), "for long"));
    assert_eq!((events.next(), events.get(next).unwrap().text.as_str()), (next + 1, "for 3 hours"));
}

/// Fails when what has left the configuration is wrong for ever.
#[test]
fn what_has_left_the_configuration_is_over() {
    let dir = tempfile::tempdir().unwrap();
    let held = |name: &str| Event::Held { name: name.into(), text: "why".into(), long: false };
    let events = Events::load(dir.path());
    ["list a", "list b"].iter().for_each(|name| events.say(&held(name)));
    // as a version before called it
    events.say(&held("a"));
    let is_any = |name: &str| name.starts_with("list ");
    (0..2).for_each(|_| events.left(&["list b".to_owned()].into(), is_any));
    assert!(!events.is_open("a"));
    assert!(!events.is_open("list a") && events.is_open("list b"));
    let last = events.get(4).unwrap();
    assert_eq!((last.event.as_str(), last.subject.as_deref()), ("recovered", Some("list a")));
    assert_eq!(events.next(), 5);
}

/// Fails when a file that is damaged makes numbers that nothing can be behind.
#[test]
fn events_out_of_order_are_none() {
    let dir = tempfile::tempdir().unwrap();
    let next = |next: u64, numbers: &[u64]| {
        let event = |number: &u64| {
            format!(r#"{{"number":{number},"time":1,"event":"failed","subject":"pf","text":"x"}}"#)
        };
        let events: Vec<String> = numbers.iter().map(event).collect();
        let text = format!(r#"{{"next":{next},"events":[{}]}}"#, events.join(","));
        std::fs::write(dir.path().join(FILE), text).unwrap();
        let events = Events::load(dir.path());
        events.say(&published("one"));
        events.next()
    };
    assert_eq!([next(8, &[5, 6, 7]), next(8, &[]), next(0, &[])], [9, 9, 2]);
    for (of, numbers) in [
        (u64::MAX, &[][..]),
        (u64::MAX, &[u64::MAX - 1]),
        (9, &[5, 7, 8]),
        (9, &[5, 6, 7]),
        (1, &[5, 6]),
    ] {
        assert_eq!(next(of, numbers), 2, "{of} {numbers:?}");
    }
}

/// Who waits for an event is woken by it, and not before.
#[tokio::test]
async fn who_waits_is_woken() {
    let dir = tempfile::tempdir().unwrap();
    let events = Events::load(dir.path());
    tokio::select! {
        biased;
        () = events.reached(1) => panic!("there is none"),
        () = std::future::ready(()) => {}
    }
    let (event, waited) = (published("one"), events.reached(1));
    tokio::join!(waited, async { events.say(&event) });
    events.reached(1).await;
}
