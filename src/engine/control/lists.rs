//! `show lists`.

use std::rc::Rc;

use control::{HitsOfDays, ListShown, Lists, SourceState};
use prefix::Kind;

use super::sources;
use crate::source::kept::as_of;
use crate::source::{Copy, Source};
use crate::state::table;
use crate::{Engine, clock};

/// All lists of the configuration, source by source, and what `block` said.
pub fn lists(engine: &Engine) -> Lists {
    let policy = engine.state.policy();
    // what a list alone has, among those of its table
    let alone = [Kind::Block, Kind::Allow].map(|kind| {
        let lists = policy.lists(kind);
        let counts = policy::unique(&lists);
        lists.into_iter().map(|list| list.name().to_owned()).zip(counts).collect::<Vec<_>>()
    });
    let now = clock::now();
    let mut all = Vec::new();
    for source in Source::all(&engine.config) {
        for (name, kind) in source.lists(&engine.config) {
            let shown = sources::list(engine, source, name);
            let mut alone = alone.iter().flatten();
            all.push(ListShown {
                list: name.to_owned(),
                source: source.name().to_owned(),
                table: table(kind).word().to_owned(),
                entries: shown.entries,
                unique: alone.find(|(list, _)| list == name).map(|(_, count)| *count),
                hits: HitsOfDays::default(),
                changed: shown.changed,
                age: policy.copy(name).map(|copy| now.saturating_sub(as_of(engine, copy))),
                state: shown.state,
            });
        }
    }
    let own = |copy: &&Rc<Copy>| copy.source == Source::Own && copy.kind == Kind::Block;
    for copy in policy.lists.iter().filter(own).filter(|copy| !copy.list.is_empty()) {
        let name = copy.list.name();
        let mut alone = alone.iter().flatten();
        all.push(ListShown {
            list: name.to_owned(),
            source: copy.source.name().to_owned(),
            table: table(copy.kind).word().to_owned(),
            entries: Some(copy.list.measure().entries),
            unique: alone.find(|(list, _)| list == name).map(|(_, count)| *count),
            hits: HitsOfDays::default(),
            changed: Some(copy.changed),
            age: Some(0),
            state: SourceState::Good,
        });
    }
    Lists { lists: all }
}
