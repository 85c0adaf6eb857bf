use super::*;
use crate::item::items;
use crate::lists::big_list;
use crate::sim::wire::{Query, Reply};
use crate::sim::{Client, Fault, Layout, rcode};

const LIST: &str = "basic.threatstop.local";

fn sorted(mut items: Vec<Item>) -> Vec<Item> {
    items.sort_unstable();
    items
}

fn fetch(service: &PolicyService) -> Result<Vec<Item>, String> {
    Client::connect(service.addr()).unwrap().fetch(LIST).map(sorted)
}

#[test]
fn other_types_are_served() {
    let service = PolicyService::start(Zone::new("threatstop.local"));
    let mut client = Client::connect(service.addr()).unwrap();
    service.set_list(LIST, &items("5.0.0.1 5.0.0.2 2a0b::1"), Layout::Numbered);
    let reply = client.ask(LIST, rtype::A).unwrap();
    let mut addrs: Vec<_> = reply.answers.into_iter().map(|record| record.rdata).collect();
    addrs.sort_unstable();
    assert_eq!(addrs, [[5, 0, 0, 1], [5, 0, 0, 2]]);
    assert_eq!(client.ask(LIST, rtype::AAAA).unwrap().answers[0].rdata[15], 1);
    service.set_list(LIST, &items("5.0.0.0/24"), Layout::Txt);
    assert_eq!(client.ask(LIST, rtype::TXT).unwrap().answers[0].rdata, b"\x0a5.0.0.0/24");
    service.edit(|zone| {
        crate::sim::traps::aliases(zone, "alias.threatstop.local", 1, &items("5.0.0.1"));
    });
    let reply = client.ask("alias.threatstop.local", rtype::APL).unwrap();
    assert_eq!(reply.answers[0].target.as_deref(), Some("alias1.alias.threatstop.local"));
    assert_eq!(reply.answers[1].rdata, apl_of("5.0.0.1"));
}

fn apl_of(text: &str) -> Vec<u8> {
    crate::sim::apl::rdata(&items(text))
}

/// An APL record without data is legal and an empty list; the library has no notion of either.
#[test]
fn an_empty_list_is_served_as_an_empty_record() {
    let service = PolicyService::start(Zone::new("threatstop.local"));
    service.set_list(LIST, &[], Layout::Single);
    let reply = Client::connect(service.addr()).unwrap().ask(LIST, rtype::APL).unwrap();
    assert_eq!((reply.answers.len(), reply.answers[0].rdata.len()), (1, 0));
}

#[test]
fn what_does_not_fit_is_truncated_and_empty() {
    let service = PolicyService::start(Zone::new("threatstop.local"));
    service.set_list(LIST, &big_list(9000).items, Layout::Single);
    let reply = Client::connect(service.addr()).unwrap().ask(LIST, rtype::APL).unwrap();
    assert_eq!((reply.rcode(), reply.truncated()), (rcode::NOERROR, true));
    assert!(reply.answers.is_empty() && reply.authorities.is_empty());
}

#[test]
fn what_is_not_there_is_said() {
    let service = PolicyService::start(Zone::new("threatstop.local"));
    let mut client = Client::connect(service.addr()).unwrap();
    let reply = client.ask(LIST, rtype::APL).unwrap();
    assert_eq!((reply.rcode(), reply.authorities.len()), (rcode::NXDOMAIN, 1));
    assert_eq!(client.ask("example.com", rtype::APL).unwrap().rcode(), rcode::REFUSED);
    service.edit(|zone| {
        zone.set_fault(LIST, Fault::Rcode(rcode::REFUSED));
    });
    assert_eq!(client.ask(LIST, rtype::APL).unwrap().rcode(), rcode::REFUSED);
}

/// Each question is answered from before or from after a change, in whole.
#[test]
fn a_list_changes_at_once() {
    let service = PolicyService::start(Zone::new("threatstop.local"));
    let (few, many) = (items("5.0.0.1"), big_list(5000).items);
    service.set_list(LIST, &few, Layout::Single);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..50 {
                let list = if round % 2 == 0 { &many } else { &few };
                service.set_list(LIST, list, Layout::Single);
            }
        });
        for _ in 0..50 {
            let seen = fetch(&service).unwrap().len();
            assert!(seen == few.len() || seen == many.len(), "{seen} items");
        }
    });
    assert_eq!(fetch(&service), Ok(few));
}

#[test]
fn pipelined_questions_are_all_answered() {
    let service = PolicyService::start(Zone::new("threatstop.local"));
    service.set_list(LIST, &big_list(100_000).items, Shape::from(Layout::Index).names(32));
    let mut client = Client::connect(service.addr()).unwrap();
    let ids: Vec<u16> = (1..=32)
        .map(|number| client.send(&format!("{number}.{LIST}"), rtype::APL).unwrap())
        .collect();
    let mut seen: Vec<u16> =
        ids.iter().map(|_| Reply::read(&client.receive().unwrap()).unwrap().id).collect();
    seen.sort_unstable();
    assert_eq!(seen, ids);
    assert_eq!(service.queries().total(), 32);
    assert_eq!(service.queries().connections(), 1);
}

#[test]
fn the_port_is_free_after_stop() {
    let service = PolicyService::start(Zone::new("threatstop.local"));
    let addr = service.addr();
    service.stop();
    assert!(Client::connect(addr).is_err());
}

/// The largest answers that are not truncated are ones that the library can send, with OPT too.
#[test]
fn the_largest_answers_are_sent_whole() {
    for count in [1, 60, 121, 1000] {
        // Room for owners in full, and the last record takes what is left.
        let octets = 65_000 / count - 36;
        let mut zone = Zone::new("threatstop.local");
        let mut build = |last: usize| {
            zone.remove(LIST);
            for _ in 1..count {
                zone.add(LIST, Data::Apl(vec![0; octets]));
            }
            zone.add(LIST, Data::Apl(vec![0; last]));
            zone.clone()
        };
        let fits = |zone: &Zone| {
            let answer = zone.answer(LIST, rtype::APL);
            !answer.truncated && library_size(LIST, &answer) <= 65_535
        };
        let mut last = 0;
        for step in (0..16).rev().map(|bit| 1 << bit) {
            last += if fits(&build(last + step)) { step } else { 0 };
        }
        let service = PolicyService::start(build(last));
        let mut client = Client::connect(service.addr()).unwrap();
        let query = Query { edns: true, ..Query::new(9, LIST, rtype::APL) };
        client.send_query(&query).unwrap();
        let message = client.receive().unwrap();
        assert_eq!(message.len(), 65_535, "{count} records");
        let reply = Reply::read(&message).unwrap();
        assert_eq!((reply.answers.len(), reply.truncated()), (count, false));
    }
}
