//! The control socket: who asks, whether he may, and the answer.

mod client;
mod hits;
mod metrics;
mod report;
mod test;
mod test_log;
mod upload;

use std::os::unix::net::UnixListener as StdListener;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;

use crate::Engine;

/// Clients served at the same time; the next ones wait in the socket's own queue.
const CLIENTS: usize = 32;
/// How long accept(2) pauses when descriptors are short.
const PAUSE: Duration = Duration::from_secs(1);

/// Serves clients; returns only when the socket cannot be used at all.
pub async fn serve(engine: Rc<Engine>, listener: StdListener) {
    let listener = match UnixListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            logger::crit(format_args!("control socket: {error}: threatstopctl will not work"));
            return;
        }
    };
    let places = Arc::new(Semaphore::new(CLIENTS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let engine = Rc::clone(&engine);
                tokio::task::spawn_local(async move {
                    attend(&engine, stream).await;
                    drop(place);
                });
            }
            Err(error) => {
                logger::warn(format_args!("control socket: accept: {error}"));
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn attend(engine: &Rc<Engine>, stream: UnixStream) {
    if let Err(error) = client::serve(engine, stream).await {
        logger::debug(format_args!("control client: {error}"));
    }
}
