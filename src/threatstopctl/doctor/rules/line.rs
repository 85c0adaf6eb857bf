//! A line of a rule, read word by word to its end.
//!
//! The order is that of `print_rule()`: what it does, direction, `log`, `quick`, interface, family
//! and protocol, then `all` or `from` and `to`, then everything else.

use prefix::Prefix;

use super::rule::{Action, Address, Direction, End, Family, Named, Rule, Translation};

/// What has not been read yet.
#[derive(Clone, Copy)]
struct Words<'t>(&'t str);

impl<'t> Words<'t> {
    fn peek(self) -> Option<&'t str> {
        self.0.split_ascii_whitespace().next()
    }

    fn next(&mut self) -> Option<&'t str> {
        let word = self.peek()?;
        let text = self.0.trim_ascii_start();
        self.0 = text.get(word.len()..).unwrap_or_default();
        Some(word)
    }

    /// Takes the next word if it is this one.
    fn take(&mut self, word: &str) -> bool {
        let found = self.peek() == Some(word);
        if found {
            self.next();
        }
        found
    }

    /// What stands in quotes.
    fn quoted(&mut self) -> Option<&'t str> {
        let text = self.0.trim_ascii_start().strip_prefix('"')?;
        // pfctl(8) does not mark a quote within
        let end = text.match_indices('"').find(|(at, _)| {
            let behind = text.get(at + 1..).unwrap_or_default();
            behind.is_empty() || behind.starts_with(' ')
        })?;
        let (inner, behind) = text.split_at(end.0);
        self.0 = behind.get(1..).unwrap_or_default();
        Some(inner)
    }

    /// What stands in a parenthesis that begins with the next word.
    fn parenthesis(&mut self) -> Option<&'t str> {
        let text = self.0.trim_ascii_start().strip_prefix('(')?;
        // queue(a, b) within set (...)
        let mut depth = 1;
        let end = text.find(|letter| {
            depth += match letter {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            depth == 0
        })?;
        let (inner, behind) = text.split_at(end);
        self.0 = behind.get(1..).unwrap_or_default();
        Some(inner)
    }

    fn rest(self) -> &'t str {
        self.0.trim()
    }
}

/// Reads a rule of the main ruleset or of an anchor; `None` when the line does not begin as one.
pub fn rule(anchor: &str, text: &str) -> Option<Rule> {
    let mut words = Words(text);
    let action = match words.next()? {
        "pass" => Action::Pass,
        "block" => Action::Block,
        "match" => Action::Match,
        _ => return None,
    };
    let mut rule = Rule::new(anchor, text, action);
    if action == Action::Block {
        how(&mut words)?;
    }
    conditions(words, &mut rule);
    Some(rule)
}

/// Reads what stands behind the name of an anchor, without the brace.
pub fn head(anchor: &str, text: &str, behind: &str) -> Rule {
    let mut rule = Rule::new(anchor, text, Action::Match);
    conditions(Words(behind), &mut rule);
    rule
}

/// Passes over `drop`, `return`, `return-rst(ttl 5)`, `return-icmp(host-unr, addr-unr)`.
fn how(words: &mut Words<'_>) -> Option<()> {
    let word = words.peek()?;
    if word.contains('(') {
        let text = words.0.trim_ascii_start();
        words.0 = text.get(text.find('(')?..)?;
        words.parenthesis()?;
    } else if word == "drop" || word.starts_with("return") {
        words.next();
    }
    Some(())
}

/// Reads the conditions; what is not understood is left in the rule.
fn conditions(mut words: Words<'_>, rule: &mut Rule) {
    let mut known = before(&mut words, rule);
    while known.is_some() && words.peek().is_some() {
        let at = words;
        known = behind(&mut words, rule);
        if known.is_none() {
            words = at;
        }
    }
    if known.is_none() {
        rule.unread = Some(words.rest().to_owned()).filter(|rest| !rest.is_empty());
        // without ends it is no whole rule
        rule.unread.get_or_insert_with(|| "its end is missing".into());
    }
}

/// Up to and with the ends.
fn before(words: &mut Words<'_>, rule: &mut Rule) -> Option<()> {
    loop {
        let at = *words;
        match words.next()? {
            "in" => rule.direction = Some(Direction::In),
            "out" => rule.direction = Some(Direction::Out),
            "log" => {
                rule.log = Some(0);
                if words.peek().is_some_and(|word| word.starts_with('(')) {
                    let options = words.parenthesis()?;
                    rule.log = Some(logged(options)?);
                    rule.log_matches = options.split(',').any(|word| word.trim() == "matches");
                }
            }
            "quick" => rule.quick = true,
            "on" => {
                let not = words.take("!");
                match words.next()? {
                    "rdomain" if words.peek().is_some_and(|word| word.parse::<u32>().is_ok()) => {
                        let no = if not { "! " } else { "" };
                        rule.also.push(format!("on {no}rdomain {}", words.next()?));
                    }
                    name => rule.interface = Some(Named { name: name.to_owned(), not }),
                }
            }
            "inet" => rule.family = Some(Family::V4),
            "inet6" => rule.family = Some(Family::V6),
            "proto" => rule.protocol = Some(words.next()?.to_owned()),
            "all" => return Some(()),
            "from" => break,
            _ => {
                *words = at;
                return None;
            }
        }
    }
    let from = end(words)?;
    let to = words.take("to").then(|| end(words))??;
    rule.ends = [from, to];
    Some(())
}

/// The number in `all, matches, user, to pflog3`; 0 without one.
fn logged(options: &str) -> Option<u32> {
    let mut number = 0;
    for option in options.split(',').map(str::trim) {
        match option {
            "all" | "matches" | "user" => {}
            _ => number = option.strip_prefix("to pflog")?.parse().ok()?,
        }
    }
    Some(number)
}

fn end(words: &mut Words<'_>) -> Option<End> {
    let not = words.take("!");
    let address = address(words)?;
    let mut also = Vec::new();
    if words.take("port") {
        also.push(format!("port {}", operation(words)?));
    }
    if words.take("os") {
        also.push(format!("os {}", words.quoted()?));
    }
    Some(End { address, not, also })
}

fn address(words: &mut Words<'_>) -> Option<Address> {
    let word = words.next()?;
    Some(match word {
        "any" => Address::Any,
        "no-route" | "urpf-failed" => Address::Route(word.to_owned()),
        "route" => Address::Route(format!("route {}", words.quoted()?)),
        _ if word.starts_with('<') => Address::Table(word[1..].strip_suffix('>')?.to_owned()),
        _ if word.starts_with('(') => Address::Interface(word.to_owned()),
        _ if words.take("-") => Address::Range(word.parse().ok()?, words.next()?.parse().ok()?),
        _ => match word.parse() {
            Ok(net) => Address::Net(net),
            // whatever bits are set behind the mask
            Err(_) => {
                let (address, length) = word.split_once('/')?;
                Address::Net(Prefix::masked(address.parse().ok()?, length.parse().ok()?)?)
            }
        },
    })
}

/// `= 80`, `!= 80`, `< 80`, `1:2`, `1 >< 2`, as print_op() prints them.
fn operation(words: &mut Words<'_>) -> Option<String> {
    let first = words.next()?;
    Some(match first {
        "=" | "!=" | "<" | "<=" | ">" | ">=" => format!("{first} {}", words.next()?),
        _ if first.contains(':') => first.to_owned(),
        _ => match words.next()? {
            between @ ("><" | "<>") => format!("{first} {between} {}", words.next()?),
            _ => return None,
        },
    })
}

/// One thing behind the ends; `None` when it is not understood.
fn behind(words: &mut Words<'_>, rule: &mut Rule) -> Option<()> {
    if words.peek().is_some_and(|word| word.starts_with('(')) {
        // options of the state
        words.parenthesis()?;
        return Some(());
    }
    let word = words.next()?;
    match word {
        "received-on" | "!received-on" | "tos" | "prio" | "max-pkt-rate" | "probability" => {
            rule.also.push(format!("{word} {}", words.next()?));
        }
        "user" | "group" => rule.also.push(format!("{word} {}", operation(words)?)),
        "flags" => rule.flags = Some(words.next()?.to_owned()),
        "icmp-type" | "icmp6-type" => {
            let mut text = format!("{word} {}", words.next()?);
            if words.take("code") {
                text.push_str(&format!(" code {}", words.next()?));
            }
            rule.also.push(text);
        }
        "fragment" | "once" => rule.also.push(word.to_owned()),
        "tagged" => rule.tagged = Some(Named { name: words.next()?.to_owned(), not: false }),
        "!" => {
            let name = words.take("tagged").then(|| words.next())??.to_owned();
            rule.tagged = Some(Named { name, not: true });
        }
        "tag" => rule.tag = Some(words.next()?.to_owned()),
        // what is done with a packet that matches, and with its state
        "set" | "scrub" => drop(words.parenthesis()?),
        "no" | "keep" | "modulate" | "synproxy" => {
            words.take("state").then_some(())?;
        }
        "allow-opts" | "divert-reply" => {}
        "label" => drop(words.quoted()?),
        "rtable" => drop(words.next()?),
        "divert-to" => {
            words.next()?;
            words.take("port").then(|| words.next())??;
        }
        "divert-packet" => drop(words.take("port").then(|| words.next())??),
        "af-to" => {
            let (family, all) = match words.next()? {
                "inet" => (Family::V4, "0.0.0.0/0"),
                "inet6" => (Family::V6, "::/0"),
                _ => return None,
            };
            words.take("from").then(|| pool(words))??;
            let to = if words.take("to") { pool(words)? } else { all };
            rule.translates = Some(Translation { family, to: to.parse().ok() });
            rule.rewrites = [true, true];
        }
        "nat-to" => {
            pool(words)?;
            rule.rewrites[0] = true;
        }
        "rdr-to" => {
            pool(words)?;
            rule.rewrites[1] = true;
        }
        "route-to" | "reply-to" | "dup-to" => drop(pool(words)?),
        _ => return None,
    }
    Some(())
}

/// Where to translate or route to: print_pool(). Gives the address.
fn pool<'t>(words: &mut Words<'t>) -> Option<&'t str> {
    let address = words.next()?;
    loop {
        match words.peek() {
            Some("port" | "source-hash") => {
                words.next();
                words.next()?;
            }
            Some(
                "bitmask" | "random" | "round-robin" | "least-states" | "sticky-address"
                | "static-port",
            ) => drop(words.next()),
            _ => return Some(address),
        }
    }
}
