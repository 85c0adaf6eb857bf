//! The lists of a run: from the servers and from the administrator's own files.

use std::fs::File;
use std::io::Read as _;
use std::rc::Rc;

use apl::ListName;
use config::DomainName;
use imsg::TableId;
use policy::{LOCAL_MAX_OCTETS, List, parse_local};

use super::Run;
use crate::Engine;
use crate::dns::{self, Event, Limits, Wanted, retrieve};
use crate::errors::words;

/// All lists, read.
pub struct Fetched {
    /// The block lists and local_block.
    pub block: Vec<List>,
    /// The allow lists and local_allow.
    pub allow: Vec<List>,
    /// The server that gave them.
    pub server: String,
    /// The smallest time to live, in seconds.
    pub ttl: Option<u32>,
    /// The lists that came as APL.
    pub apl: Vec<String>,
    /// What an administrator should look at.
    pub warnings: Vec<String>,
}

/// Why there are no lists.
pub struct Failure {
    /// All attempts.
    pub why: String,
    /// Whether it looks like a device that is not yet provisioned.
    pub unprovisioned: bool,
}

impl From<String> for Failure {
    fn from(why: String) -> Self {
        Self { why, unprovisioned: false }
    }
}

/// Reads all lists, or fails.
pub async fn fetch(engine: &Rc<Engine>, run: &Run) -> Result<Fetched, Failure> {
    let config = &engine.config.policy;
    // a mistake in a file of ours is found before anybody is asked
    let local = Local::read(engine).await.inspect_err(|why| run.say(format!("Failed: {why}")))?;
    let mut wanted: Vec<Wanted> = Vec::new();
    for name in config.allow.iter().chain(&config.block) {
        let apl_before = engine.state.memory().apl.contains(name.as_str());
        let name = list_name(name)?;
        if !wanted.iter().any(|other| other.name == name) {
            wanted.push(Wanted { name, apl_before });
        }
    }
    let suffix = list_name(&config.suffix)?;
    let kind = |name: &str| match config.allow.iter().any(|allow| allow.as_str() == name) {
        true => TableId::Allow,
        false => TableId::Block,
    };
    let mut failed = Vec::new();
    let mut tell = |event: Event<'_>| match event {
        Event::Server { server, .. } => run.say(format!("Using DNS Server {server}")),
        Event::Started(name) => {
            run.say(format!("Processing {} list {name}", kind(&name.to_string()).word()));
        }
        Event::Finished(list) => logger::debug(format_args!(
            "list {}: {} items from {} names",
            list.name,
            list.items.len(),
            list.names
        )),
        Event::Failed(attempt) => {
            run.say(format!("Failed: {attempt}"));
            failed.push(attempt.to_string());
        }
    };
    engine.runs.servers.note_unresolved(|name| engine.names.is_failing(name));
    let request = dns::Run {
        servers: &engine.runs.servers,
        lists: &wanted,
        suffix: &suffix,
        limits: Limits::new(config.timeout),
    };
    let retrieved = retrieve(&request, &mut tell).await.map_err(|error| Failure {
        unprovisioned: error.is_unprovisioned(),
        why: error.to_string(),
    })?;
    // without any server that has the lists, the error names every attempt
    failed.iter().for_each(logger::warn);

    let floor = engine.config.guard.floor();
    let mut fetched = Fetched {
        block: Vec::new(),
        allow: Vec::new(),
        server: retrieved.server,
        ttl: retrieved.lists.iter().map(|list| list.ttl).min(),
        apl: Vec::new(),
        warnings: Vec::new(),
    };
    let mut warn = |warning: String| {
        run.say(format!("Warning: {warning}"));
        logger::warn(&warning);
        fetched.warnings.push(warning);
    };
    for list in retrieved.lists {
        let name = list.name.to_string();
        for warning in &list.warnings {
            warn(format!("list {name}: {warning}"));
        }
        if list.apl {
            fetched.apl.push(name.clone());
        }
        let list = List::new(name.clone(), list.items, floor);
        match kind(&name) {
            TableId::Block => fetched.block.push(list),
            TableId::Allow => fetched.allow.push(list),
        }
    }
    for (table, list) in local.lists {
        match table {
            TableId::Block => fetched.block.push(list),
            TableId::Allow => fetched.allow.push(list),
        }
    }
    Ok(fetched)
}

fn list_name(name: &DomainName) -> Result<ListName, String> {
    ListName::parse(name.as_str()).map_err(|error| format!("list {name}: {error}"))
}

/// The administrator's own lists.
#[derive(Default)]
struct Local {
    lists: Vec<(TableId, List)>,
}

impl Local {
    /// Reads the files as they are now.
    async fn read(engine: &Engine) -> Result<Self, String> {
        let config = &engine.config.policy;
        let mut local = Self::default();
        for (table, path) in
            [(TableId::Block, &config.local_block), (TableId::Allow, &config.local_allow)]
        {
            let Some(path) = path else { continue };
            let path = path.display().to_string();
            let file = engine.link.open_local(table).await?;
            let text = read(&file).map_err(|error| format!("{path}: {}", words(&error)))?;
            let items = parse_local(&path, &text).map_err(|error| error.to_string())?;
            local.lists.push((table, List::new(path, items, engine.config.guard.floor())));
        }
        Ok(local)
    }
}

fn read(file: &File) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    // one more than is permitted, so that the parser sees that it is too much
    file.take(LOCAL_MAX_OCTETS as u64 + 1).read_to_end(&mut text)?;
    Ok(text)
}
