use super::*;

fn from(location: &str) -> Result<String, String> {
    let url: LogUrl = "https://logs.example:8443/cgi-bin/up.pl?x=/y".parse().unwrap();
    redirected(&url, location).map(|to| to.to_string())
}

#[test]
fn redirects_stay_on_the_host() {
    for (location, to) in [
        ("https://logs.example:8443/done", "https://logs.example:8443/done"),
        ("//logs.example:8443/done", "https://logs.example:8443/done"),
        ("/done?a=b#top", "https://logs.example:8443/done?a=b"),
        ("done", "https://logs.example:8443/cgi-bin/done"),
    ] {
        assert_eq!(from(location).as_deref(), Ok(to), "{location}");
    }
    for location in [
        "http://logs.example:8443/done",
        "https://other.example:8443/done",
        "https://logs.example/done",
        "//other.example/",
        "https://user@logs.example:8443/",
        "ftp://logs.example/",
        "javascript:alert(1)//://",
    ] {
        let why = from(location).unwrap_err();
        assert!(why.contains("is refused"), "{location}: {why}");
    }
}

#[test]
fn roots_are_read_or_missed_with_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ca.pem");
    assert!(read_roots(&file).unwrap_err().contains("ca.pem"));
    std::fs::write(&file, "no certificate\n").unwrap();
    assert!(read_roots(&file).unwrap_err().ends_with("no certificate in it"));
    let client = Client::new(None, read_roots(&file), Limits::default()).unwrap();
    let call = Call::Get("https://127.0.0.1:1/".parse().unwrap());
    assert!(client.call(&call).unwrap_err().starts_with("log.ca_file: "));
}
