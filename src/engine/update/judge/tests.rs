use std::collections::BTreeMap;
use std::rc::Rc;

use imsg::TableId;
use policy::{Accepted, KeptList as Kept, List, Reason, Run as Wanted, Together};
use prefix::{Floor, Item, Items, Kind, Net, Prefix, Prefix4, PrefixSet, Refusal};

use super::judged::KeptList;
use super::*;
use crate::lists::copies::Origin;
use crate::lists::{Copy, Source, Sources};
use crate::runs::Request;
use crate::state::{Lost, Row};
use crate::update::note;
use crate::update::publish::Published;
use crate::update::summary::Time;

fn wider(name: &str) -> Kept {
    let net: Prefix = "2.0.0.0/7".parse().unwrap();
    Kept { list: name.into(), reason: Reason::Wider { list: name.into(), net, floor: 8 } }
}

/// A configuration of these feeds alone.
pub(super) fn feeds(names: &[&str]) -> String {
    let feed = |name: &&str| {
        format!("[[feed]]\nname = \"{name}\"\nurl = \"https://feeds.example.net/{name}\"\n")
    };
    format!("[policy]\nblock = []\nallow = []\n{}", names.iter().map(feed).collect::<String>())
}

/// The list of a feed.
pub(super) fn list(name: &str, nets: Vec<Prefix4>) -> Copy {
    let v4 = nets.into_iter().map(|net| Item::new(net, false)).collect();
    let list = List::new(name, Items { v4, v6: Vec::new() }, Floor { v4: 8, v6: 19 });
    let source = Source::Feed(name.parse().unwrap());
    Copy { source, kind: Kind::Block, list, changed: 0, origin: None }
}

/// The same of so many hosts from the `first` on, no two of them neighbours.
pub(super) fn copy(name: &str, first: u32, hosts: u32) -> Copy {
    list(name, (0..hosts).map(|host| Net::host(first + 2 * host)).collect())
}

#[test]
fn what_is_kept_is_said_with_what_stays() {
    let why = "wider than /8 (see min_prefix_v4 in [guard])";
    let of = |stays| {
        let (source, kept) = (Source::Policy, wider("a.b"));
        KeptList { source, kept, kind: Kind::Block, stays }.to_string()
    };
    assert_eq!(of(Stays::Copy), format!("Keeping the previous list a.b: it has 2.0.0.0/7, {why}"));
    let left = "Leaving out list a.b, of which there is no copy yet: it has 2.0.0.0/7";
    assert_eq!(of(Stays::Nothing), format!("{left}, {why}"));
    let left =
        "Leaving out list a.b, whose copy the guards do not permit any more: it has 2.0.0.0/7";
    assert_eq!(of(Stays::NoCopy), format!("{left}, {why}"));
}

/// Fails when a list that has come again is missed still, so that the table in force stays in for it.
#[test]
fn a_list_that_has_come_again_is_not_lost() {
    let new = |name: &str| New { copy: Rc::new(copy(name, 0, 0)), accepted: Accepted::Usual };
    let lost =
        ["a", "b"].map(|name| Lost { name: name.to_owned(), kind: Kind::Block, exempts: false });
    let mut judged = Judged { lost: lost.to_vec(), ..Judged::default() };
    assert_eq!(judged.still_lost(), lost);
    judged.new.push(new("a"));
    assert_eq!(judged.still_lost(), lost[1..]);
}

/// A list that has come as it is ends its row, but only in a run that counts.
#[test]
fn who_asks_by_hand_ends_no_row() {
    let mut judged = Judged::default();
    judged.confirm("a", Wanted::Manual);
    assert!(judged.rows.is_empty());
    judged.confirm("a", Wanted::Scheduled);
    assert_eq!(judged.rows.get("a"), Some(&Row::default()));
    assert_eq!(judged.confirmed, ["a", "a"]);
}

/// Fails when the numbers of lists in force are taken for those of more lists, which the next change is then
/// held against.
#[test]
fn the_numbers_of_lists_are_of_just_these() {
    let dir = tempfile::tempdir().unwrap();
    let (config, state, _) = crate::state::bare::bare(&feeds(&["one", "other"]), dir.path());
    let copy = |name, hosts| copy(name, 0x0900_0000, hosts);
    let one = Rc::new(copy("one", 5));
    let known = Together::of(&[&one.list]).measure();
    state.set_policy(Policy { lists: vec![one], ..Policy::default() });
    let guard = crate::guard::of_config(config, &[]);
    let after = |come: Copy| {
        let request = Request::scheduled([come.source].into());
        let (protected, own, request) = (&[], &[], &request);
        let measures = [(TableId::BLOCK, known)].into();
        let judge = Judge { config, guard: &guard, state, protected, own, request, measures };
        let judged = judge.judge(vec![come], &Sources::new(), None);
        judged.made.measures.get(&TableId::BLOCK).map(|measure| measure.entries)
    };
    assert_eq!(after(copy("other", 9)), None);
    assert_eq!(after(copy("one", 6)), Some(6));
}

/// Fails when nobody is at fault where what is only taken out of a table makes more of it than may be: then
/// each run of another source says that it is over.
#[test]
fn who_allows_too_much_holds_back_what_is_blocked() {
    let dir = tempfile::tempdir().unwrap();
    let text = "[policy]\nblock = []\nallow = []\n\
                [[feed]]\nname = \"one\"\nurl = \"https://feeds.example.net/1\"\n\
                [[feed]]\nname = \"holes\"\nurl = \"https://feeds.example.net/2\"\nkind = \"allow\"\n";
    let (config, state, _) = crate::state::bare::bare(text, dir.path());
    let one = list("one", vec![Net::new(0x0900_0000, 24).unwrap()]);
    state.set_policy(Policy { lists: vec![Rc::new(one)], ..Policy::default() });
    let hosts = (1..5).map(|host| Net::host(0x0900_0000 + 32 * host)).collect();
    let holes = Copy { kind: Kind::Allow, ..list("holes", hosts) };
    let source = holes.source;
    let mut guard = crate::guard::of_config(config, &[]);
    guard.bounds.max_entries = 5;
    let request = Request::scheduled([source].into());
    let (protected, own, request) = (&[], &[], &request);
    let measures = BTreeMap::new();
    let judge = Judge { config, guard: &guard, state, protected, own, request, measures };
    let judged = judge.judge(vec![holes], &Sources::new(), None);
    let kept = judged.kept_tables.get(&TableId::BLOCK).unwrap();
    assert_eq!(kept.of, [source].into());
    assert!(matches!(kept.reason, Reason::Refused(Refusal::Entries { .. })));
}

/// Fails when tables are made, compared and handed over anew though all lists have come as they are in
/// force, or when what their server has said of them since then is forgotten.
#[test]
fn lists_that_have_come_as_they_are_make_no_table_anew() {
    let dir = tempfile::tempdir().unwrap();
    let (config, state, _) = crate::state::bare::bare(&feeds(&["one"]), dir.path());
    let origin =
        |full| Origin { full, etag: None, modified: None, place: 0, server: None, serial: None };
    let at = |hosts, full| Copy { origin: Some(origin(full)), ..copy("one", 0x0900_0000, hosts) };
    let mut policy = Policy { lists: vec![Rc::new(at(5, 1))], ..Policy::default() };
    policy.put(TableId::BLOCK, PrefixSet::new(vec![Net::host(0x0900_0000)], vec![]).unwrap(), 0);
    state.set_policy(policy);
    let guard = crate::guard::of_config(config, &[]);
    let request = Request::scheduled([copy("one", 0, 0).source].into());
    let judged = |come: Copy, told: Option<&Told>| {
        let (protected, own, request) = (&[], &[], &request);
        let measures = BTreeMap::new();
        let judge = Judge { config, guard: &guard, state, protected, own, request, measures };
        judge.judge(vec![come], &Sources::new(), told)
    };
    let told = Told { allowed: 7, ..Told::default() };
    assert!(!judged(at(5, 1), None).is_as_before);
    assert!(!judged(at(6, 1), Some(&told)).is_as_before);
    let mut same = judged(at(5, 2), Some(&told));
    assert!(same.is_as_before && same.made.sets.is_empty() && same.made.told.allowed == 7);
    assert_eq!(same.confirmed, ["one"]);
    let before = state.policy();
    let (published, time) = (Published::default(), Time::start());
    assert!(note::in_force(state, &mut same, &published, &time).is_empty());
    let policy = state.policy();
    assert_eq!(policy.lists[0].origin, Some(origin(2)));
    assert!(Rc::ptr_eq(&policy.sets[&TableId::BLOCK], &before.sets[&TableId::BLOCK]));
}
