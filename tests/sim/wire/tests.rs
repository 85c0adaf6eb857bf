use super::*;
use crate::sim::Zone;

/// A query for the APL records of basic.threatstop.local, octet by octet.
const QUERY: [u8; 40] = *b"\x54\xb8\x01\x20\x00\x01\x00\x00\x00\x00\x00\x00\x05basic\x0athreatstop\
    \x05local\x00\x00\x2a\x00\x01";

#[test]
fn a_query_is_read() {
    let query = Query::read(&QUERY).unwrap();
    assert_eq!((query.id, query.rtype, query.class), (0x54b8, rtype::APL, CLASS_IN));
    assert_eq!((query.name.as_str(), query.edns), ("basic.threatstop.local", false));
    let with_edns = Query { edns: true, ..query };
    assert_eq!(Query::read(&with_edns.encode()), Ok(with_edns));
    assert!(Query::read(&QUERY[..39]).is_err());
    assert!(Query::read(&[&QUERY[..], &[0]].concat()).is_err());
}

#[test]
fn a_reply_is_read_back() {
    let mut zone = Zone::new("threatstop.local");
    zone.add_ptr("basic.threatstop.local", "1.basic.threatstop.local");
    zone.add("1.basic.threatstop.local", Data::Apl(vec![0, 1, 32, 1, 5]));
    let query = Query::new(7, "Basic.threatstop.local", rtype::PTR);
    let reply = Reply::read(&query.reply(&zone.answer(&query.name, query.rtype), zone.origin()));
    let reply = reply.unwrap();
    assert_eq!((reply.id, reply.rcode(), reply.truncated()), (7, rcode::NOERROR, false));
    assert_eq!(reply.question, ("Basic.threatstop.local".into(), rtype::PTR, CLASS_IN));
    assert_eq!(reply.answers[0].owner, "Basic.threatstop.local");
    assert_eq!(reply.answers[0].target.as_deref(), Some("1.basic.threatstop.local"));

    let query = Query::new(8, "2.basic.threatstop.local", rtype::APL);
    let reply = Reply::read(&query.reply(&zone.answer(&query.name, query.rtype), zone.origin()));
    let reply = reply.unwrap();
    assert_eq!((reply.rcode(), reply.answers.len()), (rcode::NXDOMAIN, 0));
    assert_eq!(reply.authorities[0].rtype, rtype::SOA);
}

#[test]
fn names_cannot_lead_astray() {
    let question = |name: &[u8]| [&header(1, QR, [1, 0, 0, 0])[..], name, &[0, 1, 0, 1]].concat();
    assert!(Reply::read(&question(b"\x01a\x00")).is_ok());
    for name in [&b"\xc0\x0c"[..], b"\xc0\x40", b"\x41a\x00", b"\x80", b"\x3fa"] {
        assert!(Reply::read(&question(name)).is_err(), "{name:?}");
    }
    let long: Vec<u8> = b"\x3f".iter().chain(&[b'a'; 63]).copied().cycle().take(64 * 5).collect();
    assert!(Reply::read(&question(&[&long[..], b"\x00"].concat())).is_err());
}
