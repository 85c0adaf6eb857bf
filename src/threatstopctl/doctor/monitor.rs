//! tables.monitor: rules that record what they would block, and leave the decision to others.

use super::flow::Watch;
use super::kernel::SETUP;
use super::report::Report;
use super::rules::{Action, Anchor, Direction, Item, Rule, Ruleset};

/// Says that something is blocked all the same, or withheld from the rules behind, and gives the rules
/// as if each that records what comes from or goes to a table blocked it: by pf's own way through them,
/// that is what it gets to see.
pub fn as_blocks(rules: &Ruleset, watches: &[Watch<'_>], report: &mut Report) -> Ruleset {
    let is_for = |rule: &Rule| {
        let mut ways = [Direction::In, Direction::Out].into_iter();
        ways.any(|way| watches.iter().any(|watch| watch.is_for(rule, way)))
    };
    let mut blocking = None;
    let items = items(&rules.items, &is_for, &mut blocking, report);
    if let Some(rule) = blocking {
        let text = format!("tables.monitor is true, and \"{}\" blocks: {SETUP}", rule.text);
        report.fail("rules", text);
    }
    Ruleset { items, unread: Vec::new() }
}

fn items<'r>(
    of: &'r [Item],
    is_for: &dyn Fn(&Rule) -> bool,
    blocking: &mut Option<&'r Rule>,
    report: &mut Report,
) -> Vec<Item> {
    let mut found = Vec::new();
    for item in of {
        found.push(match item {
            Item::Rule(rule) if is_for(rule) && rule.action == Action::Match => {
                if rule.quick {
                    let way_out =
                        "take quick out of it in /etc/pf.conf, then pfctl -f /etc/pf.conf";
                    let text = "no rule behind it decides about what it records";
                    let quick = format!("\"{}\" has quick", rule.text);
                    report.fail("rules", format!("{quick}: {text}: {way_out}"));
                }
                Item::Rule(Rule { action: Action::Block, quick: true, ..rule.clone() })
            }
            Item::Rule(rule) => {
                if is_for(rule) && rule.action == Action::Block {
                    blocking.get_or_insert(rule);
                }
                item.clone()
            }
            Item::Anchor(anchor) => Item::Anchor(Anchor {
                items: items(&anchor.items, is_for, blocking, report),
                ..anchor.clone()
            }),
        });
    }
    found
}
