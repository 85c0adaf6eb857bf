//! `capture`: records one upload of another client, and prints the `[log.request]` block that
//! makes ours the same.
//!
//! The layout that the service expects is published nowhere. Whoever has the vendor's client
//! points its URL here once and needs not know what is in it.
//!
//! * In: an address to listen at, and one request of HTTP/1.1 from the other client.
//! * Out: the lines of `[log.request]`, and to the client what the service would say.
//! * Never: send the log on, take more than 64 MiB, or wait for a silent client for more than a
//!   minute.

use std::ffi::OsStr;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use control::Failure;

use crate::client::{pledge, reason};
use crate::error::Error;
use crate::tool::Tool;

mod http;
mod layout;
mod parameter;

/// How long a client may be silent.
const SILENCE: Duration = Duration::from_secs(60);
/// Connections that may come to nothing: port scanners, clients that try HTTPS first.
const ATTEMPTS: usize = 100;

/// Listens at the address until an upload has come, and prints its layout.
///
/// # Errors
/// When it cannot listen there, or no upload comes. And [`Error::Stdout`].
pub fn run(tool: &Tool, operand: &OsStr) -> Result<bool, Error> {
    let text = operand.to_string_lossy();
    let failed = |why: String| Error::Failed(Failure { what: "capture".into(), why });
    let address: SocketAddr =
        text.parse().map_err(|_| failed(format!("{text}: not address:port")))?;
    pledge("stdio inet").map_err(|error| Error::Client("capture", error))?;
    let request = listen(address).map_err(failed)?;
    let block = layout::block(&request);
    let mut out = io::stdout().lock();
    match tool.json {
        true => writeln!(out, "{}", serde_json::json!({ "toml": block }))?,
        false => write!(out, "{block}")?,
    }
    out.flush()?;
    Ok(true)
}

fn listen(address: SocketAddr) -> Result<http::Request, String> {
    let failed = |error: io::Error| format!("{address}: {}", reason(&error));
    let listener = TcpListener::bind(address).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let say = |line: &str| {
        // whoever reads stdout alone misses nothing of the block
        let _ = writeln!(io::stderr(), "{line}");
    };
    say(&format!(
        "Listening. Let the other client upload once to http://{address}/ with the path of its \
         own URL."
    ));
    let accept = || {
        let (stream, _) = listener.accept()?;
        stream.set_read_timeout(Some(SILENCE))?;
        stream.set_write_timeout(Some(SILENCE))?;
        Ok(stream)
    };
    upload(address, accept, say)
}

/// The first upload among the connections to an address.
fn upload<S: Read + Write>(
    address: SocketAddr,
    mut accept: impl FnMut() -> io::Result<S>,
    say: impl Fn(&str),
) -> Result<http::Request, String> {
    for _ in 0..ATTEMPTS {
        let mut stream = match accept() {
            Ok(stream) => stream,
            // while another client was waited for
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => {
                say("a client has gone before it was its turn; going on");
                continue;
            }
            Err(error) => return Err(format!("{address}: {}", reason(&error))),
        };
        match http::receive(&mut stream) {
            Ok(request) if request.method == "POST" || request.method == "PUT" => {
                let confirmation = layout::confirmation(&request);
                let _ = http::answer(&mut stream, "200 OK", &confirmation);
                return Ok(request);
            }
            Ok(request) => {
                let _ = http::answer(&mut stream, "404 Not Found", "nothing here\n");
                say(&format!("{} {}: no upload, going on", request.method, request.path));
            }
            Err(why) => say(&format!("{why}; going on")),
        }
    }
    Err(format!("{ATTEMPTS} connections and no upload"))
}

#[cfg(test)]
mod tests;
