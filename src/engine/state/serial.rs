//! The number of what is in force, for those who hand it on: the serial of a zone (RFC 1035, section
//! 3.3.13). It belongs to the content and not to the moment of asking, or else each firewall would
//! fetch everything again after each print.

use std::collections::BTreeMap;
use std::rc::Rc;

use apl::is_after;
use flate2::Crc;
use imsg::TableId;
use prefix::{Address, Net, PrefixSet, pack};
use serde::{Deserialize, Serialize};

/// Prefixes that are packed at once: all of them would be as much memory again.
const PART: usize = 1 << 13;

/// The number of some content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Numbered {
    /// The number; 0 before the first content.
    pub serial: u32,
    /// A sum of the content, by which a crash between a publication and its number shows.
    sum: u32,
}

impl Numbered {
    /// The number of these sets, of which one last changed at `changed`, in epoch seconds: as before if
    /// they are as before, else that time, or one more than before where that is no larger. So a memory
    /// that was lost costs nothing as long as the clock goes on.
    pub fn follow(self, sets: &BTreeMap<TableId, Rc<PrefixSet>>, changed: u64) -> Self {
        let sum = sum(sets);
        if sum == self.sum && self.serial != 0 {
            return self;
        }
        // the epoch in 32 bits wraps in 2106, which RFC 1982 has arithmetic for
        let time = changed as u32;
        let next = self.serial.wrapping_add(1);
        let serial = if self.serial == 0 || is_after(time, next) { time } else { next };
        // 0 says that there is none
        Self { serial: serial.max(1), sum }
    }
}

fn sum(sets: &BTreeMap<TableId, Rc<PrefixSet>>) -> u32 {
    let mut crc = Crc::new();
    for (id, set) in sets {
        let counts = [id.number(), set.v4().len(), set.v6().len()];
        counts.iter().for_each(|count| crc.update(&count.to_be_bytes()));
        add(&mut crc, set);
    }
    crc.sum()
}

/// Adds the prefixes of a set to a sum, in packed form.
pub fn add(crc: &mut Crc, set: &PrefixSet) {
    fn family<A: Address>(crc: &mut Crc, nets: &[Net<A>]) {
        let mut octets = Vec::new();
        for part in nets.chunks(PART) {
            octets.clear();
            pack(part, &mut octets);
            crc.update(&octets);
        }
    }
    family(crc, set.v4());
    family(crc, set.v6());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sets(texts: &[&str]) -> BTreeMap<TableId, Rc<PrefixSet>> {
        let nets = texts.iter().map(|text| match text.parse() {
            Ok(prefix::Prefix::V4(net)) => net,
            other => panic!("{text}: {other:?}"),
        });
        [(TableId::BLOCK, Rc::new(PrefixSet::new(nets.collect(), Vec::new()).unwrap()))].into()
    }

    #[test]
    fn a_number_belongs_to_the_content_and_grows_with_each_other() {
        let (one, two) = (sets(&["192.0.2.0/24"]), sets(&["192.0.2.0/25"]));
        let first = Numbered::default().follow(&one, 1000);
        assert_eq!(first.serial, 1000);
        assert_eq!(first.follow(&one, 5000), first, "as before");
        let second = first.follow(&two, 5000);
        assert_eq!(second.serial, 5000);
        // twice in a second, and after the clock was set back
        assert_eq!(second.follow(&one, 5000).serial, 5001);
        assert_eq!(second.follow(&one, 10).serial, 5001);
        // what was lost begins with the time
        assert_eq!(Numbered::default().follow(&two, 6000).serial, 6000);
    }

    #[test]
    fn a_number_goes_on_over_the_end_of_32_bits() {
        let (one, two) = (sets(&["192.0.2.0/24"]), sets(&["192.0.2.0/25"]));
        let last = Numbered { serial: u32::MAX, ..Numbered::default() }.follow(&one, 5);
        assert!(is_after(last.serial, u32::MAX) && last.serial != 0, "{last:?}");
        assert!(is_after(last.follow(&two, 6).serial, last.serial));
    }
}
