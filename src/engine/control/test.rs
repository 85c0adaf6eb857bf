//! `test`: what the old test.sh did, and more.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr};

use apl::{List, ListName};
use config::{Config, Feed, Policy};
use control::units::count;
use control::{Check, Reply, Tested};
use imsg::TableId;
use tokio::task::JoinHandle;

use super::client::Client;
use super::export::unread;
use crate::dns::{AttemptError, Attempted, Entry, Limits, Reached, Servers, Wanted, reach};
use crate::link::{Link, Source};
use crate::lists;
use crate::source::feed::Feeds;
use crate::state::State;

/// The address that the service lists so that a policy can be tested; a policy of one's own may
/// lack it.
const INDICATOR: IpAddr = IpAddr::V4(Ipv4Addr::new(64, 87, 3, 133));

/// Sends the checks one by one and counts them.
struct Report<'a> {
    client: &'a mut Client,
    tested: Tested,
}

impl Report<'_> {
    /// Says what is waited for now.
    async fn progress(&mut self, what: String) -> io::Result<()> {
        self.client.send(&Reply::Progress(what)).await
    }

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

/// Tries everything and says what came of it. Lists that came as APL once have to again. The servers
/// of feeds are asked for who `may_ask`; others are told the answers of the last minute. What is said of the
/// log service comes from `log`.
///
/// # Errors
/// When the client is gone.
pub async fn test(
    config: &'static Config,
    (state, link): (&State, &Link),
    servers: &Servers,
    (feeds, may_ask): (&'static Feeds, bool),
    log: Option<impl Future<Output = Vec<Check>>>,
    client: &mut Client,
) -> io::Result<()> {
    let mut report = Report { client, tested: Tested { tried: 0, failed: 0 } };
    // beside the servers: each may have to be waited for
    let ask = |feed| tokio::task::spawn_local(feeds.test(feed));
    let asked: Vec<_> = config.feed.iter().map(|feed| may_ask.then(|| ask(feed))).collect();
    if lists::Source::all(config).contains(&lists::Source::Policy) {
        let apl = state.memory().apl.clone();
        for entry in servers.entries() {
            server(&config.policy, &apl, entry, &mut report).await?;
        }
    }
    for (one, asked) in config.feed.iter().zip(asked) {
        feed(one, asked, feeds, &mut report).await?;
    }
    if let Some(log) = log {
        report.progress(format!("log host {}", config.log.url.host)).await?;
        for check in log.await {
            report.send(check).await?;
        }
    }
    table(config, state, link, &mut report).await?;
    let tested = serde_json::to_value(report.tested)?;
    report.client.send(&Reply::Done(tested)).await
}

/// One server, and each list on it.
async fn server(
    config: &Policy,
    apl: &BTreeSet<String>,
    entry: &Entry,
    report: &mut Report<'_>,
) -> io::Result<()> {
    let name = entry.server().to_string();
    report.progress(format!("DNS Server {name}")).await?;
    let limits = Limits::new(config.timeout);
    let Attempted { failed, reached } = reach(entry, limits).await;
    let Some(mut reached) = reached else {
        let failed = failed.iter().map(|(address, error)| match address {
            Some(address) => format!("{address}: {error}"),
            None => error.to_string(),
        });
        let why = failed.collect::<Vec<_>>().join("; ");
        let text = format!("DNS Server {name} is not ready: {why}");
        return report.check("server", &name, false, text).await;
    };
    for (address, error) in &failed {
        // another port or address does
        let at = address.map_or(name.clone(), |address| address.to_string());
        let text = format!("DNS Server {at}: {error}; {} answers", reached.address);
        report.check("server", &at, true, text).await?;
    }
    let (mut tried, mut missing) = (0, 0);
    for list in config.allow.iter().chain(&config.block) {
        report.progress(format!("list {list} on {}", reached.address)).await?;
        let may_be_empty = config.allow.contains(list);
        let apl_before = apl.contains(list.as_str());
        let read = match form(list.as_str()) {
            Ok(name) => read(config, &mut reached, &Wanted { name, apl_before }).await,
            Err(why) => Err(why),
        };
        let (ok, text) = match read {
            Ok(read) if read.items.is_empty() && !may_be_empty => (false, "no prefixes".into()),
            Ok(read) => (true, of(&read)),
            Err(why) => (false, why),
        };
        (tried, missing) = (tried + 1, missing + u32::from(!ok));
        let text = format!("List {list} on {}: {text}", reached.address);
        report.check("list", list, ok, text).await?;
    }
    let text = match missing {
        0 => format!("DNS Server {name} is ready."),
        _ => format!(
            "DNS Server {name} is not ready: it answers on {} within {} ms, but {missing} of \
             {tried} lists cannot be had.",
            reached.address,
            reached.time.as_millis()
        ),
    };
    report.check("server", &name, missing == 0, text).await
}

/// A list as an update would read it.
async fn read(config: &Policy, reached: &mut Reached, wanted: &Wanted) -> Result<List, String> {
    let suffix = form(config.suffix.as_str())?;
    reached.read(wanted, &suffix).await.map_err(|error| match error {
        // this is the test that the error itself advises
        AttemptError::List(error) if error.is_unprovisioned() => format!(
            "{}: is the device provisioned, the name right, and the address of this host \
             registered in the portal?",
            error.kind
        ),
        AttemptError::List(error) => match &error.part {
            Some(part) => format!("part {part}: {}", error.kind),
            None => error.kind.to_string(),
        },
        error => error.to_string(),
    })
}

fn form(name: &str) -> Result<ListName, String> {
    ListName::parse(name).map_err(|error| error.to_string())
}

/// One feed: what its server said that was asked with the copy that is there, or in the last minute.
async fn feed(
    feed: &Feed,
    asked: Option<JoinHandle<Result<(), String>>>,
    feeds: &Feeds,
    report: &mut Report<'_>,
) -> io::Result<()> {
    let (name, host) = (feed.name, &feed.url.host);
    let said = match (asked, feeds.answer(name)) {
        (Some(asked), _) => {
            report.progress(format!("feed {name} on {host}")).await?;
            asked.await?
        }
        (None, Some(said)) => said,
        (None, None) => {
            let text = format!("Feed {name} was not asked in the last minute; root may ask it.");
            return report.check("feed", name, true, text).await;
        }
    };
    let text = match &said {
        Ok(()) => format!("Feed {name} on {host} is ready."),
        Err(why) => format!("Feed {name} on {host} is not ready: {why}"),
    };
    report.check("feed", name, said.is_ok(), text).await
}

/// What a list has.
fn of(list: &List) -> String {
    let items = count(list.items.len() as u64, "prefix", "prefixes");
    let names = count(list.data_names as u64, "name", "names");
    format!("{items} of {names}, TTL {}", list.ttl)
}

/// The addresses that must be blocked, in the table of the kernel itself.
async fn table(
    config: &Config,
    state: &State,
    link: &Link,
    report: &mut Report<'_>,
) -> io::Result<()> {
    let Some(table) = state.tables.iter().find(|table| table.id == TableId::BLOCK) else {
        return Ok(());
    };
    let name = &table.name;
    // without reload, pf's table is not ours
    let source = if config.tables.reload { Source::Kernel } else { Source::File };
    let set = match link.list(table.id, source).await {
        Ok(set) => set,
        Err(why) => {
            return report.check("expect", name, false, unread(state, table, why)).await;
        }
    };
    for address in &config.guard.expect {
        let ok = set.find(address.to_canonical()).is_some();
        let text = match ok {
            true => format!("{address} is in <{name}>."),
            false => format!("{address} is not in <{name}>: threatstopctl why {address}"),
        };
        report.check("expect", address, ok, text).await?;
    }
    if config.guard.expect.iter().any(|address| address.to_canonical() == INDICATOR) {
        return Ok(());
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
