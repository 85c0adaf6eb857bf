//! What the tables in force were made of. As long as that is the same, so would they be.

use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use imsg::TableId;
use policy::{Measure, Protected};

use super::compose::{Made, Told};
use super::judge::Judged;
use crate::lists::Copy;
use crate::state::Policy;

/// What all tables were made of, each of which is as it was made.
pub struct Composed {
    /// What is in force since then; another policy has other lists, or a set that somebody brought.
    policy: Weak<Policy>,
    protected: Vec<Protected>,
    own: Vec<Rc<Copy>>,
    measures: BTreeMap<TableId, Measure>,
    /// What there is to say of it.
    pub told: Told,
}

impl Composed {
    /// Of what was judged, which is in force now; nothing where something is held back, left out or
    /// missing.
    pub fn of(policy: &Rc<Policy>, judged: Judged) -> Option<Self> {
        let is_whole = judged.lost.is_empty()
            && judged.kept_tables.is_empty()
            && judged.lists.left_out.is_empty()
            && judged.made.refused.is_empty();
        let Judged { protected, own, made, .. } = judged;
        let Made { measures, told, .. } = made;
        is_whole.then(|| Self { policy: Rc::downgrade(policy), protected, own, measures, told })
    }

    /// Whether it is of what is in force.
    fn is_of(&self, policy: &Rc<Policy>) -> bool {
        self.policy.ptr_eq(&Rc::downgrade(policy))
    }

    /// What is in force has the same tables and lists as before, of which servers say something new.
    pub fn follow(&mut self, before: &Rc<Policy>, policy: &Rc<Policy>) {
        if self.is_of(before) {
            self.policy = Rc::downgrade(policy);
        }
    }

    /// The numbers of what the lists of each table name together, if these are the lists in force.
    pub fn measures(&self, policy: &Rc<Policy>) -> Option<&BTreeMap<TableId, Measure>> {
        self.is_of(policy).then_some(&self.measures)
    }

    /// Whether the tables would be the same of this.
    pub fn holds(&self, policy: &Rc<Policy>, protected: &[Protected], own: &[Rc<Copy>]) -> bool {
        let is_one = |(one, other): (&Rc<Copy>, &Rc<Copy>)| Rc::ptr_eq(one, other);
        self.is_of(policy)
            && self.protected == protected
            && self.own.len() == own.len()
            && self.own.iter().zip(own).all(is_one)
    }
}
