//! `show lists`.

use std::collections::BTreeMap;
use std::rc::Rc;

use config::Config;
use control::{HitsOfDays, ListShown, ListStatus, Lists, SourceState};
use prefix::Kind;

use super::sources;
use crate::clock;
use crate::source::kept::as_of;
use crate::source::{Copy, Source};
use crate::state::{State, table};

/// All lists of the configuration, source by source, and what `block` said.
pub fn lists(config: &Config, state: &State) -> Lists {
    let policy = state.policy();
    // what a list alone has, among those of its table; what is shown of `own` is what it blocks
    let mut alone = BTreeMap::new();
    for lists in [Kind::Allow, Kind::Block].map(|kind| policy.lists(kind)) {
        alone.extend(lists.iter().map(|list| list.name()).zip(policy::unique(&lists)));
    }
    let now = clock::now();
    let row = |source: Source, kind: Kind, shown: ListStatus, as_of: Option<u64>| ListShown {
        source: source.name().to_owned(),
        table: table(kind).word().to_owned(),
        entries: shown.entries,
        unique: alone.get(shown.name.as_str()).copied(),
        hits: HitsOfDays::default(),
        changed: shown.changed,
        age: as_of.map(|at| now.saturating_sub(at)),
        state: shown.state,
        list: shown.name,
    };
    let mut all = Vec::new();
    for source in Source::all(config) {
        for (name, kind) in source.lists(config) {
            let shown = sources::list(config, state, source, name);
            let as_of = policy.copy(name).map(|copy| as_of(state, copy));
            all.push(row(source, kind, shown, as_of));
        }
    }
    let own = |copy: &&Rc<Copy>| copy.source == Source::Own && copy.kind == Kind::Block;
    for copy in policy.lists.iter().filter(own).filter(|copy| !copy.list.is_empty()) {
        let shown = ListStatus {
            name: copy.list.name().to_owned(),
            entries: Some(copy.list.measure().entries),
            changed: Some(copy.changed),
            state: SourceState::Good,
        };
        all.push(row(copy.source, copy.kind, shown, Some(now)));
    }
    Lists { lists: all }
}
