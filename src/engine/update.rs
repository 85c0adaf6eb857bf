//! Updates, whoever asks for them.
//!
//! A run gathers what the sources bring, judges it and composes tables of it, publishes these, and
//! notes what is in force. It does that with what has come, and again when the rest comes: a source that
//! is slow holds up no other one. A run that asks nobody composes what is in force anew. There is no other
//! way to a table but the way back, [`Update::rollback`].
//!
//! * In: who wants a run, and which sources it asks; what these bring.
//! * Out: tables in force by way of the helper, noted and told; a summary for who asked.
//! * Never: an empty block table, a table of a part of a list, or two that publish at once.

mod compose;
mod composed;
mod gather;
mod judge;
mod note;
mod part;
mod publish;
mod rollback;
mod run;
mod settle;
mod stays;
pub mod summary;
mod tell;
mod unpublished;
mod whole;
mod wiring;

pub use judge::unknown;
pub use publish::Publisher;
pub use rollback::{Before, set_before};
pub use wiring::{Asked, Update};
