//! What a rule is made of.

use core::fmt;
use core::net::IpAddr;

use prefix::Prefix;

/// What a rule does with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Lets it through.
    Pass,
    /// Drops it.
    Block,
    /// Changes or notes something and leaves the decision to others.
    Match,
}

/// The way of a packet, as seen from the interface that it crosses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// It comes in.
    In,
    /// It goes out.
    Out,
}

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `inet`.
    V4,
    /// `inet6`.
    V6,
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "inet",
            Self::V6 => "inet6",
        })
    }
}

/// An address behind `from` or `to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// Every address.
    Any,
    /// What is in the table of this name.
    Table(String),
    /// A network, or a host.
    Net(Prefix),
    /// From the first address to the last.
    Range(IpAddr, IpAddr),
    /// The addresses of an interface, or the networks at it: what stands in the parentheses, with
    /// the mask behind them.
    Interface(String),
    /// What depends on the routing table: `no-route`, `urpf-failed`, `route "label"`.
    Route(String),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Table(name) => write!(f, "<{name}>"),
            Self::Net(net) => write!(f, "{net}"),
            Self::Range(first, last) => write!(f, "{first} - {last}"),
            Self::Interface(text) | Self::Route(text) => f.write_str(text),
        }
    }
}

/// One end of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// Its address.
    pub address: Address,
    /// Behind a `!`: everything but the address.
    pub not: bool,
    /// What is asked besides: a port, or the operating system of the sender, as it is printed.
    pub also: Vec<String>,
}

impl End {
    /// Everything.
    pub const ANY: Self = Self { address: Address::Any, not: false, also: Vec::new() };

    /// The table that this end is, or everything but which this end is.
    pub fn table(&self) -> Option<&str> {
        match &self.address {
            Address::Table(name) => Some(name),
            _ => None,
        }
    }
}

/// A name behind `on`, or a tag behind `tagged`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The name.
    pub name: String,
    /// Behind a `!`: everything but this.
    pub not: bool,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.not { "! " } else { "" }, self.name)
    }
}

/// A translation to another family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Translation {
    /// That family.
    pub family: Family,
    /// The network that destinations get into; `None` when that is no network.
    pub to: Option<Prefix>,
}

impl Translation {
    /// Whether the IPv4 address that packets go to stays a part of where they go to
    /// (`pf_get_transaddr_af()` in sys/net/pf_lb.c).
    pub fn embeds(self) -> bool {
        self.family == Family::V6 && self.to.is_some_and(|net| net.len() <= 96)
    }
}

/// A rule, or what a packet must be to get into an anchor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The path of the anchor that it stands in; "" is the main ruleset.
    pub anchor: String,
    /// The line, without blanks around it.
    pub text: String,
    /// What it does; an anchor leaves the decision to its rules.
    pub action: Action,
    /// The direction; `None` is both.
    pub direction: Option<Direction>,
    /// The number of the pflog(4) interface that it logs to.
    pub log: Option<u32>,
    /// Whether it also logs what later rules do with its packets.
    pub log_matches: bool,
    /// Whether no later rule counts.
    pub quick: bool,
    /// The interface, or the group of interfaces.
    pub interface: Option<Named>,
    /// The family; `None` is both.
    pub family: Option<Family>,
    /// The protocol, by its name in protocols(5) or its number.
    pub protocol: Option<String>,
    /// Behind `from` and behind `to`.
    pub ends: [End; 2],
    /// Behind `flags`; `any` is a word too.
    pub flags: Option<String>,
    /// The tag that a packet must have, or must not have.
    pub tagged: Option<Named>,
    /// What else is asked, as it is printed: it may be fulfilled or not.
    pub also: Vec<String>,
    /// The tag that a packet gets.
    pub tag: Option<String>,
    /// Whether the source and the destination are rewritten, which later rules see.
    pub rewrites: [bool; 2],
    /// What packets are translated to, behind `af-to`.
    pub translates: Option<Translation>,
    /// The words from the first that is not understood.
    pub unread: Option<String>,
}

impl Rule {
    /// A rule that asks for nothing.
    pub fn new(anchor: &str, text: &str, action: Action) -> Self {
        Self {
            anchor: anchor.to_owned(),
            text: text.to_owned(),
            action,
            direction: None,
            log: None,
            log_matches: false,
            quick: false,
            interface: None,
            family: None,
            protocol: None,
            ends: [End::ANY, End::ANY],
            flags: None,
            tagged: None,
            also: Vec::new(),
            tag: None,
            rewrites: [false, false],
            translates: None,
            unread: None,
        }
    }

    /// Whether what other rules do with its packets gets into the packet log (`pf_log_matches()` in
    /// sys/net/pf.c).
    pub fn records_matches(&self) -> bool {
        self.action == Action::Match && self.log_matches && self.log == Some(0)
    }

    /// What it asks for besides direction and the address at this end, as it is printed.
    pub fn conditions(&self, but: usize) -> Vec<String> {
        let mut found = Vec::new();
        found.extend(self.interface.as_ref().map(|name| format!("on {name}")));
        found.extend(self.family.map(|family| family.to_string()));
        found.extend(self.protocol.as_ref().map(|name| format!("proto {name}")));
        for (at, (end, word)) in self.ends.iter().zip(["from", "to"]).enumerate() {
            let no = if end.not { "! " } else { "" };
            if at != but && (end.not || end.address != Address::Any) {
                found.push(format!("{word} {no}{}", end.address));
            }
            found.extend(end.also.iter().map(|also| format!("{word} {also}")));
        }
        let flags = self.flags.as_ref().filter(|flags| *flags != "any");
        found.extend(flags.map(|flags| format!("flags {flags}")));
        found.extend(self.tagged.as_ref().map(|tag| match tag.not {
            true => format!("! tagged {}", tag.name),
            false => format!("tagged {}", tag.name),
        }));
        found.extend(self.also.iter().cloned());
        found.extend(self.unread.clone());
        found
    }
}

/// An anchor with what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// Its path; one without a name is called `_`.
    pub path: String,
    /// What a packet must be to get into it.
    pub head: Rule,
    /// Whether it stands for all anchors below its path, which are then the items.
    pub wildcard: bool,
    /// What is in it, in order.
    pub items: Vec<Item>,
}

/// A rule or an anchor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A rule.
    Rule(Rule),
    /// An anchor.
    Anchor(Anchor),
}

impl Item {
    /// The rule, or what a packet must be to get into the anchor.
    pub fn rule(&self) -> &Rule {
        match self {
            Self::Rule(rule) => rule,
            Self::Anchor(anchor) => &anchor.head,
        }
    }

    /// What is in it, if it is an anchor.
    pub fn items(&self) -> &[Self] {
        match self {
            Self::Rule(_) => &[],
            Self::Anchor(anchor) => &anchor.items,
        }
    }
}

/// Something that was printed and is not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The line, counted from 1.
    pub line: usize,
    /// What is not understood; the whole line when it is no rule and no anchor at all.
    pub what: String,
    /// The rule, when the rest of it is understood.
    pub rule: Option<String>,
}
