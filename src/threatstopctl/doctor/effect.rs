//! Whether the rules for a table get the packets that they are for, and block all of them.
//!
//! * In: the rules, and the table that is looked at.
//! * Out: findings about rules of others that take what is for the table, and about what is too
//!   narrow.
//! * Never: call something blocked that pf may pass.

use std::collections::{BTreeSet, HashMap};

use super::flow::{Class, Decider, Interfaces, Outcome, Protocol, Watch, classes, far, flow};
use super::kernel::SETUP;
use super::report::{Report, Verdict};
use super::rules::{Action, Direction, Family, Item, Rule, Ruleset};

mod lost;

use lost::words;

const LOAD: &str = "then pfctl -f /etc/pf.conf";
/// So many rules of one kind are named one by one.
const NAMED: usize = 5;

/// Why packets of the table pass, or are blocked without a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Why {
    /// A quick pass or match rule stands before the rules for the table.
    Before,
    /// A pass rule stands behind a rule for the table that is without quick.
    After,
    /// A quick block rule without log stands before.
    Silent,
    /// Something rewrites the address before.
    Moved,
}

/// A class, and what becomes of it.
struct Look<'c, 'r> {
    class: Class<'c>,
    outcome: Outcome<'r>,
    /// Whether no rule for the table gets any of it.
    whole: bool,
}

impl<'c, 'r> Look<'c, 'r> {
    fn new(class: Class<'c>, rules: &'r Ruleset, watch: &Watch<'_>) -> Self {
        let outcome = flow(rules, &class, watch);
        let ours = |decider: &Decider<'_>| {
            decider.blocks() && decider.rule.is_some_and(|rule| watch.is_for(rule, class.direction))
        };
        Self { whole: !outcome.deciders.iter().any(ours), class, outcome }
    }

    /// Whether some of it passes.
    fn passes(&self) -> bool {
        self.outcome.deciders.iter().any(|decider| !decider.blocks())
    }

    /// Whether nobody else blocks any of it, or, for what is not reported, logs that.
    fn by_nobody(&self, reports: bool) -> bool {
        !self
            .outcome
            .deciders
            .iter()
            .any(|decider| decider.blocks() && (!reports || decider.logs()))
    }
}

/// A rule that takes what is for the table, and the classes of which it does.
struct Taker<'l, 'r> {
    why: Why,
    rule: &'r Rule,
    over: Option<&'r Rule>,
    takes: Vec<(&'l Look<'l, 'r>, bool)>,
}

/// Looks at the rules for a table in the directions that it is for. Says nothing when all is in
/// order.
pub fn judge(
    rules: &Ruleset,
    watch: &Watch<'_>,
    interfaces: &Interfaces,
    directions: &[Direction],
    report: &mut Report,
) {
    let named = interfaces.named(rules);
    let looks: Vec<Look<'_, '_>> = directions
        .iter()
        .flat_map(|direction| classes(*direction, &named, interfaces))
        .map(|class| Look::new(class, rules, watch))
        .collect();
    let ours = [Direction::In, Direction::Out].map(|direction| {
        let mut found = Vec::new();
        collect(&rules.items, &mut Vec::new(), direction, watch, &mut found);
        found
    });
    let judge = Judge { ours, watch, interfaces, looks: &looks };
    judge.takers(report);
    if directions.iter().all(|direction| judge.ours(*direction).is_empty()) {
        if looks.iter().any(Look::passes) {
            let [action, done] = watch.words();
            let text = format!("no {action} rule is for <{}>: nothing is {done}", watch.table);
            report.fail("rules", format!("{text}: {SETUP}"));
        }
        return;
    }
    for direction in directions {
        judge.narrow(*direction, report);
    }
}

/// A block rule for the table, and what packets must be to get into the anchors around it.
type Ours<'r> = (&'r Rule, Vec<&'r Rule>);

/// The block rules for the table in a direction.
fn collect<'r>(
    items: &'r [Item],
    within: &mut Vec<&'r Rule>,
    direction: Direction,
    watch: &Watch<'_>,
    found: &mut Vec<Ours<'r>>,
) {
    for item in items {
        let rule = item.rule();
        match item {
            Item::Rule(_) => {
                let way = rule.direction.is_none_or(|wanted| wanted == direction);
                let is_for = |rule: &&Rule| watch.is_for(rule, direction);
                let table = is_for(&rule) || within.iter().any(is_for);
                if rule.action == Action::Block && way && table {
                    found.push((rule, within.clone()));
                }
            }
            Item::Anchor(anchor) => {
                within.push(rule);
                collect(&anchor.items, within, direction, watch, found);
                within.pop();
            }
        }
    }
}

struct Judge<'l, 'r> {
    /// For what comes in, and for what goes out.
    ours: [Vec<Ours<'r>>; 2],
    watch: &'l Watch<'l>,
    interfaces: &'l Interfaces,
    looks: &'l [Look<'l, 'r>],
}

impl<'l, 'r> Judge<'l, 'r> {
    fn ours(&self, direction: Direction) -> &[Ours<'r>] {
        &self.ours[far(direction)]
    }

    /// Reports the rules of others that take the packets.
    fn takers(&self, report: &mut Report) {
        let mut takers: Vec<Taker<'l, 'r>> = Vec::new();
        let mut places = HashMap::new();
        for look in self.looks {
            for decider in &look.outcome.deciders {
                let Some((why, rule)) = self.why(look, decider) else { continue };
                let place = *places.entry((why, core::ptr::from_ref(rule))).or_insert(takers.len());
                if place == takers.len() {
                    takers.push(Taker { why, rule, over: decider.over, takes: vec![] });
                }
                takers[place].takes.push((look, decider.all));
            }
        }
        let mut parts = [0; 4];
        for taker in &takers {
            let verdict = self.verdict(taker);
            let part = &mut parts[taker.why as usize];
            *part += usize::from(verdict == Verdict::Note);
            if verdict == Verdict::Fail || *part <= NAMED {
                report.add("rules", verdict, self.taken(taker));
            }
        }
        let more: usize = parts.iter().map(|part: &usize| part.saturating_sub(NAMED)).sum();
        if more > 0 {
            let text = format!("{more} more rules are like these: pfctl -a '*' -sr shows them");
            report.note("rules", text);
        }
    }

    /// Why a decider gets what a rule for the table should have; `None` when it is in order, or
    /// when the rule for the table is too narrow for it.
    fn why(&self, look: &Look<'_, 'r>, decider: &Decider<'r>) -> Option<(Why, &'r Rule)> {
        let ours = !self.ours(look.class.direction).is_empty();
        let quick = decider.end.or(decider.rule.filter(|rule| rule.quick));
        match (decider.rule, quick.filter(|_| !decider.behind)) {
            (Some(rule), early) if decider.blocks() => {
                let other = !self.watch.is_for(rule, look.class.direction);
                let silent = early.filter(|_| other && ours && !decider.logs());
                silent.map(|rule| (Why::Silent, rule))
            }
            (_, Some(early)) => ours.then_some((Why::Before, early)),
            (Some(rule), None) if decider.over.is_some() => Some((Why::After, rule)),
            _ => look.outcome.moved.map(|rule| (Why::Moved, rule)),
        }
    }

    /// A failure when in a family nothing that crosses the interfaces of the Internet is left.
    fn verdict(&self, taker: &Taker<'l, 'r>) -> Verdict {
        let egress = |look: &Look<'_, '_>| {
            look.class.interface.is_some_and(|name| self.interfaces.is_egress(name))
        };
        let known = self.looks.iter().any(egress);
        let gone = |direction, family| {
            let counts = |look: &&Look<'_, '_>| {
                look.class.direction == direction
                    && look.class.family == family
                    && matches!(look.class.protocol, Protocol::Tcp | Protocol::Udp)
                    && (!known || egress(look))
            };
            let mut all = self.looks.iter().filter(counts).peekable();
            let takes = taker.takes.iter().any(|(look, whole)| *whole && counts(look));
            takes && all.peek().is_some() && all.all(|look| look.whole)
        };
        let fatal = [Direction::In, Direction::Out].into_iter().any(|direction| {
            let [v4, v6] = [Family::V4, Family::V6].map(|family| gone(direction, family));
            // who blocks a family without a record does not want it at all
            if taker.why == Why::Silent { v4 && v6 } else { v4 || v6 }
        });
        if fatal { Verdict::Fail } else { Verdict::Note }
    }

    fn taken(&self, taker: &Taker<'l, 'r>) -> String {
        let Taker { why, rule, .. } = taker;
        let table = self.watch.table;
        let whole = taker.takes.iter().filter(|(look, all)| *all && look.whole);
        let silent = *why == Why::Silent;
        let by = by(whole.clone().map(|(look, _)| *look), silent, "them");
        let mut lost = self.words(whole.map(|(look, _)| *look));
        let [_, done] = self.watch.words();
        let done = format!("{}{by}", if silent { "reported" } else { done });
        if lost.is_empty() {
            let part = match why {
                Why::Moved => "rewrites",
                _ if rule.action == Action::Match => "matches",
                Why::Before | Why::After => "passes",
                Why::Silent => "blocks",
            };
            let goes = |way| taker.takes.iter().any(|(look, _)| look.class.direction == way);
            let ways = match [goes(Direction::In), goes(Direction::Out)] {
                [true, false] => " in",
                [false, true] => " out",
                _ => "",
            };
            lost = format!("nothing of what it {part}{ways}");
        }
        let name = quoted(rule);
        let way_out = match self.watch.anchor {
            // quick ends the rules there
            _ if rule.action == Action::Match && *why != Why::Moved => {
                "take quick out of it in /etc/pf.conf".to_owned()
            }
            "" => "put the lines of threatstopctl setup above it in /etc/pf.conf".to_owned(),
            anchor => format!("put anchor \"{anchor}\" above it in /etc/pf.conf"),
        };
        match (why, taker.over) {
            (Why::After, Some(over)) => format!(
                "{name} decides after {}, which is without quick: {lost} is {done}: write quick \
                 behind log in /etc/pf.conf, {LOAD}",
                quoted(over)
            ),
            (Why::Moved, _) => format!(
                "{name} rewrites addresses before the rules for <{table}> see them: {lost} is \
                 {done}: {way_out}, {LOAD}"
            ),
            (Why::Silent, _) => format!(
                "{name} stands before the rules for <{table}> and does not log: {lost} is {done}: \
                 {way_out}, {LOAD}"
            ),
            _ => format!(
                "{name} stands before the rules for <{table}>: {lost} is {done}: {way_out}, {LOAD}"
            ),
        }
    }

    /// Of what nothing is left, in words; "" when of everything something is.
    fn words<'a>(&self, looks: impl Iterator<Item = &'a Look<'l, 'r>>) -> String
    where
        'l: 'a,
        'r: 'a,
    {
        let interfaces: BTreeSet<_> = self.looks.iter().map(|look| look.class.interface).collect();
        let classes: Vec<&Class<'_>> = looks.map(|look| &look.class).collect();
        words(&classes, interfaces.len())
    }

    /// Reports when what is for the table is not for all of it.
    fn narrow(&self, direction: Direction, report: &mut Report) {
        let table = self.watch.table;
        let ours = self.ours(direction);
        let here = || self.looks.iter().filter(|look| look.class.direction == direction);
        if ours.is_empty() {
            if here().any(Look::passes) {
                let text = match (self.watch.monitor, direction) {
                    (false, Direction::In) => {
                        format!("no block rule is from <{table}>: what it sends comes in")
                    }
                    (false, Direction::Out) => {
                        format!("no block rule is to <{table}>: your hosts can reach it")
                    }
                    (true, Direction::In) => {
                        format!("no match rule is from <{table}>: what it sends is not recorded")
                    }
                    (true, Direction::Out) => {
                        format!("no match rule is to <{table}>: what it gets is not recorded")
                    }
                };
                report.fail("rules", format!("{text}: {SETUP}"));
            }
            return;
        }
        let left = |look: &&Look<'_, 'r>, blocks: bool| {
            look.outcome.deciders.iter().any(|decider| {
                decider.blocks() == blocks
                    && self.why(look, decider).is_none()
                    && !decider.rule.is_some_and(|rule| {
                        blocks && (decider.logs() || self.watch.is_for(rule, direction))
                    })
            })
        };
        let passing: Vec<_> = here().filter(|look| left(look, false)).collect();
        let silent: Vec<_> = here().filter(|look| left(look, true)).collect();
        let (classes, done) = match (passing.is_empty(), silent.is_empty()) {
            (true, true) => return,
            (false, _) => (&passing, self.watch.words()[1]),
            (true, false) => (&silent, "reported"),
        };
        // where it is blocked on another interface, that alone is what is asked for
        let elsewhere = classes.iter().all(|look| {
            here().any(|other| {
                other.class.interface != look.class.interface
                    && other.class.family == look.class.family
                    && other.class.protocol == look.class.protocol
                    && !other.passes()
            })
        });
        let whole = classes.iter().filter(|look| look.whole).copied();
        let by = by(whole.clone(), done == "reported", "it");
        let lost = match self.words(whole) {
            lost if lost.is_empty() => format!("the rest is not {done}"),
            lost => format!("{lost} is {done}{by}"),
        };
        let asks = |(rule, within): &(&Rule, Vec<&Rule>)| {
            let mut conditions = rule.conditions(far(direction));
            for head in within {
                let other = head.direction.filter(|wanted| *wanted != direction);
                conditions.extend(other.map(|wanted| match wanted {
                    Direction::In => "anchor in".to_owned(),
                    Direction::Out => "anchor out".to_owned(),
                }));
                conditions.extend(head.conditions(far(direction)));
            }
            conditions
        };
        let mut narrow =
            ours.iter().map(|rule| (rule, asks(rule))).filter(|(_, asks)| !asks.is_empty());
        // and so it is with a routing domain
        let domain =
            |ask: &String| ["on rdomain ", "on ! rdomain "].iter().any(|on| ask.starts_with(on));
        let elsewhere = elsewhere || narrow.clone().any(|(_, asks)| asks.iter().all(domain));
        let text = match (narrow.next(), narrow.count()) {
            (Some(((rule, _), asks)), more) => {
                let also = if more == 0 { String::new() } else { format!(", as {more} more are") };
                format!(
                    "{} is narrower than its table ({}){also}: {lost}",
                    quoted(rule),
                    asks.join(", ")
                )
            }
            _ => format!("the rules for <{table}> do not get all that is for them: {lost}"),
        };
        if elsewhere || done == "reported" {
            let way_out = "if that is not meant so, write it as threatstopctl setup prints it";
            report.note("rules", format!("{text}: {way_out}"));
        } else {
            let way_out = "write it as threatstopctl setup prints it, then pfctl -f /etc/pf.conf";
            report.fail("rules", format!("{text}: {way_out}"));
        }
    }
}

/// When others block or report a part all the same: by whom nothing is.
fn by<'a, 'l: 'a, 'r: 'a>(
    mut looks: impl Iterator<Item = &'a Look<'l, 'r>>,
    reports: bool,
    whom: &str,
) -> String {
    match looks.all(|look| look.by_nobody(reports)) {
        true => String::new(),
        false => format!(" by {whom}"),
    }
}

/// A rule, and where it stands.
fn quoted(rule: &Rule) -> String {
    match rule.anchor.as_str() {
        "" => format!("\"{}\"", rule.text),
        anchor => format!("\"{}\" in anchor \"{anchor}\"", rule.text),
    }
}

#[cfg(test)]
mod tests;
