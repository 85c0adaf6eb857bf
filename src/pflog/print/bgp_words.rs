//! The words of BGP, and how its printers tell what was not captured.

use super::*;

/// Something was not captured.
pub(super) struct Missing;

/// Were the first `end` octets captured?
pub(super) fn need(data: &[u8], end: usize) -> Result<(), Missing> {
    if data.has(end) { Ok(()) } else { Err(Missing) }
}

/// Types of messages, from 1 on.
pub(super) const TYPES: [&str; 6] =
    ["", "OPEN", "UPDATE", "NOTIFICATION", "KEEPALIVE", "ROUTE-REFRESH"];

pub(super) const ORIGINS: [&str; 3] = ["IGP", "EGP", "INCOMPLETE"];
pub(super) const ROLES: [&str; 5] =
    ["Provider", "Route Server", "RS Client", "Customer", "Lateral Peer"];
pub(super) const REFRESHES: [&str; 3] = ["Request", "BoRR", "EoRR"];

/// By number; what has no name is empty.
pub(super) const CAPABILITIES: [&str; 71] = {
    let mut names = [""; 71];
    names[1] = "MULTI_PROTOCOL";
    names[2] = "ROUTE_REFRESH";
    names[3] = "OUTBOUND_ROUTE_FILTERING";
    names[4] = "MULTIPLE_ROUTES";
    names[5] = "EXTENDED_NEXTHOP_ENCODING";
    names[9] = "BGP_ROLE";
    names[64] = "GRACEFUL_RESTART";
    names[65] = "AS4";
    names[67] = "DYNAMIC_CAPABILITY";
    names[68] = "MULTISESSION";
    names[69] = "ADD-PATH";
    names[70] = "ENHANCED_ROUTE_REFRESH";
    names
};

/// By number; what has no name is empty.
pub(super) const ATTRIBUTES: [&str; 36] = {
    let mut names = [""; 36];
    names[1] = "ORIGIN";
    names[2] = "AS_PATH";
    names[3] = "NEXT_HOP";
    names[4] = "MULTI_EXIT_DISC";
    names[5] = "LOCAL_PREF";
    names[6] = "ATOMIC_AGGREGATE";
    names[7] = "AGGREGATOR";
    names[8] = "COMMUNITIES";
    names[9] = "ORIGINATOR_ID";
    names[10] = "CLUSTER_LIST";
    names[11] = "DPA";
    names[12] = "ADVERTISERS";
    names[13] = "RCID_PATH";
    names[14] = "MP_REACH_NLRI";
    names[15] = "MP_UNREACH_NLRI";
    names[16] = "EXTD_COMMUNITIES";
    names[17] = "AS4_PATH";
    names[18] = "AGGREGATOR4";
    names[32] = "LARGE_COMMUNITIES";
    names[35] = "ONLY_TO_CUSTOMER";
    names
};

/// Codes of notifications, with their subcodes.
pub(super) const NOTIFICATIONS: [(&str, &[&str]); 9] = [
    ("", &[]),
    (
        "Message Header Error",
        &["", "Connection Not Synchronized", "Bad Message Length", "Bad Message Type"],
    ),
    (
        "OPEN Message Error",
        &[
            "",
            "Unsupported Version Number",
            "Bad Peer AS",
            "Bad BGP Identifier",
            "Unsupported Optional Parameter",
            "Authentication Failure",
            "Unacceptable Hold Time",
            "Unsupported Capability",
            "",
            "",
            "",
            "Role Mismatch",
        ],
    ),
    (
        "UPDATE Message Error",
        &[
            "",
            "Malformed Attribute List",
            "Unrecognized Well-known Attribute",
            "Missing Well-known Attribute",
            "Attribute Flags Error",
            "Attribute Length Error",
            "Invalid ORIGIN Attribute",
            "AS Routing Loop",
            "Invalid NEXT_HOP Attribute",
            "Optional Attribute Error",
            "Invalid Network Field",
            "Malformed AS_PATH",
        ],
    ),
    ("Hold Timer Expired", &[]),
    (
        "Finite State Machine Error",
        &["Unspecified Error", "In OpenSent State", "In OpenConfirm State", "In Established State"],
    ),
    (
        "Cease",
        &[
            "",
            "Maximum Number of Prefixes Reached",
            "Administrative Shutdown",
            "Peer De-configured",
            "Administrative Reset",
            "Connection Rejected",
            "Other Configuration Change",
            "Connection Collision Resolution",
            "Out of Resources",
        ],
    ),
    ("ROUTE_REFRESH Message Error", &["", "Invalid Message Length"]),
    ("Send Hold Timer Expired", &[]),
];

/// Address families by number (RFC 3232).
const FAMILIES: [&str; 25] = [
    "Reserved",
    "IPv4",
    "IPv6",
    "NSAP",
    "HDLC",
    "BBN 1822",
    "802",
    "E.163",
    "E.164",
    "F.69",
    "X.121",
    "IPX",
    "Appletalk",
    "Decnet IV",
    "Banyan Vines",
    "E.164 with NSAP subaddress",
    "DNS",
    "Distinguished Name",
    "AS Number",
    "XTP over IPv4",
    "XTP over IPv6",
    "XTP native mode",
    "Fibre Channel WWPN",
    "Fibre Channel WWNN",
    "GWID",
];

/// A word, or the number that has none.
#[derive(Clone, Copy)]
pub(super) enum Name<'w> {
    Word(&'w str),
    Number(u16),
}

/// What a table calls a number.
pub(super) fn name<'w>(number: u8, words: &[&'w str]) -> Name<'w> {
    match words.get(usize::from(number)).filter(|name| !name.is_empty()) {
        Some(word) => Name::Word(word),
        None => Name::Number(number.into()),
    }
}

/// An address family.
pub(super) fn family(number: u16) -> Name<'static> {
    match (number, u8::try_from(number)) {
        (0xffff, _) => Name::Word("Reserved"),
        (_, Ok(number)) => name(number, &FAMILIES),
        (_, Err(_)) => Name::Number(number),
    }
}

/// What of an address family. The numbers of tunnels are one too high, as tcpdump has them.
pub(super) fn sub_family(number: u8) -> Name<'static> {
    match number {
        65 => Name::Word("Tunnel"),
        66 => Name::Word("VPLS"),
        67 => Name::Word("MDT"),
        128 => Name::Word("L3VPN Unicast"),
        129 => Name::Word("L3VPN Multicast"),
        _ => name(
            number,
            &["Reserved", "Unicast", "Multicast", "Unicast+Multicast", "labeled Unicast"],
        ),
    }
}

/// The word with this number, or the number itself after a `#`.
pub(super) fn word<'t, 'r>(line: &'t mut Text<'r>, number: u8, words: &[&str]) -> &'t mut Text<'r> {
    put(line, name(number, words))
}

/// A word, or a number after a `#`.
pub(super) fn put<'t, 'r>(line: &'t mut Text<'r>, name: Name<'_>) -> &'t mut Text<'r> {
    match name {
        Name::Word(word) => line.put(word),
        Name::Number(number) => line.ch(b'#').dec(number.into()),
    }
}

/// Names as tcpdump prints them at once: it writes their numbers into one buffer, so that the last
/// one shows for all.
pub(super) fn at_once<const N: usize>(mut names: [Name<'_>; N]) -> [Name<'_>; N] {
    let last = names.iter().rev().find(|name| matches!(name, Name::Number(_))).copied();
    for name in &mut names {
        if let (Name::Number(_), Some(last)) = (*name, last) {
            *name = last;
        }
    }
    names
}

/// An address family and what of it, with a blank between.
pub(super) fn both<'t, 'r>(line: &'t mut Text<'r>, af: u16, safi: u8) -> &'t mut Text<'r> {
    let [af, safi] = at_once([family(af), sub_family(safi)]);
    put(put(line, af).ch(b' '), safi)
}
