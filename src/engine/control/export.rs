//! Tables for other programs and other firewalls: all of one moment, as they are in force. What
//! somebody has done to pf's tables meanwhile is not handed on.

use std::io;
use std::rc::Rc;

use control::{Exported, Reply, Snapshot};
use serde_json::json;

use super::client::Client;
use crate::state::{Policy, State};
use crate::tables::{Table, Tables};

/// The table of a word or name.
///
/// # Errors
/// Which there are, if there is none such.
pub fn find<'a>(tables: &'a Tables, name: &str) -> Result<&'a Table, String> {
    tables.find(name).ok_or_else(|| {
        let words: Vec<&str> = tables.iter().map(|table| &*table.word).collect();
        format!("{name}: no such table; there are {}", words.join(", "))
    })
}

/// What there is to say of a table, or of all, that nothing has come into yet.
fn nothing(what: &str) -> String {
    format!("{what} has never been filled: threatstopctl update, and what that says")
}

/// Why there is nothing to show of a table that could not be read; pf may not even know one that was never
/// filled.
pub fn unread(state: &State, table: &Table, why: String) -> String {
    match state.policy().set(table.id) {
        Some(_) => why,
        None => nothing(&format!("table {}", table.word)),
    }
}

/// Hands out the tables of these names.
///
/// # Errors
/// When the client is gone.
pub async fn export(state: &State, client: &mut Client, names: &[String]) -> io::Result<()> {
    match snapshot(state, names) {
        Ok((policy, tables, snapshot)) => {
            client.send(&Reply::Snapshot(snapshot)).await?;
            for set in tables.iter().filter_map(|table| policy.set(table.id)) {
                client.prefixes(set.iter(), Reply::Prefixes).await?;
            }
            client.done(json!({})).await
        }
        Err(why) => client.fail("show", why).await,
    }
}

/// What is in force now of tables. It stays as it is while it is handed out, whatever is published.
fn snapshot<'a>(
    state: &'a State,
    names: &[String],
) -> Result<(Rc<Policy>, Vec<&'a Table>, Snapshot), String> {
    let tables =
        names.iter().map(|name| find(state.tables, name)).collect::<Result<Vec<_>, _>>()?;
    let (policy, serial) = state.numbered().ok_or_else(|| nothing("no table"))?;
    let count = |table: &&Table| {
        let (name, word) = (table.name.clone(), table.word.clone());
        // to others an empty table would say that nothing is blocked any more
        let set = policy.set(table.id).ok_or_else(|| nothing(&format!("table {word}")))?;
        let [v4, v6] = [set.v4().len(), set.v6().len()].map(|count| count as u64);
        Ok(Exported { name, word, v4, v6 })
    };
    let exported = tables.iter().map(count).collect::<Result<_, String>>()?;
    Ok((policy.clone(), tables, Snapshot { serial, tables: exported }))
}
