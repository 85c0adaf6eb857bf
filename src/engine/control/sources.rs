//! The sources and their lists, for `status`.

use config::{Config, FeedName};
use control::{ListStatus, SourceKind, SourceState, SourceStatus};
use prefix::Kind;

use crate::lists::Source;
use crate::runs::Runs;
use crate::source::feed;
use crate::source::kept::{as_of, kept};
use crate::source::own::Own;
use crate::state::State;
use crate::update::unknown;
use crate::warning::Warning;
use crate::{alarm, clock};

/// Lists that a sentence names; the others it counts.
const NAMED: usize = 4;

/// All sources of the configuration, and what the administrator said, if he did.
pub fn sources(config: &Config, state: &State, own: &Own, runs: &Runs) -> Vec<SourceStatus> {
    let all = Source::all(config).into_iter();
    let all = all.map(|source| status(config, state, source, runs.due(source)));
    all.chain(self::own(own)).collect()
}

fn own(own: &Own) -> Option<SourceStatus> {
    let (entries, changed) = (own.len() as u64, own.changed());
    let (name, state) = (Source::Own.name().to_owned(), SourceState::Good);
    let list = ListStatus { name: name.clone(), entries: Some(entries), changed, state };
    (entries > 0).then(|| SourceStatus {
        name,
        kind: SourceKind::Own,
        state,
        last: changed,
        last_good: changed,
        next: None,
        error: None,
        lists: vec![list],
    })
}

fn status(config: &Config, state: &State, source: Source, next: Option<u64>) -> SourceStatus {
    let lists: Vec<ListStatus> = source
        .lists(config)
        .into_iter()
        .map(|(name, _)| list(config, state, source, name))
        .collect();
    let fared = state.memory().sources.get(source.name()).cloned().unwrap_or_default();
    let own = if fared.error.is_some() { SourceState::Failing } else { SourceState::Good };
    SourceStatus {
        name: source.name().to_owned(),
        kind: match source {
            Source::Policy => SourceKind::Policy,
            Source::Feed(_) => SourceKind::Feed,
            Source::LocalBlock | Source::LocalAllow | Source::Own => SourceKind::Local,
        },
        state: lists.iter().map(|list| list.state).fold(own, SourceState::max),
        last: fared.last,
        last_good: fared.last_good,
        // local files in each run, but not only then
        next: next.filter(|_| !source.is_local()),
        error: fared.error,
        lists,
    }
}

/// One list of a source.
pub fn list(config: &Config, state: &State, source: Source, name: &str) -> ListStatus {
    let policy = state.policy();
    let copy = policy.copy(name);
    let memory = state.memory();
    let failed = memory.sources.get(source.name()).is_some_and(|fared| fared.error.is_some());
    let held = memory.list(name).and_then(|list| list.held.as_ref());
    let patience = match source {
        Source::Feed(name) => feed::of(config, name).map_or(u64::MAX, |feed| feed.stale.as_secs()),
        _ => alarm::patience(config.policy.interval),
    };
    let is_old = |at: u64| !source.is_local() && clock::now().saturating_sub(at) > patience;
    ListStatus {
        name: name.to_owned(),
        entries: copy.map(|copy| copy.list.measure().entries),
        changed: copy.map(|copy| copy.changed),
        state: match (held, copy) {
            (Some(held), _) if held.can_force => SourceState::Held,
            (Some(_), _) => SourceState::Refused,
            (None, None) => SourceState::Failing,
            (None, Some(_)) if failed => SourceState::Failing,
            (None, Some(copy)) if is_old(as_of(state, copy)) => SourceState::Stale,
            (None, Some(_)) => SourceState::Good,
        },
    }
}

/// What nobody may overlook of the sources: a file with a mistake, lists that have never come beside
/// others that are in force. That the service fails is told when its policy grows old.
pub fn warnings(config: &Config, state: &State, own: &Own) -> Vec<Warning> {
    let (policy, memory) = (state.policy(), state.memory());
    let mut all: Vec<Warning> = own.warning().into_iter().collect();
    if policy.blocked().next().is_none() {
        // of which another warning tells
        return all;
    }
    let lost = state.lost(config);
    let is_listed = policy.lists(Kind::Block).iter().any(|list| !list.is_empty());
    if !is_listed && lost.is_empty() {
        let text = "no list has anything to block: what the block table had last stays, for it is \
                    never made empty";
        all.push(Warning::new(text, "threatstopctl update, or threatstopctl block"));
    }
    if let Some(text) = unknown(&lost) {
        all.push(Warning::new(text, "threatstopctl update tries it again"));
    }
    for source in Source::all(config) {
        let name = source.name();
        let fared = memory.sources.get(name);
        let error = fared.and_then(|fared| fared.error.as_deref()).filter(|_| source.is_local());
        if let Some(why) = error {
            let way_out = format!("mend the file; threatstopctl update {name} tries it again");
            all.push(Warning::new(
                format!("{name}: {why}{}", kept(config, state, source)),
                way_out,
            ));
            continue;
        }
        if let Source::Feed(name) = source {
            all.extend(of_feed(config, state, name));
        }
        for (kind, what) in [(Kind::Allow, "allowed"), (Kind::Block, "blocked")] {
            let missing: Vec<&str> = source
                .lists(config)
                .into_iter()
                .filter(|(list, of)| *of == kind && policy.copy(list).is_none())
                // of what is held or refused, the reason is told
                .filter(|(list, _)| memory.list(list).is_none_or(|list| list.held.is_none()))
                .filter(|(list, _)| !lost.iter().any(|lost| lost.name == *list))
                .map(|(list, _)| list)
                .collect();
            if let Some(lists) = named(&missing) {
                let them = if missing.len() == 1 { "it" } else { "them" };
                let text = format!("{lists} not come yet: nothing of {them} is {what}");
                all.push(Warning::new(text, format!("threatstopctl update {name} tries it again")));
            }
        }
    }
    all
}

/// What nobody may overlook of a feed that has a copy: that this is old.
fn of_feed(config: &Config, state: &State, name: FeedName) -> Option<Warning> {
    let (policy, memory) = (state.policy(), state.memory());
    let copy = policy.copy(name.as_str())?;
    let age = clock::now().saturating_sub(as_of(state, copy));
    if age <= feed::of(config, name)?.stale.as_secs() {
        return None;
    }
    let error = memory.sources.get(name.as_str()).and_then(|fared| fared.error.as_deref());
    let why = error.unwrap_or("it was not asked since");
    let text = format!("feed {name} is {} old: {why}", clock::span(age));
    Some(Warning::new(text, format!("threatstopctl update {name} tries it again")))
}

/// Lists as a subject: `list a has`, `6 lists (a, b, c, d and 2 more) have`; none of none.
fn named(lists: &[&str]) -> Option<String> {
    Some(match lists {
        [] => return None,
        [list] => format!("list {list} has"),
        few if few.len() <= NAMED => format!("{} lists ({}) have", few.len(), few.join(", ")),
        all => {
            let more = all.len() - NAMED;
            format!("{} lists ({} and {more} more) have", all.len(), all[..NAMED].join(", "))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when a sentence about many lists has no end.
    #[test]
    fn many_lists_are_counted() {
        assert_eq!(named(&[]), None);
        assert_eq!(named(&["a"]).as_deref(), Some("list a has"));
        assert_eq!(named(&["a", "b"]).as_deref(), Some("2 lists (a, b) have"));
        let six = ["a", "b", "c", "d", "e", "f"];
        assert_eq!(named(&six).as_deref(), Some("6 lists (a, b, c, d and 2 more) have"));
    }
}
