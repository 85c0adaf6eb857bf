//! Who serves the lists: NSD, and the simulated service where that is not installed. NSD has its answers
//! ready; the other makes each of single octets, which took longer than all that the engine did with
//! them.
//!
//! * In: lists of items.
//! * Out: an address where they are asked for.
//! * Never: an answer of before, or work of its own, once a change is done.

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use tests::item::Item;
use tests::servers::Nsd;
use tests::sim::{Client, Data, Layout, PolicyService, Shape, Zone, rtype};

use crate::measure::cpu_of;

const ORIGIN: &str = "threatstop.local";
/// A name whose text tells what is served.
const MARK: &str = "mark.threatstop.local";
/// Items of a record: NSD reads no more into one.
const PER_RECORD: usize = 64;
/// How often it is asked for the mark.
const EACH: Duration = Duration::from_millis(20);
/// For so long NSD takes no processor when it is at rest.
const REST: Duration = Duration::from_millis(100);

/// A server, and the zone that it has.
pub struct Server {
    zone: Zone,
    changes: u32,
    by: By,
}

enum By {
    Nsd(Nsd),
    Simulated(PolicyService),
}

impl Server {
    /// Starts one without a list.
    pub fn start() -> Self {
        let zone = Zone::new(ORIGIN);
        let by = match Nsd::start(&zone) {
            Some(nsd) => By::Nsd(nsd),
            None => By::Simulated(PolicyService::start(zone.clone())),
        };
        Self { zone, changes: 0, by }
    }

    /// What a table calls it.
    pub fn name(&self) -> &'static str {
        match self.by {
            By::Nsd(_) => "NSD",
            By::Simulated(_) => "the simulated service",
        }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        match &self.by {
            By::Nsd(nsd) => nsd.addr(),
            By::Simulated(service) => service.addr(),
        }
    }

    /// Forgets all lists.
    pub fn clear(&mut self) {
        self.zone = Zone::new(ORIGIN);
        self.serve();
    }

    /// Puts lists in the place of those of these names, each over so many names.
    pub fn set(&mut self, lists: &[(&str, &[Item])], names: usize) {
        let shape = Shape::from(Layout::Index).names(names).per_record(PER_RECORD);
        for (list, items) in lists {
            self.zone.set_list(list, items, shape);
        }
        self.serve();
    }

    /// Serves the zone as it is now.
    fn serve(&mut self) {
        self.changes += 1;
        let mark = self.changes.to_string();
        self.zone.remove(MARK).add(MARK, Data::Txt(vec![mark.clone()]));
        match &self.by {
            By::Nsd(nsd) => nsd.replace(&self.zone),
            By::Simulated(service) => service.edit(|zone| *zone = self.zone.clone()),
        }
        while !self.says(&mark) {
            thread::sleep(EACH);
        }
        // the process that had the zone before gives its memory back now
        if let By::Nsd(nsd) = &self.by {
            let mut before = nsd.cpu(cpu_of);
            loop {
                thread::sleep(REST);
                let now = nsd.cpu(cpu_of);
                if now == before {
                    break;
                }
                before = now;
            }
        }
    }

    fn says(&self, mark: &str) -> bool {
        let ask = |mut client: Client| client.ask(MARK, rtype::TXT).ok();
        let reply = Client::connect(self.addr()).ok().and_then(ask);
        // the string behind its length (RFC 1035, section 3.3.14)
        reply.is_some_and(|reply| {
            reply.answers.iter().any(|txt| txt.rdata.get(1..) == Some(mark.as_bytes()))
        })
    }
}
