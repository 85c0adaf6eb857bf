//! The addresses that one list names.

use core::net::IpAddr;

use prefix::{Address, Floor, Item, Items, Net, Prefix, Prefix4, Prefix6, Range, Range4, Range6};

use crate::cover::cover;
use crate::measure::{Measure, Size};
use crate::ranges::Ranges;
use crate::sweep::{covering, sort_and_join};

/// The addresses that one list names, with the list's name.
///
/// Negated items have been worked out: of the items that cover an address the most specific one
/// decides, and of two with the same prefix the negated one. IPv4-mapped IPv6 (RFC 4291, section
/// 2.5.5.2) has become IPv4 where that is no wider than the floor. The ranges are sorted and
/// disjoint; without negated items each is one of the list's outermost prefixes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List {
    name: String,
    ranges: Ranges,
    size: Size,
    wide: Vec<Prefix>,
}

impl List {
    /// Makes the list of its items, which are dropped.
    ///
    /// Items wider than `floor`, which is that of the guard, are remembered: the composition
    /// refuses them, unless all of such an item is left out anyway.
    pub fn new(name: impl Into<String>, mut items: Items, floor: Floor) -> Self {
        unmap_all(&mut items, floor.v4);
        Self::kept(name, items, floor)
    }

    /// Makes a list once more of what was kept of it: what is an IPv4-mapped prefix then, stood for
    /// nothing but reserved space of IPv6 when it came, whatever the floor is now.
    pub fn kept(name: impl Into<String>, items: Items, floor: Floor) -> Self {
        let mut wide = Vec::new();
        let (v4, v6) = (named(items.v4, floor, &mut wide), named(items.v6, floor, &mut wide));
        let ranges = Ranges { v4, v6 };
        Self { name: name.into(), size: Size::of(&ranges), ranges, wide }
    }

    /// The name of the list.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The addresses that it names.
    pub fn ranges(&self) -> &Ranges {
        &self.ranges
    }

    /// The IPv4 ranges, ascending.
    pub fn v4(&self) -> &[Range4] {
        self.ranges.v4()
    }

    /// The IPv6 ranges, ascending.
    pub fn v6(&self) -> &[Range6] {
        self.ranges.v6()
    }

    /// The numbers of the list: the same for one that was kept as prefixes and read back.
    pub fn measure(&self) -> Measure {
        self.size.measure(&self.ranges)
    }

    /// How large it is.
    pub(crate) fn size(&self) -> &Size {
        &self.size
    }

    /// Number of entries: outermost prefixes, or ranges where items were negated.
    pub fn len(&self) -> usize {
        self.v4().len() + self.v6().len()
    }

    /// Whether the list names no address.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Whether the list names the address.
    pub fn contains(&self, addr: IpAddr) -> bool {
        self.ranges.contains(addr)
    }

    /// The item that covers the address, the widest one; where items are negated, the part around
    /// the address that they leave, as one prefix.
    pub fn item(&self, addr: IpAddr) -> Option<Prefix> {
        fn around<A: Address>(ranges: &[Range<A>], addr: A) -> Option<Net<A>> {
            cover(covering(ranges, addr)?).into_iter().find(|net| net.contains(addr))
        }
        match addr {
            IpAddr::V4(a) => around(self.v4(), a.to_bits()).map(Prefix::from),
            IpAddr::V6(a) => around(self.v6(), a.to_bits()).map(Prefix::from),
        }
    }

    /// The positive items wider than the floor.
    pub(crate) fn wide(&self) -> &[Prefix] {
        &self.wide
    }
}

/// The IPv4 prefix that an IPv4-mapped one (RFC 4291, section 2.5.5.2) stands for, if that is of
/// `floor` bits or more; a wider one stands for nothing but reserved space of IPv6.
///
/// ::ffff:0:0/96 is in many lists of what is never routed, and means no address of IPv4 there.
pub fn unmapped(net: Prefix6, floor: u8) -> Option<Prefix4> {
    let len = net.len().checked_sub(96).filter(|len| *len >= floor)?;
    (net.addr() >> 32 == 0xffff).then(|| Net::new(net.addr() as u32, len))?
}

/// Moves the items that stand for IPv4 there.
fn unmap_all(items: &mut Items, floor: u8) {
    let Items { v4, v6 } = items;
    v6.retain(|item| match unmapped(item.net(), floor) {
        Some(net) => {
            v4.push(Item::new(net, item.negated));
            false
        }
        None => true,
    });
}

/// The addresses named, as sorted and disjoint ranges. Positive items wider than the floor go to
/// `wide`, too.
fn named<A: Address>(items: Vec<Item<A>>, floor: Floor, wide: &mut Vec<Prefix>) -> Vec<Range<A>>
where
    Prefix: From<Net<A>>,
{
    let (floor, mut negated) = (floor.bits::<A>(), false);
    // once over all of them for both questions: memory is what takes the time
    for item in &items {
        negated |= item.negated;
        if !item.negated && item.net().len() < floor {
            wide.push(item.net().into());
        }
    }
    let mut ranges = if negated {
        resolve(items)
    } else {
        let mut ranges = items.into_iter().map(|item| Range::from(item.net())).collect();
        sort_and_join(&mut ranges);
        ranges
    };
    ranges.shrink_to_fit();
    ranges
}

/// Works out negation: of nested items the innermost decides.
fn resolve<A: Address>(mut items: Vec<Item<A>>) -> Vec<Range<A>> {
    // outer before inner, and of equal prefixes the negated one last, so that it counts as inner
    items.sort_unstable();
    items.dedup();
    let mut sweep = Nest { open: Vec::new(), from: A::ZERO, ranges: Vec::new() };
    for item in items {
        let start = item.net().addr();
        while sweep.close(Some(start)) {}
        if let (Some(outer), Some(last)) = (sweep.open.last(), start.previous()) {
            sweep.emit(*outer, last);
        }
        sweep.from = start;
        sweep.open.push(item);
    }
    while sweep.close(None) {}
    sweep.ranges
}

/// The state of the sweep that works out negation.
struct Nest<A: Address> {
    /// The items around the current address, the outermost first: at most two of each length.
    open: Vec<Item<A>>,
    /// The first address not yet decided.
    from: A,
    ranges: Vec<Range<A>>,
}

impl<A: Address> Nest<A> {
    /// Closes the innermost item when it ends before `start`, or in any case without one.
    fn close(&mut self, start: Option<A>) -> bool {
        let ends = |item: &mut Item<A>| start.is_none_or(|start| item.net().last() < start);
        let Some(item) = self.open.pop_if(ends) else { return false };
        self.emit(item, item.net().last());
        match item.net().last().next() {
            Some(next) => self.from = next,
            // the end of the address space: what lies around it ends here as well
            None => self.open.clear(),
        }
        true
    }

    /// Decides the addresses up to `last` by `item`.
    fn emit(&mut self, item: Item<A>, last: A) {
        if item.negated {
            return;
        }
        let Some(range) = Range::new(self.from, last) else { return };
        match self.ranges.last_mut() {
            Some(before) if before.last().next() == Some(range.first()) => {
                *before = Range::new(before.first(), last).unwrap_or(range);
            }
            _ => self.ranges.push(range),
        }
    }
}

#[cfg(test)]
mod tests;
