//! What several tests share, and where those are that need no private parts of a module.

#[path = "abi/tests.rs"]
mod abi;
#[path = "file/tests.rs"]
mod file;
#[path = "publish/tests.rs"]
mod publish;
#[path = "simulated/tests.rs"]
mod simulated;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use prefix::{Kind, Net, Prefix};
use proptest::prelude::*;

use imsg::{Of, Purpose};

use super::error::failed;
use super::*;

/// Publishes, or only tries to.
fn publish(
    pf: Option<&dyn Backend>,
    directory: &Directory,
    table: &Table,
    set: &[PfrAddr],
    dry_run: bool,
) -> Result<Changes> {
    directory.publish(pf, table, set, if dry_run { Purpose::Trial } else { Purpose::Publish })
}

/// A table in the main ruleset that must not be empty.
pub fn table(name: &str) -> Table {
    Table::new("", name, Kind::Block).unwrap()
}

/// A set from its prefixes, as they come.
pub fn set(text: &str) -> Vec<PfrAddr> {
    text.split_whitespace().map(|text| text.parse::<Prefix>().unwrap().into()).collect()
}

/// The prefixes of a set, with blanks between.
pub fn texts(set: &[PfrAddr]) -> String {
    let texts: Vec<String> = set.iter().map(|addr| addr.prefix().unwrap().to_string()).collect();
    texts.join(" ")
}

/// The text of a table file.
fn lines(set: &[PfrAddr]) -> String {
    set.iter().map(|addr| format!("{}\n", addr.prefix().unwrap())).collect()
}

/// Writes a file as we would.
fn plant(directory: &Path, name: &str, text: &str) {
    let path = directory.join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
}

/// The names in a directory, sorted.
fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = directory
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Sorted disjoint sets over few prefixes, so that two of them have much in common.
fn small_set() -> impl Strategy<Value = Vec<PfrAddr>> {
    proptest::collection::btree_set((0u8..24, any::<bool>()), 0..16).prop_map(|picks| {
        let mut prefixes: Vec<Prefix> = picks
            .into_iter()
            .map(|(n, six)| match six {
                false => Prefix::V4(Net::new(u32::from(n) << 24, 8 + n % 3).unwrap()),
                true => Prefix::V6(Net::new(u128::from(n) << 100, 28 + n % 3).unwrap()),
            })
            .collect();
        prefixes.sort();
        prefixes.into_iter().map(PfrAddr::from).collect()
    })
}

#[test]
fn names_that_pf_could_not_take() {
    let (long, deep) = ("x".repeat(31), "a/".repeat(479));
    for (anchor, name) in
        [("", "T"), ("", "ThreatSTOP-Block"), ("", &long[..]), (&deep[..], "a.b_c")]
    {
        assert!(Table::new(anchor, name, Kind::Allow).is_some(), "{anchor} {name}");
    }
    let (longer, deeper) = ("x".repeat(32), "a".repeat(959));
    for (anchor, name) in [("", &longer[..]), (&deeper[..], "a")] {
        assert!(Table::new(anchor, name, Kind::Allow).is_none(), "{anchor} {name}");
    }
}

proptest! {
    #[test]
    fn a_prefix_keeps_its_value_in_pfs_form(bits: u128, length in 0u8..=128, six: bool) {
        let prefix = match six {
            true => Prefix::V6(Net::masked(bits, length).unwrap()),
            false => Prefix::V4(Net::masked(bits as u32, length % 33).unwrap()),
        };
        prop_assert_eq!(PfrAddr::from(prefix).prefix(), Some(prefix));
    }

    #[test]
    fn what_pf_would_refuse_is_no_prefix(
        addr: [u8; 16], af in prop_oneof![Just(2u8), Just(24), any::<u8>()], net: u8, marks: [u8; 3]
    ) {
        let odd = PfrAddr { addr, af, net, marks, ..PfrAddr::default() };
        if let Some(prefix) = odd.prefix() {
            prop_assert_eq!(PfrAddr::from(prefix), odd);
        }
    }
}
