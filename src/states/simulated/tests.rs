use std::fs;

use prefix::Kind;
use tempfile::TempDir;

use super::*;
use crate::request::{By, request};

/// A pf with these states.
fn simulated(lines: &[&str]) -> (TempDir, Simulated) {
    let scratch = tempfile::tempdir().unwrap();
    fs::write(scratch.path().join("states.simulated"), lines.join("\n") + "\n").unwrap();
    let pf = Simulated::open(scratch.path()).unwrap();
    (scratch, pf)
}

const IN: &str = "1 7 em0 6 in 0 203.0.113.9 40000 192.0.2.1 22";
const OUT: &str = "2 7 all 6 out 0 203.0.113.9 443 192.0.2.1 50000";
const NAT: &str = "3 7 em0 17 out 1 2001:db8::9 53 2001:db8::1 9 2001:db8::9 53 fd00::5 8";

#[test]
fn a_line_is_a_state() {
    let (_scratch, pf) = simulated(&["# two", "", IN, OUT, NAT]);
    let shown: Vec<_> = pf.states().unwrap().iter().map(State::to_string).collect();
    assert_eq!(
        shown,
        [
            "em0 tcp 203.0.113.9:40000 -> 192.0.2.1:22",
            "all tcp 192.0.2.1:50000 -> 203.0.113.9:443",
            "em0 udp [fd00::5]:8 -> [2001:db8::9]:53",
        ]
    );
}

#[test]
fn a_line_that_is_no_state_is_told() {
    for line in [
        "x",
        "1 7 em0 6 in 0 203.0.113.9 40000 192.0.2.1",
        "1 7 em0 6 in 0 203.0.113.9 40000 2001:db8::1 22",
        "1 7 em0 6 up 0 203.0.113.9 40000 192.0.2.1 22",
        "1 7 an-interface-with-a-name 6 in 0 203.0.113.9 40000 192.0.2.1 22",
        "1 7 em0 6 in 0 203.0.113.9 40000 192.0.2.1 22 203.0.113.9",
    ] {
        let (_scratch, pf) = simulated(&[IN, line]);
        let error = pf.states().unwrap_err().to_string();
        assert!(error.contains("states.simulated:2: not a state"), "{line}: {error}");
    }
}

#[test]
fn without_a_file_there_are_no_states() {
    let scratch = tempfile::tempdir().unwrap();
    assert_eq!(Simulated::open(scratch.path()).unwrap().states(), Ok(vec![]));
}

#[test]
fn one_ends_by_its_number_and_the_others_stay() {
    let (scratch, pf) = simulated(&["# kept", IN, OUT, NAT]);
    let out = pf.states().unwrap()[1];
    assert_eq!(pf.kill(&mut request(&out, By::Number)), Ok(1));
    assert_eq!(pf.kill(&mut request(&out, By::Number)), Ok(0));
    let text = fs::read_to_string(scratch.path().join("states.simulated")).unwrap();
    assert_eq!(text, format!("# kept\n{IN}\n{NAT}\n"));
}

/// What pf does when it is asked carelessly, which is why nobody does.
#[test]
fn an_id_of_zero_without_a_key_ends_all() {
    let (_scratch, pf) = simulated(&[IN, OUT]);
    let mut careless = request(&State::NONE, By::Walk);
    for end in [&mut careless.from, &mut careless.to] {
        (end.mask, end.port_op) = ([0; 16], 0);
    }
    assert_eq!(pf.kill(&mut careless), Ok(2));
}

/// A state whose numbers and protocol were all lost in the request would still be the only one.
#[test]
fn the_walk_ends_at_most_the_one_that_was_meant() {
    // the ports of the first one, and other addresses
    let alike = "4 7 em0 6 in 0 203.0.113.10 40000 192.0.2.2 22";
    let (_scratch, pf) = simulated(&[IN, OUT, NAT, alike]);
    let mut lost = request(&pf.states().unwrap()[0], By::Walk);
    lost.proto = 0;
    assert_eq!(pf.kill(&mut lost), Ok(1));
    assert_eq!(pf.states().unwrap().len(), 3);
}

#[test]
fn a_walk_finds_both_halves_of_a_connection() {
    let forwarded = "9 7 em1 6 out 0 192.0.2.1 22 203.0.113.9 40000";
    let other = "8 7 em0 17 in 0 203.0.113.9 40000 192.0.2.1 22";
    let (_scratch, pf) = simulated(&[IN, forwarded, other]);
    let mut one = request(&pf.states().unwrap()[0], By::Walk);
    one.interface = [0; 16];
    assert_eq!(pf.kill(&mut one), Ok(2));
}

/// pf looks a key up by a hash that it does not make.
#[test]
fn a_key_with_two_ports_that_are_to_be_equal_is_not_found() {
    let (_scratch, pf) = simulated(&[IN, OUT]);
    let mut one = request(&pf.states().unwrap()[0], By::Walk);
    for end in [&mut one.from, &mut one.to] {
        end.port_op = PF_OP_EQ;
    }
    assert_eq!(pf.kill(&mut one), Ok(0));
}

#[test]
fn securelevel_2_lets_nobody_end_states() {
    let (scratch, pf) = simulated(&[IN]);
    fs::write(scratch.path().join("simulated.conf"), "securelevel 2\n").unwrap();
    let one = pf.states().unwrap()[0];
    assert_eq!(pf.kill(&mut request(&one, By::Number)), Err(EPERM));
}

#[test]
fn addresses_are_looked_for_in_the_table() {
    let (scratch, pf) = simulated(&[]);
    let table = Table::new("", "T", Kind::Block).unwrap();
    let mut addrs =
        ["10.0.0.0", "10.0.0.255", "10.0.1.0", "9.255.255.255", "2001:db8::1", "2001:db8::2"]
            .map(|addr| PfrAddr::from(prefix::Prefix::host(addr.parse().unwrap())));
    assert_eq!(pf.test(&table, &mut addrs), Err(Errno::ESRCH));
    fs::write(scratch.path().join("T.simulated"), "10.0.0.0/24\n2001:db8::1\n").unwrap();
    pf.test(&table, &mut addrs).unwrap();
    assert_eq!(addrs.map(|addr| addr.marks[1]), [1, 1, 0, 0, 1, 0]);
    // as pf: what it has marked it does not take again
    assert_eq!(pf.test(&table, &mut addrs), Err(EINVAL));
}
