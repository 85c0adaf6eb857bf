use proptest::prelude::*;

use super::*;
use crate::answers::*;
use crate::codec::AplError;
use crate::query::QueryType;

fn asked() -> Question {
    question(QueryType::Apl, "basic.threatstop.local")
}

fn read(question: &Question, octets: &[u8]) -> Result<(Answer, Vec<String>), AnswerError> {
    let mut items = Items::default();
    let answer = Reply::parse(octets)?.read(question, &mut items)?;
    let v4 = items
        .v4
        .iter()
        .map(|item| format!("{}{}", if item.negated { "!" } else { "" }, item.net()));
    let v6 = items.v6.iter().map(|item| item.net().to_string());
    Ok((answer, v4.chain(v6).collect()))
}

fn error(message: &Message) -> AnswerError {
    read(&asked(), &message.octets()).unwrap_err()
}

#[test]
fn a_query_is_what_dig_would_send() {
    let expected =
        b"\x12\x34\x01\x00\0\x01\0\0\0\0\0\0\x05basic\x0athreatstop\x05local\0\0\x2a\0\x01";
    assert_eq!(asked().to_message(0x1234, false), expected);
    let with_opt = asked().to_message(0x1234, true);
    assert_eq!(with_opt[10..12], [0, 1]);
    assert_eq!(with_opt[expected.len()..], [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn several_apl_records_are_one_answer() {
    let message = Message::to(&asked(), 7)
        .record(ASKED, APL, 7200, &apl(&["10.0.0.0/8", "!10.1.0.0/16"]))
        .record(&wire("BASIC.threatstop.LOCAL"), APL, 300, &apl(&["2001:db8::/32"]))
        .record(ASKED, RRSIG, 5, b"whatever")
        .authority(&wire("threatstop.local"), SOA, b"anything")
        .opt(0);
    let octets = message.octets();
    assert_eq!(Reply::parse(&octets).unwrap().id(), 7);
    let (answer, items) = read(&asked(), &octets).unwrap();
    assert_eq!(items, ["10.0.0.0/8", "!10.1.0.0/16", "2001:db8::/32"]);
    assert_eq!((answer.records, answer.ttl, answer.counts.items), (2, 300, 3));
}

#[test]
fn an_empty_record_is_not_the_same_as_no_record() {
    let none = Message::to(&asked(), 7);
    assert_eq!(read(&asked(), &none.octets()).unwrap(), (Answer::default(), vec![]));
    let empty = none.record(ASKED, APL, 60, &[]);
    assert_eq!(
        read(&asked(), &empty.octets()).unwrap(),
        (Answer { records: 1, ttl: 60, ..Answer::default() }, vec![])
    );
}

#[test]
fn names_of_ptr_records_may_be_compressed() {
    let asked = question(QueryType::Ptr, "basic.threatstop.local");
    // 18 is where "threatstop" begins in the question
    let message = Message::to(&asked, 1)
        .record(ASKED, PTR, 60, b"\x01a\xc0\x12")
        .record(ASKED, PTR, 60, &wire("b.threatstop.local"))
        .record(ASKED, PTR, 60, &[0]);
    let (answer, _) = read(&asked, &message.octets()).unwrap();
    assert_eq!(answer.targets, [name("a.threatstop.local"), name("b.threatstop.local")]);
    assert_eq!(answer.records, 3);
    let excess = Message::to(&asked, 1).record(ASKED, PTR, 60, b"\x01a\xc0\x12\0");
    assert_eq!(read(&asked, &excess.octets()), Err(AnswerError::Rdata(QueryType::Ptr)));
}

#[test]
fn addresses_and_text() {
    let asked = question(QueryType::A, "basic.threatstop.local");
    let message = Message::to(&asked, 1).record(ASKED, 1, 60, &[10, 0, 0, 1]);
    assert_eq!(read(&asked, &message.octets()).unwrap().1, ["10.0.0.1"]);
    let short = Message::to(&asked, 1).record(ASKED, 1, 60, &[10, 0, 1]);
    assert_eq!(read(&asked, &short.octets()), Err(AnswerError::Rdata(QueryType::A)));

    let asked = question(QueryType::Aaaa, "basic.threatstop.local");
    let message = Message::to(&asked, 1).record(ASKED, 28, 60, &[0; 16]);
    assert_eq!(read(&asked, &message.octets()).unwrap().1, ["::"]);

    let asked = question(QueryType::Txt, "basic.threatstop.local");
    let message = Message::to(&asked, 1).record(ASKED, TXT, 60, &txt("10.0.0.0/8 11.0.0.1"));
    assert_eq!(read(&asked, &message.octets()).unwrap().1, ["10.0.0.0/8", "11.0.0.1"]);
    // one record that is not a list spoils the others
    let mixed = message.record(ASKED, TXT, 60, &txt("updated hourly"));
    let (answer, items) = read(&asked, &mixed.octets()).unwrap();
    assert_eq!(items, [""; 0]);
    assert_eq!(answer, Answer { records: 2, ttl: 60, foreign_text: true, ..Answer::default() });
}

#[test]
fn what_is_not_an_answer_to_the_question() {
    let good = Message::to(&asked(), 7).record(ASKED, APL, 60, &apl(&["10.0.0.0/8"]));
    assert_eq!(error(&Message { flags: 0x0180, ..good.clone() }), AnswerError::NotAnAnswer);
    assert_eq!(error(&Message { flags: 0xa180, ..good.clone() }), AnswerError::Opcode);
    assert_eq!(error(&Message { counts: [0, 1, 0, 0], ..good.clone() }), AnswerError::Question);
    assert_eq!(error(&Message { counts: [2, 0, 0, 0], ..good.clone() }), AnswerError::Question);
    for other in [
        question(QueryType::Ptr, "basic.threatstop.local"),
        question(QueryType::Apl, "dns.threatstop.local"),
        question(QueryType::Apl, "threatstop.local"),
    ] {
        assert_eq!(error(&Message::to(&other, 7)), AnswerError::Question);
    }
    let mut chaos = good.clone();
    let class = asked().to_message(7, false).len() - 12 - 1;
    chaos.body[class] = 3;
    assert_eq!(error(&chaos), AnswerError::Question);
    assert_eq!(error(&good.clone().record_of_class(3, APL, &[])), AnswerError::Class);
    assert_eq!(
        error(&good.clone().record(&wire("dns.threatstop.local"), APL, 1, &[])),
        AnswerError::Owner
    );
    assert_eq!(error(&good.clone().record(&[0], APL, 1, &[])), AnswerError::Owner);
    let upper = question(QueryType::Apl, "BASIC.ThreatSTOP.local");
    assert!(read(&asked(), &Message::to(&upper, 7).octets()).is_ok());
}

#[test]
fn response_codes() {
    for (code, rcode) in [
        (1, Rcode::FormErr),
        (2, Rcode::ServFail),
        (3, Rcode::NxDomain),
        (4, Rcode::NotImp),
        (5, Rcode::Refused),
        (9, Rcode::NotAuth),
        (15, Rcode::Other(15)),
    ] {
        let message = Message::to(&asked(), 7).rcode(code);
        assert_eq!(error(&message), AnswerError::Rcode(rcode));
        // a server that could not read the query does not repeat it
        let bare = Message { counts: [0; 4], body: vec![], ..message };
        assert_eq!(error(&bare), AnswerError::Rcode(rcode));
    }
    assert_eq!(error(&Message::to(&asked(), 7).opt(1)), AnswerError::Rcode(Rcode::Other(16)));
}

#[test]
fn a_truncated_answer_is_an_error_whatever_it_holds() {
    let empty = Message::to(&asked(), 7).truncated();
    assert_eq!(error(&empty), AnswerError::Truncated);
    assert_eq!(error(&empty.record(ASKED, APL, 60, &apl(&["10.0.0.0/8"]))), AnswerError::Truncated);
    assert_eq!(AnswerError::Truncated.to_string(), "list too large for one answer");
}

#[test]
fn every_cut_of_a_message_is_an_error() {
    let octets = Message::to(&asked(), 7)
        .record(ASKED, APL, 60, &apl(&["10.0.0.0/8"]))
        .authority(&wire("threatstop.local"), SOA, b"anything")
        .opt(0)
        .octets();
    assert!(read(&asked(), &octets).is_ok());
    for len in 0..octets.len() {
        assert!(read(&asked(), &octets[..len]).is_err(), "{len}");
    }
    assert_eq!(read(&asked(), &[&octets[..], &[0]].concat()), Err(AnswerError::Trailing));
}

#[test]
fn counts_that_lie() {
    let good = Message::to(&asked(), 7).record(ASKED, APL, 60, &apl(&["10.0.0.0/8"]));
    for counts in [[1, 2, 0, 0], [1, 65535, 65535, 65535], [1, 1, 1, 0], [1, 1, 0, 1]] {
        assert_eq!(error(&Message { counts, ..good.clone() }), AnswerError::Short);
    }
    assert_eq!(error(&Message { counts: [1, 0, 0, 0], ..good }), AnswerError::Trailing);
}

#[test]
fn bad_apl_leaves_no_items_behind() {
    let message = Message::to(&asked(), 7)
        .record(ASKED, APL, 60, &apl(&["10.0.0.0/8"]))
        .record(ASKED, APL, 60, &[0, 1, 33, 0])
        .octets();
    let mut items = Items::default();
    let error = Reply::parse(&message).unwrap().read(&asked(), &mut items).unwrap_err();
    assert_eq!(error, AnswerError::Apl(AplError::Prefix { at: 0, len: 33 }));
    assert!(items.is_empty());
}

#[test]
fn aliases_lead_to_the_owner_in_any_order() {
    let [a, b] = [wire("a.local"), wire("b.local")];
    let message = Message::to(&asked(), 7)
        .record(&b, APL, 60, &apl(&["10.0.0.0/8"]))
        .record(&a, CNAME, 60, &b)
        .record(ASKED, CNAME, 60, &a);
    assert_eq!(read(&asked(), &message.octets()).unwrap().1, ["10.0.0.0/8"]);
    let broken = Message::to(&asked(), 7)
        .record(&b, APL, 60, &apl(&["10.0.0.0/8"]))
        .record(ASKED, CNAME, 60, &a);
    assert_eq!(error(&broken), AnswerError::Owner);
    let looping =
        Message::to(&asked(), 7).record(ASKED, CNAME, 60, &a).record(&a, CNAME, 60, ASKED);
    assert_eq!(read(&asked(), &looping.octets()).unwrap().0.records, 0);
}

#[test]
fn a_chain_of_aliases_is_bounded() {
    let chain = |length: usize| {
        let names: Vec<Vec<u8>> = (0..length).map(|i| wire(&format!("n{i}.local"))).collect();
        let mut message = Message::to(&asked(), 7).record(ASKED, CNAME, 60, &names[0]);
        for pair in names.windows(2) {
            message = message.record(&pair[0], CNAME, 60, &pair[1]);
        }
        read(&asked(), &message.record(&names[length - 1], APL, 60, &apl(&["10.0.0.0/8"])).octets())
    };
    assert_eq!(chain(MAX_ALIASES).unwrap().1, ["10.0.0.0/8"]);
    assert_eq!(chain(MAX_ALIASES + 1), Err(AnswerError::Aliases));
}

#[test]
fn hostile_compression_is_an_error() {
    let at = (asked().to_message(7, false).len()) as u16;
    let pointer = |to: u16| (0xc000 | to).to_be_bytes().to_vec();
    for owner in [
        pointer(at),                               // to itself
        pointer(at + 1),                           // forward
        pointer(0x3fff),                           // beyond the message
        [b"\x01a".to_vec(), pointer(at)].concat(), // a loop through a label
        vec![0x40, 1, 2],                          // reserved label types
        vec![0x80, 1, 2],
        [[63; 64].repeat(4), vec![0]].concat(), // 256 octets of labels
    ] {
        let message = Message::to(&asked(), 7).record(&owner, APL, 60, &[]);
        assert!(matches!(error(&message), AnswerError::Name | AnswerError::Short), "{owner:?}");
    }
}

#[test]
fn a_name_of_many_pointers_is_refused_and_never_read() {
    // The chain of pointers hides in the RDATA of a first record of another type, and a second
    // record is owned by the name behind it.
    let behind = |pointers: usize| {
        let first = Message::to(&asked(), 7);
        let base = (12 + first.body.len() + 12) as u16;
        let mut chain = ASKED.to_vec();
        for pointer in 1..pointers as u16 {
            chain.extend((0xc000 | (base + 2 * pointer - 2)).to_be_bytes());
        }
        let last = 0xc000 | (base + 2 * pointers as u16 - 2);
        let message = first.record(ASKED, RRSIG, 60, &chain);
        read(&asked(), &message.record(&last.to_be_bytes(), APL, 60, &[]).octets())
    };
    assert_eq!(behind(10).unwrap().0.records, 1);
    assert_eq!(behind(8000), Err(AnswerError::Name));
}

fn any_message() -> impl Strategy<Value = Vec<u8>> {
    let record = (
        prop::sample::select(vec![1u16, 5, 6, 12, 16, 28, 41, 42, 46]),
        prop_oneof![
            Just(ASKED.to_vec()),
            Just(wire("a.local")),
            Just(vec![0]),
            prop::collection::vec(any::<u8>(), 1..6)
        ],
        prop_oneof![
            Just(apl(&["10.0.0.0/8", "!2001:db8::/32"])),
            Just(wire("a.local")),
            Just(txt("10.0.0.0/8")),
            prop::collection::vec(any::<u8>(), 0..20)
        ],
        0usize..3,
    );
    let mutation = (any::<prop::sample::Index>(), any::<u8>());
    (
        prop::collection::vec(record, 0..6),
        prop::collection::vec(mutation, 0..4),
        any::<prop::sample::Index>(),
        any::<bool>(),
    )
        .prop_map(|(records, mutations, cut, whole)| {
            let mut message = Message::to(&asked(), 7);
            for (rtype, owner, rdata, section) in records {
                message = match section {
                    0 => message.record(&owner, rtype, 60, &rdata),
                    1 => message.authority(&owner, rtype, &rdata),
                    _ => message.opt(0),
                };
            }
            let mut octets = message.octets();
            for (index, octet) in mutations {
                let index = index.index(octets.len());
                octets[index] = octet;
            }
            if !whole {
                octets.truncate(cut.index(octets.len()));
            }
            octets
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn mutated_messages_never_panic(octets in any_message()) {
        use QueryType::*;
        for qtype in [Ptr, Apl, Txt, A, Aaaa] {
            let mut items = Items::default();
            let asked = question(qtype, "basic.threatstop.local");
            if let Ok(reply) = Reply::parse(&octets) {
                let result = reply.read(&asked, &mut items);
                prop_assert!(result.is_ok() || items.is_empty());
            }
        }
    }

    #[test]
    fn random_octets_never_panic(octets in prop::collection::vec(any::<u8>(), 0..600)) {
        if let Ok(reply) = Reply::parse(&octets) {
            let _ = reply.read(&asked(), &mut Items::default());
        }
    }
}
