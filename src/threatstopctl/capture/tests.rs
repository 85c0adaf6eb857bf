use std::io::{self, Read, Write};
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::http::{Request, receive};
use super::layout::{block, confirmation};
use super::parameter::parameter;
use super::upload;

/// A client: what it sends, and what was said to it.
struct Client {
    sends: io::Cursor<Vec<u8>>,
    /// Octets that come at once at most.
    most: usize,
    hears: Vec<u8>,
}

impl Read for Client {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let most = to.len().min(self.most);
        self.sends.read(&mut to[..most])
    }
}

impl Write for Client {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.hears.write(from)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// In small parts, as networks do.
fn client(text: &[u8]) -> (Result<Request, String>, Vec<u8>) {
    client_in(7, text)
}

fn client_in(most: usize, text: &[u8]) -> (Result<Request, String>, Vec<u8>) {
    let mut client = Client { sends: io::Cursor::new(text.to_vec()), most, hears: Vec::new() };
    (receive(&mut client), client.hears)
}

/// The method and the body, read all at once.
fn naive(octets: &[u8]) -> Option<(String, Vec<u8>)> {
    let head = (0..octets.len()).find(|at| octets[*at..].starts_with(b"\r\n\r\n"))?;
    let (head, rest) = (str::from_utf8(&octets[..head]).ok()?, &octets[head + 4..]);
    let [method, _, version] = head.lines().next()?.splitn(3, ' ').collect::<Vec<_>>()[..] else {
        return None;
    };
    let field = |name: &str| {
        let lines = head.lines().filter_map(|line| line.split_once(':'));
        let of_name = |(given, value): (&str, &str)| {
            (given.trim().to_lowercase() == name).then(|| value.trim().to_lowercase())
        };
        lines.filter_map(of_name).next().unwrap_or_default()
    };
    let body = match (field("transfer-encoding").as_str(), field("content-length").as_str()) {
        ("chunked", _) => naive_chunks(rest)?,
        (_, "") => Vec::new(),
        (_, length) => rest.get(..length.parse().ok()?)?.to_vec(),
    };
    version.starts_with("HTTP/1.").then(|| (method.to_owned(), body))
}

fn naive_chunks(octets: &[u8]) -> Option<Vec<u8>> {
    let line = (0..octets.len()).find(|at| octets[*at..].starts_with(b"\r\n"))?;
    let (line, rest) = (str::from_utf8(&octets[..line]).ok()?, &octets[line + 2..]);
    let size = usize::from_str_radix(line.split(';').next()?.trim(), 16).ok()?;
    if size == 0 {
        // fields may come before the empty line
        let ends = rest.starts_with(b"\r\n") || rest.windows(4).any(|part| part == b"\r\n\r\n");
        return ends.then(Vec::new);
    }
    let (chunk, rest) = (rest.get(..size)?, rest.get(size..)?.strip_prefix(b"\r\n")?);
    Some([chunk, &naive_chunks(rest)?].concat())
}

fn form(parts: &[(&str, &[u8])]) -> Request {
    let mut body = Vec::new();
    for (head, content) in parts {
        body.extend(format!("--xYzZY\r\nContent-Disposition: form-data; {head}\r\n\r\n").bytes());
        body.extend(*content);
        body.extend(b"\r\n");
    }
    body.extend(b"--xYzZY--\r\n");
    let kind = "multipart/form-data; boundary=xYzZY".to_owned();
    let fields = vec![("content-type".to_owned(), kind)];
    Request { method: "POST".into(), path: "/cgi-bin/logupload.pl".into(), fields, body }
}

/// The block as the configuration reads it.
fn read(block: &str) -> config::Request {
    let text = format!("device_id = \"tdid_abcd1234\"\n{block}");
    let config = config::Config::parse(&text, Path::new("captured"));
    config.unwrap_or_else(|why| panic!("{why}\n{block}")).log.request
}

#[test]
fn a_form_is_reproduced() {
    let request = form(&[
        ("name=\"id\"", b"tdid_wxyz9876"),
        ("name=\"version\"", b"1.3"),
        ("name=\"when\"", b"at 1700000000 sharp"),
        ("name=\"md5\"", b"0123456789abcdef0123456789abcdef"),
        ("name=\"log\"; filename=\"pflog-tdid_wxyz9876-2026-11-22_12.txt\"", b"12:00 rule 1\n"),
    ]);
    let text = block(&request);
    let layout = read(&text);
    assert_eq!(layout.method, config::Method::Multipart);
    assert_eq!(layout.device_field.unwrap().as_str(), "id");
    assert_eq!(layout.file_field.as_str(), "log");
    assert_eq!(layout.file_name.as_str(), "pflog-{device_id}-{time}.txt");
    let fields: Vec<_> =
        layout.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(fields, [("version", "1.3"), ("when", "at {time} sharp")]);
    assert!(!layout.gzip);
    assert!(text.contains("# md5 looks like a sum of the file and was left out\n"), "{text}");
    assert!(!text.contains("wxyz9876"), "an id is a credential: {text}");
    assert_eq!(confirmation(&request), "Log file uploaded successfully for tdid_wxyz9876\n");
}

#[test]
fn what_the_configuration_refuses_is_left_out() {
    let text = block(&form(&[
        ("name=\"id\"", b"tdid_wxyz9876"),
        ("name=\"id\"", b"again"),
        ("name=\"a\"", b"1"),
        ("name=\"a\"", b"2"),
        ("name=\"log\"; filename=\"\"", b"12:00 rule 1\n"),
    ]));
    let layout = read(&text);
    assert_eq!(layout.fields.len(), 1);
    for note in [
        "# the field id came twice and is given once\n",
        "# the field a came twice and is given once\n",
        "# the file came without a name\n",
    ] {
        assert!(text.contains(note), "{text}");
    }
}

#[test]
fn a_raw_body_is_reproduced() {
    let body = vec![0x1f, 0x8b, 8, 0];
    let path = "/put?device=tdid_wxyz9876".to_owned();
    let request = Request { method: "PUT".into(), path, fields: Vec::new(), body };
    let text = block(&request);
    let layout = read(&text);
    assert_eq!((layout.method, layout.gzip), (config::Method::Raw, true));
    assert!(text.contains("# the query belongs into log.url\n"), "{text}");
    assert!(text.contains("# PUT cannot be reproduced"), "{text}");
    assert!(text.contains("# recorded from: PUT /put?device={device_id}\n"), "{text}");
    assert!(!text.contains("no device id"), "{text}");
}

/// What only the head has is told by name: this client does not send it, and values are secrets.
#[test]
fn fields_of_the_head_are_named_and_not_shown() {
    let mut request = form(&[("name=\"log\"; filename=\"pflog\"", b"12:00 rule 1\n")]);
    for (name, value) in [
        ("Host", "127.0.0.1"),
        ("Accept", "*/*"),
        ("X-TDID", "tdid_wxyz9876"),
        ("Authorization", "Basic dXNlcjpwdw=="),
        ("Cookie", "sid=1"),
        ("cookie", "other=2"),
    ] {
        request.fields.push((name.into(), value.into()));
    }
    let text = block(&request);
    read(&text);
    for note in [
        "# the head had more fields, which cannot be given in a configuration: Accept, X-TDID, \
         Authorization, Cookie\n",
        "# no device id (tdid_...) was in it, but in the field X-TDID of the head\n",
    ] {
        assert!(text.contains(note), "{note}\n{text}");
    }
    for secret in ["wxyz9876", "dXNlcjpwdw", "sid=1"] {
        assert!(!text.contains(secret), "{text}");
    }
    assert_eq!(confirmation(&request), "Log file uploaded successfully for tdid_wxyz9876\n");
    request.fields.clear();
    request.fields.push(("content-type".into(), "multipart/form-data; boundary=xYzZY".into()));
    assert!(block(&request).contains("# no device id (tdid_...) was in it\n"));
}

#[test]
fn parameters_may_be_quoted() {
    let field = r#"form-data; name="a;b\"c" ; x ; filename = "C:\d\\e="; Plain= y z ;last"#;
    for (name, value) in [
        ("name", Some("a;b\"c")),
        ("FileName", Some("C:\\d\\e=")),
        ("plain", Some("y z")),
        ("x", None),
        ("last", None),
        ("b\"c\"", None),
    ] {
        assert_eq!(parameter(field, name).as_deref(), value, "{name}");
    }
    assert_eq!(parameter("form-data; name=\"open", "name").as_deref(), Some("open"));
    assert_eq!(parameter("name=x", "name"), None);
}

/// A boundary with a semicolon, and names with what the configuration does not take in one.
#[test]
fn quoted_names_are_read_whole() {
    let mut request = form(&[
        ("name=\"a;b\\\"c\"", b"1"),
        ("name=\"id;x\"", b"tdid_wxyz9876"),
        ("name=\"v\"; filename=\"p;q \\\"r.txt\"", b"12:00 rule 1\n"),
    ]);
    let body = String::from_utf8(request.body).unwrap().replace("xYzZY", "x;Y");
    request.body = body.into_bytes();
    request.fields[0].1 = "Multipart/Form-Data; charset=utf-8; boundary=\"x;Y\"".into();
    let text = block(&request);
    let layout = read(&text);
    assert_eq!(layout.file_field.as_str(), "v");
    for note in ["a;b\"c", "id;x"] {
        assert!(text.lines().any(|line| line.starts_with("# ") && line.contains(note)), "{text}");
    }
    assert!(!text.contains("wxyz9876"), "{text}");
}

/// Fails when a port scanner that has gone again before it was its turn ends the capture.
#[test]
fn who_has_gone_again_ends_nothing() {
    let address = "127.0.0.1:80".parse().unwrap();
    let request = b"POST /x HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello";
    let clients = |kind: io::ErrorKind| {
        let sends = io::Cursor::new(request.to_vec());
        let client = Client { sends, most: usize::MAX, hears: Vec::new() };
        let mut clients = [Err(kind.into()), Ok(client)].into_iter();
        upload(address, move || clients.next().unwrap(), |_| ())
    };
    assert_eq!(clients(io::ErrorKind::ConnectionAborted).unwrap().body, b"hello");
    assert!(clients(io::ErrorKind::Other).is_err());
}

#[test]
fn requests_are_read_to_their_end() {
    let head = "POST /x HTTP/1.1\r\nHost: y\r\n";
    let plain = format!("{head}Content-Length: 5\r\nExpect: 100-continue\r\n\r\nhello");
    let (request, said) = client(plain.as_bytes());
    assert_eq!(request.unwrap().body, b"hello");
    assert_eq!(said, b"HTTP/1.1 100 Continue\r\n\r\n");
    let chunked = format!(
        "{head}Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nA: b\r\n\r\n"
    );
    let (request, _) = client(chunked.as_bytes());
    assert_eq!(request.unwrap().body, b"hello");
    for (text, why) in [
        (&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], "speaks TLS"),
        (b"EHLO x\r\n\r\n", "without HTTP"),
        (b"POST /x HTTP/1.1\r\nContent-Length: 9\r\n\r\nhello", "went away"),
        (b"POST /x HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", "too long"),
        (b"POST /x HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "Content-Length: -1"),
        (b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "without a length"),
        (
            b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n",
            "longer than it says",
        ),
    ] {
        let said = client(text).0.unwrap_err();
        assert!(said.contains(why), "{said}");
    }
}

/// What requests are made of.
const PARTS: &[&str] = &[
    "\r\n",
    "\r\n\r\n",
    "Transfer-Encoding: chunked\r\n\r\n",
    "content-length:2\r\n\r\n",
    "Content-Length: 40\r\n",
    "Expect: 100-continue\r\n",
    "2;x=y\r\n",
    "3\r\nabc\r\n",
    "0\r\n",
    "0\r\n\r\n",
    "A: b\r\n",
    "hi",
    "\x16",
    "x",
];

proptest! {
    /// Whatever a client sends, the block is one that the configuration takes.
    #[test]
    fn any_form_makes_a_block(
        name in "[a-zA-Z0-9_.{}\"\\\\-]{0,20}",
        file in "[^\r\n\";]{0,40}",
        value in ".{0,40}",
        content: Vec<u8>,
    ) {
        let head = format!("name=\"{name}\"");
        let file = format!("name=\"log\"; filename=\"{file}\"");
        let text = block(&form(&[(&head, value.as_bytes()), (&file, &content)]));
        read(&text);
    }

    #[test]
    fn any_octets_are_read_or_refused(octets: Vec<u8>) {
        let _ = client(&octets);
    }

    /// Whatever comes, and in what parts, is the request that a naive reading finds, or none.
    #[test]
    fn parts_of_requests_are_read_alike(
        head in select(&["", "POST /x HTTP/1.1\r\n", "PUT  HTTP/1.0\r\n", "EHLO x\r\n"][..]),
        parts in vec(select(PARTS), 0..12),
        most in 1..9_usize,
    ) {
        let octets = [head, &parts.concat()].concat().into_bytes();
        let expected = naive(&octets);
        for most in [most, octets.len().max(1)] {
            let read = client_in(most, &octets).0.ok();
            let read = read.map(|request| (request.method, request.body));
            prop_assert_eq!(&read, &expected, "{} of {}", most, octets.escape_ascii());
        }
    }
}
