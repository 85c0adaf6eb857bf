//! What a run may put in force and what not, and the words for it.

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use imsg::TableId;
use policy::{Accepted, KeptList as Kept, OfList, Protected, Reason};
use prefix::Kind;

use crate::lists::{Copy, Source, Sources};
use crate::state::{Failing, Lost, Row};
use crate::tables::Table;
use crate::update::compose::{Lists, Made};

/// A list that has come and is another one than its copy.
pub struct New {
    /// The list.
    pub copy: Rc<Copy>,
    /// How it was accepted.
    pub accepted: Accepted,
}

/// A list that has come and is not to be in force.
pub struct KeptList {
    /// Who brought it.
    pub source: Source,
    /// Which, and what forbids it.
    pub kept: Kept,
    /// Whether it names what to block or what to let through.
    pub kind: Kind,
    /// What is in force of it.
    pub stays: Stays,
}

/// What is in force of a list that is not to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stays {
    /// Its copy.
    Copy,
    /// Nothing, for there is no copy of it.
    Nothing,
    /// Nothing, for its copy is what the guards do not permit, which were others when it came.
    NoCopy,
}

/// A table that is not what all the lists would make.
#[derive(Clone)]
pub struct KeptTable {
    /// Which, in a word.
    pub table: String,
    /// What forbids that.
    pub reason: Reason,
    /// The list that grew most, where only all of them together are too much.
    pub grew_most: Option<String>,
    /// The sources whose new lists are at fault, or may be; none where it is what is in force.
    pub of: Sources,
}

/// What a run may put in force.
#[derive(Default)]
pub struct Judged {
    /// The lists that had a copy once and have none.
    pub lost: Vec<Lost>,
    /// Why the block tables stay as they are, where nobody knows what is to be taken out of them.
    pub unknown: Option<String>,
    /// Whether block lists have come that are not to be for that reason.
    pub waits: bool,
    /// The sources that have come.
    pub come: Sources,
    /// All lists that the tables are made of.
    pub lists: Lists,
    /// Those among them that are new.
    pub new: Vec<New>,
    /// Those that have come as they are in force.
    pub confirmed: Vec<String>,
    /// Those that have come as they are in force, and of which their server says something new.
    pub renewed: Vec<Rc<Copy>>,
    /// Those that are not to be.
    pub kept: Vec<KeptList>,
    /// What the lists make.
    pub made: Made,
    /// Whether that is what is in force, so that no set was made anew.
    pub is_as_before: bool,
    /// What was protected then.
    pub protected: Vec<Protected>,
    /// What the administrator said.
    pub own: Vec<Rc<Copy>>,
    /// Why a table is not what all the lists would make.
    pub kept_tables: BTreeMap<TableId, KeptTable>,
    /// The row of runs of each list that was judged.
    pub rows: BTreeMap<String, Row>,
    /// The row of runs of each source at each table that this run ends or goes on with.
    pub table_rows: BTreeMap<(TableId, Source), Row>,
}

/// A table that may not be.
pub struct Fault {
    /// Which.
    pub id: TableId,
    /// Why.
    pub kept: KeptTable,
    /// The new lists that keep their copies because of it.
    pub lists: Vec<Rc<Copy>>,
    /// How that leaves the rows of their sources at it.
    pub rows: BTreeMap<Source, Row>,
}

impl Judged {
    /// The sentences of what is not to be in force.
    pub fn failing(&self) -> impl Iterator<Item = Failing> {
        let lists = self.kept.iter().map(|kept| Failing {
            source: Some(kept.source.name().to_owned()),
            text: kept.to_string(),
        });
        let tables = self.kept_tables.values().map(ToString::to_string);
        let tables = tables.chain(self.unknown.clone().filter(|_| self.waits));
        lists.chain(tables.map(|text| Failing { source: None, text }))
    }

    /// Whether a source has come, by its name.
    pub fn has_come_from(&self, name: &str) -> bool {
        self.come.iter().any(|source| source.name() == name)
    }

    /// The sources whose new lists change a table.
    pub fn sources_of(&self, table: &Table) -> Sources {
        let of = self.new.iter().filter(|new| new.copy.changes(table));
        of.map(|new| new.copy.source).collect()
    }

    /// A table may not be: new lists keep their copies because of it.
    pub(super) fn keep(&mut self, Fault { id, mut kept, lists, rows }: Fault) {
        self.table_rows.extend(rows.into_iter().map(|(source, row)| ((id, source), row)));
        self.new.retain(|new| !lists.iter().any(|list| Rc::ptr_eq(list, &new.copy)));
        if let Some(before) = self.kept_tables.remove(&id) {
            // what takes more to be accepted is told
            if kept.reason.can_be_third() && !before.reason.can_be_third() {
                (kept.reason, kept.grew_most) = (before.reason, before.grew_most);
            }
            kept.of.extend(before.of);
        }
        self.kept_tables.insert(id, kept);
    }

    /// The lists that are without a copy still.
    pub(super) fn still_lost(&self) -> Vec<Lost> {
        let come = |name: &str| self.new.iter().any(|new| new.copy.list.name() == name);
        self.lost.iter().filter(|lost| !come(&lost.name)).cloned().collect()
    }
}

impl fmt::Display for KeptTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, reason, grew_most, .. } = self;
        write!(f, "Keeping the previous {table} list: {reason}")?;
        match grew_most {
            Some(name) => write!(f, "; {name} grew most"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for KeptList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Kept { list, reason } = &self.kept;
        let why = match self.stays {
            Stays::Copy => return fmt::Display::fmt(&self.kept, f),
            Stays::Nothing => "of which there is no copy yet",
            Stays::NoCopy => "whose copy the guards do not permit any more",
        };
        write!(f, "Leaving out list {list}, {why}: {}", OfList(reason))
    }
}

/// Why the block tables stay as they are: with a list that is taken out of them its copy was lost, and
/// what it named may be none of what is blocked.
pub fn unknown(lost: &[Lost]) -> Option<String> {
    let names: Vec<&str> =
        lost.iter().filter(|lost| lost.exempts).map(|lost| lost.name.as_str()).collect();
    let all = names.join(", ");
    let (copy, is, it) = match names.len() {
        0 => return None,
        1 => ("copy of allow feed", "is", "it comes"),
        _ => ("copies of allow feeds", "are", "they come"),
    };
    Some(format!("the {copy} {all} {is} lost: the block tables stay as they are until {it} again"))
}
