//! Calls cargo as from a shell: what cargo has told a test of itself is not for the cargo that it
//! calls.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::process::{Output, run};

/// A build from nothing on a small machine takes a few minutes.
const BUILD: Duration = Duration::from_secs(1800);

/// What cargo sets for a program that it runs, by name, and by how the name begins.
///
/// Build scripts are keyed on these, that of ring for one: with them in its environment cargo builds
/// whatever depends on ring anew, and once more when it is called from a shell again. What people set
/// is another matter and stays: CARGO_HOME, CARGO_TARGET_DIR, CARGO_PROFILE_*, CARGO_NET_*, RUSTFLAGS.
const FOR_PROGRAMS: [&str; 6] = [
    "CARGO",
    "CARGO_CRATE_NAME",
    "CARGO_MAKEFLAGS",
    "CARGO_PRIMARY_PACKAGE",
    "CARGO_TARGET_TMPDIR",
    "OUT_DIR",
];
const BEGINS_FOR_PROGRAMS: [&str; 6] =
    ["CARGO_BIN_", "CARGO_CFG_", "CARGO_FEATURE_", "CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_RUSTC_"];

/// What becomes of that which cargo says while it works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Voice {
    /// It is kept for the case that cargo fails.
    Quiet,
    /// It goes to stderr, for somebody who waits.
    Aloud,
}

/// Whether a variable is one that cargo sets for the programs that it runs.
pub(super) fn is_for_programs(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    FOR_PROGRAMS.contains(&name) || BEGINS_FOR_PROGRAMS.iter().any(|begin| name.starts_with(begin))
}

/// Takes what cargo has set for this process out of the environment of another.
pub fn clean(command: &mut Command) -> &mut Command {
    for (name, _) in env::vars_os().filter(|(name, _)| is_for_programs(name)) {
        command.env_remove(name);
    }
    command
}

/// cargo, to be called for the workspace.
pub fn cargo() -> Command {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let mut cargo = Command::new(env!("CARGO"));
    clean(&mut cargo).current_dir(workspace);
    cargo
}

/// Builds programs in the profile of this test, and gives their paths.
///
/// The whole workspace is named, though a few programs of it are wanted: so the crates that they
/// depend on have the features with which `cargo test --workspace` has built them.
pub(super) fn build<const N: usize>(
    programs: [&str; N],
    more: &[&str],
    voice: Voice,
) -> [PathBuf; N] {
    let mut cargo = cargo();
    cargo.args(["build", "--workspace", "--message-format=json-render-diagnostics"]);
    cargo.args(["--profile", &profile()]).args(more);
    for program in programs {
        cargo.args(["--bin", program]);
    }
    let output = match voice {
        Voice::Quiet => run(&mut cargo, BUILD),
        Voice::Aloud => heard(&mut cargo),
    };
    let names = programs.join(", ");
    assert!(output.status.success(), "cannot build {names}:\n{}", output.stderr);
    programs.map(|name| {
        executable(&output.stdout, name)
            .unwrap_or_else(|| panic!("cargo built no program {name}:\n{}", output.stderr))
    })
}

/// Builds programs with features that no other build has, in a directory of that name beside those
/// of the profiles. The crates in which these features change nothing are not built again.
pub(super) fn build_apart<const N: usize>(
    programs: [&str; N],
    features: &str,
    directory: &str,
) -> [PathBuf; N] {
    let (target, build) = directories();
    let target = target.join(directory).display().to_string();
    // a name of cargo 1.91; an older one, which does not know it, compiles everything once more
    let build = toml::Value::from(build.display().to_string());
    let config = format!("build.build-dir={build}");
    let more = ["--features", features, "--target-dir", &target, "--config", &config];
    self::build(programs, &more, Voice::Quiet)
}

/// Where cargo puts what is built, and what it needs on the way there.
fn directories() -> (PathBuf, PathBuf) {
    let output = run(cargo().args(["metadata", "--no-deps", "--format-version", "1"]), BUILD);
    assert!(output.status.success(), "cargo metadata:\n{}", output.stderr);
    let metadata: serde_json::Value =
        serde_json::from_str(&output.stdout).expect("metadata in JSON");
    let path = |key: &str| metadata[key].as_str().map(PathBuf::from);
    let target = path("target_directory").expect("a target directory");
    let build = path("build_directory").unwrap_or_else(|| target.clone());
    (target, build)
}

fn heard(cargo: &mut Command) -> Output {
    let output = cargo.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.unwrap_or_else(|why| panic!("cannot start cargo: {why}"));
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    Output { status: output.status, stdout, stderr: "see above".to_string() }
}

/// The profile of this test, from the directory cargo put it in.
fn profile() -> String {
    let own = env::current_exe().expect("the path of this test");
    let dir = own.ancestors().skip(1).filter_map(Path::file_name).find(|name| *name != "deps");
    match dir.and_then(|name| name.to_str()) {
        Some("debug") | None => "dev".to_string(),
        Some(name) => name.to_string(),
    }
}

/// The executable of a name in cargo's messages, one JSON object a line.
fn executable(messages: &str, name: &str) -> Option<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str(line).ok());
    messages
        .filter(|message: &serde_json::Value| message["target"]["name"] == name)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
}
