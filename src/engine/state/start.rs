//! What is in force and what is remembered, as it was left: of the helper's files, and of those of the
//! engine's directory.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use ::policy::Since;
use config::Config;
use prefix::{Floor, Kind, PrefixSet};

use super::memory::{self, Memory};
use super::policy::Policy;
use super::{State, ages, keep_ages};
use crate::days::Days;
use crate::events::{Event, Events};
use crate::files;
use crate::link::{self, Link};
use crate::lists::copies::{self, Which};
use crate::lists::{Copy, Source};
use crate::tables::{Table, Tables};

impl State {
    /// The state as it was left, and the sets as the helper has them.
    ///
    /// # Errors
    /// When the helper is gone, or there is no place for copies. A state that cannot be read is
    /// told of and begins anew.
    pub async fn load(
        config: &Config,
        tables: &'static Tables,
        days: &'static Days,
        link: &Link,
        events: &'static Events,
    ) -> Result<Self, String> {
        let directory = config.log.spool.clone();
        copies::prepare(&directory)?;
        let damaged = |text| events.say(&Event::Damaged { text, grave: false });
        let mut memory = memory::load(&directory, damaged);
        left(config, tables, &directory, &mut memory, events);
        let mut policy = Policy { lists: lists(config, &directory, damaged), ..Policy::default() };
        for table in tables.iter() {
            let Some(set) = in_force(link, table).await else { continue };
            if table.blocks() {
                let kept = ages::load(&directory, &table.word, &set).unwrap_or_else(|why| {
                    let aside = ages::put_aside(&directory, &table.word);
                    damaged(format!("{why}; all entries are as old as this start{aside}"));
                    None
                });
                let since = kept.unwrap_or_else(|| {
                    let since = Since::new(&set, crate::clock::now());
                    // the next start is not their beginning
                    keep_ages(events, &directory, &table.word, &set, &since);
                    since
                });
                policy.since.insert(table.id, Rc::new(since));
            }
            policy.sets.insert(table.id, Rc::new(set));
        }
        let (policy, numbered) = (RefCell::new(Rc::new(policy)), RefCell::default());
        Ok(Self { tables, days, events, directory, policy, numbered, memory: RefCell::new(memory) })
    }
}

/// Says once of a table that has left the configuration what is left of it, and forgets it.
fn left(config: &Config, tables: &Tables, directory: &Path, memory: &mut Memory, events: &Events) {
    let words: Vec<String> = memory.tables.keys().cloned().collect();
    for word in words.iter().filter(|word| tables.find(word).is_none()) {
        memory.tables.remove(word);
        let of_anchor = config.tables.anchor.as_ref().map(|anchor| format!("-a {anchor} "));
        let file = config.tables.directory.join(format!("{word}.pftable"));
        events.say(&Event::Warned(format!(
            "table <{word}> is not in the configuration any more: table and file stay as they are; \
             take its lines out of pf.conf, load it, then: pfctl {}-t {word} -T kill; rm {}*",
            of_anchor.unwrap_or_default(),
            file.display()
        )));
        let forgotten =
            ages::forget(directory, word).and_then(|()| memory::save(directory, memory));
        if let Err(why) = forgotten {
            logger::err(why);
        }
    }
}

/// The floor by which a copy is read. Of what is to be blocked everything was permitted when it came;
/// what is wider than the floor of now is cut up, for a table that is refused as a whole would leave
/// blocked what has come to be protected.
pub fn floor(config: &Config, kind: Kind) -> Floor {
    match kind {
        Kind::Block => Floor { v4: 0, v6: 0 },
        Kind::Allow => config.guard.floor(),
    }
}

/// The lists of the configuration that have a copy.
fn lists(config: &Config, directory: &Path, damaged: impl Fn(String)) -> Vec<Rc<Copy>> {
    // of a version before, whose lists the tables in force stand in for
    let _ = files::remove(directory, "policy.lists");
    let mut all = Vec::new();
    for source in Source::all(config) {
        for (name, kind) in source.lists(config) {
            match copies::load(directory, name, Which::Now, floor(config, kind)) {
                Ok(Some(stored)) => {
                    let copies::Stored { list, changed, origin } = stored;
                    all.push(Rc::new(Copy { source, kind, list, changed, origin }));
                }
                Ok(None) => {}
                Err(why) => damaged(format!(
                    "{why}; the table in force stands in for list {name} until it comes again"
                )),
            }
        }
    }
    all
}

/// The set of the table file. One that cannot be read counts as none and is written anew by the
/// next update.
async fn in_force(link: &Link, table: &Table) -> Option<PrefixSet> {
    match link.list(table.id, link::Source::File).await {
        // what setup makes, so that pf.conf loads before the first update: no set at all yet
        Ok(set) if set.is_empty() && table.blocks() => None,
        Ok(set) => Some(set),
        Err(why) => {
            logger::info(format_args!("no previous {} set: {why}", table.word));
            None
        }
    }
}
