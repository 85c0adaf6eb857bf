use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Instant;

use ureq::unversioned::resolver::ResolvedSocketAddrs;
use ureq::unversioned::transport::NextTimeout;

use super::*;

#[test]
fn without_certificates_nothing_is_asked() {
    let client = Client::new(None, Err("ca.pem: empty".into()), Limits::default()).unwrap();
    let call = Call::Get("https://127.0.0.1:1/".parse().unwrap());
    let why = client.call(&Limit::default(), &call).unwrap_err();
    assert_eq!(why, "https.ca_file: ca.pem: empty");
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

/// "100 Continue" without an end.
fn interim(stream: &mut TcpStream) {
    while stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").is_ok() {
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A head without an end.
fn endless(stream: &mut TcpStream) {
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
    while stream.write_all(b"X: y\r\n").is_ok() {}
}

fn silence(_: &mut TcpStream) {
    std::thread::sleep(Duration::from_secs(30));
}

/// Why a call fails, which must not take long.
fn failure(proxy: Option<&str>, call: &Call) -> String {
    let step = Duration::from_secs(1);
    let (all, [resolve, connect, send, answer, body]) = (2 * step, [step; 5]);
    let limits = Limits { resolve, connect, send, answer, body, all, kept: 0 };
    let proxy = proxy.map(|url| url.parse().unwrap());
    let client = Client::new(proxy.as_ref(), Ok(Vec::new()), limits).unwrap();
    let limit = Arc::new(Limit::default());
    let watched = Arc::clone(&limit);
    std::thread::spawn(move || {
        std::thread::sleep(all);
        watched.expire();
    });
    let begun = Instant::now();
    let why = client.call(&limit, call).unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(25), "{why}: {:?}", begun.elapsed());
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

/// Fails when more of an answer is read than its beginning: the server is not rid of the rest.
#[test]
fn of_an_answer_the_beginning_is_read() {
    let (said, taken) = std::sync::mpsc::channel();
    let server = hostile(move |stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        // 64 MiB, of which the kernel keeps far less than half
        let is_taken = |_: &i32| stream.write_all(&[b'x'; 64 << 10]).is_ok();
        let _ = said.send((0..1024).take_while(is_taken).count());
    });
    let client = Client::new(None, Ok(Vec::new()), Limits::default()).unwrap();
    let call = Call::GetClear(server.to_string(), "/");
    let answer = client.call(&Limit::default(), &call).unwrap();
    assert!(answer.body == "x".repeat(64 << 10), "{} octets", answer.body.len());
    let taken = taken.recv().unwrap();
    assert!(taken < 512, "{taken} times 64 KiB");
}

/// Fails when what is no HTTP is told in the words of a library, or in those for what has none.
#[test]
fn what_is_no_http_is_told_as_such() {
    let server = hostile(|stream| drop(stream.write_all(b"SSH-2.0-OpenSSH_10.2\r\n\r\n")));
    let client = Client::new(None, Ok(Vec::new()), Limits::default()).unwrap();
    let whole = WholeAnswers { wanted: false };
    let agent = client.agent(DefaultResolver::default(), Begun::default(), whole);
    let error = agent.get(format!("http://{server}/")).call().unwrap_err();
    assert!(matches!(error, ureq::Error::Protocol(_)), "{error:?}");
    let expected = "its answer is none of HTTP: is it a web server, and the port right?";
    assert_eq!(words::of(&error), expected);
}

#[test]
fn a_proxy_that_is_none_is_an_error() {
    fn says(text: &'static str) -> SocketAddr {
        hostile(move |stream| drop(stream.write_all(text.as_bytes())))
    }
    for (what, proxy, words) in [
        ("silent", hostile(silence), "no answer in time"),
        ("drips", hostile(|stream| drip(stream, "HTTP/1.1 200 ", b'x')), "no answer in time"),
        ("closes", says(""), "the proxy refuses: it closed without an answer"),
        (
            "garbage",
            says("SSH-2.0-OpenSSH_10.2\r\n\r\n"),
            "the proxy refuses: its answer is none of",
        ),
        ("407", says("HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"), "a user and a password"),
        ("interim", hostile(interim), "the proxy refuses: its answer does not end"),
        ("endless", hostile(endless), "the proxy refuses: its answer does not end"),
        ("502", says("HTTP/1.0 502 Bad Gateway\r\n\r\n"), "the proxy refuses: "),
        // through to a server that says nothing of TLS
        ("beyond", hostile(|stream| drip(stream, "HTTP/1.1 200 OK\r\n\r\n", 22)), ""),
    ] {
        let url = format!("http://fred:s3cret@{proxy}");
        let why = failure(Some(&url), &Call::Get("https://127.0.0.1:1/".parse().unwrap()));
        let at = format!("127.0.0.1:1 through the proxy {proxy}: ");
        assert!(why.starts_with(&at) && why.contains(words), "{what}: {why}");
        assert!(!why.contains("s3cret"), "{what}: {why}");
    }
    let nowhere = Call::Get("https://127.0.0.1:1/".parse().unwrap());
    let why = failure(Some("http://proxy.invalid:3128"), &nowhere);
    assert!(why.starts_with("127.0.0.1:1 through the proxy proxy.invalid:3128: "), "{why}");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let why = failure(Some(&format!("http://fred:s3cret@{closed}")), &nowhere);
    assert_eq!(
        why,
        format!(
            "127.0.0.1:1 through the proxy {closed}: Connection refused: nothing listens there, or a rule of pf.conf(5) says so"
        )
    );
}

/// A host of two addresses, to the first of which there is no way: it lacks its interface.
#[derive(Debug)]
struct TwoAddresses(SocketAddr);

impl Resolver for TwoAddresses {
    fn resolve(
        &self,
        _: &ureq::http::Uri,
        _: &ureq::config::Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut found = self.empty();
        found.push(SocketAddr::new("fe80::1".parse().unwrap(), self.0.port()));
        found.push(self.0);
        Ok(found)
    }
}

/// Fails when a server or a proxy is not reached by the other address where connect(2) of one fails in
/// an unusual way, as of what pf blocks.
#[test]
fn a_server_and_a_proxy_are_reached_by_any_address() {
    let server = hostile(|stream| drop(stream.write_all(b"HTTP/1.1 502 No\r\n\r\n")));
    let ask = |proxy: Option<&config::Proxy>| {
        let client = Client::new(proxy, Ok(Vec::new()), Limits::default()).unwrap();
        let whole = WholeAnswers { wanted: false };
        let agent = client.agent(TwoAddresses(server), Begun::default(), whole);
        agent.get("http://two.example/").call()
    };
    assert_eq!(ask(None).unwrap().status(), 502);
    let proxy = "http://proxy.example:3128".parse().unwrap();
    let why = words::of(&ask(Some(&proxy)).unwrap_err());
    assert!(why.starts_with("the proxy refuses: HTTP status 502"), "{why}");
}

/// 1. A server reads the head of a request, answers and closes; most of the body is still to be
///    sent then.
/// 2. Its answer is what the call gives, every time; one that closes without an answer is told.
#[test]
fn an_answer_before_the_body_is_read() {
    let limits = Limits::default();
    let client = Client::new(None, Ok(Vec::new()), limits).unwrap();
    let refusing = hostile(|stream| {
        let answer = "HTTP/1.1 413 Too Large\r\nRetry-After: 7\r\nContent-Length: 3\r\n\r\nno\n";
        let _ = stream.write_all(answer.as_bytes());
    });
    let body = vec![b'x'; 8 << 20];
    let agent =
        client.agent(DefaultResolver::default(), Begun::default(), WholeAnswers { wanted: false });
    let post = |server: SocketAddr| {
        client.ask(&agent, &format!("http://{server}/"), Some((&Headers::new(), &body)))
    };
    for _ in 0..50 {
        let (answer, _) = post(refusing).unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (413, "no\n"));
        assert_eq!(answer.retry_after.as_deref(), Some("7"));
    }
    let silent = hostile(|_| {});
    let why = post(silent).unwrap_err();
    assert_eq!(why, format!("{silent}: it closed the connection without an answer"));
}
