//! What becomes of the packets from and to a table, by pf's own way through the rules
//! (`pf_match_rule()` in sys/net/pf.c): the last rule that matches decides, `quick` decides at once,
//! and an anchor is gone through where it stands.
//!
//! Nothing is known of a packet but its [`Class`]. A rule therefore takes all, some or none of a
//! class, and the answer is every rule that may decide. Of a pass rule that takes some it is
//! assumed that it does; so a class of which nothing passes here passes nowhere.
//!
//! * In: the rules, a class of packets, and the table that is looked at.
//! * Out: the rules that may decide about the class, and how much of it each takes.
//! * Never: guess: what is not known of a packet makes a rule take some of the class.

use std::collections::HashSet;

use prefix::Prefix;

use super::rules::{Action, Address, Anchor, Direction, End, Item, Rule, Ruleset};

mod class;
mod interfaces;
mod takes;

pub use class::{Class, Protocol, classes};
pub use interfaces::{Interfaces, is_loopback};
pub use takes::Takes;

/// The table whose packets are looked at, and what is known of addresses.
#[derive(Clone, Copy, Debug)]
pub struct Watch<'a> {
    /// The table.
    pub table: &'a str,
    /// The table of what is allowed, of which nothing is in `table`.
    pub allow: &'a str,
    /// The anchor that both are in; "" is the main ruleset.
    pub anchor: &'a str,
    /// Whether private addresses may be in `table`.
    pub private: bool,
    /// Networks of which nothing is in `table` either: those of this host, and what the guard has.
    pub own: &'a [Prefix],
    /// Whether its rules only record what they would block.
    pub monitor: bool,
}

impl Watch<'_> {
    /// What its rules do, and what is done by them.
    pub fn words(&self) -> [&'static str; 2] {
        if self.monitor { ["match", "recorded"] } else { ["block", "blocked"] }
    }

    /// Whether this end of a rule is this table, and not everything but it. A rule in an anchor
    /// without such a table, which is looked at elsewhere, refers to that of the main ruleset; a table
    /// in an anchor is for the rules of that anchor alone (`pfr_attach_table()` in sys/net/pf_table.c).
    pub fn refers(&self, rule: &Rule, end: &End, table: &str) -> bool {
        end.table() == Some(table) && (self.anchor.is_empty() || rule.anchor == self.anchor)
    }

    /// Whether the rule is for the table at the end that the packets of this direction have there.
    pub fn is_for(&self, rule: &Rule, direction: Direction) -> bool {
        let end = &rule.ends[far(direction)];
        !end.not && self.refers(rule, end, self.table)
    }

    /// How much of what has its far end in the table has it in this address.
    fn far(&self, rule: &Rule, end: &End, moved: bool) -> Takes {
        let takes = match &end.address {
            Address::Any => Takes::All,
            // what the table has was looked for in another address
            _ if moved => Takes::Some,
            Address::Table(_) if self.refers(rule, end, self.table) => Takes::All,
            Address::Table(_) if self.refers(rule, end, self.allow) => Takes::None,
            Address::Net(net) if net.len() == 0 => Takes::All,
            Address::Net(net) if self.never(net) => Takes::None,
            // the networks of this host's interfaces are never in a table
            Address::Interface(name) if name.ends_with(')') && !name.contains(":peer") => {
                Takes::None
            }
            _ => Takes::Some,
        };
        takes.unless(end.not)
    }

    /// Whether nothing of a network can be in the table, whatever the lists say.
    pub fn never(&self, net: &Prefix) -> bool {
        let covers = |wide: Prefix| wide.len() <= net.len() && wide.contains(net.addr());
        let reserved = prefix::reserved(self.private).map(|(wide, _)| wide);
        reserved.chain(self.own.iter().copied()).any(covers)
    }
}

/// The end at which packets of this direction have the address of somebody else: 0 is from.
pub fn far(direction: Direction) -> usize {
    match direction {
        Direction::In => 0,
        Direction::Out => 1,
    }
}

/// Who may decide about some packets of a class.
#[derive(Clone, Copy, Debug)]
pub struct Decider<'r> {
    /// The rule; without one packets pass.
    pub rule: Option<&'r Rule>,
    /// A match rule with `quick`, behind which no other is asked.
    pub end: Option<&'r Rule>,
    /// A rule for the table that had these packets, lacks `quick`, and stands before.
    pub over: Option<&'r Rule>,
    /// Whether a rule for the table was met before.
    pub behind: bool,
    /// Whether it takes all that no other has taken.
    pub all: bool,
    /// Whether a match rule that had all of them records what becomes of them.
    pub logged: bool,
}

impl Decider<'_> {
    /// Whether it drops them.
    pub fn blocks(&self) -> bool {
        self.rule.is_some_and(|rule| rule.action == Action::Block)
    }

    /// Whether a record is made of that.
    pub fn logs(&self) -> bool {
        let rules = [self.rule, self.end];
        self.logged || rules.into_iter().flatten().any(|rule| rule.log.is_some())
    }
}

/// What becomes of a class.
#[derive(Clone, Debug, Default)]
pub struct Outcome<'r> {
    /// All that may decide.
    pub deciders: Vec<Decider<'r>>,
    /// The rules for the table that were met, and how much of the class they take.
    pub ours: Vec<(&'r Rule, Takes)>,
    /// A rule that rewrites the address before a rule for the table sees it.
    pub moved: Option<&'r Rule>,
}

/// Where the packets are on their way.
#[derive(Clone)]
struct State<'r> {
    /// Which rule has matched last, by what is known; with the anchor that it stands in.
    last: Vec<(Decider<'r>, Option<&'r Anchor>)>,
    /// Whether any packet is still on its way.
    live: bool,
    /// A rule that has rewritten source and destination.
    moved: [Option<&'r Rule>; 2],
    /// The tag of all packets.
    tag: Option<&'r str>,
    behind: bool,
    /// A rule for the table that is in `last`.
    over: Option<&'r Rule>,
    /// Whether a match rule records what becomes of all packets.
    logged: bool,
}

/// Sends a class through the rules.
pub fn flow<'r>(rules: &'r Ruleset, class: &Class<'_>, watch: &Watch<'_>) -> Outcome<'r> {
    let default =
        Decider { rule: None, end: None, over: None, behind: false, all: true, logged: false };
    let state = State {
        last: vec![(default, None)],
        live: true,
        moved: [None, None],
        tag: None,
        behind: false,
        over: None,
        logged: false,
    };
    let mut flow = Flow { class, watch, outcome: Outcome::default() };
    let state = flow.items(&rules.items, None, state);
    if state.live {
        flow.outcome.deciders.extend(state.last.into_iter().map(|(decider, _)| decider));
    }
    flow.outcome
}

struct Flow<'c, 'r> {
    class: &'c Class<'c>,
    watch: &'c Watch<'c>,
    outcome: Outcome<'r>,
}

impl<'r> Flow<'_, 'r> {
    fn items(
        &mut self,
        items: &'r [Item],
        within: Option<&'r Anchor>,
        mut state: State<'r>,
    ) -> State<'r> {
        for item in items {
            if !state.live {
                break;
            }
            state = match item {
                Item::Rule(rule) => self.rule(rule, within, state),
                Item::Anchor(anchor) => self.anchor(anchor, state),
            };
        }
        state
    }

    /// The anchors below x, for x/*. They are no rules: what is in them counts as in x/*; and the
    /// rules of x itself are passed over.
    fn below(&mut self, anchor: &'r Anchor, mut state: State<'r>) -> State<'r> {
        for item in &anchor.items {
            if let Item::Anchor(child) = item {
                state = self.items(&child.items, Some(anchor), state);
                state = self.leave(anchor, state);
            }
        }
        state
    }

    fn anchor(&mut self, anchor: &'r Anchor, state: State<'r>) -> State<'r> {
        let takes = self.takes(&anchor.head, &state);
        if takes == Takes::None {
            return state;
        }
        let outside = state.clone();
        let mut inside = state;
        self.tag(&anchor.head, &mut inside, takes);
        if anchor.wildcard {
            inside = self.below(anchor, inside);
        } else {
            inside = self.items(&anchor.items, Some(anchor), inside);
            inside = self.leave(anchor, inside);
        }
        if takes == Takes::All { inside } else { join(outside, inside) }
    }

    /// At the end of a quick anchor that is over whose last match stands in it.
    fn leave(&mut self, anchor: &'r Anchor, mut state: State<'r>) -> State<'r> {
        if !anchor.head.quick || !state.live {
            return state;
        }
        let here = |at: Option<&Anchor>| at.is_some_and(|at| core::ptr::eq(at, anchor));
        let (over, last): (Vec<_>, _) = state.last.into_iter().partition(|(_, at)| here(*at));
        self.outcome.deciders.extend(over.into_iter().map(|(decider, _)| decider));
        state.last = last;
        state.live = !state.last.is_empty();
        let ours = |(decider, _): &(Decider<'r>, _)| decider.rule.filter(|rule| self.ours(rule));
        state.over = state.last.iter().find_map(ours);
        state
    }

    fn ours(&self, rule: &Rule) -> bool {
        rule.action == Action::Block && self.watch.is_for(rule, self.class.direction)
    }

    fn rule(
        &mut self,
        rule: &'r Rule,
        within: Option<&'r Anchor>,
        mut state: State<'r>,
    ) -> State<'r> {
        let takes = self.takes(rule, &state);
        let ours = self.ours(rule);
        if ours && takes != Takes::None {
            self.outcome.ours.push((rule, takes));
            let far = far(self.class.direction);
            self.outcome.moved = self.outcome.moved.or(state.moved[far]);
            state.behind = true;
        }
        if takes == Takes::None {
            return state;
        }
        self.tag(rule, &mut state, takes);
        let all = takes == Takes::All;
        if rule.action == Action::Match {
            for (end, moved) in state.moved.iter_mut().enumerate() {
                *moved = moved.or(rule.rewrites[end].then_some(rule));
            }
            if all && rule.records_matches() {
                // pf_log_matches() is asked once more when it is decided
                state.logged = true;
                state.last.iter_mut().for_each(|(decider, _)| decider.logged = true);
            }
            if rule.quick {
                // what has matched last decides
                let State { behind, last, .. } = &state;
                self.outcome.deciders.extend(last.iter().map(|(decider, _)| Decider {
                    end: Some(rule),
                    behind: *behind,
                    all: all && decider.all,
                    ..*decider
                }));
                state.live = !all;
            }
            return state;
        }
        let State { over, behind, logged, .. } = state;
        let decider = Decider { rule: Some(rule), end: None, over, behind, all, logged };
        if rule.quick {
            self.outcome.deciders.push(decider);
            state.live = !all;
        } else {
            if all {
                state.last.clear();
                state.over = None;
            }
            if ours {
                state.over = Some(rule);
            }
            state.last.push((decider, within));
        }
        state
    }

    /// A rule tags what it matches, whatever it does with it. One that keeps state passes over
    /// what begins no connection, so it does not tag all.
    fn tag(&self, rule: &'r Rule, state: &mut State<'r>, takes: Takes) {
        if let Some(tag) = &rule.tag {
            let state_is_kept = rule.action == Action::Pass || rule.flags.is_some();
            let certain = takes == Takes::All && !state_is_kept && rule.protocol.is_none();
            state.tag = certain.then_some(tag);
        }
    }

    /// How much of what is on its way here a rule takes.
    fn takes(&self, rule: &Rule, state: &State<'_>) -> Takes {
        let Class { direction, family, protocol, .. } = *self.class;
        let maybe = |certain| if certain { Takes::All } else { Takes::Some };
        let (far, near) = (far(direction), 1 - far(direction));
        let (far_end, near_end) = (&rule.ends[far], &rule.ends[near]);
        let near = match (&near_end.address, near_end.not) {
            (Address::Any, false) => Takes::All,
            (Address::Any, true) => Takes::None,
            _ => Takes::Some,
        };
        let flags = match &rule.flags {
            Some(flags) if protocol != Protocol::Tcp || flags == "any" => Takes::All,
            // who begins a connection sends such a packet, and without it the rest is of no use
            Some(flags) if rule.action == Action::Pass => maybe(flags.starts_with("S/")),
            Some(_) => Takes::Some,
            None => Takes::All,
        };
        let tagged = match (&rule.tagged, state.tag) {
            (Some(wanted), Some(tag)) => Takes::when(wanted.name == tag).unless(wanted.not),
            (Some(_), None) => Takes::Some,
            (None, _) => Takes::All,
        };
        let also = rule.also.is_empty() && rule.ends.iter().all(|end| end.also.is_empty());
        [
            Takes::when(rule.direction.is_none_or(|wanted| wanted == direction)),
            self.class.on(rule.interface.as_ref()),
            Takes::when(rule.family.is_none_or(|wanted| wanted == family)),
            protocol.takes(rule.protocol.as_deref(), family),
            self.watch.far(rule, far_end, state.moved[far].is_some()),
            near,
            flags,
            tagged,
            maybe(also && rule.unread.is_none()),
        ]
        .into_iter()
        .min()
        .unwrap_or(Takes::All)
    }
}

/// What is on its way when some packets went through an anchor and some did not.
fn join<'r>(outside: State<'r>, inside: State<'r>) -> State<'r> {
    let mut last = outside.last;
    let place = |decider: &Decider<'r>| decider.rule.map(core::ptr::from_ref);
    let there: HashSet<_> = last.iter().map(|(decider, _)| place(decider)).collect();
    let more = inside.last.into_iter().filter(|_| inside.live);
    let more = more.filter(|(decider, _)| !there.contains(&place(decider)));
    last.extend(more.map(|(decider, at)| (Decider { all: false, ..decider }, at)));
    State {
        last,
        live: true,
        moved: [0, 1].map(|end| outside.moved[end].or(inside.moved[end])),
        tag: outside.tag.filter(|tag| inside.tag == Some(tag)),
        behind: outside.behind || inside.behind,
        over: outside.over.or(inside.over.filter(|_| inside.live)),
        logged: outside.logged,
    }
}
