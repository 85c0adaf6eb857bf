//! Handing a set to the helper.

use imsg::{Outcome, Purpose, TableId};
use prefix::PrefixSet;

use crate::Engine;

/// Has the helper publish a set, put it back, or try whether it could.
///
/// # Errors
/// Why the previous set stays, in the helper's words.
pub async fn publish(
    engine: &Engine,
    table: TableId,
    set: &PrefixSet,
    purpose: Purpose,
) -> Result<(), String> {
    let result = engine.link.publish(table, set, purpose).await?;
    match result.outcome {
        Outcome::Failed => Err(result.failure),
        _ => Ok(()),
    }
}
