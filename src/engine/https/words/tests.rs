use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{ServerName, UnixTime};
use rustls::{
    CertRevocationListError, ExtendedKeyPurpose, InconsistentKeys, InvalidMessage,
    PeerIncompatible, PeerMisbehaved,
};

use super::*;

/// Whether a text is one for people: no names of variants and types, no numbers of errno(2), no
/// octets.
fn is_for_people(text: &str) -> bool {
    let bare =
        text.replace("https.ca_file", "").replace("pf.conf(5)", "").replace("resolv.conf(5)", "");
    let camel = bare
        .as_bytes()
        .windows(2)
        .any(|two| two[0].is_ascii_lowercase() && two[1].is_ascii_uppercase());
    let signs =
        ["(", "{", "[", "::", "os error", "error:", "None"].iter().any(|sign| bare.contains(sign));
    !camel && !signs && text.len() > 5 && !text.ends_with('.')
}

#[derive(Debug)]
#[allow(dead_code, reason = "for its name")]
struct Named(&'static str);

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Named {}

/// What webpki says below rustls has only the name of its variant.
#[derive(Debug)]
enum Below {
    CaUsedAsEndEntity,
    EndEntityUsedAsCa,
    NameConstraintViolation,
    PathLenConstraintViolated,
    UnsupportedCertVersion,
    TrailingData,
}

impl std::fmt::Display for Below {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Below {}

fn certificate_errors() -> Vec<CertificateError> {
    use CertificateError as Bad;
    let (time, then) = (UnixTime::since_unix_epoch(Duration::from_secs(1 << 30)), UnixTime::now());
    let mut all = vec![
        Bad::BadEncoding,
        Bad::Expired,
        Bad::ExpiredContext { time: then, not_after: time },
        Bad::NotValidYet,
        Bad::NotValidYetContext { time, not_before: then },
        Bad::Revoked,
        Bad::UnhandledCriticalExtension,
        Bad::UnknownIssuer,
        Bad::UnknownRevocationStatus,
        Bad::ExpiredRevocationList,
        Bad::ExpiredRevocationListContext { time: then, next_update: time },
        Bad::BadSignature,
        Bad::UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id: vec![1, 2],
            supported_algorithms: Vec::new(),
        },
        Bad::UnsupportedSignatureAlgorithmForPublicKeyContext {
            signature_algorithm_id: vec![1, 2],
            public_key_algorithm_id: vec![3],
        },
        Bad::NotValidForName,
        Bad::NotValidForNameContext {
            expected: ServerName::try_from("logs.example").unwrap(),
            presented: vec!["DnsName(\"other.example\")".into(), "IpAddress(127.0.0.1)".into()],
        },
        Bad::NotValidForNameContext {
            expected: ServerName::try_from("192.0.2.1").unwrap(),
            presented: Vec::new(),
        },
        Bad::InvalidPurpose,
        Bad::InvalidPurposeContext {
            required: ExtendedKeyPurpose::ServerAuth,
            presented: vec![ExtendedKeyPurpose::ClientAuth],
        },
        Bad::InvalidOcspResponse,
        Bad::ApplicationVerificationFailure,
    ];
    for below in [
        Below::CaUsedAsEndEntity,
        Below::EndEntityUsedAsCa,
        Below::NameConstraintViolation,
        Below::PathLenConstraintViolated,
        Below::UnsupportedCertVersion,
        Below::TrailingData,
    ] {
        all.push(Bad::Other(OtherError(Arc::new(below))));
    }
    all
}

fn tls_errors() -> Vec<rustls::Error> {
    use rustls::Error as Tls;
    let mut all: Vec<Tls> = certificate_errors().into_iter().map(Tls::InvalidCertificate).collect();
    all.extend((0..=255).map(|code| Tls::AlertReceived(AlertDescription::from(code))));
    all.extend([
        Tls::InappropriateMessage {
            expect_types: vec![rustls::ContentType::Handshake],
            got_type: rustls::ContentType::Alert,
        },
        Tls::InappropriateHandshakeMessage {
            expect_types: vec![rustls::HandshakeType::ClientHello],
            got_type: rustls::HandshakeType::Finished,
        },
        Tls::InvalidMessage(InvalidMessage::InvalidContentType),
        Tls::InvalidMessage(InvalidMessage::MessageTooLarge),
        Tls::NoCertificatesPresented,
        Tls::UnsupportedNameType,
        Tls::DecryptError,
        Tls::EncryptError,
        Tls::PeerIncompatible(PeerIncompatible::Tls12NotOffered),
        Tls::PeerMisbehaved(PeerMisbehaved::SelectedUnofferedCipherSuite),
        Tls::InvalidCertRevocationList(CertRevocationListError::BadSignature),
        Tls::General("an Internal(thing)".into()),
        Tls::FailedToGetCurrentTime,
        Tls::FailedToGetRandomBytes,
        Tls::HandshakeNotComplete,
        Tls::PeerSentOversizedRecord,
        Tls::NoApplicationProtocol,
        Tls::BadMaxFragmentSize,
        Tls::InconsistentKeys(InconsistentKeys::KeyMismatch),
        Tls::Other(OtherError(Arc::new(Named("Inner(1)")))),
    ]);
    all
}

#[test]
fn every_error_of_tls_has_words() {
    for error in tls_errors() {
        let text = of(&Error::Rustls(error.clone()));
        assert!(is_for_people(&text), "{error:?}: {text}");
        // as it comes out of a connection
        let wrapped = io::Error::new(io::ErrorKind::InvalidData, error);
        assert_eq!(of(&Error::Io(wrapped)), text);
    }
}

#[test]
fn every_error_of_a_request_has_words() {
    let io = |code| Error::Io(io::Error::from_raw_os_error(code));
    let timeouts = [
        Timeout::PerRead,
        Timeout::PerWrite,
        Timeout::Global,
        Timeout::PerCall,
        Timeout::Resolve,
        Timeout::Connect,
        Timeout::SendRequest,
        Timeout::Await100,
        Timeout::SendBody,
        Timeout::RecvResponse,
        Timeout::RecvBody,
    ];
    let mut all: Vec<Error> = timeouts.into_iter().map(Error::Timeout).collect();
    let no_name = ureq::http::HeaderName::from_bytes(b"x y").unwrap_err();
    all.extend((1..=133).map(io));
    all.extend([
        Error::StatusCode(500),
        Error::Http(no_name.into()),
        Error::BadUri("x{".into()),
        Error::HostNotFound,
        Error::RedirectFailed,
        Error::InvalidProxyUrl,
        Error::ConnectionFailed,
        Error::BodyExceedsLimit(7),
        Error::TooManyRedirects,
        Error::Tls("Rustls invalid dns name error"),
        Error::Pem(rustls::pki_types::pem::Error::NoItemsFound),
        Error::RequireHttpsOnly("http://x".into()),
        Error::LargeResponseHeader(1, 2),
        Error::ConnectProxyFailed("it is busy".into()),
        Error::TlsRequired,
        Error::Other(Box::new(Named("Inner(1)"))),
        Error::BodyStalled,
        Error::Io(io::Error::other(Error::HostNotFound)),
        Error::Io(io::Error::from(io::ErrorKind::UnexpectedEof)),
        Error::Io(io::Error::new(io::ErrorKind::InvalidData, "Custom { kind: InvalidData }")),
    ]);
    for error in all {
        let text = of(&error);
        assert!(is_for_people(&text) || text.starts_with("HTTP status "), "{error:?}: {text}");
        // the words for what has none, and for all that takes time, would do for any
        let is_other = matches!(error, Error::Other(_));
        assert_eq!(text.contains("no name here"), is_other, "{error:?}: {text}");
        let is_whole = matches!(error, Error::Timeout(Timeout::Global | Timeout::PerCall));
        assert_eq!(text.ends_with("it was too slow"), is_whole, "{error:?}: {text}");
    }
}

#[test]
fn what_has_to_change_is_said() {
    assert_eq!(
        of(&Error::Io(io::ErrorKind::PermissionDenied.into())),
        "Permission denied: a rule or table of pf blocks it; guard.never_block_names keeps it out \
         of ours"
    );
    let certificate = |error| of_certificate(&error);
    let expected = ServerName::try_from("logs.example").unwrap();
    let presented = vec!["DnsName(\"other.example\")".into(), "DnsName(\"b.example\")".into()];
    assert_eq!(
        certificate(CertificateError::NotValidForNameContext { expected, presented }),
        "its certificate is for other.example, b.example, not for logs.example: the URL has to have \
         a name of the certificate"
    );
    let own = CertificateError::Other(OtherError(Arc::new(Below::CaUsedAsEndEntity)));
    assert!(certificate(own).contains("the CA has to sign one for the host"));
}
