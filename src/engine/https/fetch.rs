//! Lists over HTTPS: conditional requests, redirects that lead astray nobody, bodies into a file.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::time::Duration;

use config::{Credential, Host, WebUrl};
use prefix::Shield;
use ureq::{Error, Timeout};

use super::client::{Client, authority};
use super::guarded::Met;
use super::kept::Kept;
use super::limit::SLOW;
use super::queue::origin;
use super::redirect;
use super::retry_after::retry_after;
use super::turn::Turn;
use super::words;
use crate::{clock, errors};

/// Octets of a body as it comes over the wire.
pub const MOST: u64 = 64 << 20;
/// After so many octets of it is looked again whether there is room: other bodies come at the same time.
const LOOK: u64 = 1 << 20;
/// Redirects that are followed.
const REDIRECTS: usize = 3;
/// Longest validator that is kept, in octets.
const LONGEST: usize = 256;

/// What a server said of a body, by which it can say later that it has not changed (RFC 9110,
/// section 8.8).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// The field ETag.
    pub etag: Option<String>,
    /// The field Last-Modified.
    pub modified: Option<String>,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Fetch {
    /// Where it is.
    pub url: WebUrl,
    /// The field Authorization, for scheme, host and port of the URL and for nobody else.
    pub authorization: Option<Credential>,
    /// What is known of the copy that is there.
    pub validators: Validators,
    /// The networks of this host.
    pub own: Shield,
    /// Takes the addresses of the hosts.
    pub met: Met,
}

/// What a server answers to a conditional request.
#[derive(Debug)]
pub enum Fetched {
    /// The copy is as it is there.
    Unchanged,
    /// A body.
    Body {
        /// The file that it is in.
        file: File,
        /// Whether the server says that it is gzip.
        gzip: bool,
        /// By what it is known.
        validators: Validators,
    },
}

/// Why nothing came.
#[derive(Debug, PartialEq, Eq)]
pub struct Failed {
    /// The host, what it is, and what to do about it.
    pub why: String,
    /// For how long the server wants to be left alone.
    pub retry_after: Option<Duration>,
    /// Whether that is because of this host.
    here: bool,
    /// Whether there was no connection.
    silent: bool,
}

impl From<String> for Failed {
    fn from(why: String) -> Self {
        Self { why, retry_after: None, here: false, silent: false }
    }
}

impl Turn<'_> {
    /// Asks for a list and writes its body, as it comes over the wire, into a file that is made when there
    /// is one, as long as there is room. What else is asked of the same server goes over the same
    /// connection.
    ///
    /// # Errors
    /// The host, and why nothing came; of a host that another one points to, only that it is
    /// refused.
    pub fn fetch(
        &mut self,
        fetch: &Fetch,
        make: impl Fn() -> Result<File, String>,
        room: impl Fn() -> Result<(), String>,
    ) -> Result<Fetched, Failed> {
        let client = self.client;
        client.roots()?;
        let origin = origin(&fetch.url);
        let kept = self.kept.take().filter(|kept| kept.origin == origin);
        let kept = kept.unwrap_or_else(|| Kept::new(client, origin, fetch.own.clone()));
        kept.guarded.begin(Met::clone(&fetch.met));
        let host = authority(&fetch.url.to_string()).to_owned();
        let late = || Failed::from(format!("{}: no answer in time", client.to(&host)));
        let fetched =
            self.limit.hold(&kept.agent, late, || client.follow_list(&kept, fetch, &make, &room));
        if let Err(Failed { why, silent: true, .. }) = &fetched
            && self.since.elapsed() >= SLOW
        {
            self.silent = Some(why.clone());
        }
        // addresses and connections go together: where a server may be elsewhere by now, both are made
        // anew
        self.kept = fetched.is_ok().then_some(kept);
        fetched
    }
}

impl Client {
    /// The same without a limit for everything.
    fn follow_list(
        &self,
        kept: &Kept,
        fetch: &Fetch,
        make: &impl Fn() -> Result<File, String>,
        room: &impl Fn() -> Result<(), String>,
    ) -> Result<Fetched, Failed> {
        let mut url = fetch.url.clone();
        for redirects in 0..=REDIRECTS {
            let elsewhere = (&url.host, url.port) != (&fetch.url.host, fetch.url.port);
            let answer = self.ask_for(kept, fetch, &url, make, room).map_err(|failed| {
                // what another host answers is nobody's business: it may be one of this network
                match elsewhere && !failed.here {
                    true => refused(&fetch.url, &url.host),
                    false => failed,
                }
            });
            match answer? {
                Next::Come(fetched) => return Ok(fetched),
                Next::Redirect(location) => {
                    kept.guarded.bind();
                    let to = redirect::located(&url, &location);
                    let to = to.filter(|to| may_lead(&fetch.url, to));
                    url = to.ok_or_else(|| not_followed(&fetch.url, &location))?;
                }
            }
            if redirects == REDIRECTS {
                break;
            }
        }
        Err(format!("{}: more than {REDIRECTS} redirects", fetch.url.host).into())
    }

    /// One request.
    fn ask_for(
        &self,
        kept: &Kept,
        fetch: &Fetch,
        url: &WebUrl,
        make: &impl Fn() -> Result<File, String>,
        room: &impl Fn() -> Result<(), String>,
    ) -> Result<Next, Failed> {
        let text = url.to_string();
        let host = self.to(authority(&text));
        let Validators { etag, modified } = &fetch.validators;
        let is_theirs = (&url.host, url.port) == (&fetch.url.host, fetch.url.port);
        let credential = fetch.authorization.as_ref().filter(|_| is_theirs);
        let response = kept.ask(|agent| {
            let mut request = agent.get(&text).header("Accept-Encoding", "gzip");
            for (name, value) in [
                ("If-None-Match", etag.as_deref()),
                ("If-Modified-Since", modified.as_deref()),
                ("Authorization", credential.map(Credential::as_str)),
            ] {
                if let Some(value) = value {
                    request = request.header(name, value);
                }
            }
            request.call()
        });
        let mut response = response.map_err(|error| {
            let why = format!("{host}: {}", words::of(&error));
            // where there is no connection, there is none for others either
            let silent = matches!(
                error,
                Error::Timeout(Timeout::Resolve | Timeout::Connect)
                    | Error::HostNotFound
                    | Error::ConnectionFailed
            );
            Failed { silent, ..why.into() }
        })?;
        let field = |name: &str| {
            let value = response.headers().get(name)?.to_str().ok()?;
            Some(value.trim().to_owned())
        };
        let known = etag.is_some() || modified.is_some();
        match response.status().as_u16() {
            200 => {
                let gzip = field("content-encoding").is_some_and(|coding| coding.contains("gzip"));
                let validators = Validators {
                    etag: validator(field("etag")),
                    modified: validator(field("last-modified")),
                };
                let mut body = response.body_mut().as_reader().take(MOST + 1);
                let mut file = make().map_err(here)?;
                copy(&mut body, &mut file, &host, MOST, room)?;
                Ok(Next::Come(Fetched::Body { file, gzip, validators }))
            }
            304 if known => Ok(Next::Come(Fetched::Unchanged)),
            301 | 302 | 303 | 307 | 308 if field("location").is_some() => {
                Ok(Next::Redirect(field("location").unwrap_or_default()))
            }
            status => {
                let after = field("retry-after").as_deref().and_then(retry_after);
                // what the timer keeps to, who asks by hand has to know
                let wish = after.map_or(String::new(), |after| {
                    let span = clock::span(after.as_secs());
                    format!("; it wants to be left alone for {span}")
                });
                let why = format!("{host}: HTTP status {status}: {}{wish}", meaning(status));
                Err(Failed { retry_after: after, ..why.into() })
            }
        }
    }
}

/// What an answer leads to.
enum Next {
    Come(Fetched),
    Redirect(String),
}

fn refused(from: &WebUrl, to: &Host) -> Failed {
    format!("{}: it redirects to {to}: refused", from.host).into()
}

fn not_followed(from: &WebUrl, location: &str) -> Failed {
    let location = prefix::quoted(location);
    format!(
        "{}: it redirects to {location}, which is not followed: only https to a name, on port 443 or \
         that of url, is; if that is right, set url to it",
        from.host
    )
    .into()
}

/// Whether a redirect may lead there: to the host itself, or by a name, on the port of HTTPS or the
/// one that was configured.
fn may_lead(from: &WebUrl, to: &WebUrl) -> bool {
    let named = to.host == from.host || matches!(to.host, Host::Name(_));
    named && (to.port == 443 || to.port == from.port)
}

/// Why it cannot be kept here.
fn here(why: String) -> Failed {
    Failed { here: true, ..why.into() }
}

/// A validator that is short and visible; another one is not worth to be kept.
fn validator(text: Option<String>) -> Option<String> {
    let fits = |octet: u8| (b' '..=b'~').contains(&octet);
    text.filter(|text| (1..=LONGEST).contains(&text.len()) && text.bytes().all(fits))
}

/// Copies a body of at most so many octets into a file, as long as there is room.
fn copy(
    body: &mut impl std::io::Read,
    file: &mut File,
    host: &str,
    most: u64,
    room: impl Fn() -> Result<(), String>,
) -> Result<(), Failed> {
    let (mut buffer, mut all, mut looked) = (vec![0; 64 << 10], 0, 0);
    loop {
        let read = match body.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(format!("{host}: {}", words::of_io(&error)).into()),
        };
        all += read as u64;
        if all > most {
            let most = most >> 20;
            return Err(format!("{host}: its answer is longer than {most} MiB").into());
        }
        if all - looked >= LOOK {
            room().map_err(here)?;
            looked = all;
        }
        let octets = buffer.get(..read).unwrap_or_default();
        file.write_all(octets).map_err(|error| {
            here(format!("{host}: its answer cannot be kept: {}", errors::words(&error)))
        })?;
    }
}

/// What a status means that is no list.
fn meaning(status: u16) -> &'static str {
    match status {
        304 => "nothing has changed, and nothing was there to compare with",
        401 | 403 => "it does not let us: is authorization right, and is this host welcome there?",
        404 | 410 => "there is no such list: is url right?",
        407 => "a proxy wants a user and a password: see https.proxy",
        429 => "it is asked too often: raise interval",
        300..=399 => "it redirects to nowhere: is url right?",
        500..=599 => "it is in trouble; it is asked again",
        _ => "no list",
    }
}

#[cfg(test)]
mod tests;
