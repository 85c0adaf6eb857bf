//! What no single key shows.

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
    lists(policy, reader);
    expected(guard, reader);
    request(&log.request, reader);
}

fn lists(policy: &Policy, reader: &mut Reader<'_>) {
    for (index, list) in policy.allow.iter().enumerate() {
        if policy.block.contains(list) {
            reader.fault(
                &[&format!("policy.allow.{index}"), "policy.block"],
                format!("\"{list}\" is in policy.block and in policy.allow"),
            );
        }
    }
}

fn expected(guard: &Guard, reader: &mut Reader<'_>) {
    for (index, addr) in guard.expect.iter().enumerate() {
        if let Some(prefix) = guard.never_block.iter().find(|prefix| prefix.contains(*addr)) {
            reader.fault(
                &[&format!("guard.expect.{index}"), "guard.never_block"],
                format!("guard.expect has {addr}, which guard.never_block has in {prefix}"),
            );
        }
    }
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
