//! Why the block table is not what the lists in force make.

use imsg::TableId;
use policy::Reason;
use prefix::Refusal;

use super::judge::Judged;
use super::publish::Published;
use super::runs::Unpublished;

/// The reason, of a run that has published what it could.
pub fn unpublished(judged: &Judged, published: &Published) -> Option<Unpublished> {
    if published.done[TableId::Block as usize] {
        return None;
    }
    if let Some(why) = published.failures.first() {
        return Some(Unpublished { why: why.clone(), again: true });
    }
    let kept = judged.kept_tables[TableId::Block as usize].as_ref()?;
    let why = match kept.reason {
        Reason::Refused(Refusal::Empty) => {
            "the block table would have nothing left, and is never made empty".to_owned()
        }
        _ => kept.to_string(),
    };
    Some(Unpublished { why, again: false })
}
