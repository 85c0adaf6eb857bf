//! Answers of policy servers: RDATA of APL records, and messages on their way through the assembly
//! of a list.

use std::collections::VecDeque;

use apl::{
    AplError, Ask, Assembly, Counts, List, ListName, MAX_NAMES, Options, QueryType, Question,
    Reply, decode, encode,
};
use prefix::{Items, Net, Prefix};

use crate::input::{Input, is_one_line};

/// An item read bit by bit: family, address, prefix length, negated.
type Naive = (u8, u128, u8, bool);

/// RDATA of an APL record.
pub fn apl_rdata(data: &[u8]) -> bool {
    let mut items = Items::default();
    let decoded = decode(data, &mut items);
    let (naive, counts) = naive_rdata(data);
    assert_eq!(flat(&items), in_families(&naive));
    assert_eq!(decoded, counts);
    let Ok(counts) = decoded else { return false };

    let mut again = Vec::new();
    items.v4.iter().for_each(|item| encode(item.net().into(), item.negated, &mut again));
    items.v6.iter().for_each(|item| encode(item.net().into(), item.negated, &mut again));
    assert!(again.len() <= data.len());
    let mut repeated = Items::default();
    let sound = Counts { items: counts.items, ..Counts::default() };
    assert_eq!(decode(&again, &mut repeated), Ok(sound));
    assert_eq!(repeated, items);
    true
}

/// RFC 3123, section 4, item by item; what came before an error, and what was counted.
fn naive_rdata(data: &[u8]) -> (Vec<Naive>, Result<Counts, AplError>) {
    let (mut items, mut counts, mut at) = (Vec::new(), Counts::default(), 0);
    while at < data.len() {
        if at + 4 > data.len() || at + 4 + usize::from(data[at + 3] % 128) > data.len() {
            return (items, Err(AplError::Short { at }));
        }
        let (len, negated, octets) = (data[at + 2], data[at + 3] >= 128, data[at + 3] % 128);
        let address = &data[at + 4..at + 4 + usize::from(octets)];
        let size: u8 = match (data[at], data[at + 1]) {
            (0, 1) => 4,
            (0, 2) => 16,
            _ => {
                counts.unknown_family += 1;
                at += 4 + address.len();
                continue;
            }
        };
        if octets > size {
            return (items, Err(AplError::Length { at, octets }));
        }
        if len > size * 8 {
            return (items, Err(AplError::Prefix { at, len }));
        }
        let (mut value, mut beyond) = (0u128, false);
        for bit in 0..usize::from(size) * 8 {
            let set = address.get(bit / 8).is_some_and(|octet| octet & 0x80 >> (bit % 8) != 0);
            beyond |= set && bit >= usize::from(len);
            value = value << 1 | u128::from(set && bit < usize::from(len));
        }
        counts.items += 1;
        counts.host_bits += usize::from(beyond);
        counts.trailing_zeros += usize::from(address.ends_with(&[0]));
        items.push((size, value, len, negated));
        at += 4 + address.len();
    }
    (items, Ok(counts))
}

fn flat(items: &Items) -> Vec<Naive> {
    let v4 = items.v4.iter().map(|i| (4, i.net().addr().into(), i.net().len(), i.negated));
    v4.chain(items.v6.iter().map(|i| (16, i.net().addr(), i.net().len(), i.negated))).collect()
}

/// The same with IPv4 first.
fn in_families(items: &[Naive]) -> Vec<Naive> {
    let mut items = items.to_vec();
    items.sort_by_key(|(size, ..)| *size);
    items
}

/// Messages in answer to the questions of a list's assembly, in turn: two octets of length, then
/// so many of a message. Without the top bit of the length they stand for a message without its
/// identifier and question, which are put in.
pub fn dns_message(data: &[u8]) -> bool {
    let name = |text| ListName::parse(text).unwrap();
    let mut input = Input(data);
    let choice = input.octet();
    let options = Options { suffix: name("threatstop.local"), apl_before: choice & 1 != 0 };
    let mut assembly = Assembly::new(name("basic.threatstop.local"), options);
    let window = 1 + usize::from(choice >> 1 & 3);
    let (mut waiting, mut asked, mut lost) = (VecDeque::new(), 0, 0);
    loop {
        while waiting.len() < window
            && let Some(ask) = assembly.next_question()
        {
            waiting.push_back(ask);
            asked += 1;
        }
        assert!(asked <= 20 * MAX_NAMES + lost, "endless");
        let ask: Ask = waiting.pop_front().expect("no question, and neither a list nor an error");
        if input.is_empty() {
            return false;
        }
        let message = message(&mut input, &ask);
        let Ok(reply) = Reply::parse(&message) else {
            lost += waiting.len() + 1;
            waiting.clear();
            assembly.connection_lost();
            continue;
        };
        look_at(&reply, &message, &ask.question);
        look_at(&reply, &message, &Question { qtype: QueryType::Soa, ..ask.question.clone() });
        match assembly.answer(ask.ticket, &reply) {
            None => {}
            Some(Ok(list)) => {
                look_at_list(&list);
                return true;
            }
            Some(Err(error)) => {
                assert!(is_one_line(&error.to_string()), "{error}");
                let _ = error.is_unprovisioned();
                return false;
            }
        }
    }
}

fn message(input: &mut Input<'_>, ask: &Ask) -> Vec<u8> {
    const RAW: u16 = 0x8000;
    let len = input.word();
    let octets = input.take(usize::from(len & !RAW));
    if len & RAW != 0 {
        return octets.to_vec();
    }
    let mut octets = Input(octets);
    let mut query = ask.question.to_message(octets.word(), false);
    let question = query.split_off(12);
    query.truncate(2);
    // identifier, flags, one question, and the three counts
    query.extend(octets.take(2));
    query.extend([0, 1]);
    query.extend(octets.take(6));
    query.resize(12, 0);
    [&query, &question, octets.0].concat()
}

fn look_at_list(list: &List) {
    assert!(list.names <= MAX_NAMES && list.data_names <= list.names && list.data_names > 0);
    for warning in &list.warnings {
        assert!(is_one_line(&warning.to_string()), "{warning}");
    }
}

/// Holds what a message says against a second reading of it.
fn look_at(reply: &Reply<'_>, message: &[u8], question: &Question) {
    let before = vec![(4, 0x0909_0909, 32, true)];
    let mut items = Items::default();
    items.push(Prefix::V4(Net::host(0x0909_0909)), true);
    let answer = match reply.read(question, &mut items) {
        Ok(answer) => answer,
        Err(error) => {
            assert!(is_one_line(&error.to_string()));
            assert_eq!(flat(&items), before, "{error}: items are left");
            return;
        }
    };
    // an answer, QUERY, TC clear, NOERROR, one question
    assert_eq!((message[2] & 0xfa, message[3] & 0x0f, &message[4..6]), (0x80, 0, &[0, 1][..]));
    let wanted = match question.qtype {
        QueryType::Ptr => 12,
        QueryType::Apl => 42,
        QueryType::Txt => 16,
        QueryType::A => 1,
        QueryType::Aaaa => 28,
        QueryType::Soa => 6,
    };
    let all = records(message).expect("a message was accepted that cannot be walked through");
    let records: Vec<_> = all.iter().filter(|record| record.rtype == wanted).collect();
    assert_eq!(answer.records, records.len());
    assert_eq!(answer.ttl, records.iter().map(|record| record.ttl).min().unwrap_or(0));
    assert!(answer.targets.len() <= records.len());
    let found: Option<Vec<Naive>> = match question.qtype {
        QueryType::Ptr => Some(Vec::new()),
        QueryType::Soa => {
            // before the four times, whatever the names are
            let serial = records.last().map(|record| {
                let at = record.rdata.len() - 20;
                u32::from_be_bytes(record.rdata[at..at + 4].try_into().unwrap())
            });
            assert_eq!(answer.serial, serial);
            Some(Vec::new())
        }
        QueryType::Apl => {
            let read = records.iter().map(|record| naive_rdata(record.rdata));
            Some(read.flat_map(|(items, _)| items).collect())
        }
        QueryType::Txt => None,
        QueryType::A | QueryType::Aaaa => Some(records.iter().map(|r| host(r.rdata)).collect()),
    };
    match found {
        Some(found) => {
            assert_eq!(answer.counts.items, found.len());
            assert_eq!(flat(&items), in_families(&[before, found].concat()));
        }
        None => assert_eq!(answer.counts.items + 1, items.len()),
    }
}

fn host(rdata: &[u8]) -> Naive {
    let value = rdata.iter().fold(0, |value, octet| value << 8 | u128::from(*octet));
    (rdata.len() as u8, value, rdata.len() as u8 * 8, false)
}

struct Record<'m> {
    rtype: u16,
    ttl: u32,
    rdata: &'m [u8],
}

/// The records of the answer section of a message with one question; `None` when it does not end
/// where its counts say.
fn records(message: &[u8]) -> Option<Vec<Record<'_>>> {
    let word = |at: usize| Some(u16::from_be_bytes(message.get(at..at + 2)?.try_into().ok()?));
    let counts = [word(6)?, word(8)?, word(10)?].map(usize::from);
    let mut at = behind_name(message, 12)? + 4;
    let mut found = Vec::new();
    for index in 0..counts.iter().sum() {
        let head = behind_name(message, at)?;
        let len = usize::from(word(head + 8)?);
        let rdata = message.get(head + 10..head + 10 + len)?;
        let ttl = u32::from(word(head + 4)?) << 16 | u32::from(word(head + 6)?);
        if index < counts[0] {
            found.push(Record { rtype: word(head)?, ttl, rdata });
        }
        at = head + 10 + len;
    }
    (at == message.len()).then_some(found)
}

/// Where a name ends that begins here: behind its root label or its pointer.
fn behind_name(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            len @ 1..=63 => at += 1 + usize::from(len),
            0xc0.. => return Some(at + 2),
            _ => return None,
        }
    }
}
