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
    // the engine can write in its spool, and must not be able to change what root publishes
    if log.spool.starts_with(&tables.directory) || tables.directory.starts_with(&log.spool) {
        reader.fault(
            &["log.spool", "tables.directory"],
            "log.spool and tables.directory must lie apart".to_owned(),
        );
    }
    within_spool(config, reader);
    lists(policy, reader);
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
    let Config { policy, log, .. } = config;
    for (key, path) in [
        ("log.file", log.enabled.then_some(&log.file)),
        ("policy.local_block", policy.local_block.as_ref()),
        ("policy.local_allow", policy.local_allow.as_ref()),
    ] {
        if path.is_some_and(|path| path.starts_with(&log.spool)) {
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
