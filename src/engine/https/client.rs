//! One request after another, each with redirects and within its time.

use std::sync::Arc;
use std::time::Duration;

use config::WebUrl;
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, Resolver};
use ureq::unversioned::transport::Connector as _;

use super::begun::Begun;
use super::early::EarlyAnswers;
use super::limit::Limit;
use super::redirect::redirected;
use super::roots::Roots;
use super::tcp::AnyAddress;
use super::tls::Tls;
use super::tunnel::Tunnel;
use super::whole::WholeAnswers;
use super::words;

/// Fields of a request's head.
pub type Headers = Vec<(&'static str, String)>;

/// An answer of a web server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The status of HTTP.
    pub status: u16,
    /// The field Retry-After.
    pub retry_after: Option<String>,
    /// The beginning of the body.
    pub body: String,
}

/// Octets of an answer that are read.
const MOST: u64 = 64 << 10;
/// Redirects that are followed.
const REDIRECTS: u32 = 5;
/// The name that servers get to know.
const USER_AGENT: &str = concat!("threatstopd/", env!("CARGO_PKG_VERSION"));

/// How long the steps of a request may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// To resolve the name.
    pub resolve: Duration,
    /// To connect, TLS included.
    pub connect: Duration,
    /// To send the body: 5 MiB over a slow line.
    pub send: Duration,
    /// To wait for the head of the answer.
    pub answer: Duration,
    /// To read its body.
    pub body: Duration,
    /// For the whole call, redirects included.
    pub all: Duration,
    /// How many connections are kept for the next request.
    pub kept: usize,
}

impl Limits {
    /// For lists: a slow line has some minutes for the largest.
    pub fn of_lists() -> Self {
        let all = Duration::from_secs(10 * 60);
        // to a server, and to where it redirects to
        let kept = 2;
        Self { answer: Duration::from_secs(60), body: all, all, kept, ..Self::default() }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            resolve: Duration::from_secs(30),
            connect: Duration::from_secs(30),
            send: Duration::from_secs(15 * 60),
            answer: Duration::from_secs(120),
            body: Duration::from_secs(60),
            all: Duration::from_secs(20 * 60),
            kept: 0,
        }
    }
}

/// What is asked of a web server.
#[derive(Clone, Debug)]
pub enum Call {
    /// POST over HTTPS.
    Post {
        /// Where the request goes.
        url: WebUrl,
        /// Fields of the head besides those of every request.
        headers: Headers,
        /// The body.
        body: Vec<u8>,
    },
    /// GET over HTTPS.
    Get(WebUrl),
    /// GET in the clear: host and path. For what everybody may read and nobody relies on.
    GetClear(String, &'static str),
}

impl Call {
    /// Where it goes, as it stands in errors.
    fn host(&self) -> String {
        match self {
            Self::Post { url, .. } | Self::Get(url) => authority(&url.to_string()).to_owned(),
            Self::GetClear(host, _) => host.clone(),
        }
    }
}

/// A client for one proxy and one set of roots.
pub struct Client {
    config: ureq::config::Config,
    tls: Tls,
    /// Host and port of the proxy.
    proxy: Option<String>,
    /// Why there can be no HTTPS.
    no_roots: Option<String>,
    /// How long a call may take.
    all: Duration,
}

impl Client {
    /// A client for one proxy and one set of roots.
    ///
    /// # Errors
    /// When the proxy is none.
    pub fn new(
        proxy: Option<&config::Proxy>,
        roots: Roots,
        limits: Limits,
    ) -> Result<Self, String> {
        let named = proxy.map(|proxy| format!("{}:{}", proxy.host, proxy.port));
        let proxy = match proxy {
            // the URL has a password: nothing of it in the message
            Some(proxy) => {
                Some(ureq::Proxy::new(&proxy.url()).map_err(|_| "https.proxy: no proxy")?)
            }
            None => None,
        };
        let (roots, no_roots) = match roots {
            Ok(roots) => (roots, None),
            Err(why) => (Vec::new(), Some(format!("https.ca_file: {why}"))),
        };
        let roots: Vec<_> =
            roots.iter().map(|root| Certificate::from_der(root).to_owned()).collect();
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(Arc::new(roots)))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            // said even when there is none: the environment has no say
            .proxy(proxy)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(limits.kept)
            .max_idle_connections_per_host(1)
            .user_agent(USER_AGENT)
            .timeout_resolve(Some(limits.resolve))
            .timeout_connect(Some(limits.connect))
            .timeout_send_body(Some(limits.send))
            .timeout_recv_response(Some(limits.answer))
            .timeout_recv_body(Some(limits.body))
            .timeout_global(Some(limits.all))
            .build();
        Ok(Self { config, tls: Tls::default(), proxy: named, no_roots, all: limits.all })
    }

    /// Whether there is a proxy between.
    pub(super) fn is_proxied(&self) -> bool {
        self.proxy.is_some()
    }

    /// Whether there are certificates to trust.
    ///
    /// # Errors
    /// Why there are none.
    pub(super) fn roots(&self) -> Result<(), String> {
        self.no_roots.clone().map_or(Ok(()), Err)
    }

    /// How long all of a call may take.
    pub(super) fn all(&self) -> Duration {
        self.all
    }

    /// What makes connections, each of which is counted, and keeps as many as it may until it is dropped.
    pub(super) fn agent(
        &self,
        resolver: impl Resolver,
        begun: Begun,
        whole: WholeAnswers,
    ) -> Agent {
        let connector = begun
            .chain(Tunnel::new(self.config.proxy()))
            .chain(AnyAddress)
            .chain(EarlyAnswers)
            .chain(self.tls.clone())
            .chain(whole);
        Agent::with_parts(self.config.clone(), connector, resolver)
    }

    /// Makes a call, which ends within a limit.
    ///
    /// # Errors
    /// The host, and why there is no answer of it.
    pub fn call(&self, limit: &Limit, call: &Call) -> Result<Answer, String> {
        // what is looked for in an answer to an upload is there or not, however it ends
        let whole = WholeAnswers { wanted: false };
        let agent = self.agent(DefaultResolver::default(), Begun::default(), whole);
        let late = || format!("{}: no answer in time", self.to(&call.host()));
        limit.hold(&agent, late, || self.follow(&agent, call))
    }

    /// The same without a limit for everything.
    fn follow(&self, agent: &Agent, call: &Call) -> Result<Answer, String> {
        let (mut url, mut post) = match call {
            Call::GetClear(host, path) => {
                let url = format!("http://{host}{path}");
                return self.ask(agent, &url, None).map(|(answer, _)| answer);
            }
            Call::Get(url) => (url.clone(), None),
            Call::Post { url, headers, body } => (url.clone(), Some((headers, body))),
        };
        self.roots()?;
        for _ in 0..=REDIRECTS {
            let (answer, location) = self.ask(agent, &url.to_string(), post)?;
            let Some(location) = location else { return Ok(answer) };
            // RFC 9110, section 15.4: these repeat the request, the others look elsewhere
            if !matches!(answer.status, 307 | 308) {
                post = None;
            }
            url = redirected(&url, &location)?;
        }
        Err(format!("{}: more than {REDIRECTS} redirects", url.host))
    }

    /// Where a request goes, as it stands in errors. With a proxy between, most of them are of the
    /// way to it, so it is named.
    pub(super) fn to(&self, host: &str) -> String {
        match &self.proxy {
            Some(proxy) => format!("{host} through the proxy {proxy}"),
            None => host.to_owned(),
        }
    }

    /// One request; gives the answer, and where it points when it is a redirect.
    fn ask(
        &self,
        agent: &Agent,
        url: &str,
        post: Option<(&Headers, &Vec<u8>)>,
    ) -> Result<(Answer, Option<String>), String> {
        let host = self.to(authority(url));
        let failed = |error: ureq::Error| format!("{host}: {}", words::of(&error));
        let response = match post {
            Some((headers, body)) => {
                let mut request = agent.post(url);
                for (name, value) in headers {
                    request = request.header(*name, value);
                }
                request.send(body.as_slice())
            }
            None => agent.get(url).call(),
        };
        let mut response = response.map_err(failed)?;
        let field = |name: &str| {
            let value = response.headers().get(name)?;
            value.to_str().ok().map(ToOwned::to_owned)
        };
        let status = response.status().as_u16();
        let (retry_after, location) = (field("retry-after"), field("location"));
        let location = location.filter(|_| matches!(status, 301 | 302 | 303 | 307 | 308));
        let mut octets = Vec::new();
        // by a limit of our own: ureq makes an error of a longer body, and its beginning says all
        let mut body = std::io::Read::take(response.body_mut().as_reader(), MOST);
        if let Err(error) = std::io::Read::read_to_end(&mut body, &mut octets)
            && location.is_none()
        {
            return Err(format!("{host}: HTTP status {status}, then: {}", words::of_io(&error)));
        }
        let body = String::from_utf8_lossy(&octets).into_owned();
        Ok((Answer { status, retry_after, body }, location))
    }
}

/// Host and port of a URL.
pub(super) fn authority(url: &str) -> &str {
    url.split('/').nth(2).unwrap_or(url)
}

#[cfg(test)]
mod tests;
