//! The rules as `pfctl -a '*' -sr` prints them (`print_rule()` in sbin/pfctl/pfctl_parser.c and
//! `pfctl_show_rules()` in pfctl.c of OpenBSD 7.8).
//!
//! A rule is a line: action, direction, `log`, `quick`, interface and family, then `all` or `from`
//! and `to`, then what makes no difference here. Anchors contain their rules in braces.

/// The most anchors in one another: PF_ANCHOR_STACK_MAX of net/pfvar.h.
const DEEPEST: usize = 64;

/// What a rule does with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Lets it through.
    Pass,
    /// Drops it.
    Block,
    /// Notes something and leaves the decision to others.
    Match,
}

/// One end of a rule that is a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// Its name.
    pub table: String,
    /// Behind a `!`: everything but the table.
    pub negated: bool,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The path of the anchor that it stands in; "" is the main ruleset.
    pub anchor: String,
    /// The line, without blanks around it.
    pub text: String,
    /// What it does.
    pub action: Action,
    /// Whether it is for packets on their way in, and on their way out.
    pub direction: [bool; 2],
    /// The number of the pflog(4) interface that it logs to.
    pub log: Option<u32>,
    /// Whether no later rule counts.
    pub quick: bool,
    /// The table behind `from`.
    pub from: Option<End>,
    /// The table behind `to`.
    pub to: Option<End>,
}

/// A line, counted from 1, that is no rule, no anchor and no end of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoRule(pub usize, pub String);

/// Reads all rules, in their order.
///
/// # Errors
/// At the first line that is not understood, lest something is overlooked.
pub fn parse(text: &str) -> Result<Vec<Rule>, NoRule> {
    let mut rules = Vec::new();
    let mut anchors: Vec<String> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        let no_rule = || NoRule(number + 1, line.to_owned());
        let here = anchors.last().map_or("", String::as_str);
        let first = line.split_whitespace().next();
        match first {
            None => {}
            Some("}") if line == "}" => drop(anchors.pop().ok_or_else(no_rule)?),
            Some("anchor") => {
                if line.ends_with(" {") {
                    let within = path(here, line);
                    anchors.push(within);
                }
                if anchors.len() > DEEPEST {
                    return Err(no_rule());
                }
            }
            Some(_) => rules.push(rule(here, line).ok_or_else(no_rule)?),
        }
    }
    match anchors.last() {
        // cut off
        Some(_) => Err(NoRule(text.lines().count(), "an anchor without its end".into())),
        None => Ok(rules),
    }
}

/// The path of the anchor that a line opens within another. One without a name gets the name `_`,
/// which no configuration can mean.
fn path(here: &str, line: &str) -> String {
    let name = line.strip_prefix("anchor \"").and_then(|rest| rest.split('"').next());
    let name = name.unwrap_or("_");
    // of "spam/*" the anchors below it follow one by one
    let name = name.strip_suffix('*').unwrap_or(name).trim_end_matches('/');
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

fn rule(anchor: &str, text: &str) -> Option<Rule> {
    let mut words = text.split_whitespace().peekable();
    let action = match words.next()? {
        "pass" => Action::Pass,
        "block" => Action::Block,
        "match" => Action::Match,
        _ => return None,
    };
    let mut rule = Rule {
        anchor: anchor.to_owned(),
        text: text.to_owned(),
        action,
        direction: [true, true],
        log: None,
        quick: false,
        from: None,
        to: None,
    };
    // up to the ends
    loop {
        match words.next()? {
            "in" => rule.direction = [true, false],
            "out" => rule.direction = [false, true],
            "log" => {
                rule.log = Some(0);
                // "(all, to pflog1)"
                if words.peek().is_some_and(|word| word.starts_with('(')) {
                    let options: Vec<&str> = until_closed(&mut words)?;
                    if let Some(name) = options.iter().find_map(|word| word.strip_prefix("pflog")) {
                        rule.log = Some(name.trim_end_matches([')', ',']).parse().ok()?);
                    }
                }
            }
            "quick" => rule.quick = true,
            // an interface may be called as it likes
            "on" => {
                let next = words.next()?;
                if next == "!" {
                    words.next()?;
                }
            }
            "all" => return Some(rule),
            "from" => break,
            // how it blocks, family, protocol, routing domain
            _ => {}
        }
    }
    rule.from = end(&mut words)?;
    // a port or an operating system may stand between
    words.find(|word| *word == "to")?;
    rule.to = end(&mut words)?;
    Some(rule)
}

/// The words of a parenthesis.
fn until_closed<'t>(words: &mut impl Iterator<Item = &'t str>) -> Option<Vec<&'t str>> {
    let mut found = Vec::new();
    loop {
        let word = words.next()?;
        found.push(word);
        if word.ends_with(')') {
            return Some(found);
        }
    }
}

/// What stands behind `from` or `to`: a table, or something else, which is then `None` within.
fn end<'t>(words: &mut impl Iterator<Item = &'t str>) -> Option<Option<End>> {
    let mut word = words.next()?;
    let negated = word == "!";
    if negated {
        word = words.next()?;
    }
    let table = word.strip_prefix('<').and_then(|name| name.strip_suffix('>'));
    Some(table.map(|table| End { table: table.to_owned(), negated }))
}

#[cfg(test)]
mod tests;
