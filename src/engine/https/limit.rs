//! The end of what takes too long. Each wait for a server has a time of its own; this is for all of
//! them together, and another thread looks at the clock.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ureq::Agent;

/// What takes longer makes room for others, which do not wait for a slow server.
pub const SLOW: Duration = Duration::from_secs(10);

/// One piece of work, which can be told that it is late.
#[derive(Debug, Default)]
pub struct Limit(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// What has the connections that are waited for now.
    agent: Option<Agent>,
    late: bool,
}

impl Limit {
    /// Does something that ends when it is late, whatever servers and proxies do.
    ///
    /// # Errors
    /// `late`, or those of the work.
    pub fn hold<T, E>(
        &self,
        agent: &Agent,
        late: impl FnOnce() -> E,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        self.locked().agent = Some(agent.clone());
        let done = work();
        let mut state = self.locked();
        state.agent = None;
        // what was cut off by this end may look as if it were whole
        if state.late { Err(late()) } else { done }
    }

    /// Closes the connections of the work, which fails by that.
    pub fn expire(&self) {
        let mut state = self.locked();
        let agent = state.agent.take();
        state.late |= agent.is_some();
        drop(state);
        if let Some(agent) = agent {
            agent.shutdown();
        }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when a body that has no length is whole where its time was over.
    #[test]
    fn what_is_late_is_not_whole() {
        let limit = Limit::default();
        let agent = Agent::new_with_defaults();
        assert_eq!(limit.hold(&agent, || "late", || Ok(1)), Ok(1));
        let work = || {
            limit.expire();
            Ok(2)
        };
        assert_eq!(limit.hold(&agent, || "late", work), Err("late"));
    }
}
