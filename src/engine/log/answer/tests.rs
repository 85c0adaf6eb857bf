use proptest::prelude::*;

use super::*;

const SENTENCE: &str = "uploaded successfully for tdid_abcd1234";

fn device() -> DeviceId {
    "tdid_abcd1234".parse().unwrap()
}

fn judged(status: u16, body: &str) -> Verdict {
    let answer = Answer { status, retry_after: None, body: body.into() };
    judge(&answer, SENTENCE, &device())
}

#[test]
fn only_our_sentence_is_a_success() {
    let good = "<p>Log file uploaded successfully for tdid_abcd1234</p>";
    assert_eq!(judged(200, good), Verdict::Delivered);
    assert_eq!(judged(201, good), Verdict::Delivered);
    for (status, body) in [
        (200, "OK"),
        (200, ""),
        (200, "Log file uploaded successfully for"),
        (200, "error: could not store the log of tdid_abcd1234"),
        (302, good),
        (500, good),
        (404, good),
    ] {
        assert_ne!(judged(status, body), Verdict::Delivered, "{status} {body}");
    }
}

#[test]
fn another_device_is_an_alarm() {
    for body in [
        "Log file uploaded successfully for tdid_efgh5678",
        // ours is only how the other begins
        "Log file uploaded successfully for tdid_abcd12345",
        "Log file uploaded successfully for tdid_efgh5678, not for tdid_abcd1234",
    ] {
        assert!(matches!(judged(200, body), Verdict::OtherDevice(_)), "{body}");
    }
    // whoever else is named beside us
    for body in [
        "Log file uploaded successfully for tdid_abcd1234, tdid_efgh5678",
        "tdid_efgh5678 is late.\nLog file uploaded successfully for tdid_abcd1234",
        "uploaded successfully for tdid_abcd12345; uploaded successfully for tdid_abcd1234.",
    ] {
        assert_eq!(judged(200, body), Verdict::Delivered, "{body}");
    }
    // a sentence that names nobody is no word about us
    let answer = |body: &str| Answer { status: 200, retry_after: None, body: body.into() };
    assert_eq!(judge(&answer("OK"), "OK", &device()), Verdict::Delivered);
    let other = judge(&answer("OK tdid_efgh5678"), "OK", &device());
    assert!(matches!(other, Verdict::OtherDevice(_)), "{other:?}");
    assert!(!matches!(judged(200, "tdid_ is how ids begin"), Verdict::OtherDevice(_)));
}

#[test]
fn what_is_tried_again_and_when() {
    let failed = |retry_after: Option<&str>| {
        let retry_after = retry_after.map(ToOwned::to_owned);
        let answer = Answer { status: 503, retry_after, body: "busy".into() };
        match judge(&answer, SENTENCE, &device()) {
            Verdict::Failed(why, wait) => (why, wait),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(failed(None), ("HTTP status 503: busy".into(), None));
    assert_eq!(failed(Some("120")).1, Some(Duration::from_secs(120)));
    assert_eq!(failed(Some("999999999")).1, Some(Duration::from_secs(24 * 60 * 60)));
    assert_eq!(failed(Some("soon")).1, None);
    assert_eq!(failed(Some("Sun, 06 Nov 1994 08:49:37 GMT")).1, Some(Duration::ZERO));
    let day = failed(Some("Fri, 31 Dec 9999 23:59:59 GMT")).1;
    assert_eq!(day, Some(Duration::from_secs(24 * 60 * 60)));
    assert!(matches!(judged(429, "x"), Verdict::Failed(..)));
    assert!(matches!(judged(413, "x"), Verdict::TooLarge(_)));
    assert!(matches!(judged(422, "x"), Verdict::Refused(_)));
    assert!(matches!(judged(403, "x"), Verdict::Denied(_)));
}

#[test]
fn what_is_shown_has_no_device_id() {
    let text = shown("stored\x1b[2J\r\n for tdid_abcd1234\0!", &device());
    assert_eq!(text, "stored[2J for tdid_...!");
    assert_eq!(shown(" \r\n", &device()), "an empty answer");
    assert_eq!(shown(&"ä".repeat(10_000), &device()).chars().count(), SHOWN);
}

proptest! {
    #[test]
    fn any_answer_is_judged(status: u16, body in ".{0,200}", after in ".{0,40}") {
        let answer = Answer { status, retry_after: Some(after), body: body.clone() };
        let verdict = judge(&answer, SENTENCE, &device());
        prop_assert!(verdict != Verdict::Delivered || body.contains(SENTENCE));
    }
}
