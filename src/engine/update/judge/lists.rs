//! Each list that has come, against its own copy; and the copies that are permitted no more.

use std::collections::BTreeSet;
use std::rc::Rc;

use policy::{KeptList as Kept, ListTrial, Run as Wanted};
use prefix::Kind;

use super::by::{Broken, Judge};
use super::judged::{Judged, KeptList, New, Stays};
use crate::clock;
use crate::lists::{Copy, Source};
use crate::state::{Policy, Row, history};

impl Judge<'_> {
    /// The block lists of which no table may be made any more, though they are in force: the guards
    /// were others when they came. They count as lists without a copy, so that no other has to stay as
    /// it is for their sake. Without an allow list something would be blocked that nobody meant to be:
    /// of these the table in force stays.
    pub(super) fn broken(&self, policy: &Policy) -> Broken {
        let bounds = &self.guard.bounds;
        let check = |copy: &Rc<Copy>| {
            let (kind, list) = (copy.kind, &copy.list);
            let trial = ListTrial { kind, list, copy: None, day_before: None, bounds };
            Some((list.name().to_owned(), trial.check(self.protected).err()?))
        };
        let of_sources = |copy: &&Rc<Copy>| copy.kind == Kind::Block && copy.source != Source::Own;
        policy.lists.iter().filter(of_sources).filter_map(check).collect()
    }
}

impl Judged {
    /// Judges a list against its copy.
    pub(super) fn list(&mut self, by: &Judge<'_>, policy: &Policy, broken: &Broken, come: Copy) {
        let name = come.list.name().to_owned();
        let known = by.state.memory().list(&name).cloned().unwrap_or_default();
        let wanted = by.wanted(known.row, come.source);
        let copy = policy.copy(&name).filter(|_| !broken.contains_key(&name));
        let trial = ListTrial {
            kind: come.kind,
            list: &come.list,
            copy: copy.map(|copy| &copy.list),
            day_before: history(&known.history).day_before(clock::now()),
            bounds: &by.guard.bounds,
        };
        let mut runs = known.row.runs();
        // by what they name: of what is wider than the floor a list that is read back knows otherwise
        let is_same = copy.is_some_and(|copy| copy.list.ranges() == come.list.ranges());
        let excess = by.excess(&come);
        if is_same && excess.is_none() && trial.check(by.protected).is_ok() {
            self.confirm(&name, wanted);
            if let Some(known) = copy.filter(|copy| copy.origin != come.origin) {
                self.renewed.push(Rc::new(Copy { changed: known.changed, ..come }));
            }
            return;
        }
        let judged = match excess {
            None => trial.judge(by.guard, by.protected, wanted, &mut runs),
            // nobody accepts it
            excess => by.guard.decide(come.list.measure(), excess, wanted, &mut runs),
        };
        let at = (wanted == Wanted::Scheduled && judged.is_err()).then(clock::now);
        self.rows.insert(name.clone(), known.row.after(runs, at));
        match judged {
            Ok(accepted) => self.new.push(New { copy: Rc::new(come), accepted }),
            Err(reason) => {
                let (source, kind) = (come.source, come.kind);
                let kept = Kept { list: name, reason };
                let stays = if copy.is_some() { Stays::Copy } else { Stays::Nothing };
                self.kept.push(KeptList { source, kept, kind, stays });
            }
        }
    }

    /// A list has come as it is in force, which ends its row where the run counts.
    pub(super) fn confirm(&mut self, name: &str, wanted: Wanted) {
        if wanted == Wanted::Scheduled {
            self.rows.insert(name.to_owned(), Row::default());
        }
        self.confirmed.push(name.to_owned());
    }

    /// Says of which copies no table is made.
    pub(super) fn leave_out(
        &mut self,
        policy: &Policy,
        names: &BTreeSet<String>,
        mut broken: Broken,
    ) {
        for name in names {
            let (Some(copy), Some(reason)) = (policy.copy(name), broken.remove(name)) else {
                continue;
            };
            let (source, kind, stays) = (copy.source, copy.kind, Stays::NoCopy);
            match self.kept.iter_mut().find(|kept| kept.kept.list == *name) {
                // what has come is no better
                Some(kept) => kept.stays = stays,
                None => {
                    let kept = Kept { list: name.clone(), reason };
                    self.kept.push(KeptList { source, kept, kind, stays });
                }
            }
        }
    }
}
