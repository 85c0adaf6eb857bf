use super::*;

fn from(location: &str) -> Result<String, String> {
    let url: WebUrl = "https://logs.example:8443/cgi-bin/up.pl?x=/y".parse().unwrap();
    redirected(&url, location).map(|to| to.to_string())
}

#[test]
fn redirects_stay_on_the_host() {
    for (location, to) in [
        ("https://logs.example:8443/done", "https://logs.example:8443/done"),
        ("//logs.example:8443/done", "https://logs.example:8443/done"),
        ("/done?a=b#top", "https://logs.example:8443/done?a=b"),
        ("done", "https://logs.example:8443/cgi-bin/done"),
        ("/done?at=https://x.example/y", "https://logs.example:8443/done?at=https://x.example/y"),
        ("done?at=x:y", "https://logs.example:8443/cgi-bin/done?at=x:y"),
        ("to/x://y", "https://logs.example:8443/cgi-bin/to/x://y"),
        ("done#x://y", "https://logs.example:8443/cgi-bin/done"),
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
        "mailto:root",
    ] {
        let why = from(location).unwrap_err();
        assert!(why.contains("is refused"), "{location}: {why}");
    }
}
