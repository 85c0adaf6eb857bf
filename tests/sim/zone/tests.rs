use super::*;
use crate::item::items;
use crate::sim::data::rtype;
use crate::sim::{Layout, apl};

fn owners(answer: &Answer) -> Vec<&str> {
    answer.records.iter().map(|(owner, _)| owner.as_str()).collect()
}

#[test]
fn what_is_not_there_is_told_apart() {
    let mut zone = Zone::new("threatstop.local.");
    zone.add("1.basic.threatstop.local", Data::Apl(Vec::new()));
    let code = |name, rtype| {
        let answer = zone.answer(name, rtype);
        (answer.rcode, answer.records.len())
    };
    assert_eq!(code("1.Basic.threatstop.local.", rtype::APL), (rcode::NOERROR, 1));
    assert_eq!(code("1.basic.threatstop.local", rtype::PTR), (rcode::NOERROR, 0));
    assert_eq!(code("basic.threatstop.local", rtype::APL), (rcode::NOERROR, 0), "a parent exists");
    assert_eq!(code("2.basic.threatstop.local", rtype::APL), (rcode::NXDOMAIN, 0));
    assert_eq!(code("notthreatstop.local", rtype::APL), (rcode::REFUSED, 0));
    assert!(zone.answer("2.basic.threatstop.local", rtype::APL).is_negative());
    assert!(!zone.answer("example.com", rtype::APL).is_negative());
}

#[test]
fn faults_stand_before_records() {
    let mut zone = Zone::new("threatstop.local");
    zone.add_ptr("a.threatstop.local", "b.threatstop.local");
    zone.set_fault("a.threatstop.local", Fault::Rcode(rcode::SERVFAIL));
    assert_eq!(zone.answer("a.threatstop.local", rtype::PTR).rcode, rcode::SERVFAIL);
    zone.set_fault("a.threatstop.local", Fault::Truncated);
    let answer = zone.answer("a.threatstop.local", rtype::PTR);
    assert!(answer.truncated && answer.records.is_empty() && !answer.is_negative());
}

/// 65,535 octets fit, one more does not: header, question, OPT, two records with their owners.
#[test]
fn an_answer_that_does_not_fit_is_empty() {
    let name = "b.threatstop.local";
    let fixed = 12 + (name.len() + 2 + 4) + 11 + 2 * 12;
    for (extra, truncated) in [(0, false), (1, true)] {
        let mut zone = Zone::new("threatstop.local");
        zone.add(name, Data::Apl(vec![0; 65_535 - fixed - 100]));
        zone.add(name, Data::Apl(vec![0; 100 + extra]));
        let answer = zone.answer(name, rtype::APL);
        assert_eq!((answer.truncated, answer.records.is_empty()), (truncated, truncated));
    }
}

#[test]
fn aliases_are_followed_inside_the_zone() {
    let mut zone = Zone::new("threatstop.local");
    crate::sim::traps::aliases(&mut zone, "a.threatstop.local", 2, &items("5.5.5.5"));
    let answer = zone.answer("a.threatstop.local", rtype::APL);
    assert_eq!(
        owners(&answer),
        ["a.threatstop.local", "alias1.a.threatstop.local", "alias2.a.threatstop.local"]
    );
    zone.add("b.threatstop.local", Data::Cname("lists.example.com".into()));
    assert_eq!(owners(&zone.answer("b.threatstop.local", rtype::APL)), ["b.threatstop.local"]);
    zone.add("c.threatstop.local", Data::Cname("c.threatstop.local".into()));
    assert!(zone.answer("c.threatstop.local", rtype::APL).records.len() > 8);
}

#[test]
fn a_list_takes_its_old_names_along() {
    let list = "basic.threatstop.local";
    let mut zone = Zone::new("threatstop.local");
    let four = items("5.0.0.1 5.0.0.2 5.0.0.3 5.0.0.4");
    zone.set_list(list, &four, Shape::from(Layout::Index).names(4));
    assert_eq!(zone.names_of(list).len(), 5);
    zone.set_list(list, &four[..1], Layout::Single);
    assert_eq!(zone.names_of(list), [list]);
    assert_eq!(zone.answer("4.basic.threatstop.local", rtype::APL).rcode, rcode::NXDOMAIN);
    assert_eq!(
        zone.answer(list, rtype::APL).records,
        [(list.to_string(), Data::Apl(apl::rdata(&four[..1])))]
    );
    assert!(zone.answer(list, rtype::PTR).records.is_empty());
}
