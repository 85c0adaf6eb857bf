//! Names: of devices, users, lists, tables, anchors and form fields.

use core::fmt;

use crate::text::{Invalid, Text, from_str};

#[cfg(test)]
mod tests;

/// Declares names that are kept as text; the check gives the canonical form.
macro_rules! names {
    ($($(#[$meta:meta])* $name:ident, $what:literal, $check:path;)+) => {$(
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Text for $name {
            const WHAT: &'static str = $what;

            fn parse(text: &str) -> Result<Self, Invalid> {
                $check(text).map(Self)
            }

            fn text(&self) -> String {
                self.0.clone()
            }
        }
    )+};
}

names! {
    /// The id of the device at the service: `tdid_` and 8 or more letters and digits.
    ///
    /// It is a credential. It has no `Display`, and `Debug` hides it.
    DeviceId, "a device id like \"tdid_abcd1234\"", device_id;

    /// The name of a user account: 1 to 31 letters, digits, `.`, `_` and `-`, the first one not a
    /// digit, `.` or `-`; not root.
    UserName, "a user name", user_name;

    /// A DNS name of at most 253 octets, in lower case and without the final dot: labels of
    /// letters, digits, `-` and `_`, the last one not all digits (RFC 1123, section 2.1).
    DomainName, "a DNS name", domain_name;

    /// The name of a list, in lower case and without a final dot. Whether there is such a list is
    /// for the check of the whole to say.
    ListName, "the name of a list", list_name;

    /// The name of a pf table: 1 to 31 letters, digits, `.`, `_`, `:` and `-`, the first one a
    /// letter, digit or `_` (pf.conf(5) wants other names quoted); no word of pf.conf(5), and not
    /// of those that pfctl(8) makes for itself.
    TableName, "a table name", table_name;

    /// The path of an anchor: parts of at most 63 letters, digits, `.`, `_`, `:` and `-`, joined
    /// by `/`, none of which is `.` or `..` or begins with `_` (pfctl(8) keeps these for itself).
    AnchorPath, "an anchor", anchor_path;

    /// The name of a field of the upload's form: 1 to 64 letters, digits, `.`, `_`, `-`, `[`
    /// and `]`.
    FieldName, "a field name", field_name;
}

from_str!(DeviceId, UserName, DomainName, ListName, TableName, AnchorPath, FieldName);

impl fmt::Debug for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceId(hidden)")
    }
}

macro_rules! shown_as_text {
    ($($name:ty),+) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    )+};
}

shown_as_text!(UserName, DomainName, ListName, TableName, AnchorPath, FieldName);

impl AnchorPath {
    /// The name by which a packet log knows the anchor: the last part of the path, cut to 15
    /// octets (`pflog_packet()` in sys/net/if_pflog.c copies that into `ruleset[16]`).
    pub fn pflog_name(&self) -> &str {
        let name = self.0.rsplit('/').next().unwrap_or(&self.0);
        name.get(..15).unwrap_or(name)
    }
}

fn device_id(text: &str) -> Result<String, Invalid> {
    match text.strip_prefix("tdid_") {
        Some(id) if id.len() >= 8 && all(id, "") => Ok(text.to_owned()),
        _ => Err(Invalid::hidden("takes tdid_ and 8 or more letters and digits")),
    }
}

/// Whether all octets are letters or digits or in `others`.
fn all(text: &str, others: &str) -> bool {
    text.bytes().all(|octet| octet.is_ascii_alphanumeric() || others.as_bytes().contains(&octet))
}

fn user_name(text: &str) -> Result<String, Invalid> {
    if text == "root" {
        return Err(Invalid::new(text, "the engine must not run as root"));
    }
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !starts || text.len() > 31 || !all(text, "._-") {
        return Err(Invalid::new(text, "not a user name"));
    }
    Ok(text.to_owned())
}

fn domain_name(text: &str) -> Result<String, Invalid> {
    let name = text.strip_suffix('.').unwrap_or(text);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && all(label, "-_")
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let numeric = name.rsplit('.').next().is_some_and(|l| l.bytes().all(|o| o.is_ascii_digit()));
    if name.len() > 253 || numeric || !name.split('.').all(label) {
        return Err(Invalid::new(text, "not a DNS name"));
    }
    Ok(name.to_ascii_lowercase())
}

fn list_name(text: &str) -> Result<String, Invalid> {
    Ok(text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase())
}

fn table_name(text: &str) -> Result<String, Invalid> {
    let starts = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    if !starts || text.len() > 31 || !all(text, "._:-") {
        return Err(Invalid::new(
            text,
            "a table name has 1 to 31 letters, digits, \".\", \"_\", \":\" and \"-\", and begins \
             with a letter, digit or \"_\"",
        ));
    }
    if PF_WORDS.contains(&text) {
        return Err(Invalid::new(text, "a word of pf.conf(5), which could not name the table"));
    }
    // PF_OPTIMIZER_TABLE_PFX of net/pfvar.h
    if text.starts_with("__automatic_") {
        return Err(Invalid::new(text, "pfctl(8) keeps names beginning so for itself"));
    }
    Ok(text.to_owned())
}

fn anchor_path(text: &str) -> Result<String, Invalid> {
    // PF_ANCHOR_NAME_SIZE and PF_ANCHOR_MAXPATH of net/pfvar.h
    let part = |part: &str| (1..=63).contains(&part.len()) && all(part, "._:-");
    if text.len() > 900 || !text.split('/').all(part) {
        return Err(Invalid::new(
            text,
            "an anchor has parts of 1 to 63 letters, digits, \".\", \"_\", \":\" and \"-\", \
             joined by \"/\"",
        ));
    }
    // pf_anchor_setup() of sys/net/pf_ruleset.c; the ioctls for tables take the same for a name
    if text.split('/').any(|part| part == "." || part == "..") {
        return Err(Invalid::new(
            text,
            "pf.conf(5) reads \"..\" as the anchor above: write the whole path from the main \
             ruleset on",
        ));
    }
    if text.split('/').any(|part| part.starts_with('_')) {
        return Err(Invalid::new(text, "pfctl(8) keeps anchors beginning with \"_\" for itself"));
    }
    Ok(text.to_owned())
}

fn field_name(text: &str) -> Result<String, Invalid> {
    if !(1..=64).contains(&text.len()) || !all(text, "._-[]") {
        return Err(Invalid::new(
            text,
            "a field name has 1 to 64 letters, digits, \".\", \"_\", \"-\", \"[\" and \"]\"",
        ));
    }
    Ok(text.to_owned())
}

/// The words that the grammar of OpenBSD 7.8 takes for something else than a name between `<` and
/// `>` (`lookup()` in sbin/pfctl/parse.y).
#[rustfmt::skip]
const PF_WORDS: &[&str] = &[
    "af-to", "all", "allow-opts", "anchor", "antispoof", "any", "bandwidth", "binat-to",
    "bitmask", "block", "block-policy", "burst", "code", "debug", "default", "delay",
    "divert-packet", "divert-reply", "divert-to", "drop", "dup-to", "file", "fingerprints",
    "flags", "floating", "flows", "flush", "for", "fragment", "from", "global", "group",
    "hostid", "icmp-type", "icmp6-type", "if-bound", "in", "include", "inet", "inet6", "keep",
    "label", "least-states", "limit", "load", "log", "loginterface", "match", "matches", "max",
    "max-mss", "max-pkt-rate", "max-src-conn", "max-src-conn-rate", "max-src-nodes",
    "max-src-states", "min", "min-ttl", "modulate", "nat-to", "no", "no-df", "no-route",
    "no-sync", "on", "once", "optimization", "os", "out", "overload", "parent", "pass", "pflow",
    "port", "prio", "probability", "proto", "qlimit", "quantum", "queue", "quick", "random",
    "random-id", "rdomain", "rdr-to", "reassemble", "received-on", "reply-to", "return",
    "return-icmp", "return-icmp6", "return-rst", "round-robin", "route", "route-to", "rtable",
    "rule", "ruleset-optimization", "scrub", "set", "skip", "sloppy", "source-hash",
    "source-track", "state", "state-defaults", "state-policy", "static-port", "sticky-address",
    "syncookies", "synproxy", "table", "tag", "tagged", "timeout", "to", "tos", "ttl",
    "urpf-failed", "user", "weight",
];
