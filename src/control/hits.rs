//! The answer to `show hits`.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// How often the block table was hit, as far as packets were logged. The busiest come first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hits {
    /// When counting began.
    pub since: u64,
    /// Whether `tables.monitor` is set: nothing is blocked, and what is counted would have been.
    #[serde(default)]
    pub monitoring: bool,
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
    /// By host on our side, at most a thousand: those that sent first.
    #[serde(default)]
    pub hosts: Vec<HostHits>,
    /// How exact that is.
    #[serde(default)]
    pub missed: Missed,
}

/// Hits of a host on our side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostHits {
    /// Its address: that of the host itself where pf has translated it and says so.
    pub address: IpAddr,
    /// Packets that it sent to addresses in a block table, on whatever interface.
    pub out: u64,
    /// Packets that came to it from such addresses.
    pub r#in: u64,
    /// When the last one was seen.
    pub last: u64,
    /// The address at the other end of the last packet.
    pub far: Option<IpAddr>,
    /// Lists that name that address now, at most two.
    pub lists: Vec<String>,
}

/// By how many packets a number of [`Hits`] may be too low at most, and how many packets somebody who
/// is not among them may have: 0 as long as there were no more of them than are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missed {
    /// Of an address.
    pub addresses: u64,
    /// Of a port.
    pub ports: u64,
    /// Of a host, in one direction.
    pub hosts: u64,
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
    /// The destination port of the packets.
    pub port: u16,
    /// Packets that came in.
    pub r#in: u64,
    /// Packets that went out.
    pub out: u64,
}
