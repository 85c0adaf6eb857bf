//! What the libraries below HTTPS say, in words for who has to mend it.
//!
//! Every error of ureq, rustls and the connection passes here: their own texts are for those who
//! write programs with them.

use std::io;

use rustls::{AlertDescription, CertificateError, OtherError};
use ureq::{Error, Timeout};

use super::whole::Broken;
use crate::clock;
use crate::errors::words;

/// What a request can fail of, as a sentence behind the name of the host.
pub fn of(error: &Error) -> String {
    match error {
        Error::Io(error) => match broken(error) {
            Some(kind) => of_io(&kind.into()),
            None => of_io(error),
        },
        Error::Rustls(error) => of_tls(error),
        Error::Timeout(what) => format!("no answer in time: {}", of_timeout(*what)),
        Error::HostNotFound => {
            "no such host: is its name right, and does a nameserver of resolv.conf(5) answer?"
                .into()
        }
        Error::ConnectProxyFailed(why) => format!("the proxy refuses: {why}"),
        Error::Protocol(_) | Error::LargeResponseHeader(..) | Error::BodyStalled => {
            "its answer is none of HTTP: is it a web server, and the port right?".into()
        }
        Error::BadUri(_) | Error::Http(_) | Error::RequireHttpsOnly(_) => {
            "the URL, or a field of the request, is none of HTTP".into()
        }
        Error::InvalidProxyUrl => "https.proxy is no proxy".into(),
        Error::Tls(_) | Error::TlsRequired => "its name cannot be that of a certificate".into(),
        Error::ConnectionFailed => "no connection".into(),
        Error::BodyExceedsLimit(_) => "the body is longer than was said".into(),
        Error::StatusCode(status) => format!("HTTP status {status}"),
        Error::TooManyRedirects | Error::RedirectFailed => "it redirects without an end".into(),
        Error::Pem(_) => "a certificate of https.ca_file is damaged".into(),
        _ => "it fails for a reason that has no name here".into(),
    }
}

/// What an answer's body can fail of.
pub fn of_io(error: &io::Error) -> String {
    if broken(error).is_some() {
        return of_io(&io::ErrorKind::UnexpectedEof.into());
    }
    if let Some(inner) = error.get_ref() {
        if let Some(tls) = inner.downcast_ref::<rustls::Error>() {
            return of_tls(tls);
        }
        if let Some(inner) = inner.downcast_ref::<Error>() {
            return of(inner);
        }
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            "it closed the connection before its answer was whole".into()
        }
        io::ErrorKind::BrokenPipe
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted => "it closed the connection without an answer".into(),
        io::ErrorKind::ConnectionRefused => {
            "Connection refused: nothing listens there, or a rule of pf.conf(5) says so".into()
        }
        io::ErrorKind::PermissionDenied => {
            "Permission denied: a rule or table of pf blocks it; guard.never_block_names keeps it \
             out of ours"
                .into()
        }
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
            "its answer is none of HTTP: is it a web server, and the port right?".into()
        }
        // getaddrinfo(3) has no kind of its own, and ureq does not tell it apart
        _ if error.to_string().starts_with("failed to lookup address information") => {
            of(&Error::HostNotFound)
        }
        _ => words(error),
    }
}

/// How a connection broke that may not.
fn broken(error: &io::Error) -> Option<io::ErrorKind> {
    let Broken(kind) = error.get_ref()?.downcast_ref()?;
    Some(*kind)
}

/// Why there is no thread.
pub fn no_thread(error: &io::Error) -> String {
    format!("thread: {}", words(error))
}

fn of_timeout(what: Timeout) -> &'static str {
    match what {
        Timeout::Resolve => {
            "its name was not resolved; does a nameserver of resolv.conf(5) answer?"
        }
        Timeout::Connect => {
            "no connection; is it up, and does a rule of pf.conf(5) let this host out?"
        }
        Timeout::SendRequest | Timeout::SendBody | Timeout::PerWrite => {
            "it did not take the request; the line, or the server, is too slow"
        }
        Timeout::RecvResponse | Timeout::Await100 => "it took the request and said nothing",
        Timeout::RecvBody | Timeout::PerRead => "its answer began and did not end",
        _ => "it was too slow",
    }
}

fn of_tls(error: &rustls::Error) -> String {
    use rustls::Error as Tls;
    match error {
        Tls::InvalidCertificate(error) => of_certificate(error),
        Tls::AlertReceived(alert) => format!("TLS: it refuses: {}", of_alert(*alert)),
        Tls::PeerIncompatible(_) | Tls::InappropriateHandshakeMessage { .. } => {
            "TLS: it knows neither TLS 1.2 nor TLS 1.3 with ciphers of today".into()
        }
        Tls::InvalidMessage(_)
        | Tls::InappropriateMessage { .. }
        | Tls::PeerSentOversizedRecord => {
            "TLS: what it says is no TLS: is the port one for HTTPS?".into()
        }
        Tls::NoCertificatesPresented => "TLS: it shows no certificate".into(),
        Tls::UnsupportedNameType => "TLS: its name cannot be that of a certificate".into(),
        Tls::DecryptError | Tls::PeerMisbehaved(_) => {
            "TLS: what it says is damaged, or somebody on the way changes it".into()
        }
        Tls::FailedToGetCurrentTime => "TLS: this host has no clock".into(),
        Tls::FailedToGetRandomBytes => "TLS: this host has no random numbers".into(),
        _ => "TLS: it fails for a reason that has no name here".into(),
    }
}

fn of_alert(alert: AlertDescription) -> &'static str {
    match alert {
        AlertDescription::ProtocolVersion | AlertDescription::InsufficientSecurity => {
            "it knows neither TLS 1.2 nor TLS 1.3"
        }
        AlertDescription::HandshakeFailure => "no cipher that both know",
        AlertDescription::UnrecognisedName => "it does not know the name: is the URL right?",
        AlertDescription::CertificateRequired | AlertDescription::NoCertificate => {
            "it wants a certificate of us, which there is none of"
        }
        AlertDescription::AccessDenied => "access denied",
        AlertDescription::InternalError => "an error of its own",
        _ => "it does not say why in words",
    }
}

/// A certificate that does not hold, with what has to change.
fn of_certificate(error: &CertificateError) -> String {
    use CertificateError as Bad;
    let clock = "or the clock of this host is wrong";
    let why = match error {
        Bad::UnknownIssuer => {
            "is signed by no CA of https.ca_file: a CA of your own has to stand in that file".into()
        }
        Bad::NotValidForNameContext { presented, expected } => {
            let names = presented.iter().take(5).map(|name| bare(name)).collect::<Vec<_>>();
            format!(
                "is for {}, not for {}: the URL has to have a name of the certificate",
                if names.is_empty() { "no name".into() } else { names.join(", ") },
                expected.to_str()
            )
        }
        Bad::NotValidForName => {
            "is for another name: the URL has to have a name of the certificate".into()
        }
        Bad::ExpiredContext { not_after, .. } => {
            format!("has expired on {}, {clock}", clock::date(not_after.as_secs()))
        }
        Bad::Expired => format!("has expired, {clock}"),
        Bad::NotValidYetContext { not_before, .. } => {
            format!("is not valid before {}, {clock}", clock::date(not_before.as_secs()))
        }
        Bad::NotValidYet => format!("is not valid yet, {clock}"),
        Bad::Revoked => "is revoked".into(),
        Bad::InvalidPurpose | Bad::InvalidPurposeContext { .. } => "is none for servers".into(),
        Bad::BadSignature => "is signed by somebody who only has the name of a CA".into(),
        Bad::BadEncoding | Bad::UnhandledCriticalExtension => "is none that can be read".into(),
        Bad::UnsupportedSignatureAlgorithmContext { .. }
        | Bad::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "is signed in a way that is not known here, such as with SHA-1".into()
        }
        Bad::Other(OtherError(why)) => of_other_certificate(&format!("{why:?}")).into(),
        _ => "does not hold, for a reason that has no name here".into(),
    };
    format!("its certificate {why}")
}

/// What rustls passes on from below as it is: there the name of the variant is all there is.
fn of_other_certificate(name: &str) -> &'static str {
    match name {
        "CaUsedAsEndEntity" => {
            "is that of a CA itself, as self-signed ones are: the CA has to sign one for the host"
        }
        "EndEntityUsedAsCa" => "is signed by a certificate that is no CA",
        "PathLenConstraintViolated" | "NameConstraintViolation" => {
            "is signed by a CA that may not sign for this name"
        }
        "UnsupportedCertVersion" => "is of an old version: X.509 version 3 is needed",
        _ => "does not hold, for a reason that has no name here",
    }
}

/// A name of a certificate, which rustls writes as `DnsName("host")` or `IpAddress(192.0.2.1)`.
fn bare(name: &str) -> &str {
    let inner = name.split_once('(').map_or(name, |(_, inner)| inner.trim_end_matches(')'));
    inner.trim_matches('"')
}

#[cfg(test)]
mod tests;
