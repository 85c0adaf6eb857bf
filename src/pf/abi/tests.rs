//! The layout is compared with what a compiler for OpenBSD says of the real headers.

use std::io::Write;
use std::mem::offset_of;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::abi::*;

/// What crate pf believes, by the names of `tests/abi/probe.c`.
fn ours() -> Vec<(&'static str, usize)> {
    vec![
        ("AF_INET", AF_INET.into()),
        ("AF_INET6", AF_INET6.into()),
        ("PFR_FLAG_DUMMY", PFR_FLAG_DUMMY as usize),
        ("PFR_FLAG_FEEDBACK", PFR_FLAG_FEEDBACK as usize),
        ("PFR_TFLAG_PERSIST", PFR_TFLAG_PERSIST as usize),
        ("PFR_TFLAG_ACTIVE", PFR_TFLAG_ACTIVE as usize),
        ("PFR_FB_NONE", 0),
        ("PF_LIMIT_TABLE_ENTRIES", PF_LIMIT_TABLE_ENTRIES as usize),
        ("PF_ANCHOR_MAXPATH", PF_ANCHOR_MAXPATH),
        ("PF_TABLE_NAME_SIZE", PF_TABLE_NAME_SIZE),
        ("PFR_DIR_MAX", PfrTstats::default().packets.len()),
        ("PFR_OP_TABLE_MAX", PfrTstats::default().packets[0].len()),
        ("PFR_OP_XPASS", 3),
        ("PFR_REFCNT_MAX", PfrTstats::default().refcnt.len()),
        ("DIOCGETSTATUS", DIOCGETSTATUS.0 as usize),
        ("DIOCGETLIMIT", DIOCGETLIMIT.0 as usize),
        ("DIOCRADDTABLES", DIOCRADDTABLES.0 as usize),
        ("DIOCRGETTSTATS", DIOCRGETTSTATS.0 as usize),
        ("DIOCRSETADDRS", DIOCRSETADDRS.0 as usize),
        ("sizeof(pfr_table)", size_of::<PfrTable>()),
        ("pfr_table.pfrt_anchor", offset_of!(PfrTable, anchor)),
        ("pfr_table.pfrt_name", offset_of!(PfrTable, name)),
        ("pfr_table.pfrt_flags", offset_of!(PfrTable, flags)),
        ("pfr_table.pfrt_fback", offset_of!(PfrTable, fback)),
        ("sizeof(pfr_addr)", size_of::<PfrAddr>()),
        ("alignof(pfr_addr)", align_of::<PfrAddr>()),
        ("pfr_addr.pfra_u", offset_of!(PfrAddr, addr)),
        ("pfr_addr.pfra_ifname", offset_of!(PfrAddr, pool)),
        ("pfr_addr.pfra_af", offset_of!(PfrAddr, af)),
        ("pfr_addr.pfra_net", offset_of!(PfrAddr, net)),
        ("pfr_addr.pfra_not", offset_of!(PfrAddr, marks)),
        ("pfr_addr.pfra_fback", offset_of!(PfrAddr, marks) + 1),
        ("pfr_addr.pfra_type", offset_of!(PfrAddr, marks) + 2),
        ("sizeof(pfr_tstats)", size_of::<PfrTstats>()),
        ("pfr_tstats.pfrts_t", offset_of!(PfrTstats, table)),
        ("pfr_tstats.pfrts_packets", offset_of!(PfrTstats, packets)),
        ("pfr_tstats.pfrts_bytes", offset_of!(PfrTstats, bytes)),
        ("pfr_tstats.pfrts_tzero", offset_of!(PfrTstats, tzero)),
        ("pfr_tstats.pfrts_cnt", offset_of!(PfrTstats, cnt)),
        ("pfr_tstats.pfrts_refcnt", offset_of!(PfrTstats, refcnt)),
        ("sizeof(pfioc_table)", size_of::<PfiocTable>()),
        ("pfioc_table.pfrio_table", offset_of!(PfiocTable, table)),
        ("pfioc_table.pfrio_buffer", offset_of!(PfiocTable, buffer)),
        ("pfioc_table.pfrio_esize", offset_of!(PfiocTable, esize)),
        ("pfioc_table.pfrio_size", offset_of!(PfiocTable, size)),
        ("pfioc_table.pfrio_size2", offset_of!(PfiocTable, size2)),
        ("pfioc_table.pfrio_nadd", offset_of!(PfiocTable, changes)),
        ("pfioc_table.pfrio_ndel", offset_of!(PfiocTable, changes) + 4),
        ("pfioc_table.pfrio_nchange", offset_of!(PfiocTable, changes) + 8),
        ("pfioc_table.pfrio_flags", offset_of!(PfiocTable, flags)),
        ("pfioc_table.pfrio_ticket", offset_of!(PfiocTable, ticket)),
        ("sizeof(pfioc_limit)", size_of::<[u32; 2]>()),
        ("pfioc_limit.index", 0),
        ("pfioc_limit.limit", size_of::<u32>()),
        ("sizeof(pf_status)", size_of::<[u32; 130]>()),
        ("pf_status.running", PF_STATUS_RUNNING * size_of::<u32>()),
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
    compare(&std::fs::read_to_string(tree("tests/abi/openbsd-7.9-amd64.txt")).unwrap());
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
        let skipped = b"SKIPPED: ABI of pf: run .ci/openbsd-cross.sh setup\n";
        return std::io::stderr().write_all(skipped).unwrap();
    };
    let scratch = tempfile::tempdir().unwrap();
    let text = scratch.path().join("probe.s");
    let done = compiler.arg("-S").arg("-o").arg(&text).arg(tree("tests/abi/probe.c")).output();
    let done = done.unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let text = std::fs::read_to_string(text).unwrap();
    let lines = text.lines().filter_map(|line| line.trim_start().strip_prefix("#ABI "));
    compare(&lines.map(|line| line.to_owned() + "\n").collect::<String>());
}
