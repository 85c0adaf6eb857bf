use super::*;

fn url(text: &str) -> WebUrl {
    text.parse().unwrap()
}

#[test]
fn where_a_redirect_may_lead() {
    let from = url("https://lists.example:8443/a/b?c");
    for (location, to) in [
        ("/x", Some("https://lists.example:8443/x")),
        ("x", Some("https://lists.example:8443/a/x")),
        ("https://cdn.example/x#y", Some("https://cdn.example/x")),
        ("//cdn.example:8443/x", Some("https://cdn.example:8443/x")),
        ("https://cdn.example:444/", None),
        ("http://lists.example:8443/", None),
        ("https://joe@cdn.example/", None),
        ("https://joe:x@lists.example:8443/", None),
        ("https://192.0.2.1/", None),
        ("https://[2001:db8::1]/", None),
        ("https://127.0.0.1:8443/", None),
        ("file:///etc/passwd", None),
        ("", Some("https://lists.example:8443/a/")),
        ("https://", None),
    ] {
        let found = redirect::located(&from, location).filter(|to| may_lead(&from, to));
        assert_eq!(found.map(|url| url.to_string()).as_deref(), to, "{location}");
    }
    // an address that was configured may point to itself
    let from = url("https://192.0.2.1/a");
    assert!(may_lead(&from, &url("https://192.0.2.1/b")));
    assert!(!may_lead(&from, &url("https://192.0.2.2/b")));
}

#[test]
fn validators_are_short_and_visible() {
    let of = |text: &str| validator(Some(text.to_owned()));
    assert_eq!(of("W/\"abc\"").as_deref(), Some("W/\"abc\""));
    assert!(of(&"x".repeat(256)).is_some());
    for text in ["", "\u{e4}", "a\tb", &"x".repeat(257)] {
        assert_eq!(of(text), None, "{text}");
    }
}

#[test]
fn a_body_has_an_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = File::create(folder.path().join("body")).unwrap();
    let mut body = |octets: u64| {
        copy(&mut std::io::repeat(b'#').take(octets), &mut file, "h", 1 << 20, || Ok(()))
    };
    assert_eq!(body(1 << 20), Ok(()));
    let why = body(1 << 30).unwrap_err().why;
    assert_eq!(why, "h: its answer is longer than 1 MiB");
}

/// Fails when the room for a body is looked for but once, before it comes: others take some meanwhile.
#[test]
fn a_body_ends_where_others_have_taken_the_room() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = File::create(folder.path().join("body")).unwrap();
    let length = || folder.path().join("body").metadata().unwrap().len();
    let room = || if length() < 5 * LOOK { Ok(()) } else { Err("no room".to_owned()) };
    let mut body = std::io::repeat(b'#').take(MOST);
    let failed = copy(&mut body, &mut file, "h", MOST, room).unwrap_err();
    assert_eq!((failed.why.as_str(), failed.here), ("no room", true));
    assert!(length() < 7 * LOOK, "{}", length());
}
