//! The networks of the interfaces, which may change while the service runs (DHCP, PPPoE).
//!
//! The helper found out before its sandbox closed what the interfaces had, and cannot look again.
//! The engine can, and looks before each run: what has come is protected at once, and nothing is
//! published against networks that are older than the run, so that helper and engine begin anew.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use imsg::{End, Protected, Reason, interface};
use prefix::Prefix;

use crate::clock;
use crate::leave::Leave;
use crate::told::Told;

/// What the log is told of: that nobody knows what they have.
const SEEN: &str = "interfaces";

/// A network and the name of its interface.
type Named = (Prefix, String);

/// What the interfaces had when the helper looked, and what they have now.
pub struct Interfaces {
    given: BTreeSet<Prefix>,
    /// What came since.
    come: RefCell<Vec<Named>>,
    leaving: Cell<bool>,
    /// What the log has been told of interfaces that cannot be looked at.
    told: Told,
}

impl Interfaces {
    /// The networks of interfaces among those that the helper refuses.
    pub fn new(given: &[Protected]) -> Self {
        let given = given.iter().filter(|network| network.reason == Reason::Interface);
        Self {
            given: given.map(|network| network.net).collect(),
            come: RefCell::default(),
            leaving: Cell::new(false),
            told: Told::default(),
        }
    }

    /// What came since the helper looked.
    pub fn protected(&self) -> Vec<policy::Protected> {
        let come = self.come.borrow();
        come.iter()
            .map(|(net, name)| policy::Protected { net: *net, reason: worded(name) })
            .collect()
    }

    /// Whether this engine is about to leave.
    pub fn leaving(&self) -> bool {
        self.leaving.get()
    }

    /// Looks at the interfaces, before a run. When they are not what the helper saw, gives the reason
    /// not to publish; with a way out the engine is about to leave then, and the helper starts anew.
    pub fn look(&self, leave: Option<&Leave>) -> Option<String> {
        let now = interface::networks().map_err(|errno| errno.desc());
        let changed = self.compare(self.seen(now, clock::now())?)?;
        let why = format!(
            "the interfaces have changed ({changed}): threatstopd protects their networks first, and \
             updates by itself then"
        );
        if let Some(leave) = leave
            && !self.leaving.replace(true)
        {
            logger::info(&why);
            // a new helper looks anew
            leave.begin(End::Renew);
        }
        Some(why)
    }

    /// What they have, if that is known: else it is what the helper saw, and the log hears of it once a day.
    fn seen(&self, now: Result<Vec<Named>, &str>, at: u64) -> Option<Vec<Named>> {
        self.told.fails(SEEN, now.as_ref().err().copied(), at, |why| {
            logger::warn(format_args!("interfaces: getifaddrs: {why}"));
        });
        now.ok()
    }

    /// Compares with what there is now: what is different, in words.
    fn compare(&self, now: Vec<Named>) -> Option<String> {
        let nets: BTreeSet<Prefix> = now.iter().map(|(net, _)| *net).collect();
        let mut words: Vec<String> = Vec::new();
        let mut come: Vec<Named> = Vec::new();
        for (net, name) in now {
            if !self.given.contains(&net) && !come.iter().any(|(known, _)| *known == net) {
                words.push(format!("{name} has {net} now"));
                come.push((net, name));
            }
        }
        words.extend(self.given.difference(&nets).map(|net| format!("{net} is gone")));
        self.come.replace(come);
        // a host of many tunnels must not fill the log
        let more = words.len().saturating_sub(3);
        words.truncate(3);
        if more > 0 {
            words.push(format!("and {more} more"));
        }
        (!words.is_empty()).then(|| words.join(", "))
    }
}

/// Why a network of an interface is protected.
pub fn worded(name: &str) -> String {
    format!("network of interface {name}")
}

#[cfg(test)]
mod tests;
