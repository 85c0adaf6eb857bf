use super::*;

#[test]
fn names() {
    let longest = "a".repeat(31);
    for name in ["a", "0", "drop", "a.b-c_d", "1.2", longest.as_str()] {
        assert_eq!(name.parse::<FeedName>().unwrap().as_str(), name);
    }
    for name in ["", ".a", "-a", "_a", "A", "a b", "a/b", "\u{e4}", "a\0", &(longest + "a")] {
        let error = name.parse::<FeedName>().unwrap_err().to_string();
        assert!(error.ends_with("begins with a letter or digit"), "{name:?}: {error}");
    }
}

#[test]
fn formats_are_those_that_are_read() {
    let steps = format!("json:/{}", "a".repeat(256));
    for format in [
        "lines",
        "csv:1",
        "csv:65535",
        "csv:dst_ip",
        "csv:a,b",
        "json:/",
        "json:/a/*/b~0~1",
        "jsonl:/cidr",
        &steps,
    ] {
        assert_eq!(format.parse::<FeedFormat>().unwrap().as_str(), format);
    }
    let many = format!("json:{}", "/a".repeat(600));
    for (format, why) in [
        ("", "takes \"lines\""),
        ("Lines", "takes \"lines\""),
        ("lines:", "takes \"lines\""),
        ("xml:/a", "takes \"lines\""),
        ("csv", "takes \"lines\""),
        ("csv:", "csv: takes"),
        ("csv:0", "csv: takes"),
        ("csv:65536", "csv: takes"),
        ("json:", "a pointer begins with"),
        ("json:a", "a pointer begins with"),
        ("json:/~", "behind \"~\""),
        ("jsonl:/a~2b", "behind \"~\""),
        (&(steps + "a"), "behind \"~\""),
        (&many, "at most 1024"),
    ] {
        let error = format.parse::<FeedFormat>().unwrap_err().to_string();
        assert!(error.contains(why), "{format:?}: {error}");
    }
}

#[test]
fn a_credential_is_in_no_message() {
    let good: Credential = "Bearer abc.def==".parse().unwrap();
    assert_eq!(good.as_str(), "Bearer abc.def==");
    assert_eq!(format!("{good:?}"), "Credential(hidden)");
    for bad in ["Bearer secret\r\nHost: x", " secret", "secret ", "secret\u{e4}"] {
        let error = bad.parse::<Credential>().unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}
