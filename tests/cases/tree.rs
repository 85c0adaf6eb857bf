//! Facts about the source tree that reviewers rely on and no compiler checks.
//!
//! 1. No source file is longer than 800 lines.
//! 2. Every member of the workspace has the licence, the authors and the lints of the workspace.
//! 3. `unsafe` stands in the crates pf, imsg and states alone.
//! 4. Copyright lines are those of LICENSE, and every manual has one.
//! 5. The README's command for the tests is what CI runs, and every dependency has a reason there.
//! 6. The tests that SECURITY.md names exist.
//! 7. What runs as root is made of the crates that its list names, and is as little as README.md and
//!    SECURITY.md say.
//! 8. No file of a crate imports one that imports it, over others or not; nor does a folder, of those
//!    beside it.
//! 9. tests/README.md names each file of cases and each folder of regress; the tests and files that it
//!    names exist. README.md and CHANGELOG.md are of the version at hand.
//! 10. The first file of each folder says what it is for, and the map of each program is true.
//! 11. The tests alone, the programs and the whole workspace have each crate with the same features,
//!     so that each is compiled once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tests::harness::{cargo, clean};
use tests::imports::{Crate, Level, circle};
use tests::process::{PATIENCE, run};
use tests::servers::require_program;

const LONGEST: usize = 800;
/// Lines of code of monitor, helper and tables, and of all that runs as root, our libraries included.
const OWN: usize = 1538;
const ALL: usize = 6355;
const COPYRIGHT: &str = "Copyright (c) 2026 The threatstopd authors";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// The files with one of these extensions in a folder and below, in order.
fn files(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            let path = entry.path();
            let extension = path.extension().and_then(|extension| extension.to_str());
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if extension.is_some_and(|extension| extensions.contains(&extension)) {
                found.push(path);
            }
        }
    }
    found.sort_unstable();
    found
}

/// All Rust source, tests included.
fn rust() -> Vec<PathBuf> {
    let found: Vec<_> =
        ["src", "tests"].iter().flat_map(|folder| files(&root().join(folder), &["rs"])).collect();
    assert!(found.len() > 100, "only {} files", found.len());
    found
}

/// The folders of all members of the workspace.
fn members() -> Vec<PathBuf> {
    let workspace: toml::Table = read(&root().join("Cargo.toml")).parse().unwrap();
    let members = workspace["workspace"]["members"].as_array().unwrap();
    assert!(members.len() > 10, "{members:?}");
    members.iter().map(|member| root().join(member.as_str().unwrap())).collect()
}

#[test]
fn files_are_short() {
    let lines = |path: &PathBuf| read(path).lines().count();
    let long: Vec<_> = rust().into_iter().filter(|path| lines(path) > LONGEST).collect();
    assert!(long.is_empty(), "more than {LONGEST} lines: {long:?}");
}

/// What nobody names is not compiled, and nobody misses it.
#[test]
fn all_cases_are_run() {
    let cases = root().join("tests/cases");
    let main = read(&cases.join("main.rs"));
    for file in files(&cases, &["rs"]) {
        let name = file.file_stem().unwrap().to_str().unwrap();
        assert!(name == "main" || main.contains(&format!("\nmod {name};\n")), "mod {name};");
    }
}

/// The roots of all crates: libraries, programs, and the end-to-end cases.
fn roots() -> Vec<PathBuf> {
    let has_root = |path: &Path| ["lib.rs", "main.rs"].iter().any(|name| path.ends_with(name));
    let found: Vec<_> = rust().into_iter().filter(|path| has_root(path)).collect();
    assert!(found.len() > 20, "{found:?}");
    found
}

/// A path from the root of the workspace on.
fn within(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// What goes round in a circle can only be understood all at once. That a file declares those in its
/// folder, or hands on what they define, is no import; that it names something of them itself is one.
#[test]
fn no_file_imports_one_that_imports_it() {
    let (mut found, mut all) = (Vec::new(), 0);
    for root in roots() {
        let read = Crate::read(&root);
        let imports = read.imports();
        all += imports.values().map(BTreeSet::len).sum::<usize>();
        if let Some(circle) = circle(&imports) {
            found.push(circle.into_iter().map(within).collect::<Vec<_>>().join(" -> "));
        }
    }
    assert!(all > 1000, "only {all} imports: the search is broken");
    assert!(found.is_empty(), "a file imports one that imports it: {found:#?}");
}

/// Two folders may be in a circle though no two of their files are: one file of each imports one of the
/// other. Then neither is below the other.
///
/// Look at what stands side by side in each folder, every file there with all that is in its own folder.
/// Check that none imports one that imports it.
#[test]
fn no_folder_imports_one_that_imports_it() {
    let (mut found, mut all) = (Vec::new(), 0);
    for root in roots() {
        let read = Crate::read(&root);
        for Level { imports, ties } in read.levels() {
            all += ties.len();
            let Some(circle) = circle(&imports) else { continue };
            let steps = circle.windows(2).map(|step| {
                let [from, to] = ties[&[step[0], step[1]]].map(within);
                format!("{} -> {}: {from} -> {to}", within(step[0]), within(step[1]))
            });
            found.push(steps.collect::<Vec<_>>());
        }
    }
    assert!(all > 600, "only {all} imports: the search is broken");
    assert!(found.is_empty(), "what stands side by side is in a circle: {found:#?}");
}

/// The lines of a file's own documentation.
fn heading(path: &Path) -> Vec<String> {
    let text = read(path);
    let lines = text.lines().map_while(|line| line.strip_prefix("//!"));
    lines.map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned()).collect()
}

/// Look at the first file of each folder.
/// Check that it says what goes in, what comes out, and what must never happen there.
#[test]
fn every_folder_says_what_it_is_for() {
    let (mut missing, mut seen) = (Vec::new(), BTreeSet::new());
    for root in roots() {
        let read = Crate::read(&root);
        // a crate of one file is a folder, too
        let all = read.folders().map(|(path, _)| path).chain([root.as_path()]);
        seen.extend(all.map(Path::to_path_buf));
    }
    // beside a library of the same name
    seen.remove(&root().join("src/states/main.rs"));
    for path in &seen {
        let lines = heading(path);
        for word in ["* In: ", "* Out: ", "* Never: "] {
            if !lines.iter().any(|line| line.starts_with(word)) {
                missing.push(format!("{}: {word}", within(path)));
            }
        }
    }
    assert!(seen.len() > 50, "only {} folders: the search is broken", seen.len());
    assert!(missing.is_empty(), "{missing:#?}");
}

/// Look at the map of each program's modules, a line each: a name, behind an arrow others that it
/// imports, and what it is.
/// Check that all modules are on it, that there is none else, that each arrow is an import, and that no
/// import leads up.
#[test]
fn the_maps_of_the_programs_are_true() {
    let mut maps = 0;
    for path in roots().iter().filter(|path| path.ends_with("main.rs")) {
        let read = Crate::read(path);
        let Some((_, modules)) = read.folders().find(|(file, _)| *file == path) else { continue };
        // tests/README.md has the table of these
        if path.ends_with("cases/main.rs") {
            continue;
        }
        maps += 1;
        let name = within(path);
        let lines = heading(path);
        let map = lines.iter().skip_while(|line| *line != "```text").skip(1);
        let map: Vec<&str> = map.map_while(|line| (line != "```").then_some(&**line)).collect();
        assert!(!map.is_empty(), "{name}: no map");
        let (mut named, mut arrows) = (Vec::new(), Vec::new());
        for line in map {
            let (what, _) = line.split_once("  ").unwrap_or((line, ""));
            let (module, others) = what.split_once(" -> ").unwrap_or((what, ""));
            named.push(module);
            let others = others.split(", ").filter(|other| !other.is_empty());
            arrows.extend(others.map(|other| (module.to_owned(), other.to_owned())));
        }
        let (mut sorted, mut declared) = (named.clone(), modules);
        sorted.sort_unstable();
        declared.sort_unstable();
        assert_eq!(sorted, declared, "{name}: the map and the modules");
        let imports = read.imports();
        let part = |path: &Path| read.part(path).unwrap_or_default().to_owned();
        let all = imports.iter().flat_map(|(from, to)| to.iter().map(move |to| (*from, *to)));
        let parts: BTreeSet<_> = all.map(|(from, to)| (part(from), part(to))).collect();
        let false_ones: Vec<_> = arrows.iter().filter(|arrow| !parts.contains(*arrow)).collect();
        assert!(false_ones.is_empty(), "{name}: no import: {false_ones:?}");
        let line = |part: &String| named.iter().position(|module| module == part);
        let leads_up =
            |(from, to): &&(String, String)| line(to).is_some_and(|to| line(from) > Some(to));
        let upward: Vec<_> = parts.iter().filter(leads_up).collect();
        assert!(upward.is_empty(), "{name}: imports that lead up: {upward:?}");
    }
    assert!(maps >= 6, "only {maps} maps: the search is broken");
}

/// Lines of a crate that are code: no comments, no blank lines, no tests, and not the files left out.
fn lines_of_code(name: &str, without: &[&str]) -> usize {
    let is_code = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
    files(&root().join("src").join(name), &["rs"])
        .iter()
        .filter(|path| {
            let within = path.strip_prefix(root()).unwrap();
            !within.iter().any(|part| part == "tests" || part == "tests.rs")
                && !without.iter().any(|name| path.ends_with(name))
        })
        .map(|path| read(path).lines().filter(|line| is_code(line)).count())
        .sum()
}

/// Monitor, helper and the tables of pf; the simulated ones are never called on the way to pf, and steps
/// that fail on demand are in no release build.
#[test]
fn what_runs_as_root_is_little() {
    let own = lines_of_code("threatstopd", &[])
        + lines_of_code("pf", &["pf/simulated.rs", "pf/fault.rs"]);
    assert!(own <= OWN, "{own} lines of threatstopd and pf, more than {OWN}");
    let libraries = ["config", "imsg", "logger", "prefix", "sandbox"];
    let all = own + libraries.iter().map(|name| lines_of_code(name, &[])).sum::<usize>();
    assert!(all <= ALL, "{all} lines run as root, more than {ALL}");
    let words = [("threatstopd` and `src/pf", OWN), ("all that runs as root", ALL)];
    for file in ["README.md", "SECURITY.md"] {
        let text = read(&root().join(file)).split_whitespace().collect::<Vec<_>>().join(" ");
        for (what, bound) in words {
            let thousands = format!("{},{:03}", bound / 1000, bound % 1000);
            assert!(
                text.contains(what) && text.contains(&thousands),
                "{file}: not that {what} have at most {thousands} lines"
            );
        }
    }
}

#[test]
fn members_are_alike() {
    let workspace: toml::Table = read(&root().join("Cargo.toml")).parse().unwrap();
    let common = &workspace["workspace"]["package"];
    assert_eq!(common["license"].as_str(), Some("ISC"));
    assert_eq!(common["authors"].as_array().unwrap().len(), 1);
    assert_eq!(common["authors"][0].as_str(), Some("The threatstopd authors"));

    for member in members() {
        let manifest: toml::Table = read(&member.join("Cargo.toml")).parse().unwrap();
        let package = manifest["package"].as_table().unwrap();
        for key in ["version", "edition", "rust-version", "license", "authors", "publish"] {
            let inherited = package.get(key).and_then(|value| value.get("workspace"));
            assert_eq!(
                inherited.and_then(toml::Value::as_bool),
                Some(true),
                "{}: {key} is not that of the workspace",
                member.display()
            );
        }
        let lints = manifest.get("lints").and_then(|lints| lints.get("workspace"));
        assert_eq!(
            lints.and_then(toml::Value::as_bool),
            Some(true),
            "{}: not under the lints of the workspace",
            member.display()
        );
    }
}

/// The numbers of the lines where `unsafe` is a word of the code.
fn unsafe_lines(text: &str) -> Vec<usize> {
    let is_code = |line: &str| {
        let code = line.split("//").next().unwrap_or_default();
        code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "unsafe")
    };
    let lines = text.lines().zip(1..).filter(|(line, _)| is_code(line));
    lines.map(|(_, number)| number).collect()
}

#[test]
fn unsafe_code_is_found() {
    let text =
        "// unsafe\nlet unsafe_code = 1;\nunsafe { }\n#[unsafe(no_mangle)]\nunsafe fn f() {}";
    assert_eq!(unsafe_lines(text), [3, 4, 5]);
}

#[test]
fn unsafe_code_stands_in_three_crates() {
    let allowed = ["src/pf", "src/imsg", "src/states"].map(|folder| root().join(folder));
    let mut inside = 0;
    for path in rust() {
        let lines = unsafe_lines(&read(&path));
        // this file speaks of it
        if path.ends_with("cases/tree.rs") {
            continue;
        }
        if allowed.iter().any(|folder| path.starts_with(folder)) {
            inside += lines.len();
        } else {
            assert!(lines.is_empty(), "unsafe code in {}: lines {lines:?}", path.display());
        }
    }
    assert!(inside > 0, "none in pf, imsg and states either: the search is broken");
}

#[test]
fn copyright_lines_agree() {
    let manuals = files(&root().join("src"), &["5", "8"]);
    assert!(manuals.len() >= 3, "{manuals:?}");
    for path in manuals.iter().chain([&root().join("LICENSE")]) {
        let text = read(path);
        let lines: Vec<_> = text.lines().filter(|line| line.contains("Copyright")).collect();
        assert_eq!(lines.len(), 1, "copyright lines of {}", path.display());
        assert_eq!(lines[0].trim_start_matches(".\\\" "), COPYRIGHT, "{}", path.display());
    }
    for path in manuals {
        let text = read(&path);
        let (_, authors) = text.split_once("\n.Sh AUTHORS\n").expect("a section AUTHORS");
        let authors: Vec<_> = authors.lines().take_while(|line| !line.starts_with(".Sh")).collect();
        assert_eq!(authors, [".An The threatstopd authors"], "{}", path.display());
    }
}

#[test]
fn the_readme_has_the_command_of_the_tests() {
    let Some(bash) = require_program("bash") else { return };
    let mut ci = Command::new(bash);
    ci.arg(root().join(".ci/run")).arg("--test-command");
    let output = run(&mut ci, PATIENCE);
    assert!(output.status.success(), "{}", output.stderr);
    assert_eq!(output.stdout, "cargo test --workspace\n");
}

/// The names of crates of other people that the members depend on, for tests or not.
fn dependencies() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let workspace: toml::Table = read(&root().join("Cargo.toml")).parse().unwrap();
    let known = workspace["workspace"]["dependencies"].as_table().unwrap();
    for member in members() {
        let manifest: toml::Table = read(&member.join("Cargo.toml")).parse().unwrap();
        for section in ["dependencies", "dev-dependencies"] {
            let table = manifest.get(section).and_then(toml::Value::as_table);
            let of_others = |name: &&String| known[name.as_str()].get("path").is_none();
            names.extend(table.into_iter().flat_map(toml::Table::keys).filter(of_others).cloned());
        }
    }
    names
}

#[test]
fn the_readme_has_a_reason_for_each_dependency() {
    let readme = read(&root().join("README.md"));
    let (_, table) = readme.split_once("\n## Dependencies\n").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| ---"));
    let names = rows.skip(1).filter_map(|row| row.split('|').nth(1));
    let listed = names.flat_map(|names| names.split(',')).map(|name| name.trim().to_owned());
    assert_eq!(listed.collect::<BTreeSet<_>>(), dependencies(), "README.md, and the manifests");
}

#[test]
fn the_tests_of_the_promises_exist() {
    let security = read(&root().join("SECURITY.md"));
    let named: Vec<_> = security
        .lines()
        .filter_map(|line| line.strip_prefix("* `").and_then(|line| line.strip_suffix('`')))
        .collect();
    assert!(named.len() > 20, "{named:?}");
    let source: String = rust().iter().map(|path| read(path)).collect();
    for name in named {
        assert!(source.contains(&format!("fn {name}(")), "there is no test {name}");
    }
}

/// Files of tests/cases that are no cases: what the others share.
const SHARED: [&str; 6] = ["browser", "common", "fuzz_seeds", "logging", "main", "three"];

/// Who looks for what shows something finds it there.
#[test]
fn the_table_of_the_tests_has_every_case_and_no_other() {
    let readme = read(&root().join("tests/README.md"));
    let named: BTreeSet<&str> = readme.split('`').skip(1).step_by(2).collect();
    let cases = root().join("tests/cases");
    for path in files(&cases, &["rs"]) {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let mut files = named.iter().map(|one| one.split("::").next().unwrap());
        assert!(SHARED.contains(&name) || files.any(|file| file == name), "no {name}");
    }
    for path in files(&root().join("regress"), &["sh"]) {
        let folder = path.parent().unwrap().strip_prefix(root()).unwrap();
        let folder = format!("{}/", folder.display());
        assert!(folder == "regress/" || named.contains(folder.as_str()), "no {folder}");
    }
    let source: String = rust().iter().map(|path| read(path)).collect();
    for one in named.iter().filter(|one| !one.contains(' ') && !one.starts_with('/')) {
        if let Some((file, test)) = one.split_once("::") {
            let case = read(&cases.join(file).with_extension("rs"));
            assert!(case.contains(&format!("fn {test}(")), "{one}");
        } else if one.contains('/') {
            let there = [root(), root().join("tests")].iter().any(|at| at.join(one).exists());
            assert!(there, "{one}");
        } else if one.matches('_').count() > 1 {
            assert!(source.contains(&format!("fn {one}(")), "{one}");
        }
    }
}

#[test]
fn what_people_read_first_is_of_this_version() {
    let version = env!("CARGO_PKG_VERSION");
    let readme = read(&root().join("README.md"));
    assert!(readme.contains(&format!("\n**Status:** {version}, ")), "README.md: Status");
    let changes = read(&root().join("CHANGELOG.md"));
    let first = changes.lines().find_map(|line| line.strip_prefix("## ")).unwrap();
    assert!(first.starts_with(&format!("{version} (")), "CHANGELOG.md: {first}");
}

#[test]
fn the_root_helper_is_made_of_what_its_list_names() {
    let mut closure = Command::new("sh");
    clean(closure.arg(root().join(".ci/closure"))).env("CARGO", env!("CARGO"));
    let output = run(&mut closure, PATIENCE);
    assert!(output.status.success(), "{}{}", output.stdout, output.stderr);
}

/// Each crate of other people, with its features, of which these arguments of cargo tree make it.
fn features(arguments: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let mut tree = cargo();
    tree.args(["tree", "--quiet", "--locked", "--offline", "--prefix", "none", "--no-dedupe"]);
    tree.args(["--format", "{p} [{f}]"]).args(arguments);
    let output = run(&mut tree, PATIENCE);
    assert!(output.status.success(), "cargo tree: {}", output.stderr);
    let mut found = BTreeMap::<_, BTreeSet<_>>::new();
    // an empty line parts two members
    let others = output.stdout.lines().filter(|line| !line.is_empty() && !line.contains(" (/"));
    for line in others {
        let (name, features) = line.split_once(" [").unwrap();
        let features = features.trim_end_matches(']').to_string();
        found.entry(name.to_string()).or_default().insert(features);
    }
    found
}

/// Ask cargo tree of what `cargo test --workspace`, the harness, `cargo test -p tests` and
/// `cargo demo` are made.
/// Check that the last three have no crate with features other than the first has built.
#[test]
fn what_is_built_once_is_used_by_all() {
    let all = features(&["--workspace", "--edges", "normal,build,dev"]);
    assert!(all.len() > 100, "{}", all.len());
    for arguments in [
        ["--workspace", "--edges", "normal,build"].as_slice(),
        &["--package", "tests", "--edges", "normal,build,dev"],
        &["--package", "tests", "--edges", "normal,build"],
    ] {
        for (name, found) in features(arguments) {
            let known = all.get(&name).unwrap_or_else(|| panic!("{name}: not in the workspace"));
            assert!(
                found.is_subset(known),
                "{name} has the features {found:?} with {arguments:?} and {known:?} with \
                 --workspace: name it with all of these in tests/Cargo.toml"
            );
        }
    }
}

/// Compile each file with fault points, as a debug build and as a release build have it.
/// Check that the second is refused.
#[test]
fn fault_points_are_in_no_release_build() {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let Some(rustc) = require_program(&rustc.to_string_lossy()) else { return };
    for file in ["src/pf/fault.rs", "src/engine/files.rs"] {
        for (checked, refused) in [("on", false), ("off", true)] {
            let mut compile = Command::new(&rustc);
            compile.arg(root().join(file)).args(["--crate-type=lib", "--emit=metadata"]);
            compile.args([
                "--edition=2024",
                "--cfg",
                "feature=\"fault-points\"",
                "-o",
                "/dev/null",
            ]);
            // what the file imports is missing here, which is told as well
            compile.arg(format!("-Cdebug-assertions={checked}"));
            let said = run(&mut compile, PATIENCE).stderr;
            let found = said.contains("fault points belong into no release build");
            assert_eq!(found, refused, "{file}: {said}");
        }
    }
}
