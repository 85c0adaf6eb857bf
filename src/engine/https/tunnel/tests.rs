use super::*;

#[test]
fn the_status_is_the_second_word_of_three_digits() {
    for (head, expected) in [
        ("HTTP/1.1 200 Connection established", Some(200)),
        ("HTTP/1.0 204\r\nVia: x", Some(204)),
        ("HTTP/1.1 200", Some(200)),
        ("HTTP/1.1 407 \r\n", Some(407)),
        ("HTTP/2 200 OK", None),
        ("HTTP/1.1 0200 OK", None),
        ("HTTP/1.1 +20 OK", None),
        ("HTTP/1.1 999 OK", None),
        ("HTTP/1.1  200 OK", None),
        ("220 mail.example.com ESMTP", None),
        ("", None),
    ] {
        assert_eq!(status(head.as_bytes()), expected, "{head}");
    }
    assert_eq!(status(b"\xff\xfe 200 OK"), None);
}

#[test]
fn a_credential_is_not_printed() {
    let proxy = ureq::Proxy::new("http://fred:pass%5Fword@127.0.0.1:3128").unwrap();
    let tunnel = Tunnel::new(Some(&proxy));
    let authorization = tunnel.0.as_ref().unwrap().authorization.clone();
    // printf fred:pass_word | openssl base64
    assert_eq!(authorization.as_deref(), Some("Basic ZnJlZDpwYXNzX3dvcmQ="));
    let printed = format!("{tunnel:?}");
    assert!(!printed.contains("pass") && !printed.contains("ZnJ"), "{printed}");
    assert!(Tunnel::new(None).0.is_none());
}
