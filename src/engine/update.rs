//! Updates: one at a time, whoever asks for it.
//!
//! A run gathers what the sources bring, judges it and composes tables of it, publishes these, and
//! notes what is in force. A run that asks nobody composes what is in force anew. There is no other
//! way to a table but the way back, [`Update::rollback`].

pub mod compose;
mod gather;
mod judge;
mod note;
mod publish;
mod request;
mod rollback;
mod run;
mod running;
mod runs;
mod stays;
pub mod summary;
mod tell;
mod unpublished;

pub use publish::Hand;
pub use request::Request;
pub use rollback::{Before, set_before};
pub use run::{Asked, Update};
pub use running::Ended;
pub use runs::Runs;
