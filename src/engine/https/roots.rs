//! `https.ca_file`: the certificates of those who may sign for a server.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, SectionKind};

use crate::errors::words;

/// The certificates, or why there are none: the name of the file, the line, and what is wrong.
pub type Roots = Result<Vec<CertificateDer<'static>>, String>;

/// Octets of the file at most: the one of OpenBSD 7.8 has some 350,000.
const MOST: u64 = 16 << 20;

/// Reads certificates in PEM form (RFC 7468); what is in the file besides is passed over.
pub fn read_roots(path: &Path) -> Roots {
    let failed = |why: &str| format!("{}: {why}", path.display());
    let file = File::open(path).map_err(|error| failed(&words(&error)))?;
    let mut lines = Lines { inner: BufReader::new(file.take(MOST)), passed: 0 };
    let (mut roots, mut trusted) = (Vec::new(), RootCertStore::empty());
    loop {
        skip_to_section(&mut lines).map_err(|error| failed(&words(&error)))?;
        let line = lines.passed + 1;
        let at_line = |why: &str| format!("{}:{line}: {why}", path.display());
        match pem::from_buf(&mut lines) {
            Ok(None) => break,
            Ok(Some((SectionKind::Certificate, der))) => {
                let root = CertificateDer::from(der);
                // what only looks like a certificate would let a server fail without a reason
                if trusted.add(root.clone()).is_ok() {
                    roots.push(root);
                }
            }
            Ok(Some(_)) => {}
            Err(pem::Error::Io(error)) => return Err(at_line(&words(&error))),
            Err(pem::Error::MissingSectionEnd { .. }) => {
                return Err(at_line("the certificate that begins here has no end"));
            }
            Err(_) => return Err(at_line("the certificate that begins here is damaged")),
        }
    }
    if roots.is_empty() {
        return Err(failed("no certificate of a CA in it"));
    }
    Ok(roots)
}

/// Passes over what stands before the next section.
fn skip_to_section(lines: &mut Lines<impl BufRead>) -> std::io::Result<()> {
    loop {
        let ahead = lines.fill_buf()?;
        if ahead.is_empty() || ahead.starts_with(b"-") {
            return Ok(());
        }
        lines.read_until(b'\n', &mut Vec::new())?;
    }
}

/// A reader that counts the lines which it has given.
struct Lines<R> {
    inner: R,
    passed: usize,
}

impl<R: BufRead> std::io::Read for Lines<R> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let read = self.fill_buf()?.read(buf)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Lines<R> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, octets: usize) {
        if let Ok(ahead) = self.inner.fill_buf() {
            let given = ahead.get(..octets).unwrap_or(ahead);
            self.passed += given.iter().filter(|octet| **octet == b'\n').count();
        }
        self.inner.consume(octets);
    }
}

#[cfg(test)]
mod tests;
