//! `test`: what the old test.sh did, and more.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;

use apl::ListName;
use control::{Check, Reply, Tested};
use imsg::{Source, TableId};

use super::client::Client;
use crate::Engine;
use crate::dns::{Limits, probe};

/// The address that the service lists so that a policy can be tested; a policy of one's own may
/// lack it.
const INDICATOR: IpAddr = IpAddr::V4(Ipv4Addr::new(64, 87, 3, 133));

/// Sends the checks one by one and counts them.
struct Report<'a> {
    client: &'a mut Client,
    tested: Tested,
}

impl Report<'_> {
    async fn check(
        &mut self,
        what: &str,
        subject: impl ToString,
        ok: bool,
        text: String,
    ) -> io::Result<()> {
        self.send(Check { what: what.into(), subject: subject.to_string(), ok, text }).await
    }

    async fn send(&mut self, check: Check) -> io::Result<()> {
        self.tested.tried += 1;
        self.tested.failed += u32::from(!check.ok);
        self.client.send(&Reply::Check(check)).await
    }
}

/// Tries everything and says what came of it.
///
/// # Errors
/// When the client is gone.
pub async fn test(engine: &Rc<Engine>, client: &mut Client) -> io::Result<()> {
    let mut report = Report { client, tested: Tested { tried: 0, failed: 0 } };
    servers(engine, &mut report).await?;
    if engine.config.log.enabled {
        for check in super::test_log::checks(engine).await {
            report.send(check).await?;
        }
    }
    table(engine, &mut report).await?;
    let tested = serde_json::to_value(report.tested)?;
    report.client.send(&Reply::Done(tested)).await
}

/// Each server, and each list on it.
async fn servers(engine: &Engine, report: &mut Report<'_>) -> io::Result<()> {
    let config = &engine.config.policy;
    let names = config.allow.iter().chain(&config.block);
    let lists: Vec<ListName> =
        names.filter_map(|name| ListName::parse(name.as_str()).ok()).collect();
    let limits = Limits::new(config.timeout);
    for server in probe(&engine.runs.servers, &lists, limits).await {
        for (address, error) in &server.failed {
            let at = address.map_or(server.server.clone(), |address| address.to_string());
            // another port or address may do
            let ok = server.connected.is_some();
            report.check("server", &at, ok, format!("DNS Server {at}: {error}")).await?;
        }
        let Some((address, time)) = server.connected else { continue };
        for list in &server.lists {
            // an index has no prefixes at its own name, a list of one name no index: neither is amiss
            let is_amiss = !list.has_records();
            let found: Vec<String> = list
                .answers
                .iter()
                .filter_map(|(qtype, answer)| match answer {
                    Ok(outcome) if outcome.records == 0 && !is_amiss => None,
                    Ok(outcome) => {
                        let records = count(outcome.records, "record", "records");
                        let prefixes = match outcome.items {
                            0 => String::new(),
                            items => format!("{}, ", count(items, "prefix", "prefixes")),
                        };
                        Some(format!("{qtype} {records}, {prefixes}TTL {}", outcome.ttl))
                    }
                    Err(error) => Some(format!("{qtype} {error}")),
                })
                .collect();
            let text = format!("List {} on {address}: {}", list.name, found.join("; "));
            report.check("list", &list.name, list.is_ready(), text).await?;
        }
        let name = &server.server;
        let text = match server.is_ready() {
            true => format!("DNS Server {name} is ready."),
            false => format!(
                "DNS Server {name} is not ready: it answers on {address} within {} ms, but does \
                 not have every list.",
                time.as_millis()
            ),
        };
        report.check("server", name, server.is_ready(), text).await?;
    }
    Ok(())
}

/// So many things, in words.
fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// The addresses that must be blocked, in the table of the kernel itself.
async fn table(engine: &Engine, report: &mut Report<'_>) -> io::Result<()> {
    let name = &engine.config.tables.block;
    let set = match engine.link.list(TableId::Block, Source::Kernel).await {
        Ok(set) => set,
        Err(why) => return report.check("expect", name, false, why).await,
    };
    for address in &engine.config.guard.expect {
        let ok = set.find(address.to_canonical()).is_some();
        let text = match ok {
            true => format!("{address} is in <{name}>."),
            false => format!("{address} is not in <{name}>: threatstopctl why {address}"),
        };
        report.check("expect", address, ok, text).await?;
    }
    let text = match set.find(INDICATOR) {
        Some(_) => format!("{INDICATOR} is in <{name}>."),
        None => format!(
            "{INDICATOR} is not in <{name}>; that is in order if your policy does not have it."
        ),
    };
    // the absence is a note: it is no fault of the host
    report.check("indicator", INDICATOR, true, text).await
}
