use super::*;
use crate::sim::{Client, HostileService, Plan, rcode, rtype};

const LIST: &str = "basic.threatstop.local";

fn serve(build: impl FnOnce(&mut Zone)) -> (HostileService, Client) {
    let mut zone = Zone::new("threatstop.local");
    build(&mut zone);
    let service = HostileService::start(zone, Plan::honest());
    let client = Client::connect(service.addr()).unwrap();
    (service, client)
}

#[test]
fn circles_of_pointers_hold_the_list() {
    let six = items("5.0.0.1 5.0.0.2 5.0.0.3 5.0.0.4 5.0.0.5 5.0.0.6");
    let (_service, mut client) = serve(|zone| ptr_to_self(zone, LIST, &six));
    assert_eq!(client.ask(LIST, rtype::PTR).unwrap().answers[0].target.as_deref(), Some(LIST));
    assert_eq!(client.fetch(LIST), Ok(six.clone()));
    let (service, mut client) = serve(|zone| ptr_circle(zone, LIST, &six));
    assert_eq!(client.fetch(LIST), Ok(six));
    assert_eq!(service.queries().total(), 6);
}

#[test]
fn pointers_lead_outside() {
    let (_service, mut client) = serve(|zone| ptr_outside(zone, LIST, &items("5.0.0.1")));
    let reply = client.ask(LIST, rtype::PTR).unwrap();
    let targets: Vec<_> = reply.answers.iter().filter_map(|at| at.target.as_deref()).collect();
    assert_eq!(targets, ["lists.example.com", "evilthreatstop.local"]);
    for target in targets {
        assert_eq!(client.ask(target, rtype::APL).unwrap().rcode(), rcode::REFUSED);
    }
}

#[test]
fn many_pointers_fit_in_an_answer() {
    let (_service, mut client) = serve(|zone| ptr_many(zone, LIST, 1400));
    assert_eq!(client.ask(LIST, rtype::PTR).unwrap().answers.len(), 1400);
    let item = &client.ask(&format!("1400.{LIST}"), rtype::APL).unwrap().answers[0];
    assert_eq!(apl::read(&item.rdata), Ok(items("91.16.10.240")));
}

#[test]
fn aliases_stand_in_one_answer() {
    let (_service, mut client) = serve(|zone| aliases(zone, LIST, 9, &items("5.0.0.1")));
    let answers = client.ask(LIST, rtype::APL).unwrap().answers;
    assert_eq!(answers.len(), 10);
    for pair in answers.windows(2) {
        assert_eq!(pair[0].target.as_ref(), Some(&pair[1].owner));
    }
}

#[test]
fn broken_data_is_broken_and_odd_data_is_not() {
    for (what, rdata) in broken_apl() {
        assert!(apl::read(&rdata).is_err(), "{what}");
        assert_eq!(apl::read(&rdata[..8]), Ok(items("5.5.5.5")), "{what}");
    }
    for (what, rdata, expected) in odd_apl() {
        match what {
            // This reader neither masks nor skips.
            "host bits set" => assert_eq!(apl::read(&rdata), Ok(items("5.5.5.5 5.6.7.8/24"))),
            "unknown family" => assert_eq!(apl::read(&rdata), Err("address family 3".into())),
            _ => assert_eq!(apl::read(&rdata), Ok(expected), "{what}"),
        }
    }
}
