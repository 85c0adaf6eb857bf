use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Instant;

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
    let why = read_roots(&file).unwrap_err();
    assert_eq!(why, format!("{}: No such file or directory", file.display()));
    std::fs::write(&file, "no certificate\n").unwrap();
    assert!(read_roots(&file).unwrap_err().ends_with("no certificate in it"));
    let client = Client::new(None, read_roots(&file), Limits::default()).unwrap();
    let call = Call::Get("https://127.0.0.1:1/".parse().unwrap());
    assert!(client.call(&call).unwrap_err().starts_with("log.ca_file: "));
}

/// A server of one fault on a port of its own; it ends with the test.
fn hostile(serve: impl Fn(&mut TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (mut head, mut octet) = (Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut octet).is_ok_and(|read| read > 0)
            {
                head.extend(octet);
            }
            serve(&mut stream);
        }
    });
    addr
}

/// An octet now and then, for far longer than anybody waits.
fn drip(stream: &mut TcpStream, first: &str, octet: u8) {
    let _ = stream.write_all(first.as_bytes());
    for _ in 0..600 {
        std::thread::sleep(Duration::from_millis(50));
        if stream.write_all(&[octet]).is_err() {
            return;
        }
    }
}

fn silence(_: &mut TcpStream) {
    std::thread::sleep(Duration::from_secs(30));
}

/// Why a call fails, which must not take long.
fn failure(proxy: Option<&str>, call: &Call) -> String {
    let step = Duration::from_millis(500);
    let (all, [resolve, connect, send, answer, body]) = (2 * step, [step; 5]);
    let limits = Limits { resolve, connect, send, answer, body, all };
    let proxy = proxy.map(|url| url.parse().unwrap());
    let client = Client::new(proxy.as_ref(), Ok(Vec::new()), limits).unwrap();
    let begun = Instant::now();
    let why = client.call(call).unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(5), "{why}: {:?}", begun.elapsed());
    why
}

#[test]
fn a_slow_server_does_not_last() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n";
    for (server, words) in [
        (hostile(silence), "no answer in time"),
        (hostile(|stream| drip(stream, "HTTP/1.1 200 O", b'K')), "no answer in time"),
        (hostile(move |stream| drip(stream, &format!("{head}X: "), b'x')), "no answer in time"),
        (
            hostile(move |stream| drip(stream, &format!("{head}\r\n"), b'x')),
            "HTTP status 200, then",
        ),
    ] {
        let why = failure(None, &Call::GetClear(server.to_string(), "/"));
        assert!(why.contains(words), "{why}");
    }
}

#[test]
fn a_proxy_that_is_none_is_an_error() {
    fn says(text: &'static str) -> SocketAddr {
        hostile(move |stream| drop(stream.write_all(text.as_bytes())))
    }
    for (what, proxy, words) in [
        ("silent", hostile(silence), "no answer in time"),
        ("drips", hostile(|stream| drip(stream, "HTTP/1.1 200 ", b'x')), "no answer in time"),
        ("closes", says(""), ""),
        ("garbage", says("SSH-2.0-OpenSSH_10.2\r\n\r\n"), ""),
        ("407", says("HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"), "the proxy refuses: "),
        ("502", says("HTTP/1.0 502 Bad Gateway\r\n\r\n"), "the proxy refuses: "),
        // through to a server that says nothing of TLS
        ("beyond", hostile(|stream| drip(stream, "HTTP/1.1 200 OK\r\n\r\n", 22)), ""),
    ] {
        let url = format!("http://fred:pass@{proxy}");
        let why = failure(Some(&url), &Call::Get("https://127.0.0.1:1/".parse().unwrap()));
        let at = format!("127.0.0.1:1 through the proxy {proxy}: ");
        assert!(why.starts_with(&at) && why.contains(words), "{what}: {why}");
        assert!(!why.contains("pass"), "{what}: {why}");
    }
    let nowhere = Call::Get("https://127.0.0.1:1/".parse().unwrap());
    let why = failure(Some("http://proxy.invalid:3128"), &nowhere);
    assert!(why.starts_with("127.0.0.1:1 through the proxy proxy.invalid:3128: "), "{why}");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let why = failure(Some(&format!("http://fred:pass@{closed}")), &nowhere);
    assert_eq!(why, format!("127.0.0.1:1 through the proxy {closed}: Connection refused"));
}
