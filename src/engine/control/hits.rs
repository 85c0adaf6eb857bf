//! `show hits`.

use control::{AddressHits, Hits, ListHits, PortHits, ProtocolHits};

use prefix::Kind;

use crate::log::hits::{BUSIEST, Hits as Counted, protocol_word};
use crate::state::Policy;

/// Lists that are named with an address; `why` names them all.
const LISTS: usize = 2;

/// What was counted, the busiest first, with the lists of a policy that name the addresses.
pub fn hits(hits: &Counted, policy: &Policy) -> Hits {
    let addresses = hits.addresses.sorted().into_iter().take(BUSIEST);
    let ports = hits.ports.sorted().into_iter().take(BUSIEST);
    Hits {
        since: hits.since,
        r#in: hits.total.r#in,
        out: hits.total.out,
        addresses: addresses
            .map(|(address, count)| {
                let lists = policy.lists(Kind::Block).into_iter();
                let lists = lists.filter(|list| list.contains(address));
                AddressHits {
                    address,
                    r#in: count.r#in,
                    out: count.out,
                    last: count.last.into(),
                    lists: lists.map(|list| list.name().to_owned()).take(LISTS).collect(),
                }
            })
            .collect(),
        lists: hits
            .lists
            .sorted()
            .into_iter()
            .map(|(list, count)| ListHits { list, r#in: count.r#in, out: count.out })
            .collect(),
        protocols: hits
            .protocols
            .sorted()
            .into_iter()
            .map(|(number, count)| ProtocolHits {
                protocol: protocol_word(number),
                r#in: count.r#in,
                out: count.out,
            })
            .collect(),
        ports: ports
            .map(|((number, port), count)| PortHits {
                protocol: protocol_word(number),
                port,
                r#in: count.r#in,
                out: count.out,
            })
            .collect(),
    }
}
