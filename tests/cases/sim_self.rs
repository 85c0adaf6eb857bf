//! The simulated policy service, NSD and PowerDNS serve the same list.
//!
//! 1. Make a list of 26,424 table entries, with holes, repetitions and both families.
//! 2. Spread it over as many names as it needs, in each layout that the service may use.
//! 3. Serve it by the embedded service, by NSD and by PowerDNS.
//! 4. Fetch it with a raw client that knows nothing of the program.
//! 5. Check that exactly the items of the list came back.
//! 6. Check that dig reads the same from the embedded service.
//! 7. Serve a list at one name that holds more than a message can, and see what each server does.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::LazyLock;

use tests::item::Item;
use tests::lists::{allow_list, basic_list};
use tests::process::{PATIENCE, run};
use tests::servers::{Nsd, PowerDns, require_program};
use tests::sim::{Client, Layout, PolicyService, SUFFIX, Shape, Zone, rcode, rtype};

const BLOCK: &str = "basic.threatstop.local";
const ALLOW: &str = "dns.threatstop.local";

fn sorted(mut items: Vec<Item>) -> Vec<Item> {
    items.sort_unstable();
    items
}

/// The items of the list, which are made once.
fn list() -> &'static [Item] {
    static LIST: LazyLock<Vec<Item>> = LazyLock::new(|| basic_list(26_424).items);
    &LIST
}

/// The zone with both lists, spread as `shape` says.
fn zone(shape: Shape) -> Zone {
    let mut zone = Zone::new(SUFFIX);
    zone.set_list(BLOCK, list(), shape);
    zone.set_list(ALLOW, &allow_list(), shape);
    zone
}

/// Both lists come from the server whole.
fn check(addr: SocketAddr, shape: Shape) {
    let mut client = Client::connect(addr).unwrap();
    // both at once: a server does not wait for ever between two questions
    let (block, allow) = (client.fetch(BLOCK).unwrap(), client.fetch(ALLOW).unwrap());
    let (block, served) = (sorted(block), sorted(list().to_vec()));
    assert_eq!(block.len(), served.len(), "{shape:?}");
    assert!(block == served, "{shape:?}: other items than were served");
    assert_eq!(sorted(allow), allow_list(), "{shape:?}");
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

/// Another reader of APL than ours: the text that dig makes of it.
#[test]
fn embedded_service_as_dig_sees_it() {
    let Some(dig) = require_program("dig") else { return };
    let service = PolicyService::start(zone(Shape::from(Layout::Index)));
    let ask = |name: &str, rtype: &str| {
        let server = format!("@{}", service.addr().ip());
        let port = service.addr().port().to_string();
        let arguments = ["-r", "+tcp", "+short", &server, "-p", &port, name, rtype];
        let output = run(Command::new(&dig).args(arguments), PATIENCE);
        assert!(output.status.success(), "{name} {rtype}: {}", output.stdout);
        output.stdout
    };
    let mut seen = Vec::new();
    for name in ask(BLOCK, "PTR").lines() {
        for word in ask(name, "APL").split_whitespace() {
            // [!]family:address/length
            let (family, prefix) = word.split_once(':').unwrap();
            let not = if family.starts_with('!') { "!" } else { "" };
            seen.push(format!("{not}{prefix}").parse().unwrap());
        }
    }
    assert!(sorted(seen) == sorted(list().to_vec()), "dig reads other items");
}

#[test]
fn nsd() {
    for layout in [Layout::Index, Layout::Continuation, Layout::Chain] {
        let shape = Shape::from(layout).per_record(64);
        let Some(server) = Nsd::start(&zone(shape)) else { return };
        check(server.addr(), shape);
    }
}

#[test]
fn powerdns() {
    for layout in [Layout::Index, Layout::Continuation, Layout::Chain] {
        for shape in [Shape::from(layout), Shape::from(layout).per_record(64)] {
            let Some(server) = PowerDns::start(&zone(shape)) else { return };
            check(server.addr(), shape);
        }
    }
}

/// A zone with a list at a single name that does not fit in an answer.
fn too_large() -> Zone {
    zone(Shape::from(Layout::Single).per_record(64))
}

/// NOERROR, TC=1 and no record: not an empty list.
fn check_truncated(addr: SocketAddr) {
    let reply = Client::connect(addr).unwrap().ask(BLOCK, rtype::APL).unwrap();
    assert_eq!((reply.rcode(), reply.truncated(), reply.answers.len()), (rcode::NOERROR, true, 0));
}

#[test]
fn embedded_service_truncates() {
    check_truncated(PolicyService::start(too_large()).addr());
}

#[test]
fn nsd_truncates() {
    let Some(server) = Nsd::start(&too_large()) else { return };
    check_truncated(server.addr());
}

/// PowerDNS up to 4.6 truncates; since 4.7 it closes the connection. Either is no list.
#[test]
fn powerdns_truncates_or_closes() {
    let Some(server) = PowerDns::start(&too_large()) else { return };
    let mut client = Client::connect(server.addr()).unwrap();
    client.send(BLOCK, rtype::APL).unwrap();
    match client.receive() {
        Ok(_) => check_truncated(server.addr()),
        Err(why) => {
            assert_eq!(why.kind(), std::io::ErrorKind::UnexpectedEof, "{}", server.output())
        }
    }
    // The server itself goes on.
    let allow = Client::connect(server.addr()).unwrap().fetch(ALLOW).unwrap();
    assert_eq!(sorted(allow), allow_list());
}

/// An empty record is a list without items. (PowerDNS 4.7 answers SERVFAIL for one.)
#[test]
fn nsd_serves_an_empty_list() {
    let mut zone = Zone::new(SUFFIX);
    zone.set_list(ALLOW, &[], Layout::Single);
    let Some(server) = Nsd::start(&zone) else { return };
    let reply = Client::connect(server.addr()).unwrap().ask(ALLOW, rtype::APL).unwrap();
    assert_eq!((reply.answers.len(), reply.answers[0].rdata.len()), (1, 0));
}
