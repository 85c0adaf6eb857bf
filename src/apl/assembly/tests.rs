use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::answers::*;

const LIST: &str = "basic.threatstop.local";

/// What a server says to one question.
#[derive(Clone, Debug)]
enum Says {
    Records(Vec<Vec<u8>>),
    Rcode(u16),
    Truncated,
}

/// A server in memory. Names that are not in it are NXDOMAIN, types that a name does not have are
/// answers without records.
#[derive(Clone, Debug, Default)]
struct Zone {
    names: BTreeMap<String, BTreeMap<String, Says>>,
    needs_opt: bool,
}

impl Zone {
    fn with(mut self, name: &str, qtype: QueryType, says: Says) -> Self {
        self.names.entry(name.to_owned()).or_default().insert(qtype.to_string(), says);
        self
    }

    fn apl(self, name: &str, prefixes: &[&str]) -> Self {
        self.with(name, QueryType::Apl, Says::Records(vec![apl(prefixes)]))
    }

    fn ptr(self, name: &str, targets: &[&str]) -> Self {
        self.with(name, QueryType::Ptr, Says::Records(targets.iter().map(|t| wire(t)).collect()))
    }

    fn txt(self, name: &str, text: &str) -> Self {
        self.with(name, QueryType::Txt, Says::Records(vec![txt(text)]))
    }

    fn a(self, name: &str, last: u8) -> Self {
        self.with(name, QueryType::A, Says::Records(vec![vec![10, 0, 0, last]]))
    }

    fn answer(&self, ask: &Ask) -> Vec<u8> {
        let empty = Message::to(&ask.question, 0);
        if self.needs_opt && !ask.edns {
            return empty.rcode(1).octets();
        }
        let Some(types) = self.names.get(&ask.question.name.to_string()) else {
            return empty.rcode(3).octets();
        };
        let rtype = u16::from(ask.question.qtype.record_type());
        match types.get(&ask.question.qtype.to_string()) {
            None => empty.octets(),
            Some(Says::Rcode(rcode)) => empty.rcode(*rcode).octets(),
            Some(Says::Truncated) => empty.truncated().octets(),
            Some(Says::Records(rdatas)) => rdatas
                .iter()
                .fold(empty, |message, rdata| message.record(ASKED, rtype, 3600, rdata))
                .octets(),
        }
    }
}

fn options() -> Options {
    Options { suffix: name("threatstop.local"), apl_before: false }
}

/// Asks as long as there is something to ask, at most `window` questions at once; `pick` chooses
/// which of them is answered next. Also says how many were asked.
fn run(
    mut assembly: Assembly,
    window: usize,
    mut answer: impl FnMut(&Ask) -> Vec<u8>,
    mut pick: impl FnMut(usize) -> usize,
) -> (Result<List, ListError>, usize) {
    let mut waiting = Vec::new();
    let mut asked = 0;
    loop {
        while waiting.len() < window
            && let Some(ask) = assembly.next_question()
        {
            asked += 1;
            assert!(asked <= 20 * MAX_NAMES, "endless");
            waiting.push(ask);
        }
        assert!(!waiting.is_empty(), "neither a question nor an end");
        let ask = waiting.swap_remove(pick(waiting.len()));
        let octets = answer(&ask);
        if let Some(end) = assembly.answer(ask.ticket, &Reply::parse(&octets).unwrap()) {
            assert_eq!(assembly.next_question(), None);
            return (end, asked);
        }
    }
}

fn assemble(zone: &Zone) -> Result<List, ListError> {
    run(Assembly::new(name(LIST), options()), 32, |ask| zone.answer(ask), |_| 0).0
}

fn kind(zone: &Zone) -> ListErrorKind {
    assemble(zone).unwrap_err().kind
}

fn prefixes(list: &List) -> Vec<String> {
    let mut texts: Vec<String> = list.items.v4.iter().map(|item| item.net().to_string()).collect();
    texts.extend(list.items.v6.iter().map(|item| item.net().to_string()));
    texts.sort();
    texts
}

#[test]
fn a_list_at_one_name() {
    let list = assemble(&Zone::default().apl(LIST, &["10.0.0.0/8", "2001:db8::/32"])).unwrap();
    assert_eq!(prefixes(&list), ["10.0.0.0/8", "2001:db8::/32"]);
    assert_eq!((list.names, list.data_names, list.apl, list.ttl), (1, 1, true, 3600));
    assert_eq!((list.warnings, list.counts.items), (vec![], 2));
}

#[test]
fn an_index_a_continuation_and_a_chain_give_the_same_list() {
    let [n1, n2] = ["1.basic.threatstop.local", "2.basic.threatstop.local"];
    let index = Zone::default()
        .ptr(LIST, &["0.basic.threatstop.local", n1, n2])
        .apl("0.basic.threatstop.local", &["10.0.0.0/8"]);
    let continuation = Zone::default().apl(LIST, &["10.0.0.0/8"]).ptr(LIST, &[n1, n2]);
    let chain = Zone::default().apl(LIST, &["10.0.0.0/8"]).ptr(LIST, &[n1]).ptr(n1, &[n2]);
    for (zone, names) in [(index, 4), (continuation, 3), (chain, 3)] {
        let list = assemble(&zone.apl(n1, &["11.0.0.0/8"]).apl(n2, &["12.0.0.0/8"])).unwrap();
        assert_eq!(prefixes(&list), ["10.0.0.0/8", "11.0.0.0/8", "12.0.0.0/8"]);
        assert_eq!((list.names, list.data_names), (names, 3));
    }
}

#[test]
fn names_seen_before_are_not_asked_again() {
    let [n1, upper] = ["1.basic.threatstop.local", "1.BASIC.threatstop.local"];
    let zone = Zone::default()
        .apl(LIST, &["10.0.0.0/8"])
        .ptr(LIST, &[LIST, n1, upper, n1])
        .apl(n1, &["11.0.0.0/8"])
        .ptr(n1, &[LIST, n1]);
    let (list, asked) =
        run(Assembly::new(name(LIST), options()), 32, |ask| zone.answer(ask), |_| 0);
    assert_eq!((prefixes(&list.unwrap()).len(), asked), (2, 4));
}

#[test]
fn an_empty_record_is_an_empty_list_and_nothing_else_is() {
    let list = assemble(&Zone::default().apl(LIST, &[])).unwrap();
    assert!(list.items.is_empty() && list.apl);
    let n1 = "1.basic.threatstop.local";
    let list = assemble(&Zone::default().ptr(LIST, &[n1]).apl(n1, &[])).unwrap();
    assert!(list.items.is_empty());

    let exists = Zone::default().with(LIST, QueryType::Apl, Says::Records(vec![]));
    assert_eq!(kind(&exists), ListErrorKind::NoData);
    assert_eq!(kind(&exists.clone().ptr(LIST, &[LIST])), ListErrorKind::NoData);
    assert_eq!(kind(&exists.clone().txt(LIST, "")), ListErrorKind::ForeignText);
    let foreign = exists.with(LIST, QueryType::Apl, Says::Records(vec![vec![0, 9, 0, 0]]));
    let nothing = ListErrorKind::NothingUsable { unknown_family: 1, outside_suffix: 0 };
    assert_eq!(kind(&foreign), nothing);
    let outside = Zone::default().apl(LIST, &[]).ptr(LIST, &["a.example.com"]);
    let nothing = ListErrorKind::NothingUsable { unknown_family: 0, outside_suffix: 1 };
    assert_eq!(kind(&outside), nothing);
}

#[test]
fn what_was_ignored_or_mended_is_told() {
    let zone = Zone::default()
        .ptr(LIST, &["evil.example.com", "threatstop.local", "x.other.local"])
        .with(LIST, QueryType::Apl, Says::Records(vec![vec![0, 1, 8, 2, 10, 1, 0, 9, 0, 0]]));
    let list = assemble(&zone).unwrap();
    assert_eq!(prefixes(&list), ["10.0.0.0/8"]);
    let texts: Vec<String> = list.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "3 names outside the suffix ignored, such as evil.example.com (policy.suffix)",
            "1 items of unknown address families skipped",
            "1 items with host bits, which were cleared",
        ]
    );
}

#[test]
fn errors_at_the_lists_own_name_end_it_at_once() {
    for (says, text) in [
        (
            Says::Rcode(5),
            "list basic.threatstop.local: APL: the server says REFUSED (device not yet \
             provisioned, wrong list name, or an address that the device is not registered with: \
             threatstopctl test)",
        ),
        (Says::Rcode(2), "list basic.threatstop.local: APL: the server says SERVFAIL"),
        (Says::Truncated, "list basic.threatstop.local: APL: list too large for one answer"),
        (
            Says::Records(vec![vec![0, 1, 40, 0]]),
            "list basic.threatstop.local: APL: malformed APL record: the item at octet 0 has the \
             prefix length 40",
        ),
    ] {
        let zone = Zone::default().ptr(LIST, &[LIST]).with(LIST, QueryType::Apl, says);
        let (end, asked) =
            run(Assembly::new(name(LIST), options()), 1, |ask| zone.answer(ask), |_| 0);
        assert_eq!((end.unwrap_err().to_string().as_str(), asked), (text, 2));
    }
    let error = assemble(&Zone::default()).unwrap_err();
    assert!(error.is_unprovisioned());
    assert!(error.to_string().contains("not found (NXDOMAIN) (device not yet provisioned"));
}

#[test]
fn no_such_name_settles_both_types() {
    let mut assembly = Assembly::new(name(LIST), options());
    let first = assembly.next_question().unwrap();
    let second = assembly.next_question().unwrap();
    let octets = Zone::default().answer(&first);
    let end = assembly.answer(first.ticket, &Reply::parse(&octets).unwrap());
    assert!(end.unwrap().unwrap_err().is_unprovisioned());
    let octets = Zone::default().apl(LIST, &["10.0.0.0/8"]).answer(&second);
    assert_eq!(assembly.answer(second.ticket, &Reply::parse(&octets).unwrap()), None);
}

#[test]
fn a_failed_part_makes_the_list_be_read_once_more() {
    let n1 = "1.basic.threatstop.local";
    let old = Zone::default().ptr(LIST, &[n1]);
    let rebuilt = Zone::default().apl(LIST, &["10.0.0.0/8"]);
    let mut asked = 0;
    let (list, _) = run(
        Assembly::new(name(LIST), options()),
        32,
        |ask| {
            asked += 1;
            if asked <= 3 { old.answer(ask) } else { rebuilt.answer(ask) }
        },
        |_| 0,
    );
    let list = list.unwrap();
    assert_eq!((prefixes(&list), list.names), (vec!["10.0.0.0/8".to_owned()], 1));
    assert_eq!(
        list.warnings[0].to_string(),
        "read twice: list basic.threatstop.local: part 1.basic.threatstop.local: not found (NXDOMAIN)"
    );

    for (zone, expected) in [
        (old.clone(), "part 1.basic.threatstop.local: not found (NXDOMAIN)"),
        (
            old.clone().a(n1, 1),
            "part 1.basic.threatstop.local: no APL records, and no PTR records that lead to any",
        ),
        (
            old.with(n1, QueryType::Ptr, Says::Rcode(5)),
            "part 1.basic.threatstop.local: PTR: the server says REFUSED",
        ),
    ] {
        let (end, _) = run(Assembly::new(name(LIST), options()), 32, |ask| zone.answer(ask), |_| 0);
        let error = end.unwrap_err();
        assert_eq!(error.to_string(), format!("list basic.threatstop.local: {expected}"));
        assert!(!error.is_unprovisioned());
    }
}

#[test]
fn text_is_taken_when_there_is_neither_apl_nor_ptr() {
    let zone = Zone::default().txt(LIST, "10.0.0.0/8 11.0.0.1");
    let list = assemble(&zone).unwrap();
    assert_eq!(prefixes(&list), ["10.0.0.0/8", "11.0.0.1"]);
    assert_eq!(
        (list.apl, list.warnings[0].to_string().as_str()),
        (false, "read from TXT records instead of APL")
    );
    let both = assemble(&zone.clone().apl(LIST, &["12.0.0.0/8"])).unwrap();
    assert_eq!(prefixes(&both), ["12.0.0.0/8"]);
    let foreign = Zone::default().txt(LIST, "hello 10.0.0.0/8");
    assert_eq!(kind(&foreign), ListErrorKind::ForeignText);
    assert_eq!(prefixes(&assemble(&foreign.a(LIST, 7)).unwrap()), ["10.0.0.7"]);
}

#[test]
fn single_addresses_under_numbered_names() {
    let numbered = |n: u8| match n {
        0 => LIST.to_owned(),
        n => format!("basic{n}.threatstop.local"),
    };
    let zone = |last: u8| (0..=last).fold(Zone::default(), |zone, n| zone.a(&numbered(n), n));
    let list = assemble(&zone(2)).unwrap();
    assert_eq!(prefixes(&list), ["10.0.0.0", "10.0.0.1", "10.0.0.2"]);
    assert_eq!((list.apl, list.data_names), (false, 3));
    assert_eq!(list.warnings, [Warning::OtherForm { qtype: QueryType::A }]);
    // a name without addresses ends it as well as no name
    let gap = zone(1).txt("basic2.threatstop.local", "x").a("basic3.threatstop.local", 3);
    assert_eq!(assemble(&gap).unwrap().data_names, 2);
    // IPv6 alone
    let v6 = zone(0).with(&numbered(1), QueryType::Aaaa, Says::Records(vec![vec![1; 16]]));
    assert_eq!(assemble(&v6).unwrap().data_names, 2);
    assert_eq!(assemble(&zone(MAX_NUMBERED)).unwrap().data_names, 65);
    assert_eq!(kind(&zone(MAX_NUMBERED + 1)), ListErrorKind::TooManyNumbered);

    let before = Options { apl_before: true, ..options() };
    let (end, _) = run(Assembly::new(name(LIST), before), 32, |ask| zone(2).answer(ask), |_| 0);
    assert_eq!(end.unwrap_err().kind, ListErrorKind::Downgrade);
}

#[test]
fn bounds() {
    let part = |n: usize| format!("{n}.threatstop.local");
    let index = |count: usize| {
        let parts: Vec<String> = (0..count).map(part).collect();
        let zone = Zone::default().ptr(LIST, &parts.iter().map(String::as_str).collect::<Vec<_>>());
        parts.iter().fold(zone, |zone, part| zone.apl(part, &["10.0.0.0/8"]))
    };
    assert_eq!(assemble(&index(MAX_NAMES - 1)).unwrap().names, MAX_NAMES);
    assert_eq!(kind(&index(MAX_NAMES)), ListErrorKind::TooManyNames);

    let chain = |depth: usize| {
        let zone = Zone::default().ptr(LIST, &[&part(1)]);
        let zone = (1..depth).fold(zone, |zone, n| zone.ptr(&part(n), &[&part(n + 1)]));
        zone.apl(&part(depth), &["10.0.0.0/8"])
    };
    // each name known by the one before it alone
    assert_eq!(assemble(&chain(MAX_NAMES - 1)).unwrap().names, MAX_NAMES);
    assert_eq!(kind(&chain(MAX_NAMES)), ListErrorKind::TooManyNames);

    let full: Vec<u8> = [0, 1, 0, 0].repeat(16_000);
    let zone = index(400);
    let (end, _) = run(
        Assembly::new(name(LIST), options()),
        32,
        |ask| match ask.question.qtype {
            QueryType::Apl => Message::to(&ask.question, 0).record(ASKED, APL, 1, &full).octets(),
            _ => zone.answer(ask),
        },
        |_| 0,
    );
    assert_eq!(end.unwrap_err().kind, ListErrorKind::TooManyItems);
}

#[test]
fn a_server_that_wants_opt_gets_it() {
    let zone = Zone { needs_opt: true, ..Zone::default().apl(LIST, &["10.0.0.0/8"]) };
    let (list, asked) = run(Assembly::new(name(LIST), options()), 1, |ask| zone.answer(ask), |_| 0);
    // the first question twice, the second with OPT at once
    assert_eq!((list.unwrap().counts.items, asked), (1, 3));
    let never = Zone::default().with(LIST, QueryType::Ptr, Says::Rcode(1));
    assert_eq!(
        kind(&never),
        ListErrorKind::Answer(QueryType::Ptr, AnswerError::Rcode(Rcode::FormErr))
    );
}

#[test]
fn questions_of_a_lost_connection_are_asked_again() {
    let zone = Zone::default().apl(LIST, &["10.0.0.0/8"]);
    let mut assembly = Assembly::new(name(LIST), options());
    let first = assembly.next_question().unwrap();
    let second = assembly.next_question().unwrap();
    assembly.connection_lost();
    let octets = zone.answer(&second);
    assert_eq!(assembly.answer(second.ticket, &Reply::parse(&octets).unwrap()), None);
    let again = assembly.next_question().unwrap();
    assert_eq!(again.question, first.question);
    assert_ne!(again.ticket, first.ticket);
    let octets = zone.answer(&again);
    assert_eq!(assembly.answer(again.ticket, &Reply::parse(&octets).unwrap()), None);
    assert_eq!(run(assembly, 1, |ask| zone.answer(ask), |_| 0).0.unwrap().counts.items, 1);
}

/// Up to ten names of random contents, PTR records among them and out of them.
fn any_zone() -> impl Strategy<Value = Zone> {
    let part = prop::sample::select(
        (0..9)
            .map(|n| format!("{n}.threatstop.local"))
            .chain([LIST.to_owned()])
            .collect::<Vec<_>>(),
    );
    let target = prop_oneof![6 => part.clone(), 1 => Just("x.example.com".to_owned())];
    let says = prop_oneof![
        6 => prop::collection::vec(target, 0..4).prop_map(|targets| {
            (QueryType::Ptr, Says::Records(targets.iter().map(|t| wire(t)).collect()))
        }),
        8 => prop::collection::vec(any::<u8>(), 0..4).prop_map(|octets| {
            (QueryType::Apl, Says::Records(vec![octets.iter().flat_map(|&o| [0, 1, 32, 2, 10, o]).collect()]))
        }),
        1 => Just((QueryType::Txt, Says::Records(vec![txt("9.9.9.9")]))),
        1 => Just((QueryType::Apl, Says::Truncated)),
        1 => (1u16..6).prop_map(|rcode| (QueryType::Ptr, Says::Rcode(rcode))),
    ];
    (any::<bool>(), prop::collection::vec((part, says), 0..24)).prop_map(|(sound, records)| {
        // half of the zones begin with a list of four parts and something at every name
        let parts: Vec<String> = (0..9).map(|n| format!("{n}.threatstop.local")).collect();
        let mut zone = Zone::default();
        if sound {
            zone = parts.iter().fold(zone, |zone, part| zone.apl(part, &["10.250.0.0/32"]));
            zone = zone.ptr(LIST, &[&parts[0], &parts[1], &parts[2], &parts[3]]);
        }
        records.into_iter().fold(zone, |zone, (part, (qtype, says))| zone.with(&part, qtype, says))
    })
}

/// The same zone walked with a plain recursion; `None` when a name fails.
fn naive(zone: &Zone, at: &str, seen: &mut Vec<String>, out: &mut Vec<String>) -> Option<bool> {
    seen.push(at.to_owned());
    let types = zone.names.get(at)?;
    let records = |qtype: QueryType| match types.get(&qtype.to_string()) {
        None => Some(vec![]),
        Some(Says::Records(rdatas)) => Some(rdatas.clone()),
        Some(_) => None,
    };
    let (ptr, apl) = (records(QueryType::Ptr)?, records(QueryType::Apl)?);
    let mut data = !apl.is_empty();
    for item in apl.concat().chunks(6) {
        out.push(format!("10.{}.0.0", item[5]));
    }
    if ptr.is_empty() && apl.is_empty() {
        if records(QueryType::Txt)?.is_empty() {
            return None;
        }
        out.push("9.9.9.9".to_owned());
        data = true;
    }
    for target in ptr {
        let n = &target[1..1 + target[0] as usize];
        let target = match n {
            b"x" => continue,
            n => format!("{}.threatstop.local", core::str::from_utf8(n).unwrap()),
        };
        if !seen.contains(&target) {
            data |= naive(zone, &target, seen, out)?;
        }
    }
    Some(data)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_zone_in_any_order_agrees_with_a_naive_walk(
        zone in any_zone(),
        window in 1usize..6,
        picks in prop::collection::vec(any::<usize>(), 1..50),
    ) {
        let mut picks = picks.into_iter().cycle();
        let (end, _) = run(
            Assembly::new(name(LIST), options()),
            window,
            |ask| zone.answer(ask),
            |len| picks.next().unwrap() % len,
        );
        let mut expected = Vec::new();
        match naive(&zone, LIST, &mut Vec::new(), &mut expected) {
            Some(true) => {
                expected.sort();
                match end {
                    Ok(list) => prop_assert_eq!(prefixes(&list), expected),
                    Err(error) => {
                        let unusable = matches!(error.kind, ListErrorKind::NothingUsable { .. });
                        prop_assert!(unusable && expected.is_empty(), "{}", error);
                    }
                }
            }
            _ => prop_assert!(end.is_err()),
        }
    }

    #[test]
    fn any_answers_come_to_an_end(
        seed: u64,
        window in 1usize..40,
        octets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..5),
    ) {
        // A server that makes up a new name for every question and mixes in rubbish.
        let mut state = seed | 1;
        let mut random = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as usize
        };
        let mut count = 0;
        let mut dice = random;
        let (_, asked) = run(
            Assembly::new(name(LIST), options()),
            window,
            |ask| {
                count += 1;
                let message = Message::to(&ask.question, 0);
                match random() % 400 {
                    0 => message.rcode((count % 6) as u16),
                    1 => message.record(ASKED, (count % 50) as u16, 1, &octets[count % octets.len()]),
                    2 => message.truncated(),
                    _ if ask.question.qtype == QueryType::Ptr => (0..random() % 3)
                        .fold(message, |message, n| {
                            let target = wire(&format!("{count}-{n}.threatstop.local"));
                            message.record(ASKED, PTR, 1, &target)
                        }),
                    _ => message.record(ASKED, APL, 1, &apl(&["10.0.0.0/8"])),
                }
                .octets()
            },
            |len| dice() % len,
        );
        prop_assert!(asked <= 20 * MAX_NAMES);
    }
}
