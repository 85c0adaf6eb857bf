//! `show lists`.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use config::Config;
use control::{HitsOfDays, ListShown, ListStatus, Lists, MAX_OVERLAPS, Overlap, SourceState};
use policy::{Overlaps, Unique};
use prefix::Kind;
use tokio::task::yield_now;

use super::sources;
use crate::clock;
use crate::days::{DAYS, Days};
use crate::lists::Source;
use crate::source::kept::as_of;
use crate::state::State;

/// What is named for a list that goes into no table.
const NO_TABLE: &str = "none";

/// A list of the configuration, or of what `block` and `allow` said.
pub struct Row {
    /// Who brings it.
    pub source: Source,
    /// Whether it names what to block or what to let through.
    pub kind: Kind,
    /// The tables that it goes into, or [`NO_TABLE`].
    pub table: String,
    /// What status knows of it.
    pub shown: ListStatus,
    /// When its source last brought it as it is, epoch seconds.
    as_of: Option<u64>,
}

/// All lists of the configuration, source by source, and what `block` and `allow` said.
pub fn rows(config: &Config, state: &State) -> Vec<Row> {
    let policy = state.policy();
    let table = |source: Source, list: &str, kind| {
        // it is taken out of each block table, and goes into none
        if kind == Kind::Allow && source.exempts() {
            return NO_TABLE.to_owned();
        }
        let tables = state.tables.iter().filter(|table| table.has(list, kind));
        tables.map(|table| table.word.as_str()).collect::<Vec<_>>().join(", ")
    };
    let mut all = Vec::new();
    for source in Source::all(config) {
        for (name, kind) in source.lists(config) {
            let shown = sources::list(config, state, source, name);
            let as_of = policy.copy(name).map(|copy| as_of(state, copy));
            all.push(Row { source, kind, table: table(source, name, kind), shown, as_of });
        }
    }
    let now = clock::now();
    for copy in policy.lists.iter().filter(|copy| copy.source == Source::Own) {
        let shown = ListStatus {
            name: copy.list.name().to_owned(),
            entries: Some(copy.list.measure().entries),
            changed: Some(copy.changed),
            state: SourceState::Good,
        };
        let (source, kind, as_of) = (copy.source, copy.kind, Some(now));
        all.push(Row { source, kind, table: table(source, &shown.name, kind), shown, as_of });
    }
    all
}

/// What `show lists` has of them. All else goes on meanwhile: a million entries are the work of a second
/// on a slow processor.
pub async fn lists(config: &Config, state: &State, days: &Days) -> Lists {
    let policy = state.policy();
    // what a list alone has, among those of its kind; `own` is one of each
    let mut alone = BTreeMap::new();
    for kind in [Kind::Allow, Kind::Block] {
        let lists = policy.lists(kind);
        let mut unique = Unique::new(&lists);
        while unique.step() {
            yield_now().await;
        }
        let names = lists.iter().map(|list| (kind as u8, list.name().to_owned()));
        alone.extend(names.zip(unique.counts()));
    }
    let now = clock::now();
    let shown = |Row { source, kind, table, shown, as_of }: Row| ListShown {
        source: source.name().to_owned(),
        table,
        entries: shown.entries,
        unique: alone.get(&(kind as u8, shown.name.clone())).copied(),
        hits: hits(config, days, &shown.name, kind),
        changed: shown.changed,
        age: as_of.map(|at| now.saturating_sub(at)),
        state: shown.state,
        list: shown.name,
    };
    Lists { lists: rows(config, state).into_iter().map(shown).collect(), overlaps: None }
}

/// The pairs of lists of a kind that have the most in common. All else goes on meanwhile, as above.
pub async fn overlaps(state: &State) -> Vec<Overlap> {
    let policy = state.policy();
    let mut pairs = Vec::new();
    for kind in [Kind::Block, Kind::Allow] {
        let lists = policy.lists(kind);
        let mut overlaps = Overlaps::new(&lists);
        while overlaps.step() {
            yield_now().await;
        }
        let name =
            |place: usize| lists.get(place).map_or_else(String::new, |list| list.name().into());
        pairs.extend(overlaps.pairs(MAX_OVERLAPS).into_iter().map(|pair| Overlap {
            lists: pair.lists.map(name),
            entries: pair.entries,
            percent: pair.percent(),
        }));
    }
    pairs.sort_by_key(|pair| Reverse(pair.entries));
    pairs.truncate(MAX_OVERLAPS);
    pairs
}

/// How often a list was hit. What is let through is no hit, and nobody counts where nobody looks.
fn hits(config: &Config, days: &Days, list: &str, kind: Kind) -> HitsOfDays {
    let of = |last| {
        let counts = config.log.enabled && kind == Kind::Block;
        counts.then(|| days.hits_of(list, last).total())
    };
    HitsOfDays { day: of(1), week: of(7), all: of(DAYS) }
}
