//! TLS (RFC 8446) of all connections of a client: by one set of roots, which is read once, and with one
//! memory of sessions, so that a server that was met before need not prove again who it is.

use std::sync::Arc;

use ureq::Error;
use ureq::unversioned::transport::{ConnectionDetails, Connector, RustlsConnector, Transport};

/// Puts TLS on connections. Its copies share what they know.
#[derive(Clone, Debug, Default)]
pub struct Tls(Arc<RustlsConnector>);

impl<In: Transport> Connector<In> for Tls {
    type Out = <RustlsConnector as Connector<In>>::Out;

    fn connect(
        &self,
        details: &ConnectionDetails,
        below: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        self.0.connect(details, below)
    }
}
