use super::*;
use crate::item::items;
use crate::sim::{Data, Layout, Zone};

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
fn what_is_skipped_is_named() {
    let line = "SKIPPED: servers::tests::what_is_skipped_is_named: needs a moon\n";
    assert_eq!(skipped("needs a moon"), line);
}

#[test]
fn each_address_is_another_and_free() {
    let mut seen: Vec<_> = (0..100).map(|_| free_addr()).collect();
    assert!(seen.iter().all(|addr| PORTS.contains(&addr.port())));
    assert!(seen.iter().any(|&addr| accepts(addr).is_err()));
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 100);
}

#[test]
#[should_panic(expected = "cannot bind")]
fn a_server_that_ends_does_not_come_up() {
    let prepare = |_: &Path, _: SocketAddr| {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "echo cannot bind; exit 1"]);
        command
    };
    Server::start(prepare, |_| Err("nobody answers".to_string()));
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
