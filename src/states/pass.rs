//! One pass over all states.

use std::net::IpAddr;

use config::Direction;
use nix::errno::Errno::{EPERM, ESRCH};
use pf::PfrAddr;
use prefix::Prefix;

use crate::abi::{PFR_FB_MATCH, State};
use crate::key::End;
use crate::request::{By, Living, by, request};
use crate::tables::Blocked;
use crate::{Error, FORBIDDEN, Pf, words};

/// Addresses that pf tests in one request, for which it holds its locks.
const PIECE: usize = 1024;
/// Walks over all states in one pass; pf holds its locks during each. Of each creator it has one state
/// with an id of 0 at most, but who speaks pfsync(4) may make up creators.
const WALKS: usize = 64;

/// What a pass has found and done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// All states there were.
    pub states: usize,
    /// Those with an end that is blocked.
    pub found: usize,
    /// Those of them that pf has ended; others may have ended by themselves before.
    pub ended: usize,
    /// Those of them that pf cannot find by a number, and not without ending others or too many walks.
    pub left: usize,
}

/// A state that passes what is blocked now.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// The state.
    pub state: &'a State,
    /// The end that is blocked.
    pub end: End,
    /// The table that it is in.
    pub table: &'a Blocked,
}

/// An address of a state, and the first table that has it: one of what comes in, one of what goes out.
struct Tested {
    addr: IpAddr,
    inward: Option<u8>,
    outward: Option<u8>,
}

/// Finds the states that pass what is blocked now, tells each, and unless this is a trial ends it.
///
/// # Errors
/// As [`Pf`] has them, in words; a table that pf does not have blocks nothing and is no error. States
/// that were ended until then stay ended.
pub fn flush(
    pf: &dyn Pf,
    tables: &[Blocked],
    trial: bool,
    mut tell: impl FnMut(Found<'_>),
) -> Result<Report, Error> {
    let states = pf.states()?;
    let tested = test(pf, tables, &states)?;
    let of = |addr: IpAddr| {
        let at = tested.binary_search_by_key(&addr, |one| one.addr).ok()?;
        Some(&tested[at])
    };
    let verdict = |state: &State| {
        let initiator = state.addrs(End::Initiator).find_map(|addr| of(addr)?.inward);
        let target = || state.addrs(End::Target).find_map(|addr| of(addr)?.outward);
        let initiator = initiator.map(|table| (End::Initiator, table));
        initiator.or_else(|| target().map(|table| (End::Target, table)))
    };
    // those that live are seldom asked for
    let mut living = None;
    let mut shares = |state: &State| {
        let live = || {
            let mut living = Living::default();
            states.iter().filter(|state| verdict(state).is_none()).for_each(|one| living.add(one));
            living
        };
        living.get_or_insert_with(live).shares(state)
    };
    let (mut report, mut walks) = (Report { states: states.len(), ..Report::default() }, 0);
    for state in &states {
        let Some((end, table)) = verdict(state) else { continue };
        report.found += 1;
        let table = &tables[usize::from(table)];
        tell(Found { state, end, table });
        let by = by(state).filter(|by| *by == By::Number || walks < WALKS && !shares(state));
        walks += usize::from(by == Some(By::Walk));
        match by {
            None => report.left += 1,
            Some(_) if trial => {}
            Some(by) => {
                let ended = pf.kill(&mut request(state, by)).map_err(refused)?;
                report.ended += usize::from(ended > 0);
            }
        }
    }
    Ok(report)
}

/// All addresses of the states, in order, with what the tables say of each.
fn test(pf: &dyn Pf, tables: &[Blocked], states: &[State]) -> Result<Vec<Tested>, Error> {
    let ends = |state: &'_ State| {
        let mut all = [None; 4];
        let both = state.addrs(End::Initiator).chain(state.addrs(End::Target));
        all.iter_mut().zip(both).for_each(|(to, addr)| *to = Some(addr));
        all
    };
    let mut addrs: Vec<IpAddr> = Vec::new();
    for state in states {
        let new = ends(state).into_iter().flatten();
        // most states have the addresses of one key twice, and neighbours share them
        let lately = addrs.len().saturating_sub(4);
        let new: Vec<_> = new.filter(|addr| !addrs[lately..].contains(addr)).collect();
        addrs.extend(new);
    }
    addrs.sort_unstable();
    addrs.dedup();
    let none = |addr| Tested { addr, inward: None, outward: None };
    let mut tested: Vec<Tested> = addrs.into_iter().map(none).collect();
    let mut piece = Vec::with_capacity(PIECE);
    for (number, table) in tables.iter().enumerate() {
        for some in tested.chunks_mut(PIECE) {
            // made anew for each table: what pf has marked it does not take
            piece.clear();
            piece.extend(some.iter().map(|one| PfrAddr::from(Prefix::host(one.addr))));
            match pf.test(&table.table, &mut piece) {
                Ok(()) => {}
                Err(ESRCH) => break,
                Err(errno) => {
                    let what = format!("{}: DIOCRTSTADDRS: {}", table.name, words(errno));
                    return Err(Error { errno, what });
                }
            }
            let number = u8::try_from(number).ok();
            let has = |addr: &PfrAddr| addr.marks[1] == PFR_FB_MATCH;
            for (one, _) in some.iter_mut().zip(&piece).filter(|(_, addr)| has(addr)) {
                if table.direction != Direction::Out {
                    one.inward = one.inward.or(number);
                }
                if table.direction != Direction::In {
                    one.outward = one.outward.or(number);
                }
            }
        }
    }
    Ok(tested)
}

fn refused(errno: nix::errno::Errno) -> Error {
    let what = match errno {
        EPERM => FORBIDDEN.to_owned(),
        errno => format!("/dev/pf: DIOCKILLSTATES: {}", words(errno)),
    };
    Error { errno, what }
}

#[cfg(test)]
mod tests;
