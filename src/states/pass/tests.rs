//! A pass is held against a second reading of the same states, which knows who began each and with
//! whom because it made them so, and against a pf that takes no request which is not in form.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use nix::errno::Errno::{self, EINVAL};
use pf::Table;
use prefix::Kind;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::abi::{PF_IN, PF_OUT, PfiocStateKill, StateKey};
use crate::simulated::ends as ended_by;

/// What a state is for the test.
#[derive(Clone, Debug)]
struct Made {
    id: u64,
    creator: u32,
    proto: u8,
    outgoing: bool,
    /// Initiator and target of the first packet, each with its port.
    first: [(IpAddr, u16); 2],
    /// The same after a translation.
    then: Option<[(IpAddr, u16); 2]>,
}

fn key(ends: [(IpAddr, u16); 2], turned: bool) -> StateKey {
    let octets = |addr| match addr {
        IpAddr::V4(addr) => {
            let mut octets = [0; 16];
            octets[..4].copy_from_slice(&addr.octets());
            octets
        }
        IpAddr::V6(addr) => addr.octets(),
    };
    let [(a, of_a), (b, of_b)] = if turned { [ends[1], ends[0]] } else { ends };
    StateKey {
        addrs: [octets(a), octets(b)],
        ports: [of_a.to_be_bytes(), of_b.to_be_bytes()],
        af: if a.is_ipv4() { 2 } else { 24 },
        ..StateKey::default()
    }
}

impl Made {
    /// The state as pf would export it: pf_state_key_setup() in pf.c.
    fn state(&self) -> State {
        let first = key(self.first, self.outgoing);
        let then = self.then.map_or(first, |then| {
            let family = then[0].0.is_ipv4() != self.first[0].0.is_ipv4();
            key(then, self.outgoing != family)
        });
        State {
            id: self.id.to_be_bytes(),
            creator: self.creator.to_be_bytes(),
            interface: *b"em0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            keys: if self.outgoing { [then, first] } else { [first, then] },
            af: first.af,
            proto: self.proto,
            direction: if self.outgoing { PF_OUT } else { PF_IN },
            ..State::NONE
        }
    }

    /// Whether an end of it is blocked.
    fn blocked(&self, tables: &[(Direction, Vec<IpAddr>)]) -> bool {
        let all = [Some(self.first), self.then];
        let of = |end: usize| all.iter().flatten().map(move |ends| ends[end].0);
        tables.iter().any(|(direction, set)| {
            let has = |end| of(end).any(|addr| set.contains(&addr));
            match direction {
                Direction::In => has(0),
                Direction::Out => has(1),
                Direction::Both => has(0) || has(1),
            }
        })
    }
}

#[derive(Default)]
struct Fake {
    states: RefCell<Vec<State>>,
    tables: BTreeMap<String, BTreeSet<IpAddr>>,
    pieces: RefCell<Vec<usize>>,
    refuses: Option<Errno>,
}

impl Pf for Fake {
    fn states(&self) -> Result<Vec<State>, Error> {
        Ok(self.states.borrow().clone())
    }

    fn test(&self, table: &Table, addrs: &mut [PfrAddr]) -> nix::Result<()> {
        let name: Vec<_> = self.tables.keys().filter(|name| is(table, name)).collect();
        let Some(set) = name.first().map(|name| &self.tables[*name]) else {
            return Err(Errno::ESRCH);
        };
        self.pieces.borrow_mut().push(addrs.len());
        let hosts: Option<Vec<_>> = addrs.iter().map(PfrAddr::prefix).collect();
        let hosts = hosts.ok_or(EINVAL)?;
        assert!(hosts.is_sorted_by(|a, b| a < b), "in order, each once");
        assert!(hosts.iter().all(|one| *one == Prefix::host(one.addr())), "single addresses");
        for (addr, host) in addrs.iter_mut().zip(hosts) {
            addr.marks[1] = u8::from(set.contains(&host.addr()));
        }
        Ok(())
    }

    fn kill(&self, request: &mut PfiocStateKill) -> nix::Result<u32> {
        if let Some(errno) = self.refuses {
            return Err(errno);
        }
        // nothing is left open for a walk
        let numbered = request.id != [0; 8];
        assert!(numbered == (request.creator != [0; 4]), "an id without a creator, or the reverse");
        assert!(request.proto != 0 || numbered);
        assert!(request.af != 0 && request.interface[0] != 0);
        for end in [&request.from, &request.to] {
            assert!(end.mask == [0xff; 16] && end.port_op != 0 && end.ports[0] == end.ports[1]);
        }
        let before = self.states.borrow().len();
        self.states.borrow_mut().retain(|state| !ended_by(request, state));
        Ok((before - self.states.borrow().len()) as u32)
    }
}

fn is(table: &Table, name: &str) -> bool {
    let other = Table::new("", name, Kind::Block).unwrap();
    format!("{:?}", other.pfr) == format!("{:?}", table.pfr)
}

fn tables(of: &[(Direction, Vec<IpAddr>)]) -> (Vec<Blocked>, BTreeMap<String, BTreeSet<IpAddr>>) {
    let named = of.iter().enumerate().map(|(number, (direction, set))| {
        let name = format!("T{number}");
        let table = Table::new("", &name, Kind::Block).unwrap();
        let blocked = Blocked { name: name.clone(), direction: *direction, table };
        (blocked, (name, set.iter().copied().collect()))
    });
    named.unzip()
}

fn made(states: &[Made]) -> RefCell<Vec<State>> {
    RefCell::new(states.iter().map(Made::state).collect())
}

/// Few addresses and ports, so that states share them.
fn ends(v4: bool) -> impl Strategy<Value = [(IpAddr, u16); 2]> {
    let end = move || (0..6u8, 1..3u16).prop_map(move |(n, port)| (addr(v4, n), port));
    [end(), end()]
}

fn addr(v4: bool, n: u8) -> IpAddr {
    match v4 {
        true => IpAddr::from([192, 0, 2, n]),
        false => IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(n)]),
    }
}

fn one() -> impl Strategy<Value = Made> {
    let then = prop_oneof![Just(None), any::<bool>().prop_map(Some)];
    (any::<bool>(), any::<bool>(), 0..3u8, 0..9u64, 0..3u32, then).prop_flat_map(
        |(v4, outgoing, proto, id, creator, then)| {
            // only what comes in has its family translated
            let family = v4 == (outgoing || then.unwrap_or(true));
            let then =
                (Just(then.is_some()), ends(family)).prop_map(|(is, ends)| is.then_some(ends));
            (ends(v4), then).prop_map(move |(first, then)| Made {
                id,
                creator,
                proto,
                outgoing,
                first,
                then,
            })
        },
    )
}

fn direction() -> impl Strategy<Value = Direction> {
    prop_oneof![Just(Direction::In), Just(Direction::Out), Just(Direction::Both)]
}

fn any_addr() -> impl Strategy<Value = IpAddr> {
    (any::<bool>(), 0..6u8).prop_map(|(v4, n)| addr(v4, n))
}

proptest! {
    #[test]
    fn what_is_blocked_ends_and_everything_else_lives(
        mut all in vec(one(), 0..24),
        of in vec((direction(), vec(any_addr(), 0..4)), 1..4),
    ) {
        // pf has no number twice
        for (number, one) in all.iter_mut().enumerate() {
            if one.id != 0 && one.creator != 0 {
                one.id = number as u64 + 1;
            }
        }
        let (blocked, sets) = tables(&of);
        let pf = Fake { states: made(&all), tables: sets, ..Fake::default() };
        let mut told = 0;
        let trial = flush(&pf, &blocked, true, |_| told += 1).unwrap();
        prop_assert_eq!(pf.states.borrow().len(), all.len());
        let report = flush(&pf, &blocked, false, |_| {}).unwrap();
        let (condemned, free): (Vec<_>, Vec<_>) = all.iter().partition(|one| one.blocked(&of));
        prop_assert_eq!(report.states, all.len());
        prop_assert_eq!(report.found, condemned.len());
        prop_assert_eq!((trial.found, trial.left, told), (report.found, report.left, told));
        prop_assert_eq!(told, condemned.len());
        let rest = pf.states.borrow();
        for one in free {
            prop_assert!(rest.contains(&one.state()), "ended: {:?}", one);
        }
        let mut left = 0;
        for one in condemned {
            let stays = rest.contains(&one.state());
            let numbered = one.id != 0 && one.creator != 0;
            prop_assert!(!(stays && numbered), "left: {:?}", one);
            left += usize::from(stays);
        }
        // those that are alike are counted each, and each stays or goes with the others
        prop_assert!(left <= report.left + report.found - report.ended);
        prop_assert!(report.left >= left.min(1));
    }
}

fn simple(id: u64, creator: u32, from: u8, to: u8) -> Made {
    let first = [(addr(true, from), 40000), (addr(true, to), 22)];
    Made { id, creator, proto: 6, outgoing: false, first, then: None }
}

fn passed(states: &[Made], of: &[(Direction, Vec<IpAddr>)]) -> (Report, usize) {
    let (blocked, sets) = tables(of);
    let pf = Fake { states: made(states), tables: sets, ..Fake::default() };
    let report = flush(&pf, &blocked, false, |_| {}).unwrap();
    (report, pf.states.into_inner().len())
}

#[test]
fn a_state_without_a_number_ends_all_the_same() {
    let both = [(Direction::Both, vec![addr(true, 1)])];
    for (id, creator) in [(0, 0), (0, 7), (7, 0)] {
        let states = [simple(id, creator, 1, 2), simple(3, 7, 4, 5)];
        let (report, rest) = passed(&states, &both);
        assert_eq!((report.found, report.ended, report.left, rest), (1, 1, 0, 1));
    }
}

/// A walk finds the other half of the connection, too, which no address that is blocked is in.
#[test]
fn a_state_without_a_number_is_left_where_a_living_one_has_its_key() {
    let inward = [(Direction::In, vec![addr(true, 1)])];
    let then = Some(simple(0, 7, 1, 2).first);
    let translated = Made { outgoing: true, then, ..simple(0, 7, 3, 2) };
    let (report, rest) = passed(&[translated.clone(), simple(5, 7, 3, 2)], &inward);
    assert_eq!((report.found, report.ended, report.left, rest), (1, 0, 1, 2));
    // one of another protocol is another, and one that was begun from the other end
    let udp = Made { proto: 17, ..simple(5, 7, 3, 2) };
    let mut turned = simple(6, 7, 3, 2);
    turned.first.reverse();
    let (report, rest) = passed(&[translated, udp, turned], &inward);
    assert_eq!((report.found, report.ended, report.left, rest), (1, 1, 0, 2));
}

/// Whoever loads a state may have anything behind its IPv4 addresses.
#[test]
fn what_pf_does_not_compare_tells_no_states_apart() {
    let then = Some(simple(0, 7, 1, 2).first);
    let mut translated = Made { outgoing: true, then, ..simple(0, 7, 3, 2) }.state();
    translated.keys.iter_mut().flat_map(|key| &mut key.addrs).for_each(|addr| addr[4..].fill(7));
    // an interface without a name is any
    let unnamed = State { interface: [0; 16], ..translated };
    for state in [translated, unnamed] {
        let states = RefCell::new(vec![state, simple(5, 7, 3, 2).state()]);
        let (blocked, sets) = tables(&[(Direction::In, vec![addr(true, 1)])]);
        let pf = Fake { states, tables: sets, ..Fake::default() };
        assert_eq!(flush(&pf, &blocked, false, |_| {}).unwrap().left, 1);
        assert_eq!(pf.states.into_inner().len(), 2);
    }
}

#[test]
fn a_pass_walks_over_all_states_so_many_times() {
    let one = |n: u16| Made {
        first: [(addr(true, 1), n), (addr(true, 2), 22)],
        ..simple(0, n.into(), 1, 2)
    };
    let states: Vec<_> = (1..=70).map(one).collect();
    let both = [(Direction::Both, vec![addr(true, 1)])];
    let (report, rest) = passed(&states, &both);
    assert_eq!((report.found, report.ended, report.left, rest), (70, WALKS, 6, 6));
}

#[test]
fn a_state_without_a_number_or_a_protocol_is_left() {
    let both = [(Direction::Both, vec![addr(true, 1)])];
    let (report, rest) = passed(&[Made { proto: 0, ..simple(0, 7, 1, 2) }], &both);
    assert_eq!((report.left, rest), (1, 1));
    let (report, rest) = passed(&[Made { proto: 0, ..simple(3, 7, 1, 2) }], &both);
    assert_eq!((report.left, rest), (0, 0));
}

#[test]
fn directions_say_whose_states_end() {
    let states = [simple(1, 7, 1, 2), simple(2, 7, 2, 1)];
    for (direction, ended) in [(Direction::In, 1), (Direction::Out, 1), (Direction::Both, 2)] {
        let (report, rest) = passed(&states, &[(direction, vec![addr(true, 1)])]);
        assert_eq!((report.ended, rest), (ended, 2 - ended), "{direction:?}");
    }
}

#[test]
fn addresses_are_tested_in_pieces_each_once() {
    let first = |n: u16| {
        let from = IpAddr::from([10, 0, (n >> 8) as u8, n as u8]);
        [(from, 1000 + n), (addr(true, 1), 22)]
    };
    let states: Vec<_> =
        (0..3000).map(|n| Made { first: first(n), ..simple(u64::from(n) + 1, 7, 0, 0) }).collect();
    let blocked_ones = vec![addr(true, 9), IpAddr::from([10, 0, 1, 1])];
    let (blocked, sets) = tables(&[(Direction::In, blocked_ones), (Direction::Both, vec![])]);
    let pf = Fake { states: made(&states), tables: sets, ..Fake::default() };
    let report = flush(&pf, &blocked, false, |_| {}).unwrap();
    assert_eq!(report, Report { states: 3000, found: 1, ended: 1, left: 0 });
    assert_eq!(pf.pieces.into_inner(), [1024, 1024, 953, 1024, 1024, 953]);
}

#[test]
fn a_table_that_pf_does_not_have_blocks_nothing() {
    let (blocked, _) = tables(&[(Direction::Both, vec![addr(true, 1)])]);
    let pf = Fake { states: made(&[simple(1, 7, 1, 2)]), ..Fake::default() };
    assert_eq!(flush(&pf, &blocked, false, |_| {}).unwrap().found, 0);
}

#[test]
fn securelevel_2_is_said_in_words() {
    let (blocked, sets) = tables(&[(Direction::Both, vec![addr(true, 1)])]);
    let states = made(&[simple(1, 7, 1, 2)]);
    let pf = Fake { states, tables: sets, refuses: Some(EPERM), ..Fake::default() };
    let error = flush(&pf, &blocked, false, |_| {}).unwrap_err();
    assert_eq!((error.errno, error.to_string().as_str()), (EPERM, FORBIDDEN));
    assert!(flush(&pf, &blocked, true, |_| {}).is_ok(), "a trial ends nothing");
}

#[test]
fn a_kernel_of_other_sizes_is_said_in_words() {
    let (blocked, sets) = tables(&[(Direction::Both, vec![addr(true, 1)])]);
    let states = made(&[simple(1, 7, 1, 2)]);
    let pf = Fake { states, tables: sets, refuses: Some(Errno::ENODEV), ..Fake::default() };
    let error = flush(&pf, &blocked, false, |_| {}).unwrap_err().to_string();
    assert_eq!(
        error,
        "/dev/pf: DIOCKILLSTATES: this build does not match the kernel's pf; rebuild the port"
    );
}

#[test]
fn each_is_told_with_its_table() {
    let (blocked, sets) =
        tables(&[(Direction::In, vec![addr(true, 5)]), (Direction::Out, vec![addr(true, 2)])]);
    let pf = Fake { states: made(&[simple(1, 7, 1, 2)]), tables: sets, ..Fake::default() };
    let mut told = Vec::new();
    let tell = |found: Found<'_>| {
        told.push(format!("{} {} {:?}", found.state, found.table.name, found.end));
    };
    flush(&pf, &blocked, true, tell).unwrap();
    assert_eq!(told, ["em0 tcp 192.0.2.1:40000 -> 192.0.2.2:22 T1 Target"]);
}
