use super::*;

fn read(prefix: &str, seconds: Option<u64>, reason: &str) -> Result<Entry, String> {
    Entry::read((Action::Block, 0), prefix, seconds, reason, 1000)
}

#[test]
fn what_is_said_is_read_or_refused_in_words() {
    let entry = read("192.0.2.0/24", Some(60), "ssh, \"ticket\" 12").unwrap();
    assert_eq!((entry.since, entry.until, entry.seconds), (1000, Some(1060), Some(60)));
    assert_eq!(read("192.0.2.7", None, "").unwrap().until, None);
    let mapped = read("::ffff:192.0.2.7", None, "").unwrap();
    assert_eq!(mapped.prefix.to_string(), "192.0.2.7");
    for (prefix, why) in [
        ("192.0.2.7/24", "\"192.0.2.7/24\": host bits are set; the network is 192.0.2.0/24"),
        ("www.example.net", "\"www.example.net\": not a numeric IP address"),
        ("", "\"\": not a numeric IP address"),
    ] {
        assert_eq!(read(prefix, None, ""), Err(why.to_owned()), "{prefix}");
    }
    for seconds in [0, 59, 365 * 86_400 + 1, u64::MAX] {
        assert!(read("192.0.2.7", Some(seconds), "").is_err(), "{seconds}");
    }
    assert!(read("192.0.2.7", Some(365 * 86_400), "").is_ok());
}

#[test]
fn a_reason_is_short_and_can_be_seen() {
    for reason in ["", "ssh", "Größe ≥ 3: 'a' \\ b", &"é".repeat(200)] {
        assert!(read("192.0.2.7", None, reason).is_ok(), "{reason}");
    }
    for reason in ["a\nb", "\u{1b}[2J", "a\u{202e}b", "a\tb", "\0", &"e".repeat(201)] {
        let why = "the reason is at most 200 printable characters";
        assert_eq!(read("192.0.2.7", None, reason), Err(why.to_owned()), "{reason:?}");
    }
}

#[test]
fn an_end_lies_no_further_away_than_its_duration() {
    let entry = read("192.0.2.7", Some(100), "").unwrap();
    for (now, end, has_ended) in [
        (1000, 1100, false),
        (1099, 1100, false),
        (1100, 1100, true),
        (5000, 1100, true),
        // the clock was set back
        (500, 600, false),
        (0, 100, false),
    ] {
        assert_eq!((entry.end(now), entry.has_ended(now)), (Some(end), has_ended), "{now}");
    }
    let lasting = read("192.0.2.7", None, "").unwrap();
    assert_eq!((lasting.end(0), lasting.has_ended(u64::MAX)), (None, false));
}
