//! HTTPS beside real servers and proxies, and what is said when they are not as they should be.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use tests::harness::upload::{BAD, DEVICE, SENTENCE, UploadStage};
use tests::process::PATIENCE;
use tests::servers::{self, Server, accepts, free_addr, require_program, write_certificates};
use tests::sim::{Identity, LogService};

/// Certificates are checked, whatever is wrong with them, and nothing is sent before.
#[test]
fn a_certificate_that_is_not_good_is_refused() {
    for (identity, expected) in [
        (Identity::Expired, "its certificate has expired on "),
        (Identity::WrongHost, "its certificate is for logs.invalid, not for 127.0.0.1: "),
        (Identity::SelfSigned, "its certificate is signed by no CA of https.ca_file: "),
        (Identity::OtherAuthority, "its certificate is signed by "),
        (Identity::Authority, "its certificate is that of a CA itself, "),
    ] {
        let service = LogService::with(identity);
        let stage = UploadStage::service(&service);
        let why = stage.upload().unwrap_err();
        assert!(why.contains(&service.addr().to_string()), "{why}");
        assert!(why.contains(expected), "{identity:?}: {why}");
        assert_eq!(service.uploads(), []);
        let test = stage.daemon.ctl(&["test"]);
        assert!(!test.status.success(), "{test:?}");
        assert!(test.stdout.contains("Log host 127.0.0.1 is not ready: "), "{test:?}");
    }
    let missing = UploadStage::new("https://127.0.0.1:1/", "nothing in PEM", |config| config);
    let why = missing.upload().unwrap_err();
    assert!(why.contains("https.ca_file") && why.contains("no certificate of a CA in it"), "{why}");
}

/// nginx with TLS before a handler; its limit of the body is a real 413.
#[test]
fn through_nginx() {
    let Some(nginx) = require_program("nginx") else { return };
    let handler = LogService::behind_a_server();
    let prepare = |dir: &Path, addr| {
        write_certificates(dir);
        servers::nginx(&nginx, dir, dir, addr, handler.addr())
    };
    let server = Server::start(prepare, accepts);
    let process = server.process();
    let ca = std::fs::read_to_string(server.dir().join("ca.pem")).unwrap();
    let url = format!("https://{}/cgi-bin/logupload.pl", server.addr());
    let mut stage = UploadStage::new(&url, &ca, |config| config);
    assert_eq!(stage.upload().as_deref(), Ok(SENTENCE), "{}", process.output());
    assert_eq!(handler.uploads()[0].text(), stage.text());
    stage.log.append(8000, BAD);
    assert_eq!(stage.upload().as_deref(), Ok(SENTENCE), "{}", process.output());
    stage.daemon.wait_for("413 Request Entity Too Large", PATIENCE);
    let texts: String = handler.uploads().iter().map(|upload| upload.text()).collect();
    assert!(texts == stage.text() && handler.uploads().len() > 2);
}

/// A server that knows nothing newer than TLS 1.0 is refused before anything is sent.
#[test]
fn old_tls_is_refused() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let addr = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut hello = [0; 5];
        stream.read_exact(&mut hello).unwrap();
        // ServerHello (RFC 2246, section 7.4.1.3): version 3.1, no session, a cipher, nothing more
        let body = [&[3, 1][..], &[7; 32], &[0, 0xc0, 0x13, 0]].concat();
        let head = [0x16, 3, 1, 0, body.len() as u8 + 4, 2, 0, 0, body.len() as u8];
        stream.write_all(&[&head[..], &body].concat()).unwrap();
        // what was not read of its hello would make the answer a reset
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        rest
    });
    let stage =
        UploadStage::new(&format!("https://{addr}/"), LogService::start().ca(), |config| config);
    let why = stage.upload().unwrap_err();
    assert!(why.contains("TLS: it knows neither TLS 1.2 nor TLS 1.3 "), "{why}");
    let said = server.join().unwrap();
    assert!(!said.windows(4).any(|part| part == b"POST"));
    assert_eq!(stage.status()["spool"]["slices"], 1);
}

/// 1. Put haproxy before a handler; it answers 413 to the head of what is longer than 100,000
///    octets, and closes before the body is sent.
/// 2. Upload 8,000 records: they come in parts, each record once, in order.
/// 3. Let it answer 429 with Retry-After, 401 and 403 in the same way: each is told as it is, and
///    nothing is lost.
#[test]
fn answers_before_the_body_count() {
    let Some(haproxy) = require_program("haproxy") else { return };
    let handler = LogService::behind_a_server();
    // the same for all that serve there in turn
    let certificates = tempfile::tempdir().unwrap();
    write_certificates(certificates.path());
    let prepare = |rule: &str, dir: &Path, addr: SocketAddr| {
        let text = format!(
            "defaults\n mode http\n timeout client 600s\n timeout server 600s\n\
             timeout connect 60s\n\
             frontend f\n bind {addr} ssl crt {}/both.pem\n http-request {rule} if {{ \
             req.hdr_val(content-length) gt 100000 }}\n default_backend b\n\
             backend b\n server s {}\n",
            certificates.path().display(),
            handler.addr()
        );
        let file = dir.join("haproxy.cfg");
        std::fs::write(&file, text).unwrap();
        let mut command = Command::new(&haproxy);
        command.arg("-db").arg("-f").arg(&file);
        command
    };
    let server = Server::start(|dir, addr| prepare("deny deny_status 413", dir, addr), accepts);
    let addr = server.addr();
    let serve = |rule: &str| Server::start_at(addr, |dir, addr| prepare(rule, dir, addr), accepts);
    let ca = std::fs::read_to_string(certificates.path().join("ca.pem")).unwrap();
    let process = server.process();
    let url = format!("https://{addr}/cgi-bin/logupload.pl");
    let mut stage = UploadStage::new(&url, &ca, |config| config);
    stage.log.append(8000, BAD);
    assert_eq!(stage.upload().as_deref(), Ok(SENTENCE), "{}", process.output());
    stage.daemon.wait_for("is sent in halves", PATIENCE);
    let texts: String = handler.uploads().iter().map(|upload| upload.text()).collect();
    assert!(texts == stage.text() && handler.uploads().len() > 8);
    drop(server);

    stage.log.append(8000, BAD);
    for (rule, status) in [
        ("return status 429 hdr Retry-After 3600", "HTTP status 429"),
        ("deny deny_status 401", "HTTP status 401"),
        ("deny deny_status 403", "HTTP status 403"),
    ] {
        let server = serve(rule);
        let why = stage.upload().unwrap_err();
        assert!(why.contains(status), "{rule}: {why}{}", server.process().output());
    }
    let server = serve("deny deny_status 413");
    assert_eq!(stage.upload().as_deref(), Ok(SENTENCE), "{}", server.process().output());
    let texts: String = handler.uploads().iter().map(|upload| upload.text()).collect();
    assert!(texts == stage.text());
}

/// A proxy that answers CONNECT with something and then passes octets on, both ways.
fn tunnel(answer: &'static str, to: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let addr = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut near) = stream else { return };
            if !read_head(&mut near) || near.write_all(answer.as_bytes()).is_err() {
                continue;
            }
            let Ok(mut far) = TcpStream::connect(to) else { continue };
            let (mut from, mut back) = (near.try_clone().unwrap(), far.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut from, &mut back));
            let _ = std::io::copy(&mut far, &mut near);
        }
    });
    addr
}

/// Reads a request as far as the empty line.
fn read_head(stream: &mut TcpStream) -> bool {
    let (mut head, mut octet) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_exact(&mut octet).is_err() {
            return false;
        }
        head.push(octet[0]);
    }
    true
}

/// Any status of 2xx opens a tunnel, also behind interim answers (RFC 9110, sections 9.3.6 and
/// 15.2).
#[test]
fn a_proxy_says_yes_in_many_ways() {
    for answer in [
        "HTTP/1.1 200 Connection established\r\n\r\n",
        "HTTP/1.0 200 OK\r\nVia: 1.0 proxy\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 299\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 \r\n\r\nHTTP/1.1 202 Yes\r\n\r\n",
    ] {
        let service = LogService::start();
        let url = format!("http://{}", tunnel(answer, service.addr()));
        let stage = UploadStage::new(&service.url(), service.ca(), |config| {
            config.set("https.proxy", url.as_str())
        });
        assert_eq!(stage.upload().as_deref(), Ok(SENTENCE), "{answer}");
        assert_eq!(service.uploads()[0].text(), stage.text(), "{answer}");
    }
}

/// Through a proxy that wants a password: with the right one, with a wrong one, and not at all.
#[test]
fn through_tinyproxy() {
    let Some(tinyproxy) = require_program("tinyproxy") else { return };
    let service = LogService::start();
    let prepare = |dir: &Path, addr: SocketAddr| {
        let text = format!(
            "Listen 127.0.0.1\nPort {}\nTimeout 600\nAllow 127.0.0.1\n\
             BasicAuth fred pass_word\nConnectPort {}\nLogLevel Connect\n",
            addr.port(),
            service.addr().port()
        );
        let file = dir.join("tinyproxy.conf");
        std::fs::write(&file, text).unwrap();
        let mut command = Command::new(&tinyproxy);
        command.arg("-d").arg("-c").arg(&file);
        command
    };
    let server = Server::start(prepare, accepts);
    let (addr, process) = (server.addr(), server.process());
    let proxy = |login: &str| {
        let url = format!("http://{login}{addr}");
        UploadStage::new(&service.url(), service.ca(), |config| {
            config.set("https.proxy", url.as_str())
        })
    };
    let stage = proxy("fred:pass%5Fword@");
    assert_eq!(stage.upload().as_deref(), Ok(SENTENCE), "{}", process.output());
    process.wait_for("CONNECT", PATIENCE);
    assert_eq!(service.uploads()[0].text(), stage.text());
    for text in [stage.daemon.output(), stage.status().to_string()] {
        assert!(
            !text.contains("pass_word") && !text.contains("%5F") && !text.contains(DEVICE),
            "{text}"
        );
    }
    for login in ["fred:other@", ""] {
        let stage = proxy(login);
        let why = stage.upload().unwrap_err();
        assert!(why.contains("the proxy refuses: "), "{why}");
        assert!(!why.contains("other") && !stage.daemon.output().contains("fred:"), "{why}");
        // the policy does not go through the proxy
        assert!(stage.daemon.ctl(&["update"]).status.success());
    }
    drop(server);
    let why = stage.upload();
    assert_eq!(why.as_deref(), Ok("Nothing to upload\n"));
}

/// Through proxies that are out of order: one that closes, that says 407 or 502, that speaks
/// something else, one that refuses the connection, and one whose name nobody knows. Each is told by
/// its name, the slice stays, and the policy, which does not go through a proxy, is updated all the
/// same.
#[test]
fn a_proxy_out_of_order_is_told() {
    let service = LogService::start();
    for (answer, expected) in [
        ("", "the proxy refuses: it closed without an answer"),
        (
            "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
            "the proxy refuses: HTTP status 407: it wants a user and a password",
        ),
        (
            "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
            "the proxy refuses: HTTP status 502: it cannot reach the host",
        ),
        ("220 mail.example.com ESMTP\r\n", "the proxy refuses: its answer is none of HTTP"),
        ("nobody listens", ": Connection refused"),
        ("no such proxy", ": no such host: "),
    ] {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let proxy = match answer {
            "no such proxy" => "proxy.invalid:8080".to_owned(),
            "nobody listens" => free_addr().to_string(),
            _ => listener.local_addr().unwrap().to_string(),
        };
        let url = format!("http://fred:secret@{proxy}");
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                read_head(&mut stream);
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        let stage = UploadStage::new(&service.url(), service.ca(), |config| {
            config.set("https.proxy", url.as_str())
        });
        let started = Instant::now();
        let why = stage.upload().unwrap_err();
        let at = format!("{} through the proxy {proxy}: ", service.addr());
        assert!(why.contains(&at) && why.contains(expected), "{answer:?}: {why}");
        assert!(!why.contains("secret") && !stage.daemon.output().contains("secret"), "{why}");
        assert!(started.elapsed() < PATIENCE, "{answer:?}");
        assert_eq!(stage.status()["spool"]["slices"], 1, "{answer:?}");
        assert!(stage.daemon.ctl(&["update"]).status.success());
    }
    assert_eq!(service.uploads(), []);
}

/// Name a proxy that takes connections and says nothing. Upload.
/// Check that updates go on and that the daemon ends in time meanwhile.
#[test]
fn a_proxy_that_hangs_holds_up_nobody() {
    let service = LogService::start();
    // the kernel completes the handshake, and nobody accepts
    let proxy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", proxy.local_addr().unwrap());
    let stage = UploadStage::new(&service.url(), service.ca(), |config| {
        config.set("https.proxy", url.as_str())
    });
    let socket = stage.scratch.socket();
    let upload = std::thread::spawn(move || tests::harness::ctl(&socket, &["upload"]));
    let (_client, _) = proxy.accept().unwrap();
    for _ in 0..3 {
        assert!(stage.daemon.ctl(&["update"]).status.success());
    }
    assert!(!upload.is_finished(), "the upload should hang: {:?}", upload.join());
    assert!(stage.daemon.stop().success());
    assert_eq!(upload.join().unwrap().status.code(), Some(1));
    assert_eq!(service.uploads(), []);
}
