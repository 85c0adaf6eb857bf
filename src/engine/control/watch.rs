//! `watch`.

use std::cell::Cell;
use std::io;
use std::time::Duration;

use control::Reply;
use tokio::time::timeout;

use super::client::Client;
use crate::clock;
use crate::events::Events;

/// How many of a kind may watch at the same time: all others have to be answered too.
const MOST: usize = 16;
/// How long a watcher may take to read an event.
const PATIENCE: Duration = Duration::from_secs(10);

/// The clients that watch: how many there are, and how long each may take.
pub struct Watchers {
    /// Whatever the others do, root is told.
    root: Cell<usize>,
    others: Cell<usize>,
    /// How long one may take to read an event.
    patience: Duration,
}

impl Default for Watchers {
    fn default() -> Self {
        Self { root: Cell::default(), others: Cell::default(), patience: PATIENCE }
    }
}

/// One of them, as long as it is there.
struct Watcher<'a>(&'a Cell<usize>);

impl Drop for Watcher<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

impl Watchers {
    /// Tells a client of each event from now on, or from a number on, until it goes. Nobody waits for
    /// it: when it does not read for long, or has not read what is kept no more, it is dropped.
    ///
    /// # Errors
    /// When it is gone.
    pub async fn watch(
        &self,
        events: &Events,
        client: &mut Client,
        is_root: bool,
        from: Option<u64>,
    ) -> io::Result<()> {
        let taken = if is_root { &self.root } else { &self.others };
        if taken.get() >= MOST {
            return client.fail("watch", format!("{MOST} watch already; end one of them")).await;
        }
        taken.set(taken.get() + 1);
        let _watcher = Watcher(taken);
        let mut at = from.map_or(events.next(), |from| from.clamp(1, events.next()));
        let lost = events.oldest().saturating_sub(at);
        if lost > 0 {
            client.send(&Reply::Lost(lost)).await?;
            at += lost;
        }
        loop {
            tokio::select! {
                () = events.reached(at) => {}
                // it has nothing more to say, so that this is its end
                _ = client.line(1) => return Ok(()),
            }
            let Some(event) = events.get(at) else {
                let why = format!("too slow: events {at} to {} are lost", events.oldest() - 1);
                return client.fail("watch", why).await;
            };
            let line = format!("{} {at} {}: {}", clock::date(event.time), event.event, event.text);
            let Ok(sent) =
                timeout(self.patience, client.send(&Reply::Event(line, Box::new(event)))).await
            else {
                logger::info(format_args!(
                    "watch: who has not read event {at} for {} seconds is dropped",
                    self.patience.as_secs()
                ));
                return Ok(());
            };
            sent?;
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests;
