//! The answer to `show hits`.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// How often the block table was hit, as far as packets were logged. The busiest come first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hits {
    /// When counting began.
    pub since: u64,
    /// Packets that came in.
    pub r#in: u64,
    /// Packets that went out.
    pub out: u64,
    /// By address, at most a thousand.
    pub addresses: Vec<AddressHits>,
    /// By list that names the address.
    pub lists: Vec<ListHits>,
    /// By protocol.
    pub protocols: Vec<ProtocolHits>,
    /// By destination port, at most a thousand.
    pub ports: Vec<PortHits>,
}

/// Hits of an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressHits {
    /// The address in the table.
    pub address: IpAddr,
    /// Packets that came in.
    pub r#in: u64,
    /// Packets that went out.
    pub out: u64,
    /// When the last one was seen.
    pub last: u64,
    /// Lists that name it now, at most two.
    pub lists: Vec<String>,
}

/// Hits of the addresses of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListHits {
    /// Its name; `anchor` for rules of `log.anchor` whose packets no list names, `unlisted` for
    /// addresses that no list names any more.
    pub list: String,
    /// Packets that came in.
    pub r#in: u64,
    /// Packets that went out.
    pub out: u64,
}

/// Hits by a protocol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtocolHits {
    /// Its word of protocols(5), or its number.
    pub protocol: String,
    /// Packets that came in.
    pub r#in: u64,
    /// Packets that went out.
    pub out: u64,
}

/// Hits on a destination port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortHits {
    /// The protocol, as in [`ProtocolHits`].
    pub protocol: String,
    /// The port.
    pub port: u16,
    /// Packets that came in.
    pub r#in: u64,
    /// Packets that went out.
    pub out: u64,
}
