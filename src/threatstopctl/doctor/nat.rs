//! Whether the packet log can name the hosts on this side, and whether pf sees where they go.
//!
//! A record has the addresses before and behind what the rules of its own interface translate, so that
//! nat-to of what goes out hides nobody. What nat-to has translated as it came in, a rule for what goes
//! out sees with this host's address alone. What af-to has translated no rule sees again.

use super::flow::{Interfaces, Takes, Watch};
use super::report::Report;
use super::rules::{Action, Direction, Family, Rule, Translation};

/// The end of a rule behind `to`.
const TO: usize = 1;

/// Notes rules that translate what hosts send before any rule for the table logs it.
pub fn hosts(all: &[&Rule], watch: &Watch<'_>, interfaces: &Interfaces, report: &mut Report) {
    let logs = |rule: &&Rule, way| {
        let end = &rule.ends[TO];
        rule.log.is_some()
            && rule.action != Action::Pass
            && rule.direction.is_none_or(|wanted| wanted == way)
            && !end.not
            && watch.refers(rule, end, watch.table)
    };
    let rules = || all.iter().copied();
    if !rules().any(|rule| logs(&rule, Direction::Out)) {
        return;
    }
    let before = |nat: &Rule| {
        let crossed =
            nat.interface.as_ref().filter(|name| !name.not).map(|name| name.name.as_str());
        rules().filter(|rule| logs(rule, Direction::In)).any(|rule| {
            crossed.is_none() || interfaces.on(rule.interface.as_ref(), crossed) != Takes::None
        })
    };
    let hides = |rule: &&Rule| {
        let translates = rule.action != Action::Block && rule.rewrites == [true, false];
        translates && rule.direction == Some(Direction::In) && !before(rule)
    };
    let mut hiding = rules().filter(hides);
    let Some(first) = hiding.next() else { return };
    let also = match hiding.count() {
        0 => String::new(),
        more => format!(", as {more} more do"),
    };
    let table = watch.table;
    let on = first.interface.as_ref().map(|name| format!(" on {name}")).unwrap_or_default();
    let line = match watch.monitor {
        true => format!("match in log{on} to <{table}>"),
        false => format!("block in log quick{on} to <{table}>"),
    };
    report.note(
        "rules",
        format!(
            "\"{}\" translates what your hosts send before a rule for <{table}> logs it{also}: show \
             hits has this host in place of them: write \"{line}\" above it in /etc/pf.conf, then \
             pfctl -f /etc/pf.conf",
            first.text
        ),
    );
}

/// Notes rules that translate to another family: pf passes what comes of that without a rule
/// (`PF_TAG_GENERATED` in sys/net/pf.c). What goes to a network that no list names is left out, and
/// so is what a rule for the table has before.
pub fn families(all: &[&Rule], watch: &Watch<'_>, report: &mut Report) {
    let before = |nat: &Rule| {
        let asks = nat.conditions(TO);
        all.iter().take_while(|rule| !core::ptr::eq(**rule, nat)).any(|rule| {
            rule.action == Action::Block
                && rule.quick
                && rule.direction != Some(Direction::Out)
                && rule.anchor.is_empty()
                && watch.is_for(rule, Direction::Out)
                && rule.conditions(TO).iter().all(|ask| asks.contains(ask))
        })
    };
    let escapes = |rule: &Rule, translation: Translation| match translation.embeds() {
        true => !before(rule),
        false => translation.to.is_none_or(|net| !watch.never(&net)),
    };
    let mut translating = all
        .iter()
        .filter_map(|rule| Some((rule, rule.translates?)))
        .filter(|(rule, translation)| escapes(rule, *translation));
    let Some((first, Translation { family, .. })) = translating.next() else { return };
    let also = match translating.count() {
        0 => String::new(),
        more => format!(", as {more} more do"),
    };
    let family = match family {
        Family::V4 => "IPv4",
        Family::V6 => "IPv6",
    };
    let (table, [_, done]) = (watch.table, watch.words());
    report.note(
        "rules",
        format!(
            "\"{}\" translates to {family}{also}, which pf does not look at again as it goes out: what \
             goes that way to <{table}> is not {done}: see CAVEATS in threatstopd(8)",
            first.text
        ),
    );
}
