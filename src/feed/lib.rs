//! Formats of public block lists: octets in, prefixes out.
//!
//! A [`Reader`] takes the octets of a list as they come, in pieces of any size, and keeps nothing
//! but the prefixes, of which there are at most as many as it was told. A line that is none is
//! skipped, counted, and the first one shown; a list that is refused is refused as a whole, so that
//! a page of HTML, a half of a document or another format never becomes a smaller list.
//!
//! CSV is split by csv-core, which streams; JSON is split here, since no kept reader of JSON bounds the
//! strings and names that it holds, and a stranger decides how long these are.
//!
//! * In: the format of a list, its bounds, and its octets in pieces of any size.
//! * Out: the prefixes and what was skipped, or why the list is refused.
//! * Never: I/O or a clock; memory by anything that a stranger has written but prefixes, and of
//!   these no more than the bound.

mod csv;
mod entry;
mod excerpt;
mod format;
mod json;
mod jsonl;
mod lines;
mod pointer;
mod reader;
mod refused;
mod taken;
mod told;

#[cfg(test)]
mod tests;

pub use format::{Column, Format};
pub use json::DEEPEST;
pub use lines::LONGEST_LINE;
pub use pointer::{LONGEST_NAME, Pointer};
pub use reader::{Read, Reader};
pub use refused::Refused;
pub use told::{Skipped, Told};
