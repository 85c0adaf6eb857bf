use super::*;

fn same<T: Text>(text: &str) {
    assert_eq!(T::parse(text).map(|value| value.text()), Ok(text.to_owned()));
}

fn refused<T: Text>(texts: &[&str]) {
    for text in texts {
        assert!(T::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn servers() {
    let server = |text: &str| text.parse::<Server>().unwrap();
    let name: DomainName = "dns.threatstop.com".parse().unwrap();
    assert_eq!(server("192.124.129.42"), Server::Address([192, 124, 129, 42].into()));
    assert_eq!(
        server("192.124.129.42:5353"),
        Server::AddressPort(([192, 124, 129, 42], 5353).into())
    );
    assert_eq!(server("2001:db8::1"), Server::Address("2001:db8::1".parse().unwrap()));
    assert_eq!(server("[::1]:53"), Server::AddressPort("[::1]:53".parse().unwrap()));
    assert_eq!(server("dns.threatstop.com"), Server::Name(name.clone()));
    assert_eq!(server("DNS.threatstop.com.:53"), Server::NamePort(name, 53));
    for text in ["192.0.2.1", "127.0.0.1:65535", "2001:db8::1", "[2001:db8::1]:1", "a.b", "a:5"] {
        same::<Server>(text);
    }
}

#[test]
fn addresses_that_need_no_resolver() {
    for (text, expected) in [
        ("192.0.2.1", Some("192.0.2.1")),
        ("[2001:db8::1]:53", Some("2001:db8::1")),
        ("dns.example.com", None),
        ("dns.example.com:53", None),
    ] {
        let address = text.parse::<Server>().unwrap().address();
        assert_eq!(address, expected.map(|addr| addr.parse().unwrap()), "{text}");
    }
    let host = |url: &str| url.parse::<WebUrl>().unwrap().host.address();
    assert_eq!(host("https://[::1]/"), Some("::1".parse().unwrap()));
    assert_eq!(host("https://logs.example.com/"), None);
}

#[test]
fn what_is_no_server() {
    refused::<Server>(&[
        "",
        ":53",
        "192.0.2.1:",
        "192.0.2.1:0",
        "192.0.2.1:65536",
        "192.0.2.1:+5",
        "192.0.2.1:5x",
        "192.0.2.256",
        "192.0.2",
        "0.0.0.0",
        "0.0.0.0:53",
        "224.0.0.1",
        "255.255.255.255",
        "[::]:53",
        "[ff02::1]:53",
        "::ffff:192.0.2.1",
        "[::1]",
        "[192.0.2.1]:53",
        "[dns.example.com]:53",
        "fe80::1%em0",
        "dns.example.com:53:53",
        "a b",
        "https://a",
    ]);
}

#[test]
fn urls() {
    let url = |text: &str| text.parse::<WebUrl>().unwrap();
    let parsed = url("https://logs.threatstop.com/cgi-bin/logupload.pl");
    assert_eq!(parsed.host.to_string(), "logs.threatstop.com");
    assert_eq!((parsed.port, parsed.path.as_str()), (443, "/cgi-bin/logupload.pl"));
    assert_eq!(url("https://127.0.0.1:8443").text(), "https://127.0.0.1:8443/");
    assert_eq!(url("https://a:443/x").text(), "https://a/x");
    assert_eq!(url("https://a?b=c").path, "/?b=c");
    same::<WebUrl>("https://[2001:db8::1]/");
    same::<WebUrl>("https://[2001:db8::1]:8443/a%20b?c=d&e");
}

#[test]
fn what_is_no_url_for_logs() {
    let long = format!("https://a/{}", "x".repeat(2048));
    refused::<WebUrl>(&[
        "",
        "http://logs.threatstop.com/",
        "HTTPS://a/",
        "https://",
        "https:///x",
        "https://:443/",
        "https://a:/",
        "https://a:0/",
        "https://a:99999/",
        "https://user@a/",
        "https://user:pass@a/",
        "https://a/#x",
        "https://a/ b",
        "https://a/\r\nx",
        "https://ä/",
        "https://2001:db8::1/",
        "https://0.0.0.0/",
        &long,
    ]);
    let error = "https://u:hunter2@a/".parse::<WebUrl>().unwrap_err().to_string();
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn proxies() {
    let proxy: Proxy = "http://proxy.example.com:3128".parse().unwrap();
    assert_eq!((proxy.host.to_string().as_str(), proxy.port), ("proxy.example.com", 3128));
    assert_eq!(proxy.login, None);
    let proxy: Proxy = "http://u%40x:a:b%2F@[::1]:80/".parse().unwrap();
    let login = proxy.login.clone().unwrap();
    assert_eq!((login.user.as_str(), login.password.as_str()), ("u%40x", "a:b%2F"));
    assert_eq!(proxy.url(), "http://u%40x:a:b%2F@[::1]:80");
    same::<Proxy>("http://u:@127.0.0.1:1");
}

#[test]
fn what_is_no_proxy() {
    refused::<Proxy>(&[
        "",
        "proxy:3128",
        "https://proxy:3128",
        "socks5://proxy:1080",
        "http://proxy",
        "http://proxy:0",
        "http://proxy:3128/x",
        "http://user@proxy:3128",
        "http://:pass@proxy:3128",
        "http://u:p%4@proxy:3128",
        "http://u:p%zz@proxy:3128",
        "http://u:p/q@proxy:3128",
        "http://u:p q@proxy:3128",
        "http://u:p@@proxy:3128",
    ]);
}

#[test]
fn a_proxy_password_is_neither_printed_nor_repeated() {
    let proxy: Proxy = "http://joe:hunter2@proxy:3128".parse().unwrap();
    let printed = format!("{proxy:?} {:?}", proxy.login);
    assert!(!printed.contains("hunter2") && !printed.contains("joe"), "{printed}");
    assert!(printed.contains("proxy:3128"), "{printed}");
    let error = "http://joe:hunter2@proxy".parse::<Proxy>().unwrap_err().to_string();
    assert!(!error.contains("hunter2"), "{error}");
}
