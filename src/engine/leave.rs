//! How the engine ends because it wants another one in its place: behind the run and the answers under
//! way.

use std::cell::Cell;
use std::time::Duration;

use imsg::End;

use crate::update::Runs;

/// How long answers to control clients may take to leave.
pub const FAREWELL: Duration = Duration::from_millis(100);
/// How long a run under way may take to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// The way out.
pub struct Leave {
    runs: &'static Runs,
    begun: Cell<bool>,
}

impl Leave {
    /// The way out behind these runs.
    pub fn new(runs: &'static Runs) -> Self {
        Self { runs, begun: Cell::new(false) }
    }

    /// Ends the engine with what it wants; only the first wish counts.
    pub fn begin(&self, end: End) {
        if self.begun.replace(true) {
            return;
        }
        let runs = self.runs;
        tokio::task::spawn_local(async move {
            // a run may have long to wait for servers
            let _ = tokio::time::timeout(PATIENCE, async {
                runs.rest().await;
                drop(runs.turn().await);
            })
            .await;
            tokio::time::sleep(FAREWELL).await;
            end.leave();
        });
    }
}
