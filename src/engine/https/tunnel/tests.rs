use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use ureq::unversioned::transport::{Buffers, LazyBuffers};

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

/// A proxy whose octets come in parts, and which closes then.
#[derive(Debug)]
struct Proxy {
    buffers: LazyBuffers,
    octets: Vec<u8>,
    most: usize,
}

impl Transport for Proxy {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, _: usize, _: NextTimeout) -> Result<(), Error> {
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, Error> {
        let count = self.octets.len().min(self.most);
        self.buffers.input_append_buf()[..count].copy_from_slice(&self.octets[..count]);
        self.buffers.input_appended(count);
        self.octets.drain(..count);
        Ok(count > 0)
    }

    fn is_open(&mut self) -> bool {
        true
    }
}

/// What answers are made of.
const PARTS: &[&str] = &[
    "HTTP/1.1 200 Connection established\r\n",
    "HTTP/1.1 407 \r\nVia: x\r\n\r\n",
    "HTTP/1.0 100\r\n\r\n",
    "HTTP/1.",
    "HTTP/2 200",
    " 200",
    " +20 ",
    "600",
    "\r\n",
    "\r\n\r\n",
    "\r",
    "\n",
    "\x16",
    "\u{e4}",
    "x ",
];

proptest! {
    /// Whatever a proxy says, and in what parts: the first head alone is taken, and what comes behind it,
    /// which is the server's, stays.
    #[test]
    fn one_head_is_read_however_it_comes(parts in vec(select(PARTS), 0..12), most in 1..60_usize) {
        let octets = parts.concat().into_bytes();
        let mut proxy = Proxy { buffers: LazyBuffers::new(4096, 64), octets: octets.clone(), most };
        let within = || NextTimeout { after: time::Duration::NotHappening, ..NextTimeout::default() };
        let read = read_status(&mut proxy, within);
        let text = str::from_utf8(&octets).unwrap();
        match text.split_once("\r\n\r\n") {
            Some((head, rest)) => {
                let line = head.split('\r').next().unwrap();
                let word = line.split(' ').nth(1).filter(|_| line.starts_with("HTTP/1."));
                let status = (100..600).find(|status: &u16| word == Some(&status.to_string()));
                prop_assert_eq!(read.ok(), status);
                prop_assert_eq!([proxy.buffers.input(), &proxy.octets].concat(), rest.as_bytes());
            }
            None => prop_assert!(read.is_err()),
        }
    }
}
