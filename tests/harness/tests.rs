use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;
use std::time::Duration;

use nix::unistd::geteuid;

use crate::process::run;

use super::*;

#[test]
fn a_scratch_directory_is_the_owners() {
    let scratch = Scratch::new();
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(scratch.path()), if geteuid().is_root() { 0o711 } else { 0o700 });
    assert_eq!(mode(&scratch.tables()), 0o700);
    assert_eq!(mode(&scratch.spool()), 0o700);
    assert_eq!(scratch.tables().metadata().unwrap().uid(), geteuid().as_raw());
    assert!(!geteuid().is_root() || scratch.spool().metadata().unwrap().uid() != 0);
    let path = scratch.path().to_path_buf();
    drop(scratch);
    assert!(!path.exists());
}

#[test]
fn a_scratch_directory_of_a_failure_is_kept() {
    let path = std::thread::spawn(|| {
        let scratch = Scratch::new();
        std::panic::panic_any(scratch.path().to_path_buf());
    })
    .join()
    .unwrap_err()
    .downcast::<std::path::PathBuf>()
    .unwrap();
    assert!(path.join("tables").is_dir());
    std::fs::remove_dir_all(*path).unwrap();
}

#[test]
fn a_configuration_is_written_as_the_program_wants_it() {
    let scratch = Scratch::new();
    let config = Config::new(&scratch, &["127.0.0.1:5353".parse().unwrap()])
        .set("policy.interval", "1m")
        .set("guard.max_entries", 1000)
        .set("log.request.gzip", true)
        .unset("log.file")
        .unset("guard.no.such.key");
    config.write(&scratch);
    assert_eq!(scratch.config().metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    let text = std::fs::read_to_string(scratch.config()).unwrap();
    let table: toml::Table = text.parse().unwrap();
    assert_eq!(table["device_id"].as_str(), Some("tdid_abcd1234"));
    assert_eq!(table["policy"]["servers"][0].as_str(), Some("127.0.0.1:5353"));
    assert_eq!(table["policy"]["interval"].as_str(), Some("1m"));
    assert_eq!(table["guard"]["max_entries"].as_integer(), Some(1000));
    assert_eq!(table["log"]["request"]["gzip"].as_bool(), Some(true));
    assert!(table["log"].get("file").is_none());
    assert_eq!(table["tables"]["directory"].as_str(), scratch.tables().to_str());
}

#[test]
fn what_cargo_sets_is_told_from_what_people_set() {
    let is_for_programs = |name: &str| cargo::is_for_programs(name.as_ref());
    for name in [
        "CARGO",
        "CARGO_BIN_EXE_threatstopctl",
        "CARGO_MANIFEST_DIR",
        "CARGO_MANIFEST_LINKS",
        "CARGO_PKG_NAME",
        "CARGO_PKG_VERSION_PRE",
        "CARGO_PRIMARY_PACKAGE",
        "CARGO_RUSTC_CURRENT_DIR",
        "OUT_DIR",
    ] {
        assert!(is_for_programs(name), "{name}");
    }
    for name in [
        "CARGO_BUILD_JOBS",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_HOME",
        "CARGO_INCREMENTAL",
        "CARGO_NET_OFFLINE",
        "CARGO_PROFILE_DEV_DEBUG",
        "CARGO_TARGET_DIR",
        "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER",
        "CARGO_TERM_COLOR",
        "PATH",
        "RUSTFLAGS",
        "RUSTUP_TOOLCHAIN",
        "RUSTC_WRAPPER",
    ] {
        assert!(!is_for_programs(name), "{name}");
    }
}

/// Let a program that prints its environment run in the place of cargo.
/// Check that it has nothing of what cargo has told this test, and the rest as it is.
#[test]
fn cargo_is_called_as_from_a_shell() {
    let own: Vec<_> = std::env::vars_os().map(|(name, _)| name).collect();
    let of_cargo = own.iter().filter(|name| cargo::is_for_programs(name)).count();
    // a test that nobody but a debugger starts has none
    assert!(of_cargo > 5 || std::env::var_os("CARGO").is_none(), "{own:?}");
    let mut env = Command::new("env");
    let output = run(clean(&mut env), Duration::from_secs(60));
    let has = |name: &str| output.stdout.lines().any(|line| line.starts_with(&format!("{name}=")));
    for name in own.iter().filter_map(|name| name.to_str()) {
        assert_eq!(has(name), !cargo::is_for_programs(name.as_ref()), "{name}");
    }
}
