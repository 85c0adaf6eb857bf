//! The programs under test.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use nix::unistd::Uid;

use super::cargo::{Voice, build, build_apart};

/// Where the programs are: in one directory, since the helper looks for the engine beside itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programs {
    /// The root helper.
    pub threatstopd: PathBuf,
    /// The engine.
    pub engine: PathBuf,
    /// The control tool.
    pub threatstopctl: PathBuf,
}

static PROGRAMS: OnceLock<Programs> = OnceLock::new();

/// Builds the programs, in the profile of the tests, and finds them; once in a test run.
pub fn programs() -> &'static Programs {
    PROGRAMS.get_or_init(|| all(Voice::Quiet))
}

/// The same for somebody who waits for it: what cargo says of it goes to stderr at once.
pub fn programs_aloud() -> &'static Programs {
    PROGRAMS.get_or_init(|| all(Voice::Aloud))
}

fn all(voice: Voice) -> Programs {
    let names = ["threatstopd", "threatstopd-engine", "threatstopctl"];
    let [threatstopd, engine, threatstopctl] = build(names, &[], voice);
    let programs = Programs { threatstopd, engine, threatstopctl };
    let dir = programs.threatstopd.parent();
    assert!(
        programs.engine.parent() == dir && programs.threatstopctl.parent() == dir,
        "the programs are not side by side: {programs:?}"
    );
    give_to_root([&programs.threatstopd, &programs.engine]);
    programs
}

/// A helper with its fault points, beside an engine like any other.
pub fn faulty_helper() -> &'static Path {
    static HELPER: OnceLock<PathBuf> = OnceLock::new();
    HELPER.get_or_init(|| helper_beside_engine("threatstopd/fault-points", "faulty-helper"))
}

/// A helper like any other, beside an engine with its fault points.
pub fn faulty_engine() -> &'static Path {
    static HELPER: OnceLock<PathBuf> = OnceLock::new();
    HELPER.get_or_init(|| helper_beside_engine("engine/fault-points", "faulty-engine"))
}

fn helper_beside_engine(features: &str, directory: &str) -> PathBuf {
    let names = ["threatstopd", "threatstopd-engine"];
    let [helper, engine] = build_apart(names, features, directory);
    assert_eq!(helper.parent(), engine.parent());
    give_to_root([&helper, &engine]);
    helper
}

/// Root starts nothing that somebody else could have put there, and when root runs the tests, somebody
/// else may have built the programs before.
fn give_to_root(programs: [&PathBuf; 2]) {
    if !Uid::effective().is_root() {
        return;
    }
    for program in programs {
        let mode = fs::metadata(program).expect("what was built").mode();
        let given = chown(program, Some(0), Some(0))
            .and_then(|()| fs::set_permissions(program, Permissions::from_mode(mode & !0o022)));
        given.unwrap_or_else(|why| panic!("cannot give {} to root: {why}", program.display()));
    }
}
