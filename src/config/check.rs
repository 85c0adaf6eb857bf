//! What no single key shows.

use core::net::IpAddr;

use prefix::Prefix;

use crate::net::Host;
use crate::reader::Reader;
use crate::schema::{Config, Guard, Policy, Request};

/// Holds the values of a configuration against one another.
pub(crate) fn check(config: &Config, reader: &mut Reader<'_>) {
    let Config { policy, tables, guard, log, .. } = config;
    if tables.block == tables.allow {
        reader.fault(
            &["tables.allow", "tables.block"],
            format!("tables.block and tables.allow are the same, \"{}\"", tables.block),
        );
    }
    if tables.kill_states && tables.monitor {
        let why = "tables.kill_states: not together with tables.monitor: set one of them to false";
        reader.fault(&["tables.kill_states", "tables.monitor"], why.to_owned());
    }
    // the engine can write in its spool, and must not be able to change what root publishes
    if log.spool.starts_with(&tables.directory) || tables.directory.starts_with(&log.spool) {
        reader.fault(
            &["log.spool", "tables.directory"],
            "log.spool and tables.directory must lie apart".to_owned(),
        );
    }
    within_spool(config, reader);
    lists(policy, reader);
    sources(config, reader);
    feeds(config, reader);
    config.check_tables(reader);
    expected(config, reader);
    if never_blocks_all(guard, true) {
        let v4 = guard.never_block.iter().enumerate().filter(|(_, prefix)| prefix.addr().is_ipv4());
        let widest = v4.min_by_key(|(_, prefix)| prefix.len()).map_or(0, |(index, _)| index);
        reader.fault(
            &[&format!("guard.never_block.{widest}")],
            "guard.never_block: its entries have all of IPv4 between them, so that nothing would \
             ever be blocked: take the wide ones out"
                .to_owned(),
        );
    }
    request(&log.request, reader);
}

/// Root opens nothing in a directory whose names the engine can change. Where links lead is for the
/// start to find out.
fn within_spool(config: &Config, reader: &mut Reader<'_>) {
    for (key, path) in config.named() {
        if path.starts_with(&config.log.spool) {
            reader.fault(
                &[key, "log.spool"],
                format!("{key} lies within log.spool, which is the engine's: set another {key}"),
            );
        }
    }
}

/// Names of lists that are not those of the service.
const TAKEN: [&str; 5] = ["local_block", "local_allow", "own", "anchor", "unlisted"];

fn lists(policy: &Policy, reader: &mut Reader<'_>) {
    for (key, lists) in [("policy.block", &policy.block), ("policy.allow", &policy.allow)] {
        for (index, list) in lists.iter().enumerate() {
            if TAKEN.contains(&list.as_str()) {
                let why = format!("{key}: \"{list}\" is no list of the service: the name is taken");
                reader.fault(&[&format!("{key}.{index}")], why);
            }
        }
    }
    for (index, list) in policy.allow.iter().enumerate() {
        if policy.block.contains(list) {
            reader.fault(
                &[&format!("policy.allow.{index}"), "policy.block"],
                format!("\"{list}\" is in policy.block and in policy.allow"),
            );
        }
    }
}

/// Whether there is anything to block, and a device for the lists of the service.
fn sources(config: &Config, reader: &mut Reader<'_>) {
    let Config { device_id, policy, feed, .. } = config;
    if config.block_lists().next().is_none() {
        let why = "policy.block: no list of what to block: name one of the service, or add a \
                   [[feed]] or policy.local_block";
        reader.fault(&["policy.block"], why.to_owned());
    }
    if device_id.is_none() && (policy.is_asked() || feed.is_empty()) {
        let why = "device_id: not set: it is the id beginning with tdid_ that the portal shows for \
                   this device";
        let without = match feed.is_empty() {
            true => "",
            false => "; for feeds alone, write block = [] and allow = [] in [policy]",
        };
        reader.fault(&["device_id"], format!("{why}{without}"));
    }
}

/// Each feed against the others, the lists of the service and the guards.
fn feeds(config: &Config, reader: &mut Reader<'_>) {
    let Config { policy, feed, guard, .. } = config;
    let mut sum = 0u64;
    for (index, one) in feed.iter().enumerate() {
        let (at, name) = (format!("feed.{index}.name"), one.name.as_str());
        let of_service = [&policy.block, &policy.allow];
        let of_service = of_service.into_iter().flatten().any(|list| list.as_str() == name);
        if feed[..index].iter().any(|other| other.name == one.name) {
            reader.fault(&[&at], format!("feed.name: \"{name}\" names another feed already"));
        } else if TAKEN.contains(&name) || name == "policy" {
            reader.fault(&[&at], format!("feed.name: \"{name}\" is taken: choose another name"));
        } else if of_service {
            let why = format!("feed.name: \"{name}\" is a list of [policy]: choose another name");
            reader.fault(&[&at, "policy"], why);
        }
        sum += u64::from(one.max_entries);
        let most = 4 * u64::from(guard.max_entries);
        if sum > most {
            let why = format!(
                "feed.max_entries: with those of the feeds before it {sum}, more than four times \
                 guard.max_entries ({most}): lower it, or raise guard.max_entries"
            );
            reader.fault(&[&format!("feed.{index}.max_entries"), &at, "guard.max_entries"], why);
            return;
        }
    }
}

/// An address that is expected in the block table and never gets there would stop all updates.
fn expected(config: &Config, reader: &mut Reader<'_>) {
    let Config { policy, guard, log, https, .. } = config;
    let web = [Some(&log.url.host), https.proxy.as_ref().map(|proxy| &proxy.host)];
    let web: Vec<IpAddr> = web.into_iter().flatten().filter_map(Host::address).collect();
    for (index, addr) in guard.expect.iter().enumerate() {
        let never = guard.never_block.iter().find(|prefix| prefix.contains(*addr));
        let mut reserved = prefix::reserved(guard.block_private);
        let (with, why) = if let Some(prefix) = never {
            ("guard.never_block", format!("guard.never_block has it in {prefix}"))
        } else if let Some((prefix, what)) = reserved.find(|(prefix, _)| prefix.contains(*addr)) {
            ("guard.block_private", format!("it is in {prefix} ({what})"))
        } else if policy.servers.iter().any(|server| server.address() == Some(*addr)) {
            ("policy.servers", "it is one of policy.servers".to_owned())
        } else if web.contains(addr) {
            ("https.proxy", "it is the log server or the proxy".to_owned())
        } else {
            continue;
        };
        reader.fault(
            &[&format!("guard.expect.{index}"), with],
            format!("guard.expect: {addr} is never blocked: {why}"),
        );
    }
}

/// Whether never_block, with what no list may block anyway, is all that a list could name of IPv4
/// or else of IPv6.
pub(crate) fn never_blocks_all(guard: &Guard, v4: bool) -> bool {
    // 224.0.0.0 and above are multicast and reserved; of IPv6 only 2000::/3 is given out
    let (first, last) = if v4 { (0, (224 << 24) - 1) } else { (1 << 125, (1 << 126) - 1) };
    let reserved = prefix::reserved(guard.block_private).map(|(prefix, _)| prefix);
    let all = guard.never_block.iter().copied().chain(reserved);
    let range = |prefix| match prefix {
        Prefix::V4(net) => (net.addr().into(), net.last().into()),
        Prefix::V6(net) => (net.addr(), net.last()),
    };
    let mut ranges: Vec<(u128, u128)> =
        all.filter(|prefix| prefix.addr().is_ipv4() == v4).map(range).collect();
    ranges.sort_unstable();
    let mut next = first;
    for (first, last) in ranges {
        if first <= next {
            next = next.max(last.saturating_add(1));
        }
    }
    next > last
}

fn request(request: &Request, reader: &mut Reader<'_>) {
    let mut fault = |key: &str, others: &[&str], why: String| {
        let paths: Vec<&str> = [key].iter().chain(others).copied().collect();
        reader.fault(&paths, format!("{key}: {why}"));
    };
    if request.success.as_str().trim().is_empty() {
        fault("log.request.success", &[], "nothing to look for".to_owned());
    }
    if request.file_name.as_str().trim().is_empty() {
        let why = "empty: the log needs a name, such as the default";
        fault("log.request.file_name", &[], why.to_owned());
    }
    if let Some(name) = &request.device_field
        && request.fields.contains_key(name)
    {
        let why = format!("\"{name}\" is log.request.device_field already: name it once");
        fault("log.request.fields", &["log.request.device_field"], why);
    }
}
