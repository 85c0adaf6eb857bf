//! Alarms about time: a policy that grows old, and one that is held back too long.

use std::rc::Rc;
use std::time::{Duration, Instant};

use imsg::TableId;

use crate::{Engine, clock};

/// How often is looked.
const LOOK: Duration = Duration::from_secs(60);
/// How often an alarm is repeated.
const REMIND: Duration = Duration::from_secs(24 * 60 * 60);
/// So many intervals without a good run are too many.
const MISSED: u64 = 3;
/// How long a new device may wait quietly for its first policy.
pub const QUIET: u64 = 60 * 60;

/// Looks every minute; never returns.
pub async fn watch(engine: Rc<Engine>) {
    let mut last: Option<(Vec<String>, Instant)> = None;
    loop {
        tokio::time::sleep(LOOK).await;
        let found = alarms(&engine);
        let repeat = last
            .as_ref()
            .is_none_or(|(before, at)| before.len() != found.len() || at.elapsed() >= REMIND);
        if repeat {
            found.iter().for_each(logger::crit);
            last = Some((found, Instant::now()));
        }
    }
}

/// The alarms of this moment.
pub fn alarms(engine: &Engine) -> Vec<String> {
    let memory = engine.state.memory();
    let patience = MISSED * engine.config.policy.interval.as_secs();
    let now = clock::now();
    let mut found = Vec::new();
    let since = memory.last_good.unwrap_or(memory.first_start);
    let age = now.saturating_sub(since);
    if age > patience {
        let why = memory.last.as_ref().and_then(|last| last.why.as_deref());
        let why = why.unwrap_or("see threatstopctl status");
        found.push(match memory.last_good {
            Some(_) => format!("the policy is {} old: {why}", span(age)),
            None => format!("no policy for {}: {why}", span(age)),
        });
    }
    for table in TableId::PUBLISH_ORDER {
        if let Some(held) = memory.held(table)
            && now.saturating_sub(held.since) > patience
        {
            let since = span(now.saturating_sub(held.since));
            found.push(format!("held back for {since}: {}", held.text));
        }
    }
    found
}

/// A span in its largest unit.
pub fn span(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..=119 => (seconds, "second"),
        120..=7199 => (seconds / 60, "minute"),
        7200..=172_799 => (seconds / 3600, "hour"),
        _ => (seconds / 86400, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}
