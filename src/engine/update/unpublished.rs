//! Why the block table is not what the lists in force make.

use imsg::TableId;
use policy::Reason;
use prefix::Refusal;

use super::judge::Judged;
use super::publish::Published;
use super::runs::Unpublished;

/// The reason, of a run that has published what it could.
pub fn unpublished(judged: &Judged, published: &Published) -> Option<Unpublished> {
    if let Some(why) = published.failures.first() {
        return Some(Unpublished { why: why.clone(), again: true });
    }
    if published.done.contains(&TableId::BLOCK) {
        return None;
    }
    let kept = judged.kept_tables.get(&TableId::BLOCK)?;
    let why = match kept.reason {
        Reason::Refused(Refusal::Empty) => {
            "the block table would have nothing left, and is never made empty".to_owned()
        }
        _ => kept.to_string(),
    };
    Some(Unpublished { why, again: false })
}
