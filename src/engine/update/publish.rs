//! Handing a set to the helper.

use imsg::{Outcome, TableId};
use prefix::PrefixSet;

use crate::Engine;

/// Has the helper publish a set, or with `dry_run` try whether it could.
///
/// # Errors
/// Why the previous set stays, in the helper's words.
pub async fn publish(
    engine: &Engine,
    table: TableId,
    set: &PrefixSet,
    dry_run: bool,
) -> Result<(), String> {
    let result = engine.link.publish(table, set, dry_run).await?;
    match result.outcome {
        Outcome::Failed => Err(result.failure),
        _ => Ok(()),
    }
}
