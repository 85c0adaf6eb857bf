//! The programs under test.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

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
    helper
}
