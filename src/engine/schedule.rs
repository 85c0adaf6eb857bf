//! When the next run is due: the interval with its jitter, or a retry that backs off.
//!
//! All waiting is on the monotonic clock: a clock that is set does not bring a storm of runs, and
//! a host that slept makes one run and not those it missed.

use std::rc::Rc;
use std::time::Duration;

use crate::Engine;
use crate::clock;
use crate::dns::backoff::{Backoff, scheduled};
use crate::protect;
use crate::update::{Ended, Request, relieve};

/// Runs the update at start and whenever it is due. What has come to be protected does not wait
/// for that.
pub async fn run(engine: Rc<Engine>) -> ! {
    relieve(&engine).await;
    let mut backoff = Backoff::default();
    loop {
        let run = engine.runs.begin(&engine, Request::scheduled()).await;
        let ended = run.ended().await;
        let mut wait = after(&engine, &ended, &mut backoff);
        // A run that somebody asked for sets the clock anew; SIGUSR1 asks for one.
        loop {
            engine.runs.set_next(Some(clock::now() + wait.as_secs()));
            tokio::select! {
                () = tokio::time::sleep(wait) => break,
                () = engine.link.update_now() => {
                    let run = engine.runs.begin(&engine, Request::manual()).await;
                    let ended = run.ended().await;
                    wait = after(&engine, &ended, &mut backoff);
                }
                ended = engine.runs.other_ended() => wait = after(&engine, &ended, &mut backoff),
            }
        }
        engine.runs.set_next(None);
    }
}

/// Looks up the names of servers, log server and proxy as long as the engine lives. An address that
/// is new is let through at once.
pub async fn names(engine: Rc<Engine>) {
    if engine.names.is_empty() {
        return;
    }
    loop {
        if protect::refresh(&engine).await {
            relieve(&engine).await;
        }
        engine.names.due().await;
    }
}

/// How long to wait after a run.
fn after(engine: &Engine, ended: &Ended, backoff: &mut Backoff) -> Duration {
    if ended.failed {
        return backoff.failed(rand::random());
    }
    backoff.succeeded();
    scheduled(engine.config.policy.interval, rand::random())
}
