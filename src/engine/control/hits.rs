//! `show hits`.

use std::net::IpAddr;

use control::{AddressHits, Hits, HostHits, ListHits, Missed, PortHits, ProtocolHits};

use prefix::Kind;

use crate::hits::{BUSIEST, Hits as Counted, protocol_word};
use crate::state::Policy;

/// Lists that are named with an address; `why` names them all.
const LISTS: usize = 2;

/// The first lists of a policy that name an address.
fn lists(policy: &Policy, address: IpAddr) -> Vec<String> {
    let lists = policy.lists(Kind::Block).into_iter();
    let lists = lists.filter(|list| list.contains(address));
    lists.map(|list| list.name().to_owned()).take(LISTS).collect()
}

/// What was counted, the busiest first, with the lists of a policy that name the addresses; with
/// `monitoring` it would have been blocked.
pub fn hits(hits: &Counted, policy: &Policy, monitoring: bool) -> Hits {
    let addresses = hits.addresses.sorted().into_iter().take(BUSIEST);
    let ports = hits.ports.sorted().into_iter().take(BUSIEST);
    let hosts = hits.hosts.sorted().into_iter();
    Hits {
        since: hits.since,
        monitoring,
        r#in: hits.total.r#in,
        out: hits.total.out,
        addresses: addresses
            .map(|(address, count, ())| AddressHits {
                address,
                r#in: count.r#in,
                out: count.out,
                last: count.last.into(),
                lists: lists(policy, address),
            })
            .collect(),
        lists: hits
            .lists
            .sorted()
            .into_iter()
            .map(|(list, count, ())| ListHits { list, r#in: count.r#in, out: count.out })
            .collect(),
        protocols: hits
            .protocols
            .sorted()
            .into_iter()
            .map(|(number, count, ())| ProtocolHits {
                protocol: protocol_word(number),
                r#in: count.r#in,
                out: count.out,
            })
            .collect(),
        ports: ports
            .map(|((number, port), count, ())| PortHits {
                protocol: protocol_word(number),
                port,
                r#in: count.r#in,
                out: count.out,
            })
            .collect(),
        hosts: hosts
            .map(|host| HostHits {
                address: host.address,
                out: host.count.out,
                r#in: host.count.r#in,
                last: host.count.last.into(),
                far: host.far,
                lists: host.far.map(|far| lists(policy, far)).unwrap_or_default(),
            })
            .collect(),
        missed: Missed {
            addresses: hits.addresses.error(),
            ports: hits.ports.error(),
            hosts: hits.hosts.error(),
        },
    }
}
