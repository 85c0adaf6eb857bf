//! The honest policy server, on hickory-server.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hickory_server::Server;
use hickory_server::net::runtime::Time;
use hickory_server::proto::op::{Edns, Header, HeaderCounts, Metadata, OpCode, ResponseCode};
use hickory_server::proto::rr::rdata::{self, NULL};
use hickory_server::proto::rr::{Name, RData, Record, RecordType};
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::zone_handler::MessageResponseBuilder;

use super::background::Background;
use super::counters::{Queries, lock};
use super::data::{Data, LIBRARY_NAMES, name_size, rtype};
use super::layout::Shape;
use super::wire::SOA_TTL;
use super::zone::{Answer, TTL, Zone, rcode};
use crate::item::Item;
use crate::prng::Prng;

/// How long the server keeps an idle connection.
const IDLE: Duration = Duration::from_secs(60);
/// Answers that may wait for one connection; hickory-server drops what is beyond.
const QUEUE: usize = 64;
/// A policy server on 127.0.0.1, over TCP alone. Like PowerDNS it sends the records of an answer in
/// an order of its own. It stops when dropped.
#[derive(Debug)]
pub struct PolicyService {
    state: Arc<State>,
    background: Background,
}

#[derive(Debug)]
struct State {
    zone: Mutex<Arc<Zone>>,
    queries: Mutex<Queries>,
    order: Mutex<Prng>,
}

impl PolicyService {
    /// Starts a server that knows the zone.
    pub fn start(zone: Zone) -> Self {
        Self::start_at((Ipv4Addr::LOCALHOST, 0).into(), zone)
    }

    /// The same at the address that one had before.
    pub fn start_at(addr: SocketAddr, zone: Zone) -> Self {
        let state = Arc::new(State {
            zone: Mutex::new(Arc::new(zone)),
            queries: Mutex::default(),
            order: Mutex::new(Prng::new(42)),
        });
        let handler = Handler(Arc::clone(&state));
        let background = Background::start_at(addr, |listener, stopped| async move {
            let mut server = Server::new(handler);
            server.register_listener(listener, IDLE, QUEUE);
            let _ = stopped.await;
            server.shutdown_gracefully().await.expect("stop the policy service");
        });
        Self { state, background }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.background.addr()
    }

    /// What it was asked so far.
    pub fn queries(&self) -> Queries {
        lock(&self.state.queries).clone()
    }

    /// Replaces a list; each question is answered from before or from after.
    pub fn set_list(&self, list: &str, items: &[Item], shape: impl Into<Shape>) {
        self.edit(|zone| {
            zone.set_list(list, items, shape);
        });
    }

    /// Changes anything in the zone at once; each question is answered from before or from after.
    pub fn edit(&self, change: impl FnOnce(&mut Zone)) {
        let mut zone = lock(&self.state.zone);
        change(Arc::make_mut(&mut zone));
    }

    /// Stops; the port is free again when this returns.
    pub fn stop(self) {
        drop(self);
    }
}

struct Handler(Arc<State>);

#[async_trait::async_trait]
impl RequestHandler for Handler {
    async fn handle_request<R: ResponseHandler, T: Time>(
        &self,
        request: &Request,
        mut out: R,
    ) -> ResponseInfo {
        let mut metadata = Metadata::response_from_request(&request.metadata);
        let mut answers = Vec::new();
        let mut authorities = Vec::new();
        match request.request_info() {
            Ok(info) if request.metadata.op_code == OpCode::Query => {
                let name = info.query.name().to_string();
                let name = name.trim_end_matches('.');
                let rtype = u16::from(info.query.query_type());
                {
                    let mut queries = lock(&self.0.queries);
                    queries.count_peer(request.src());
                    queries.count(name, rtype);
                }
                let zone = Arc::clone(&lock(&self.0.zone));
                let mut answer = zone.answer(name, rtype);
                if library_size(name, &answer) > usize::from(u16::MAX) {
                    // It would send a part of the answer, and octets after it.
                    answer = Answer::truncated();
                }
                metadata.response_code = ResponseCode::from_low(answer.rcode);
                metadata.authoritative = answer.rcode != rcode::REFUSED;
                metadata.truncation = answer.truncated;
                if answer.is_negative() {
                    authorities.push(soa(zone.origin()));
                }
                // An alias stands before what it stands for.
                if answer.records.iter().all(|(_, data)| data.rtype() == rtype) {
                    lock(&self.0.order).shuffle(&mut answer.records);
                }
                answers
                    .extend(answer.records.into_iter().map(|(owner, data)| record(&owner, data)));
            }
            Ok(_) => metadata.response_code = ResponseCode::NotImp,
            Err(_) => metadata.response_code = ResponseCode::FormErr,
        }
        let edns = request.edns.as_ref().map(|_| Edns::new());
        let response = MessageResponseBuilder::new(&request.queries, edns.as_ref()).build(
            metadata,
            &answers,
            &authorities,
            &[],
            &[],
        );
        // It fails when the client has gone.
        let sent = out.send_response(response).await;
        sent.unwrap_or_else(|_| Header { metadata, counts: HeaderCounts::default() }.into())
    }
}

/// The octets that the library needs for an answer, at most. It compresses no owner against the
/// question.
fn library_size(question: &str, answer: &Answer) -> usize {
    let mut size = 12 + name_size(question) + 4 + 11;
    let (mut names, mut last) = (0, None);
    for (owner, data) in &answer.records {
        names += if matches!(data, Data::Ptr(_) | Data::Cname(_)) { 2 } else { 1 };
        let compressed = last == Some(owner) && names <= LIBRARY_NAMES;
        size += if compressed { 2 } else { name_size(owner) } + 10 + data.size();
        last = Some(owner);
    }
    size
}

fn record(owner: &str, data: Data) -> Record {
    let data = match data {
        Data::A(addr) => RData::A(addr.into()),
        Data::Aaaa(addr) => RData::AAAA(addr.into()),
        Data::Cname(target) => RData::CNAME(rdata::CNAME(absolute(&target))),
        Data::Ptr(target) => RData::PTR(rdata::PTR(absolute(&target))),
        Data::Txt(strings) => RData::TXT(rdata::TXT::new(strings)),
        Data::Apl(octets) => {
            // hickory-proto knows no APL. NULL::with asserts that there is data, and an empty list
            // has none.
            let mut null = NULL::new();
            null.anything = octets;
            RData::Unknown { code: RecordType::Unknown(rtype::APL), rdata: null }
        }
    };
    Record::from_rdata(absolute(owner), TTL, data)
}

fn soa(origin: &str) -> Record {
    let ns = absolute(&format!("ns.{origin}"));
    let hostmaster = absolute(&format!("hostmaster.{origin}"));
    let soa = rdata::SOA::new(ns, hostmaster, 1, 3600, 600, 86400, SOA_TTL);
    Record::from_rdata(absolute(origin), SOA_TTL, RData::SOA(soa))
}

fn absolute(name: &str) -> Name {
    let mut name = Name::from_ascii(name).unwrap_or_else(|why| panic!("{name}: {why}"));
    name.set_fqdn(true);
    name
}

#[cfg(test)]
mod tests;
