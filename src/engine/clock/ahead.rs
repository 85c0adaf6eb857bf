//! With the feature `fault-points`: a clock ahead of the system's, for tests of what takes two months.
//!
//! The file `clock` of the engine's directory has the number of seconds. Who sleeps when the number
//! grows has slept so much longer.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How often who sleeps looks.
const LOOK: Duration = Duration::from_millis(10);

static FILE: OnceLock<PathBuf> = OnceLock::new();

/// From now on the file of this directory counts.
pub fn follow(directory: &Path) {
    FILE.get_or_init(|| directory.join("clock"));
}

/// How far the clock is ahead; 0 without a file.
pub fn seconds() -> u64 {
    let text = FILE.get().and_then(|file| std::fs::read_to_string(file).ok());
    text.and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

/// Sleeps by the clock that is ahead.
pub async fn sleep(duration: Duration) {
    let (began, ahead) = (Instant::now(), seconds());
    let slept = || began.elapsed() + Duration::from_secs(seconds().saturating_sub(ahead));
    while slept() < duration {
        tokio::time::sleep(LOOK.min(duration)).await;
    }
}
