//! Hosts on our side that have come to send to listed addresses, as they are told of.

use std::net::IpAddr;

use crate::events::{Event, Events};
use crate::hits::Hit;

/// Hosts that are told of in an hour: who sends from addresses that he makes up shall not bury what
/// else happens. `show hits` has the others.
const MOST: usize = 20;
const HOUR: u64 = 60 * 60;
/// What is older than so many seconds when it is read is no news.
const OLD: u64 = 24 * HOUR;

/// A host, the address that it has sent to, the lists that name this, and when.
type New = (IpAddr, Option<IpAddr>, Vec<String>, u32);

/// Those who are to be told of, and how many were lately.
#[derive(Debug, Default)]
pub struct Suspects {
    new: Vec<New>,
    /// Since when they are counted, epoch seconds.
    since: u64,
    told: usize,
}

impl Suspects {
    /// Takes note of a host.
    pub fn add(&mut self, hit: &Hit<'_>) {
        // no more than these are told of, whatever comes
        if let Some(host) = hit.host.filter(|_| self.new.len() <= MOST) {
            let lists = hit.lists.iter().map(|list| (*list).to_owned()).collect();
            self.new.push((host, hit.address, lists, hit.at));
        }
    }

    /// Tells of those whose packets were seen lately.
    pub fn tell(&mut self, events: &Events, now: u64) {
        if self.new.is_empty() {
            return;
        }
        // a clock that was set back holds up nothing
        if now.checked_sub(self.since).is_none_or(|age| age >= HOUR) {
            (self.since, self.told) = (now, 0);
        }
        for (host, far, lists, at) in std::mem::take(&mut self.new) {
            if now.saturating_sub(at.into()) >= OLD {
                continue;
            }
            self.told += 1;
            match self.told {
                ..=MOST => events.say(&Event::Suspect { host, far, lists }),
                told if told == MOST + 1 => events.say(&Event::Suspects),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
