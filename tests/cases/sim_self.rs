//! The simulated policy service, NSD and PowerDNS serve the same list.
//!
//! 1. Make a list of 26,424 table entries, with holes, repetitions and both families.
//! 2. Spread it over as many names as it needs, in each layout that the service may use.
//! 3. Serve it by the embedded service.
//! 4. Fetch it with a raw client that knows nothing of the program.
//! 5. Check that exactly the items of the list came back.

// A test stops at the first thing that is not as expected; there is nobody to hand an error to.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::net::SocketAddr;

use tests::item::Item;
use tests::lists::{allow_list, basic_list};
use tests::sim::{Client, Layout, PolicyService, SUFFIX, Shape, Zone};

const BLOCK: &str = "basic.threatstop.local";
const ALLOW: &str = "dns.threatstop.local";

fn sorted(mut items: Vec<Item>) -> Vec<Item> {
    items.sort_unstable();
    items
}

/// The zone with both lists, spread as `shape` says.
fn zone(shape: Shape) -> Zone {
    let mut zone = Zone::new(SUFFIX);
    zone.set_list(BLOCK, &basic_list(26_424).items, shape);
    zone.set_list(ALLOW, &allow_list(), shape);
    zone
}

/// Both lists come from the server whole.
fn check(addr: SocketAddr, shape: Shape) {
    let mut client = Client::connect(addr).unwrap();
    let block = sorted(client.fetch(BLOCK).unwrap());
    assert_eq!(block.len(), basic_list(26_424).items.len(), "{shape:?}");
    assert!(block == sorted(basic_list(26_424).items), "{shape:?}: other items than were served");
    assert_eq!(sorted(client.fetch(ALLOW).unwrap()), allow_list(), "{shape:?}");
}

#[test]
fn embedded_service() {
    for layout in [Layout::Index, Layout::Continuation, Layout::Chain] {
        for shape in [Shape::from(layout), Shape::from(layout).per_record(64)] {
            let service = PolicyService::start(zone(shape));
            check(service.addr(), shape);
        }
    }
}
