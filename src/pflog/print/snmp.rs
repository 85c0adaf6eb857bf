//! SNMP: RFC 1157, 1905 and 3412. Object identifiers are numbers, as with -n.

use super::snmp_ber::{self as ber, Element, Input, Kind};
use super::*;

/// Numbers of the operations, which are tags of the context class.
mod pdu {
    pub const GET: u8 = 0;
    pub const GET_NEXT: u8 = 1;
    pub const TRAP: u8 = 4;
    pub const GET_BULK: u8 = 5;
}

const ERRORS: [&str; 19] = [
    "noError",
    "tooBig",
    "noSuchName",
    "badValue",
    "readOnly",
    "genErr",
    "noAccess",
    "wrongType",
    "wrongLength",
    "wrongEnc",
    "wrongValue",
    "noCreation",
    "inconValue",
    "resUnavail",
    "commitFailed",
    "undoFailed",
    "authError",
    "notWritable",
    "inconName",
];

const TRAPS: [&str; 7] = [
    "coldStart",
    "warmStart",
    "linkDown",
    "linkUp",
    "authenticationFailure",
    "egpNeighborLoss",
    "enterpriseSpecific",
];
const ENTERPRISE_SPECIFIC: u32 = 6;

pub(super) fn print(line: &mut Text<'_>, data: &[u8], length: u32) {
    let cut = data.len() < length as usize;
    let input = Input { data, len: length.min(data.len() as u32), cut };
    // None means that the reason has been printed.
    let _ = message(line, input);
}

/// Takes an element off that has to be of a certain kind; else prints `complaint` and it.
fn expect<'d>(
    line: &mut Text<'_>,
    input: &mut Input<'d>,
    is: impl Fn(Kind) -> bool,
    complaint: &str,
) -> Option<Element<'d>> {
    let element = input.element(line)?;
    if is(element.kind) {
        return Some(element);
    }
    line.put(complaint);
    ber::print(line, &element);
    None
}

fn integer(line: &mut Text<'_>, input: &mut Input<'_>, complaint: &str) -> Option<u32> {
    let is = |kind| matches!(kind, Kind::Integer(_));
    match expect(line, input, is, complaint)?.kind {
        Kind::Integer(number) => Some(number),
        _ => None,
    }
}

fn string<'d>(line: &mut Text<'_>, input: &mut Input<'d>, complaint: &str) -> Option<Element<'d>> {
    expect(line, input, |kind| kind == Kind::String, complaint)
}

fn sequence<'d>(line: &mut Text<'_>, input: &mut Input<'d>, complaint: &str) -> Option<Input<'d>> {
    expect(line, input, |kind| kind == Kind::Sequence, complaint).map(|element| element.inside)
}

/// Says how many octets are left behind something that should have been the last. True when
/// there are some.
fn extra(line: &mut Text<'_>, input: &Input<'_>, place: &str) -> bool {
    let some = input.len.cast_signed() > 0;
    if some {
        line.ch(b'[').int(input.len).put(" extra after ").put(place).ch(b']');
    }
    some
}

fn message(line: &mut Text<'_>, mut input: Input<'_>) -> Option<()> {
    let mut body = sequence(line, &mut input, "[!init SEQ]")?;
    extra(line, &input, "iSEQ");
    match integer(line, &mut body, "[version!=INT]")? {
        0 | 1 => community_message(line, body),
        3 => secured_message(line, body),
        version => {
            line.put("[snmp version(").int(version).put(")]");
            Some(())
        }
    }
}

/// Versions 1 and 2c.
fn community_message(line: &mut Text<'_>, mut input: Input<'_>) -> Option<()> {
    let community = string(line, &mut input, "[comm!=STR]")?;
    line.put("C=");
    line.string(community.octets());
    line.ch(b' ');
    let operation = input.element(line)?;
    if operation.kind != Kind::Pdu {
        line.put("[no PDU]");
        return None;
    }
    extra(line, &input, "PDU");
    protocol_data(line, &operation)
}

/// Version 3.
fn secured_message(line: &mut Text<'_>, mut input: Input<'_>) -> Option<()> {
    const USER_BASED: u32 = 3;
    const PRIVATE: u8 = 2;
    let mut header = sequence(line, &mut input, "[!header SEQ]")?;
    integer(line, &mut header, "[msgID!=INT]")?;
    integer(line, &mut header, "[msgMS!=INT]")?;
    let flags = string(line, &mut header, "[msgFl!=STR]")?;
    if flags.inside.len != 1 {
        line.ch(b'[').int(flags.inside.len.wrapping_sub(1)).put(" extra after msgFl]");
    }
    let flags = flags.inside.data.octet(0);
    let model = integer(line, &mut header, "[msgSM!=INT]")?;
    if extra(line, &header, "header") {
        return None;
    }
    let parameters = string(line, &mut input, "msgSP!=STR]")?;
    if model == USER_BASED {
        user_parameters(line, parameters.inside)?;
    }
    if flags & PRIVATE != 0 {
        line.put("[encrypted PDU]");
        return None;
    }
    let mut scoped = sequence(line, &mut input, "[ScPDU!=SEQ]")?;
    extra(line, &input, "ScPDU");
    string(line, &mut scoped, "ctxEID!=STR]")?;
    string(line, &mut scoped, "[ctxEName!=STR]")?;
    let operation = expect(line, &mut scoped, |kind| kind == Kind::Pdu, "[data!=PDU]")?;
    extra(line, &scoped, "PDU");
    protocol_data(line, &operation)
}

/// Parameters of the user-based security model, RFC 3414.
fn user_parameters(line: &mut Text<'_>, mut input: Input<'_>) -> Option<()> {
    let mut fields = sequence(line, &mut input, "[!usmSM SEQ]")?;
    if extra(line, &input, "usmSM") {
        return None;
    }
    string(line, &mut fields, "[umsEID!=STR]")?;
    integer(line, &mut fields, "[EBoots!=INT]")?;
    integer(line, &mut fields, "[ETime!=INT]")?;
    let user = string(line, &mut fields, "[User!=STR]")?;
    if user.inside.len > 0 {
        line.put("User=");
        ber::print(line, &user);
        line.ch(b' ');
    }
    string(line, &mut fields, "[AuthParam!=STR]")?;
    string(line, &mut fields, "[PrivParam!=STR]")?;
    if extra(line, &fields, "usmSM") { None } else { Some(()) }
}

fn protocol_data(line: &mut Text<'_>, operation: &Element<'_>) -> Option<()> {
    ber::print(line, operation);
    match operation.tag {
        pdu::TRAP => trap(line, operation.inside),
        tag => request(line, tag, operation.inside),
    }
}

/// All operations but the first version's trap.
fn request(line: &mut Text<'_>, operation: u8, mut input: Input<'_>) -> Option<()> {
    let asks = matches!(operation, pdu::GET | pdu::GET_NEXT);
    let bulk = operation == pdu::GET_BULK;
    integer(line, &mut input, "[reqId!=INT]")?;

    let status = integer(line, &mut input, "[errorStatus!=INT]")?;
    let mut error = 0;
    if bulk {
        line.put(" non-repeaters=").int(status);
    } else if status != 0 {
        line.put(if asks { "[errorStatus(" } else { " " });
        match ERRORS.get(status as usize) {
            Some(word) => line.put(word),
            // tcpdump takes one more for known, and finds nothing there.
            None if status as usize == ERRORS.len() => line.put("(null)"),
            None => line.put("err=").dec(status),
        };
        if asks {
            line.put(")!=0]");
        } else {
            error = status;
        }
    }
    let index = integer(line, &mut input, "[errorIndex!=INT]")?;
    if bulk {
        line.put(" max-repetitions=").int(index);
    } else if index != 0 {
        if asks {
            line.put("[errorIndex(").int(index).put(")!=0]");
        } else if error == 0 {
            line.put("[errorIndex(").int(index).put(") w/o errorStatus]");
        } else {
            line.ch(b'@').int(index);
            error = index;
        }
    } else if error != 0 {
        line.put("[errorIndex==0]");
        error = 0;
    }
    variables(line, operation, input, error)
}

/// The trap of version 1.
fn trap(line: &mut Text<'_>, mut input: Input<'_>) -> Option<()> {
    line.ch(b' ');
    let enterprise = expect(line, &mut input, |kind| kind == Kind::ObjectId, "[enterprise!=OID]")?;
    ber::print(line, &enterprise);
    line.ch(b' ');
    let agent = expect(line, &mut input, |kind| kind == Kind::Address, "[agent-addr!=INETADDR]")?;
    ber::print(line, &agent);
    let generic = integer(line, &mut input, "[generic-trap!=INT]")?;
    match TRAPS.get(generic as usize) {
        Some(word) => line.ch(b' ').put(word),
        None => line.put(" gt=").int(generic),
    };
    let specific = integer(line, &mut input, "[specific-trap!=INT]")?;
    if generic == ENTERPRISE_SPECIFIC {
        line.put(" s=").int(specific);
    } else if specific != 0 {
        line.put("[specific-trap(").int(specific).put(")!=0]");
    }
    line.ch(b' ');
    let is = |kind| matches!(kind, Kind::Unsigned(_));
    let stamp = expect(line, &mut input, is, "[time-stamp!=TIMETICKS]")?;
    ber::print(line, &stamp);
    variables(line, pdu::TRAP, input, 0)
}

/// The variables of an operation with their values; only the one to blame when there is an
/// error.
fn variables(line: &mut Text<'_>, operation: u8, mut input: Input<'_>, error: u32) -> Option<()> {
    let mut list = sequence(line, &mut input, "[!SEQ of varbind]")?;
    extra(line, &input, "SEQ of varbind");
    let mut index = 1_u32;
    while list.len > 0 && !line.full() {
        line.ch(b' ');
        let mut variable = sequence(line, &mut list, "[!varbind]")?;
        let shown = error == 0 || index == error;
        let name = expect(line, &mut variable, |kind| kind == Kind::ObjectId, "[objName!=OID]")?;
        if shown {
            ber::print(line, &name);
        }
        if !matches!(operation, pdu::GET | pdu::GET_NEXT) && error == 0 {
            line.ch(b'=');
        }
        let value = variable.element(line)?;
        if matches!(operation, pdu::GET | pdu::GET_NEXT | pdu::GET_BULK) {
            if value.kind != Kind::Null {
                line.put("[objVal!=NULL]");
                ber::print(line, &value);
            }
        } else {
            if error != 0 && index == error && value.kind != Kind::Null {
                line.put("[err objVal!=NULL]");
            }
            if shown {
                ber::print(line, &value);
            }
        }
        index = index.wrapping_add(1);
    }
    Some(())
}
