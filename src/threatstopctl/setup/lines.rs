//! The lines for pf.conf(5).

use core::fmt;

use config::{Config, Direction, PfTable};
use prefix::Kind;

/// The least `set limit table-entries` to recommend: the two sets that `pfctl -f` holds for a
/// moment of the lists that the service has today, and room for other tables. Twice pf's default.
const LEAST: usize = 400_000;

/// The `set limit table-entries` to recommend for so many prefixes in all tables: `pfctl -f` holds
/// each set twice for a moment. Rounded up to a whole 100,000.
pub fn limit(entries: usize) -> usize {
    entries.saturating_mul(2).max(LEAST).next_multiple_of(100_000)
}

/// What goes where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lines {
    /// The lines for /etc/pf.conf.
    pub pf_conf: String,
    /// With an anchor, the file that is loaded into it, and its lines.
    pub anchor: Option<(String, String)>,
}

impl Lines {
    /// The lines for tables that have so many prefixes together; `bridge` for a filtering bridge.
    ///
    /// With an anchor, tables and rules are in a file of their own, for `load anchor` takes any
    /// path of an anchor, which a block in braces does not.
    pub fn new(config: &Config, entries: usize, bridge: bool) -> Self {
        let limit = limit(entries);
        let mut options =
            format!("# This line must stand above the tables.\nset limit table-entries {limit}\n");
        let (mut outer, mut inner) = (String::new(), String::new());
        if bridge {
            options.push_str(SKIP);
            outer = format!("{OUTER}\n");
            inner = format!("{INNER}\n");
        }
        let content = content(config, bridge);
        let Some(path) = &config.tables.anchor else {
            let macros = if bridge { format!("{OUTER}{inner}") } else { inner };
            return Self { pf_conf: format!("{macros}{options}\n{content}"), anchor: None };
        };
        let file = format!("/etc/pf-{}.conf", path.as_str().replace('/', "-"));
        let load = format!("anchor \"{path}\"\nload anchor \"{path}\" from \"{file}\"\n");
        Self {
            pf_conf: format!("{inner}{options}\n{load}"),
            anchor: Some((file, format!("{outer}{content}"))),
        }
    }

    /// What to do with the lines.
    pub fn advice(&self) -> String {
        let (lines, also) = match &self.anchor {
            None => ("these lines", String::new()),
            Some((file, _)) => ("the first lines", format!(", and the others into {file}")),
        };
        format!(
            "put {lines} into /etc/pf.conf, above the rules that pass traffic{also}; then:\n\
             pfctl -nf /etc/pf.conf && pfctl -f /etc/pf.conf\n"
        )
    }
}

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.anchor {
            None => f.write_str(&self.pf_conf),
            Some((file, text)) => {
                write!(f, "# /etc/pf.conf\n{}\n# {file}\n{text}", self.pf_conf)
            }
        }
    }
}

const OUTER: &str = "outer = \"em0\"\t\t# the member on the side of the Internet\n";
const INNER: &str = "inner = \"em1\"\t\t# the member on the side of the protected network\n";
const SKIP: &str = "\n# A packet crosses two members; filtered and logged on one it is counted once.\n\
                    set skip on $inner\n";

/// All tables in the order of their rules: what is allowed comes first.
pub fn in_order(config: &Config) -> Vec<PfTable<'_>> {
    let mut tables: Vec<PfTable<'_>> = config.pf_tables().collect();
    tables.sort_by_key(|table| table.kind != Kind::Allow);
    tables
}

/// Tables and rules.
fn content(config: &Config, bridge: bool) -> String {
    let directory = config.tables.directory.display();
    let on = if bridge { " on $outer" } else { "" };
    let tables = in_order(config);
    let mut text = String::new();
    for PfTable { name, .. } in &tables {
        text += &format!("table <{name}> persist file \"{directory}/{name}.pftable\"\n");
    }
    text += RULES;
    if config.tables.monitor {
        text += MONITOR;
    }
    for PfTable { name, kind, direction } in tables {
        let (action, quick) = match kind {
            Kind::Allow => ("pass", " quick"),
            // match goes on with the rules below, and has no quick
            Kind::Block if config.tables.monitor => ("match", ""),
            Kind::Block => ("block", " quick"),
        };
        if direction != Direction::Out {
            text += &format!("{action} in log{quick}{on} from <{name}>\n");
        }
        if direction != Direction::In {
            text += &format!("{action} out log{quick}{on} to <{name}>\n");
        }
    }
    text
}

const RULES: &str = "
# For IPv4 and IPv6. The first rule with quick that matches decides, so allow comes first: who is in
# that table gets past every rule below. It has policy.allow and local_allow, and nothing else.
# What is not logged cannot be reported.
";
const MONITOR: &str = "# tables.monitor: what would be blocked is recorded, and passes.\n";
