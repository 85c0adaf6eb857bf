//! The control socket: who asks, whether he may, and the answer.
//!
//! * In: connections to the control socket, and the request of each, a line of JSON.
//! * Out: replies, a line each; what root asks for (runs, uploads, entries of `own`) is done
//!   before it is answered.
//! * Never: change anything for somebody who is not root, serve more clients than [`places`] has,
//!   or wait for one that says nothing.

mod answer;
mod client;
mod export;
mod hits;
mod lists;
mod metrics;
mod own;
mod places;
mod report;
mod sources;
mod status;
mod test;
mod test_log;
mod upload;
mod watch;
mod why;

use std::io::Write as _;
use std::os::unix::net::UnixListener as StdListener;
use std::time::Duration;

use ::control::{Failure, Reply};
use tokio::net::{UnixListener, UnixStream};

use crate::clock;
use crate::errors::words;
use crate::told::Told;
pub use answer::Handler;
pub use own::OwnCommands;
use places::{Places, Seat};
pub use status::Overview;
pub use test_log::LogChecks;
pub use watch::Watchers;

/// How long accept(2) pauses when descriptors are short.
const PAUSE: Duration = Duration::from_secs(1);
/// What the log is told of.
const ACCEPT: &str = "accept";

/// Serves clients; returns only when the socket cannot be used at all.
pub async fn serve(handler: &'static Handler, listener: StdListener) {
    let listener = match UnixListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            logger::crit(format_args!(
                "control socket: {}: threatstopctl will not work",
                words(&error)
            ));
            return;
        }
    };
    // who holds all descriptors may do so for hours
    let told = Told::default();
    // whatever the others do, root is served
    let (root, others) = (Places::new(), Places::new());
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let uid = answer::uid(&stream);
                let places = if handler.is_root(uid) { &root } else { &others };
                let Some(seat) = places.take().await else {
                    refuse(stream);
                    continue;
                };
                places.seat(seat, |seat| attend(handler, stream, uid, seat));
            }
            Err(error) => {
                let why = words(&error);
                if told.is_news(ACCEPT, &why, clock::now()) {
                    logger::warn(format_args!("control socket: accept: {why}; it is tried again"));
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn attend(handler: &Handler, stream: UnixStream, uid: u32, seat: Seat) {
    if let Err(error) = handler.serve(stream, uid, &seat).await {
        logger::debug(format_args!("control client: {}", words(&error)));
    }
}

/// Says that there is no place. Who does not take that at once is not waited for.
fn refuse(stream: UnixStream) {
    let why = "too many clients at the same time; try again".to_owned();
    let reply = Reply::Error(Failure { what: "control socket".into(), why });
    if let (Ok(mut stream), Ok(line)) = (stream.into_std(), serde_json::to_string(&reply)) {
        let _ = writeln!(stream, "{line}");
    }
}
