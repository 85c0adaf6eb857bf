//! IP prefixes, address ranges, sets of prefixes, and the packed form in which they travel.
//!
//! The two families are kept apart as `Net<u32>` and `Net<u128>`, so that a million IPv4 prefixes cost
//! five octets each and an IPv6 address can never be compared with an IPv4 one.
//!
//! * In: addresses and lengths as numbers, as text, or packed.
//! * Out: prefixes in canonical form, ordered sets of them, their text and packed form; what
//!   forbids a set.
//! * Never: I/O, a clock or global state; a prefix with host bits.

mod bounds;
mod coverage;
mod digits;
mod item;
mod net;
mod packed;
mod quoted;
mod range;
mod reserved;
mod set;
mod shield;
mod text;

#[cfg(test)]
mod tests;

pub use bounds::{Bounds, Floor, Kind, Refusal, Tally};
pub use coverage::{Coverage, Excess};
pub use digits::{DOTTED, read_decimal, read_v4};
pub use item::{Item, Items};
pub use net::{Address, Net, Prefix, Prefix4, Prefix6};
pub use packed::pack;
pub use quoted::quoted;
pub use range::{Range, Range4, Range6};
pub use reserved::{private, reserved, unrouted};
pub use set::{OrderError, PrefixSet};
pub use shield::Shield;
pub use text::{ParseError, read_line, write_line, write_set};
