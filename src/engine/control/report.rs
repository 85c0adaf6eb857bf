//! `status` and `why`.

use std::net::IpAddr;

use control::{
    Held, HeldReason, PfStatus, REVERTED, Status, TableStatus, Tables, Update, Upload, UsedBy, Why,
};
use imsg::{Stats, TableId};

use crate::{Engine, alarm, clock, watch};

/// The state of everything.
pub async fn status(engine: &Engine) -> Status {
    let stats = engine.link.stats().await.unwrap_or_else(|failure| Stats {
        running: false,
        tables: Default::default(),
        failure,
    });
    let asked = stats.failure.is_empty();
    let config = &engine.config;
    let memory = engine.state.memory().clone();
    let log = engine.log.figures();
    let limit = engine.given.start.table_entries;
    let reverted = engine.given.start.reverted.then(|| REVERTED.to_owned());
    Status {
        version: env!("CARGO_PKG_VERSION").into(),
        uptime: engine.started.elapsed().as_secs(),
        pf: PfStatus {
            enabled: asked.then_some(stats.running),
            backend: config.tables.backend.as_str().into(),
            limit: (limit > 0).then_some(limit.into()),
            error: (!asked).then(|| stats.failure.clone()),
            warnings: reverted
                .into_iter()
                .chain(watch::warnings(engine, &stats))
                .chain(alarm::alarms(engine))
                .chain(log.warnings)
                .collect(),
        },
        tables: Tables {
            block: table(engine, &stats, TableId::Block),
            allow: table(engine, &stats, TableId::Allow),
        },
        update: Update {
            state: update_state(engine),
            last: memory.last.clone(),
            last_good: memory.last_good,
            next: engine.runs.next(),
            failures: memory.failures,
        },
        upload: Upload {
            enabled: config.log.enabled,
            last: log.last,
            last_good: log.last_good,
            next: log.next,
            gaps: log.gaps,
            damaged: log.damaged,
        },
        servers: engine.runs.server_status(),
        spool: log.spool,
        held: held(engine),
    }
}

fn table(engine: &Engine, stats: &Stats, table: TableId) -> TableStatus {
    let stat = &stats.tables[table as usize];
    let asked = stats.failure.is_empty();
    let tables = &engine.config.tables;
    let name = match table {
        TableId::Block => &tables.block,
        TableId::Allow => &tables.allow,
    };
    TableStatus {
        name: name.as_str().into(),
        present: asked.then_some(stat.present),
        entries: asked.then_some(stat.entries.into()),
        changed: engine.state.memory().changed[table as usize],
        blocked_packets: asked.then_some(stat.blocked),
        passed_packets: asked.then_some(stat.passed),
        used: asked.then_some(UsedBy { rules: stat.rules, anchors: stat.anchors }),
    }
}

fn update_state(engine: &Engine) -> String {
    let memory = engine.state.memory();
    if engine.runs.running() {
        "running"
    } else if memory.rolled_back.is_some() {
        "rolled back"
    } else if memory.held.iter().any(Option::is_some) {
        "held back"
    } else if memory.failures == 0 {
        "idle"
    } else if memory.waiting {
        "waiting for provisioning"
    } else {
        "failing"
    }
    .into()
}

fn held(engine: &Engine) -> Vec<Held> {
    let memory = engine.state.memory();
    let mut all = Vec::new();
    for table in TableId::PUBLISH_ORDER {
        if let Some(held) = memory.held(table) {
            all.push(Held {
                table: table.word().into(),
                reason: if held.can_force { HeldReason::Change } else { HeldReason::Refused },
                since: held.since,
                text: held.text.clone(),
            });
        }
    }
    if let Some(since) = memory.rolled_back {
        all.push(Held {
            table: "both".into(),
            reason: HeldReason::Rollback,
            since,
            text: format!(
                "rolled back on {}: nothing is published until threatstopctl update",
                clock::date(since)
            ),
        });
    }
    all
}

/// Why an address is blocked, or is not.
pub fn why(engine: &Engine, address: IpAddr) -> Why {
    let policy = engine.state.policy();
    let empty = prefix::PrefixSet::default();
    let protected = crate::protect::protected(engine);
    let evidence = policy::Evidence {
        block: policy.block.as_ref().unwrap_or(&empty),
        since: &policy.since,
        block_lists: &policy.block_lists,
        allow_lists: &policy.allow_lists,
        protected: &protected,
    };
    let found = policy::why(&evidence, address);
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let protected = found.protected_by.map(|p| format!("{} ({})", p.net, p.reason));
    let (lists, allowed_by) = (names(&found.listed_by), names(&found.allowed_by));
    let listed = if lists.is_empty() {
        "not listed".to_owned()
    } else {
        format!("listed by {}", lists.join(", "))
    };
    let text = match (&found.entry, &protected) {
        (Some(entry), _) => {
            let since = found.since.map(|since| format!(", since {}", clock::date(since)));
            format!("{address} is blocked: {entry}, {listed}{}", since.unwrap_or_default())
        }
        (None, _) if !allowed_by.is_empty() => {
            format!("{address} is not blocked: allowed by {}, {listed}", allowed_by.join(", "))
        }
        (None, Some(network)) => {
            format!("{address} is not blocked: protected by {network}, {listed}")
        }
        (None, None) => format!("{address} is not blocked: {listed}"),
    };
    Why {
        address,
        blocked: found.blocked(),
        prefix: found.entry.map(|entry| entry.to_string()),
        since: found.since,
        lists,
        allowed_by,
        protected_by: protected,
        text,
    }
}
