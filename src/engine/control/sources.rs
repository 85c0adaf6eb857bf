//! The sources and their lists, for `status`.

use control::{ListStatus, SourceKind, SourceState, SourceStatus};
use prefix::Kind;

use crate::source::Source;
use crate::warning::Warning;
use crate::{Engine, alarm, clock};

/// All sources of the configuration, and what the administrator said, if he did.
pub fn sources(engine: &Engine) -> Vec<SourceStatus> {
    let all = Source::all(&engine.config).into_iter().map(|source| status(engine, source));
    all.chain(own(engine)).collect()
}

fn own(engine: &Engine) -> Option<SourceStatus> {
    let (entries, changed) = (engine.own.len() as u64, engine.own.changed());
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

fn status(engine: &Engine, source: Source) -> SourceStatus {
    let lists: Vec<ListStatus> =
        source.lists(&engine.config).into_iter().map(|(name, _)| list(engine, name)).collect();
    let fared = engine.state.memory().sources.get(source.name()).cloned().unwrap_or_default();
    let own = if fared.error.is_some() { SourceState::Failing } else { SourceState::Good };
    SourceStatus {
        name: source.name().to_owned(),
        kind: if source.is_local() { SourceKind::Local } else { SourceKind::Policy },
        state: lists.iter().map(|list| list.state).fold(own, SourceState::max),
        last: fared.last,
        last_good: fared.last_good,
        next: engine.runs.next().filter(|_| !source.is_local()),
        error: fared.error,
        lists,
    }
}

fn list(engine: &Engine, name: &str) -> ListStatus {
    let policy = engine.state.policy();
    let copy = policy.copy(name);
    let memory = engine.state.memory();
    let held = memory.list(name).and_then(|list| list.held.as_ref());
    ListStatus {
        name: name.to_owned(),
        entries: copy.map(|copy| copy.list.len() as u64),
        changed: copy.map(|copy| copy.changed),
        state: match held {
            Some(held) if held.can_force => SourceState::Held,
            Some(_) => SourceState::Refused,
            None => SourceState::Good,
        },
    }
}

/// What nobody may overlook of the sources: a file with a mistake, lists that have never come beside
/// others that are in force. That the service fails is told when its policy grows old.
pub fn warnings(engine: &Engine) -> Vec<Warning> {
    let (policy, memory) = (engine.state.policy(), engine.state.memory());
    let mut all: Vec<Warning> = engine.own.warning().into_iter().collect();
    if policy.block.is_none() {
        // of which another warning tells
        return all;
    }
    let lost = engine.state.lost(&engine.config);
    let is_listed = policy.lists(Kind::Block).iter().any(|list| !list.is_empty());
    if !is_listed && lost.is_empty() {
        let text = "no list has anything to block: what the block table had last stays, for it is \
                    never made empty";
        all.push(Warning::new(text, "threatstopctl update, or threatstopctl block"));
    }
    for source in Source::all(&engine.config) {
        let (name, lists) = (source.name(), source.lists(&engine.config));
        let fared = memory.sources.get(name);
        let error = fared.and_then(|fared| fared.error.as_deref()).filter(|_| source.is_local());
        if let Some(why) = error {
            let way_out = format!("mend the file; threatstopctl update {name} tries it again");
            let what = match lists.iter().find_map(|(name, _)| policy.copy(name)) {
                Some(copy) => {
                    let since = memory.list(copy.list.name()).map_or(0, |list| list.confirmed);
                    let ago = alarm::span(clock::now().saturating_sub(since.max(copy.changed)));
                    format!("; its copy of {ago} ago stays")
                }
                None => String::new(),
            };
            all.push(Warning::new(format!("{name}: {why}{what}"), way_out));
            continue;
        }
        for (list, kind) in lists {
            if policy.copy(list).is_some() || lost.iter().any(|(lost, _)| lost == list) {
                continue;
            }
            let what = match kind {
                Kind::Block => "blocked",
                Kind::Allow => "allowed",
            };
            let text = format!("list {list} has not come yet: nothing of it is {what}");
            all.push(Warning::new(text, format!("threatstopctl update {name} tries it again")));
        }
    }
    all
}
