//! The rules as `pfctl -a '*' -sr` prints them (`print_rule()` in sbin/pfctl/pfctl_parser.c and
//! `pfctl_show_rules()` in pfctl.c of OpenBSD 7.8).
//!
//! A rule is a line. An anchor is a line that ends with a brace, its rules, and a closing brace.
//!
//! * In: the text that pfctl(8) prints.
//! * Out: the rules and anchors in their order, and every piece that is not understood.
//! * Never: leave out silently what it cannot read.

mod line;
mod rule;

pub use rule::{
    Action, Address, Anchor, Direction, End, Family, Item, Named, Rule, Translation, Unread,
};

/// The most anchors in one another: PF_ANCHOR_STACK_MAX of net/pfvar.h.
const DEEPEST: usize = 64;

/// What an anchor without a name is called here: no configuration can mean it.
const NAMELESS: &str = "_";

/// All rules, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ruleset {
    /// The rules and anchors of the main ruleset.
    pub items: Vec<Item>,
    /// What is not understood.
    pub unread: Vec<Unread>,
}

/// An anchor whose end has not been read.
struct Open {
    anchor: Anchor,
    line: usize,
}

/// Reads all rules. What is not understood is left in `unread`, lest something is overlooked.
pub fn read(text: &str) -> Ruleset {
    let mut rules = Ruleset::default();
    let mut open: Vec<Open> = Vec::new();
    for (number, text) in text.lines().enumerate() {
        let (line, text) = (number + 1, text.trim());
        let here = open.last().map_or("", |open| &open.anchor.path).to_owned();
        let whole = |rule| Unread { line, what: text.to_owned(), rule };
        let item = match text.split_ascii_whitespace().next() {
            None => continue,
            Some("}") if text == "}" => match open.pop() {
                Some(open) => {
                    rules.unread.extend(hidden(&open));
                    Item::Anchor(open.anchor)
                }
                None => {
                    rules.unread.push(whole(None));
                    continue;
                }
            },
            Some("anchor") => {
                let anchor = anchor(&here, text);
                unread(line, &anchor.head, &mut rules);
                if !text.ends_with('{') {
                    Item::Anchor(anchor)
                } else if open.len() < DEEPEST {
                    open.push(Open { anchor, line });
                    continue;
                } else {
                    rules.unread.push(whole(None));
                    return rules;
                }
            }
            Some(_) => match line::rule(&here, text) {
                Some(rule) => {
                    unread(line, &rule, &mut rules);
                    Item::Rule(rule)
                }
                None => {
                    rules.unread.push(whole(None));
                    continue;
                }
            },
        };
        match open.last_mut() {
            Some(open) => open.anchor.items.push(item),
            None => rules.items.push(item),
        }
    }
    if !open.is_empty() {
        let what = "an anchor without its end".into();
        rules.unread.push(Unread { line: text.lines().count(), what, rule: None });
    }
    // what was cut off is still there
    while let Some(Open { anchor, .. }) = open.pop() {
        match open.last_mut() {
            Some(open) => open.anchor.items.push(Item::Anchor(anchor)),
            None => rules.items.push(Item::Anchor(anchor)),
        }
    }
    rules
}

fn unread(line: usize, rule: &Rule, rules: &mut Ruleset) {
    let unread = rule.unread.as_ref();
    let text = Some(rule.text.clone());
    rules.unread.extend(unread.map(|what| Unread { line, what: what.clone(), rule: text }));
}

/// What pfctl(8) does not print. Of `x/*` it prints the anchors below x, unless x has rules of its
/// own: then it prints these, which pf(4) passes over. Of `*` it prints nothing.
fn hidden(open: &Open) -> Option<Unread> {
    let Open { anchor, line } = open;
    let own = anchor.items.iter().any(|item| matches!(item, Item::Rule(_)));
    let all = anchor.head.text.starts_with("anchor \"*\"");
    (anchor.wildcard && (own || all)).then(|| Unread {
        line: *line,
        what: "the anchors below it, which pfctl does not print".into(),
        rule: Some(anchor.head.text.clone()),
    })
}

fn anchor(here: &str, text: &str) -> Anchor {
    let head = text.strip_suffix('{').unwrap_or(text).trim_end();
    let behind = head.strip_prefix("anchor").unwrap_or(head).trim_start();
    let (name, behind) = match behind.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
        Some((name, behind)) => (name, behind),
        None => (NAMELESS, behind),
    };
    let wildcard = name.ends_with('*');
    Anchor {
        path: path(here, name.strip_suffix('*').unwrap_or(name)),
        head: line::head(here, head, behind),
        wildcard,
        items: Vec::new(),
    }
}

/// The path of an anchor that is called by this name within another.
fn path(here: &str, name: &str) -> String {
    let (base, name) = match name.strip_prefix('/') {
        Some(absolute) => ("", absolute),
        None => (here, name),
    };
    let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
    for part in name.split('/').filter(|part| !part.is_empty()) {
        match part {
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The path of an anchor, as pf has it, with the names that rules are read with: pf calls one without
/// a name `_1`, which it keeps for itself (`pfa_anchor` in sbin/pfctl/parse.y).
pub fn nameless(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('_') { NAMELESS } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests;
