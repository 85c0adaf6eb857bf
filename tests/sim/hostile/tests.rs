use std::io::ErrorKind;
use std::time::Instant;

use super::*;
use crate::item::items;
use crate::sim::wire::{AA, CLASS_IN, Reply};
use crate::sim::{Client, Layout, Shape, rtype};

const LIST: &str = "basic.threatstop.local";

fn zone() -> Zone {
    let mut zone = Zone::new("threatstop.local");
    let three = items("5.0.0.1 5.0.0.2 5.0.0.3");
    zone.set_list(LIST, &three, Shape::from(Layout::Index).names(3));
    zone
}

/// Asks for the APL records of the first chunk and returns the octets that come.
fn octets(plan: Plan) -> Vec<u8> {
    let service = HostileService::start(zone(), plan);
    let mut client = Client::connect(service.addr()).unwrap();
    client.send(&format!("1.{LIST}"), rtype::APL).unwrap();
    client.receive().unwrap()
}

fn reply(fault: MessageFault) -> Reply {
    Reply::read(&octets(Plan::message(fault))).unwrap()
}

#[test]
fn an_honest_plan_is_an_honest_server() {
    let service = HostileService::start(zone(), Plan::honest());
    let mut list = Client::connect(service.addr()).unwrap().fetch(LIST).unwrap();
    list.sort_unstable();
    assert_eq!(list, items("5.0.0.1 5.0.0.2 5.0.0.3"));
    let queries = service.queries();
    assert_eq!((queries.total(), queries.connections()), (8, 1));
    assert_eq!(queries.of(LIST, rtype::PTR), 1);
}

#[test]
fn messages_have_the_fault_and_nothing_else() {
    let name = format!("1.{LIST}");
    let sound = Reply::read(&octets(Plan::honest())).unwrap();
    assert_eq!((sound.id, sound.answers.len()), (1, 1));

    let with_id = Reply { id: 0x5554, ..sound.clone() };
    assert_eq!(reply(MessageFault::WrongId), with_id);
    let other = ("other.threatstop.local".to_string(), rtype::APL, CLASS_IN);
    let renamed = Reply { question: other, ..sound.clone() };
    assert_eq!(reply(MessageFault::WrongQuestion), renamed);
    let retyped = Reply { question: (name.clone(), 43, CLASS_IN), ..sound.clone() };
    assert_eq!(reply(MessageFault::WrongType), retyped);
    let chaos = reply(MessageFault::WrongClass);
    assert_eq!((chaos.question.2, chaos.answers[0].class), (3, 3));
    assert_eq!(reply(MessageFault::WrongOwner).answers[0].owner, "other.threatstop.local");

    let flags = |fault| reply(fault).flags;
    assert_eq!(flags(MessageFault::NotAResponse), sound.flags & !QR);
    assert_eq!(flags(MessageFault::Opcode(5)), sound.flags | 5 << 11);
    assert_eq!(flags(MessageFault::Truncated), sound.flags | TC);
    assert_eq!(flags(MessageFault::Rcode(rcode::SERVFAIL)), sound.flags | 2);
    assert_eq!(flags(MessageFault::Rcode(rcode::REFUSED)), (sound.flags & !AA) | 5);
    assert!(reply(MessageFault::Rcode(rcode::SERVFAIL)).answers.is_empty());
}

#[test]
fn messages_that_cannot_be_read() {
    let whole = octets(Plan::honest());
    assert_eq!(octets(Plan::message(MessageFault::Short(11))), whole[..11]);
    let trailing = octets(Plan::message(MessageFault::Trailing(3)));
    assert_eq!(trailing, [&whole[..], &[0, 0, 0]].concat());
    let count = octets(Plan::message(MessageFault::Count(0xffff)));
    assert_eq!(
        (&count[..6], &count[6..8], &count[8..]),
        (&whole[..6], &[0xff; 2][..], &whole[8..])
    );
    let header = octets(Plan::message(MessageFault::HeaderOnly(rcode::FORMERR)));
    assert_eq!(header, [0, 1, 0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    let why = Reply::read(&octets(Plan::message(MessageFault::PointerLoop))).unwrap_err();
    assert_eq!(why, "name at 42 points forward to 42");
    let tiny = Reply::read(&octets(Plan::message(MessageFault::TinyRecords))).unwrap();
    assert_eq!(tiny.answers.len(), (65_535 - 42) / 11);
}

#[test]
fn edns_may_be_required() {
    let service = HostileService::start(zone(), Plan::message(MessageFault::NeedsEdns));
    let mut client = Client::connect(service.addr()).unwrap();
    assert_eq!(client.ask(LIST, rtype::PTR).unwrap().rcode(), rcode::FORMERR);
    client.send_query(&Query { edns: true, ..Query::new(9, LIST, rtype::PTR) }).unwrap();
    let reply = Reply::read(&client.receive().unwrap()).unwrap();
    assert_eq!((reply.rcode(), reply.answers.len()), (rcode::NOERROR, 3));
}

#[test]
fn a_fault_may_befall_one_name() {
    let second = format!("2.{LIST}");
    let fault = MessageFault::Rcode(rcode::SERVFAIL);
    let service = HostileService::start(zone(), Plan::honest().at(&second, fault));
    let mut client = Client::connect(service.addr()).unwrap();
    assert_eq!(client.ask(&format!("1.{LIST}"), rtype::APL).unwrap().rcode(), rcode::NOERROR);
    assert_eq!(client.ask(&second, rtype::APL).unwrap().rcode(), rcode::SERVFAIL);
}

/// Sends three questions at once; the identifiers of the answers, and how it ended.
fn three_at_once(fault: ConnectionFault) -> (Vec<u16>, Option<ErrorKind>) {
    let service = HostileService::start(zone(), Plan::connection(fault));
    let mut client = Client::connect(service.addr()).unwrap();
    for number in 1..=3 {
        client.send(&format!("{number}.{LIST}"), rtype::APL).unwrap();
    }
    let mut ids = Vec::new();
    while ids.len() < 3 {
        match client.receive() {
            Ok(message) => ids.push(Reply::read(&message).unwrap().id),
            Err(why) => return (ids, Some(why.kind())),
        }
    }
    (ids, None)
}

#[test]
fn connections_end_when_they_should() {
    let eof = Some(ErrorKind::UnexpectedEof);
    assert_eq!(three_at_once(ConnectionFault::None), (vec![1, 2, 3], None));
    assert_eq!(three_at_once(ConnectionFault::CloseAfter(0)), (vec![], eof));
    assert_eq!(three_at_once(ConnectionFault::CloseAfter(2)), (vec![1, 2], eof));
    assert_eq!(three_at_once(ConnectionFault::HalfAfter(1)), (vec![1], eof));
    assert_eq!(three_at_once(ConnectionFault::OneAtATime), (vec![], eof));
    assert_eq!(three_at_once(ConnectionFault::Reversed(32)), (vec![3, 2, 1], None));
    assert_eq!(three_at_once(ConnectionFault::Reversed(2)), (vec![2, 1, 3], None));
    let reset = Some(ErrorKind::ConnectionReset);
    assert_eq!(three_at_once(ConnectionFault::ResetAfter(0)), (vec![], reset));
}

#[test]
fn one_question_at_a_time_is_borne() {
    let plan = Plan::connection(ConnectionFault::OneAtATime);
    let service = HostileService::start(zone(), plan);
    assert_eq!(Client::connect(service.addr()).unwrap().fetch(LIST).unwrap().len(), 3);
}

#[test]
fn an_answer_too_large_may_close_the_connection() {
    let mut zone = zone();
    zone.set_list("huge.threatstop.local", &crate::lists::big_list(9000).items, Layout::Single);
    let plan = Plan::connection(ConnectionFault::CloseWhenTooLarge);
    let service = HostileService::start(zone, plan);
    let mut client = Client::connect(service.addr()).unwrap();
    assert_eq!(client.ask(LIST, rtype::PTR).unwrap().answers.len(), 3);
    client.send("huge.threatstop.local", rtype::APL).unwrap();
    assert_eq!(client.receive().unwrap_err().kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn servers_that_keep_a_client_waiting() {
    for fault in [ConnectionFault::Silent, ConnectionFault::NeverAccept] {
        let service = HostileService::start(zone(), Plan::connection(fault));
        let mut client = Client::connect(service.addr()).unwrap();
        client.set_patience(Duration::from_millis(200)).unwrap();
        client.send(LIST, rtype::PTR).unwrap();
        let why = client.receive().unwrap_err().kind();
        assert!(matches!(why, ErrorKind::WouldBlock | ErrorKind::TimedOut), "{fault:?}: {why}");
    }
    let interval = Duration::from_millis(5);
    let service = HostileService::start(zone(), Plan::connection(ConnectionFault::Drip(interval)));
    let start = Instant::now();
    let reply = Client::connect(service.addr()).unwrap().ask(LIST, rtype::PTR).unwrap();
    assert_eq!(reply.answers.len(), 3);
    assert!(start.elapsed() > 100 * interval, "{:?}", start.elapsed());
}

#[test]
fn lengths_that_lie() {
    let ask = |fault| {
        let service = HostileService::start(zone(), Plan::connection(fault));
        let mut client = Client::connect(service.addr()).unwrap();
        client.set_patience(Duration::from_millis(200)).unwrap();
        client.send(LIST, rtype::PTR).unwrap();
        client.receive().map_err(|why| why.kind())
    };
    assert_eq!(ask(ConnectionFault::LengthZero), Ok(Vec::new()));
    let why = ask(ConnectionFault::LengthLie).unwrap_err();
    assert!(matches!(why, ErrorKind::WouldBlock | ErrorKind::TimedOut), "{why}");
}

#[test]
fn answers_without_an_end_are_to_other_questions() {
    let plan = Plan::connection(ConnectionFault::Endless);
    let service = HostileService::start(zone(), plan);
    let mut client = Client::connect(service.addr()).unwrap();
    let id = client.send(LIST, rtype::PTR).unwrap();
    for _ in 0..10_000 {
        let reply = Reply::read(&client.receive().unwrap()).unwrap();
        assert!(reply.id != id || reply.question.0 != LIST);
    }
}

#[test]
fn a_server_may_be_healed() {
    let plan = Plan::connection(ConnectionFault::CloseAfter(0)).first_connections(1);
    let service = HostileService::start(zone(), plan);
    assert!(Client::connect(service.addr()).unwrap().fetch(LIST).is_err());
    assert_eq!(Client::connect(service.addr()).unwrap().fetch(LIST).unwrap().len(), 3);
    service.set_plan(Plan::message(MessageFault::WrongId));
    assert!(Client::connect(service.addr()).unwrap().fetch(LIST).is_err());
    service.set_plan(Plan::connection(ConnectionFault::NeverAccept));
    let mut waiting = Client::connect(service.addr()).unwrap();
    waiting.set_patience(Duration::from_millis(100)).unwrap();
    assert!(waiting.fetch(LIST).is_err());
    service.set_plan(Plan::honest());
    assert_eq!(Client::connect(service.addr()).unwrap().fetch(LIST).unwrap().len(), 3);
}
