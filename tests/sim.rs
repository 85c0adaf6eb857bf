//! The simulated policy service: a DNS server over TCP on the loopback address.
//!
//! [`PolicyService`] is the honest one, on hickory-server; [`HostileService`] answers octet by octet
//! and can get everything wrong. Both take their names from a [`Zone`]. [`Client`] is a raw client
//! that shows what a server really sends.
//!
//! * In: what a case wants to be served, well or badly.
//! * Out: answers on 127.0.0.1, and what was asked.
//! * Never: use a crate that is tested against it, whose mistakes it would share.

pub mod apl;
mod background;
mod client;
mod counters;
mod data;
mod hostile;
mod layout;
mod listserver;
pub mod logservice;
pub mod pflog;
mod service;
pub mod traps;
pub mod wire;
mod zone;

pub use client::Client;
pub use counters::Queries;
pub use data::{Data, rtype};
pub use hostile::{ConnectionFault, HostileService, MessageFault, Plan};
pub use layout::{Layout, Shape};
pub use listserver::{ListServer, Manners, Page};
pub use logservice::{Behaviour, Identity, LogService};
pub use service::PolicyService;
pub use zone::{Answer, Fault, TTL, Zone, rcode};

/// The name under which the vendor serves its lists.
pub const SUFFIX: &str = "threatstop.local";
