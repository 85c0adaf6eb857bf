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

/// The clock is looked at in these moments, one after the other: what is the end, whether it is in force, and
/// whether it has ended for good.
#[test]
fn an_end_is_by_a_clock_that_may_be_wrong_for_a_while() {
    let cases: [&[(u64, u64, bool, bool)]; 7] = [
        &[(1000, 1100, true, false), (1099, 1100, true, false), (1100, 1100, false, true)],
        // the clock was set back: its duration from there on, once
        &[(500, 600, true, false), (599, 600, true, false), (600, 600, true, true)],
        &[(500, 600, true, false), (0, 100, true, false), (100, 100, true, true)],
        // for a while
        &[(500, 600, true, false), (1050, 1100, true, false), (500, 600, true, false)],
        &[(500, 600, true, false), (1105, 1100, false, true)],
        // ahead for a while, and back
        &[(90_000, 1100, false, false), (1050, 1100, true, false), (1100, 1100, false, true)],
        // the host was off
        &[
            (90_000, 1100, false, false),
            (176_399, 1100, false, false),
            (176_400, 1100, false, true),
        ],
    ];
    for (number, case) in cases.into_iter().enumerate() {
        let mut entry = read("192.0.2.7", Some(100), "").unwrap();
        for &(now, end, holds, is_over) in case {
            let found = (entry.look(now), entry.end(), entry.holds());
            assert_eq!(found, (is_over, Some(end), holds), "{number}: {now}");
        }
    }
    let mut lasting = read("192.0.2.7", None, "").unwrap();
    assert!(!lasting.is_due(0) && !lasting.look(u64::MAX) && lasting.holds());
}
