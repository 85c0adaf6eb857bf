use std::io::Read as _;
use std::path::Path;

use super::*;
use crate::log::journal::Position;

fn config(section: &str) -> Config {
    let text = format!(
        "device_id = \"tdid_abcd1234\"\n[log]\nurl = \"https://logs.example:8443/u?x\"\n{section}"
    );
    Config::parse(&text, Path::new("test")).unwrap()
}

fn slice(text: &str) -> Slice {
    Slice::new(17, (1_700_000_000, 1_700_000_900), 1, text.into(), Position::default())
}

fn made(config: &Config, slice: &Slice) -> Request {
    Request::new(config, config.device_id.as_ref().unwrap(), slice)
}

#[test]
fn a_form_as_browsers_send_it() {
    let config = config("[log.request]\nfields = { b = \"{time}\", a = \"for {device_id}\" }");
    let request = made(&config, &slice("a line\n"));
    let boundary = "threatstopd-786e184927ec9dda";
    assert_eq!(
        request.headers,
        [
            ("Content-Type", format!("multipart/form-data; boundary={boundary}")),
            ("Idempotency-Key", "\"0000000017-1700000000-1700000900-786e184927ec9dda\"".to_owned()),
        ]
    );
    let part = |head: &str, body: &str| {
        format!("--{boundary}\r\nContent-Disposition: form-data; name={head}\r\n\r\n{body}\r\n")
    };
    let expected = [
        part("\"tdid\"", "tdid_abcd1234"),
        part("\"a\"", "for tdid_abcd1234"),
        part("\"b\"", "20231114T221320Z-17"),
        part(
            "\"file\"; filename=\"tdid_abcd1234.20231114T221320Z-17.txt\"\r\n\
             Content-Type: text/plain",
            "a line\n",
        ),
        format!("--{boundary}--\r\n"),
    ];
    assert_eq!(String::from_utf8(request.body).unwrap(), expected.concat());
}

#[test]
fn raw_is_the_log_and_nothing_else() {
    let raw = "[log.request]\nmethod = \"raw\"\n";
    let request = made(&config(raw), &slice("a line\n"));
    assert_eq!(request.body, b"a line\n");
    let packed = made(&config(&format!("{raw}gzip = true")), &slice("a line\n"));
    assert!(packed.headers.contains(&("Content-Encoding", "gzip".into())));
    let mut text = String::new();
    flate2::read::GzDecoder::new(&*packed.body).read_to_string(&mut text).unwrap();
    assert_eq!(text, "a line\n");
}

#[test]
fn the_boundary_is_not_in_the_log() {
    let id = "1-2-3-89e4";
    assert_eq!(boundary(id, b"--threatstopd-89e4\n--threatstopd-89e4x"), "threatstopd-89e4xx");
}

#[test]
fn a_repeat_is_the_same_octet_for_octet() {
    let config = config("[log.request]\ngzip = true");
    assert_eq!(made(&config, &slice("a line\n")), made(&config, &slice("a line\n")));
}

#[test]
fn a_request_for_people() {
    let lines = made(&config(""), &slice("a line\n")).lines(&config(""));
    assert_eq!(&lines[..2], ["POST /u?x HTTP/1.1", "Host: logs.example:8443"]);
    assert!(lines.contains(&"a line".to_owned()), "{lines:?}");
}
