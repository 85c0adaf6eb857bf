//! Row 29: weeks of small changes, in little. `cargo soak SECONDS` does the same for longer.

use std::time::Duration;

use tests::soak::{self, Vitals};

/// 1. For 25 seconds, change 1 % of a list of 10,000 each second and update; add to the packet log
///    and upload.
/// 2. Meanwhile rotate and compress the packet log, stop the policy service for some seconds, let
///    the log service refuse and hang up.
/// 3. Check after each update that file and table are what was served last, also while there is no
///    service; at the end that each record has arrived in one slice, that no slice came again that
///    was confirmed, that the log has no word that does not belong, that the engine is still the
///    first one, and that neither memory nor open files of helper and engine rise.
#[test]
fn small_changes_leave_everything_flat_and_whole() {
    let report = soak::run(Duration::from_secs(25), |_| {});
    println!("{report}");
    assert!(report.progress.updates >= 10 && report.progress.slices >= 5, "{report}");
    assert!(report.failed_updates > 0 && report.failed_uploads > 0, "{report}");
    assert!(report.rotations > 0 && report.repeated > 0, "{report}");
    assert!(report.vitals.iter().all(Vitals::is_flat), "{report}");
}
