//! The layout is compared with what a compiler for OpenBSD says of the real headers.

use std::io::Write;
use std::mem::offset_of;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::abi::*;

/// What crate states believes, by the names of `tests/abi/states.c`.
fn ours() -> Vec<(&'static str, usize)> {
    vec![
        ("AF_INET", AF_INET.into()),
        ("AF_INET6", AF_INET6.into()),
        ("PF_IN", PF_IN.into()),
        ("PF_OUT", PF_OUT.into()),
        ("PF_OP_EQ", PF_OP_EQ.into()),
        ("PF_OP_RRG", PF_OP_RRG.into()),
        ("PF_SK_WIRE", PF_SK_WIRE),
        ("PF_SK_STACK", PF_SK_STACK),
        ("PF_LIMIT_STATES", PF_LIMIT_STATES as usize),
        ("PFR_FB_MATCH", PFR_FB_MATCH.into()),
        ("IFNAMSIZ", IFNAMSIZ),
        ("PF_RULE_LABEL_SIZE", PF_RULE_LABEL_SIZE),
        ("DIOCGETSTATES", DIOCGETSTATES.0 as usize),
        ("DIOCGETLIMIT", DIOCGETLIMIT.0 as usize),
        ("DIOCKILLSTATES", DIOCKILLSTATES.0 as usize),
        ("DIOCRTSTADDRS", DIOCRTSTADDRS.0 as usize),
        ("sizeof(pfsync_state)", size_of::<State>()),
        ("alignof(pfsync_state)", align_of::<State>()),
        ("pfsync_state.id", offset_of!(State, id)),
        ("pfsync_state.ifname", offset_of!(State, interface)),
        ("pfsync_state.key", offset_of!(State, keys)),
        ("pfsync_state.creatorid", offset_of!(State, creator)),
        ("pfsync_state.af", offset_of!(State, af)),
        ("pfsync_state.proto", offset_of!(State, proto)),
        ("pfsync_state.direction", offset_of!(State, direction)),
        ("sizeof(pfsync_state_key)", size_of::<StateKey>()),
        ("pfsync_state_key.addr", offset_of!(StateKey, addrs)),
        ("pfsync_state_key.port", offset_of!(StateKey, ports)),
        ("pfsync_state_key.rdomain", offset_of!(StateKey, rdomain)),
        ("pfsync_state_key.af", offset_of!(StateKey, af)),
        ("sizeof(pfioc_states)", size_of::<PfiocStates>()),
        ("pfioc_states.ps_len", offset_of!(PfiocStates, octets)),
        ("pfioc_states.ps_buf", offset_of!(PfiocStates, buffer)),
        ("sizeof(pfioc_state_kill)", size_of::<PfiocStateKill>()),
        ("alignof(pfioc_state_kill)", align_of::<PfiocStateKill>()),
        ("pfioc_state_kill.psk_pfcmp.id", offset_of!(PfiocStateKill, id)),
        ("pfioc_state_kill.psk_pfcmp.creatorid", offset_of!(PfiocStateKill, creator)),
        ("pfioc_state_kill.psk_pfcmp.direction", offset_of!(PfiocStateKill, direction)),
        ("pfioc_state_kill.psk_af", offset_of!(PfiocStateKill, af)),
        ("pfioc_state_kill.psk_proto", offset_of!(PfiocStateKill, proto)),
        ("pfioc_state_kill.psk_src", offset_of!(PfiocStateKill, from)),
        ("pfioc_state_kill.psk_dst", offset_of!(PfiocStateKill, to)),
        ("pfioc_state_kill.psk_ifname", offset_of!(PfiocStateKill, interface)),
        ("pfioc_state_kill.psk_label", offset_of!(PfiocStateKill, label)),
        ("pfioc_state_kill.psk_killed", offset_of!(PfiocStateKill, killed)),
        ("pfioc_state_kill.psk_rdomain", offset_of!(PfiocStateKill, rdomain)),
        ("sizeof(pf_rule_addr)", size_of::<RuleAddr>()),
        ("pf_rule_addr.addr.v.a.addr", offset_of!(RuleAddr, addr)),
        ("pf_rule_addr.addr.v.a.mask", offset_of!(RuleAddr, mask)),
        ("pf_rule_addr.addr.p", offset_of!(RuleAddr, pointer)),
        ("pf_rule_addr.addr.type", offset_of!(RuleAddr, kind)),
        ("pf_rule_addr.port", offset_of!(RuleAddr, ports)),
        ("pf_rule_addr.neg", offset_of!(RuleAddr, neg)),
        ("pf_rule_addr.port_op", offset_of!(RuleAddr, port_op)),
        ("pf_rule_addr.weight", offset_of!(RuleAddr, weight)),
    ]
}

fn compare(theirs: &str) {
    let theirs: Vec<(&str, usize)> = theirs
        .lines()
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, value)| (name, value.parse().unwrap()))
        .collect();
    assert_eq!(ours(), theirs);
}

fn tree(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

#[test]
fn the_layout_is_that_of_recorded_headers() {
    let recorded = tree("tests/abi/states-openbsd-7.9-amd64.txt");
    compare(&std::fs::read_to_string(recorded).unwrap());
}

/// The C compiler for OpenBSD: its own there, elsewhere the cross compiler when it is set up.
fn compiler() -> Option<Command> {
    if cfg!(target_os = "openbsd") {
        return Some(Command::new("cc"));
    }
    let root = std::env::var_os("OPENBSD_CROSS").map(PathBuf::from).unwrap_or_else(|| {
        PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/openbsd-cross")
    });
    root.join("stamp").exists().then(|| {
        let mut command = Command::new(tree(".ci/openbsd-cross.sh"));
        command.arg("cc");
        command
    })
}

#[test]
fn the_layout_is_that_of_the_real_headers() {
    let Some(mut compiler) = compiler() else {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "CI needs the cross compiler");
        // not eprintln: the test harness would swallow it
        let skipped = b"SKIPPED: ABI of states: run .ci/openbsd-cross.sh setup\n";
        return std::io::stderr().write_all(skipped).unwrap();
    };
    let scratch = tempfile::tempdir().unwrap();
    let text = scratch.path().join("states.s");
    let done = compiler.arg("-S").arg("-o").arg(&text).arg(tree("tests/abi/states.c")).output();
    let done = done.unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let text = std::fs::read_to_string(text).unwrap();
    let lines = text.lines().filter_map(|line| line.trim_start().strip_prefix("#ABI "));
    compare(&lines.map(|line| line.to_owned() + "\n").collect::<String>());
}
