//! Certificates made for one test.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// Who the service says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// 127.0.0.1 and localhost, by an authority that the client trusts.
    Good,
    /// The same, until 2001.
    Expired,
    /// Another host.
    WrongHost,
    /// By nobody but itself.
    SelfSigned,
    /// By an authority of the same name, which the client does not trust.
    OtherAuthority,
    /// By nobody but itself, and an authority, which the client trusts.
    Authority,
}

struct Made {
    certificate: Vec<u8>,
    key: Vec<u8>,
    ca: String,
}

fn make(identity: Identity) -> Made {
    let authority = || {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "threatstopd test authority");
        let key = KeyPair::generate().expect("make a key");
        let certificate = params.self_signed(&key).expect("sign a certificate");
        (pem("CERTIFICATE", certificate.der()), Issuer::new(params, key))
    };
    let (ca, mut issuer) = authority();
    let name = if identity == Identity::WrongHost { "logs.invalid" } else { "localhost" };
    let mut params = CertificateParams::new([name.to_owned()]).expect("a host name");
    if identity != Identity::WrongHost {
        params.subject_alt_names.push(SanType::IpAddress([127, 0, 0, 1].into()));
    }
    if identity == Identity::Expired {
        (params.not_before, params.not_after) =
            (date_time_ymd(2000, 1, 1), date_time_ymd(2001, 1, 1));
    }
    if identity == Identity::OtherAuthority {
        issuer = authority().1;
    }
    if identity == Identity::Authority {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    let key = KeyPair::generate().expect("make a key");
    let certificate = match identity {
        Identity::SelfSigned | Identity::Authority => params.self_signed(&key),
        _ => params.signed_by(&key, &issuer),
    };
    let certificate = certificate.expect("sign a certificate").der().to_vec();
    let ca = if identity == Identity::Authority { pem("CERTIFICATE", &certificate) } else { ca };
    Made { certificate, key: key.serialize_der(), ca }
}

/// A server's configuration, and the certificate of the authority that a client trusts.
pub fn server(identity: Identity) -> (ServerConfig, String) {
    let Made { certificate, key, ca } = make(identity);
    let provider = rustls::crypto::ring::default_provider();
    let config = ServerConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.into()],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key)),
        );
    (config.expect("key and certificate belong together"), ca)
}

/// Certificate, key and authority in PEM, for another server.
pub fn pem_files() -> (String, String, String) {
    let Made { certificate, key, ca } = make(Identity::Good);
    (pem("CERTIFICATE", &certificate), pem("PRIVATE KEY", &key), ca)
}

/// RFC 7468 text.
fn pem(label: &str, der: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for part in der.chunks(3) {
        let bits = part.iter().fold(0_u32, |bits, octet| bits << 8 | u32::from(*octet));
        let bits = bits << (8 * (3 - part.len()));
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= part.len() { char::from(digit) } else { '=' });
        }
    }
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
