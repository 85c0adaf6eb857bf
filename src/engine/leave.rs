//! How the engine ends because it wants another one in its place: behind the answers under way, and behind
//! the runs, which put in force what has come and wait for nothing more.

use std::cell::Cell;
use std::time::Duration;

use imsg::End;

use crate::runs::Runs;
use crate::state::State;

/// How long answers to control clients may take to leave.
pub const FAREWELL: Duration = Duration::from_millis(100);
/// How long it may take to put in force what has come.
const PATIENCE: Duration = Duration::from_secs(10);

/// The way out.
pub struct Leave {
    runs: &'static Runs,
    state: &'static State,
    begun: Cell<bool>,
}

impl Leave {
    /// The way out behind these runs.
    pub fn new(runs: &'static Runs, state: &'static State) -> Self {
        Self { runs, state, begun: Cell::new(false) }
    }

    /// Ends the engine with what it wants; only the first wish counts.
    pub fn begin(&self, end: End) {
        if self.begun.replace(true) {
            return;
        }
        if end == End::Renew && self.state.memory().refused.is_some() {
            // for which nobody reads the file of the configuration again
            self.state.remember(|memory| {
                memory.refused.iter_mut().for_each(|refused| refused.renewed = true);
            });
        }
        let runs = self.runs;
        // a slow server must not hold up a reload
        runs.leave();
        tokio::task::spawn_local(async move {
            // a helper may have much to do
            let turn = tokio::time::timeout(PATIENCE, async {
                runs.rest().await;
                runs.turn().await
            });
            // whoever would publish now could not note it
            let _turn = turn.await;
            tokio::time::sleep(FAREWELL).await;
            end.leave();
        });
    }
}
