use super::*;
use crate::item::items;
use crate::sim::{Data, Layout};

#[test]
fn programs_are_found_or_not() {
    assert_eq!(find("sh", OsStr::new("/nowhere:/bin")), Some(PathBuf::from("/bin/sh")));
    assert_eq!(find("no-such-program", OsStr::new("/bin")), None);
    assert!(require_program("sh").is_some());
}

#[test]
#[should_panic(expected = "SKIPPED: nsd is not installed, and CI is true")]
fn nothing_is_skipped_in_ci() {
    report_missing("nsd", Some(OsStr::new("true")));
}

#[test]
fn a_zone_file_says_what_the_zone_holds() {
    let mut zone = Zone::new("threatstop.local");
    let list = items("10.0.0.0 !10.1.1.0/24 2001:db8::/32");
    zone.set_list("a.threatstop.local", &list, Layout::Single);
    zone.set_list("b.threatstop.local", &[], Layout::Index);
    zone.add("c.threatstop.local", Data::Txt(vec!["5.0.0.0/8".into(), "6.0.0.0/8".into()]));
    zone.add("d.threatstop.local", Data::Aaaa("2a0b::1".parse().unwrap()));
    let text = zonefile::text(&zone);
    let records: Vec<&str> = text.lines().skip(4).collect();
    assert_eq!(
        records,
        [
            "1.b.threatstop.local. APL",
            "a.threatstop.local. APL 1:10.0.0.0/32 !1:10.1.1.0/24 2:2001:db8::/32",
            "b.threatstop.local. PTR 1.b.threatstop.local.",
            "c.threatstop.local. TXT \"5.0.0.0/8\" \"6.0.0.0/8\"",
            "d.threatstop.local. AAAA 2a0b::1",
        ]
    );
}
