//! Table files that were lost or damaged while nobody looked, made again of what pf has, which at a start
//! nothing else knows: else the next set would be compared with none, and pf.conf(5) not be loaded at the
//! next boot.

use config::Config;
use imsg::{Purpose, TableId};
use policy::Guard;

use crate::events::subject::of_repair;
use crate::events::{Event, Events};
use crate::guard;
use crate::link::{Link, Outcome, Source};
use crate::tables::Tables;

/// Looks at the files of all tables, and has those made again of which pf has a set.
pub async fn recover(
    config: &Config,
    tables: &Tables,
    guard: &Guard,
    link: &Link,
    events: &Events,
) {
    let failed = |word: &str, text| {
        let source = Some(of_repair(word));
        events.say(&Event::Failed { source, text, grave: false });
    };
    for table in tables.in_order().filter(|_| config.tables.reload) {
        let (id, word) = (table.id, &table.word);
        let Err(why) = link.list(id, Source::File).await else { continue };
        let set = link.list(id, Source::Kernel).await.unwrap_or_default();
        if set.is_empty() {
            continue;
        }
        let count = set.len();
        let allow = link.list(TableId::ALLOW, Source::File).await.unwrap_or_default();
        let guard = guard::of_table(guard, table);
        // what the guards of today forbid, the helper takes from nobody
        if let Err(refusal) = guard.check(table.kind, &set, &allow) {
            let text = format!("{word} table: {why}; what pf has may not be put back: {refusal}");
            failed(word, text);
            continue;
        }
        match link.publish(id, &set, Purpose::Repair).await {
            Ok(result) if result.outcome == Outcome::Failed => {
                failed(word, format!("{word} table: {}", result.failure));
            }
            Ok(_) => {
                let text = format!(
                    "{word} table: file was missing or damaged; made again of {count} prefixes in pf"
                );
                events.say(&Event::Mended { table: word.clone(), text });
            }
            // the helper is gone, and so is this process in a moment
            Err(_) => {}
        }
    }
}
