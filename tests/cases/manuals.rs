//! The manuals say what the programs do.
//!
//! 1. Take the table of keys from the crate config, and hold threatstopd.toml(5) against it: every
//!    key in its section, with type, range and default, and no key that does not exist.
//! 2. Hold the full file in its EXAMPLES against what `threatstopd -nv` prints.
//! 3. Take the flags from the source of threatstopd, and hold threatstopd(8) against them.
//! 4. Hold its files, signals and lines of pf.conf(5) against defaults and sample; and each command of
//!    the usage of threatstopctl, word for word, against its heading in threatstopctl(8) as mandoc prints
//!    it.
//! 5. Take the words that a field of JSON can have from the source, and hold threatstopctl(8) against
//!    them.
//! 6. Look for what DIAGNOSTICS quotes among the texts of the programs.
//! 7. Run mandoc's lint over all manuals, and print them: no line is wider than a terminal of 80 columns.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use config::{Config, Key, Kind};
use tests::harness::programs;
use tests::process::{PATIENCE, run};
use tests::servers::require_program;

fn source(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// A key as the manual describes it.
#[derive(Debug)]
struct Described {
    section: String,
    name: String,
    /// The word of its type.
    kind: String,
    text: String,
}

/// The keys of the manual, in its order: `.It Ic NAME No = Ar TYPE` below `.Ss Section NAME`.
fn described(manual: &str) -> Vec<Described> {
    let mut all: Vec<Described> = Vec::new();
    let mut section = None;
    for line in manual.lines() {
        if let Some(title) = line.strip_prefix(".Ss ") {
            section = Some(title.strip_prefix("Section ").unwrap_or_default().to_string());
        } else if line.starts_with(".Sh ") {
            section = None;
        } else if let (Some(section), Some(item)) = (&section, line.strip_prefix(".It ")) {
            let (name, kind) = item
                .strip_prefix("Ic ")
                .and_then(|item| item.split_once(" No = Ar "))
                .unwrap_or_else(|| panic!("not the description of a key: {line}"));
            let (section, name, kind) = (section.clone(), name.to_string(), kind.to_string());
            all.push(Described { section, name, kind, text: String::new() });
        } else if let (Some(_), Some(key)) = (&section, all.last_mut()) {
            key.text.push_str(&line.replace("\\(dq", "\""));
            key.text.push('\n');
        }
    }
    all
}

/// The word by which the manual calls a type, where there is but one.
fn word(kind: &Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::Boolean => "boolean",
        Kind::Integer => "number",
        Kind::Duration => "duration",
        Kind::Size => "size",
        Kind::OneOf(_) => "word",
        Kind::List(_) => "list",
        Kind::Map => "map",
        Kind::Text(_) | Kind::Optional(_) => return None,
    })
}

fn check(key: &Key, described: &Described) {
    let Described { kind, text, .. } = described;
    if let Some(word) = word(&key.kind) {
        assert_eq!(kind, word, "type of {key:?}");
    }
    if let Kind::OneOf(words) = key.kind {
        for word in words {
            assert!(text.contains(&format!(".Cm \"{word}\"")), "{word} of {key:?} in:\n{text}");
        }
    }
    let must_be_set = ["table.name", "table.lists", "feed.name", "feed.url"];
    let must_be_set = must_be_set.contains(&key.path().as_str());
    let range = text.lines().find_map(|line| line.strip_prefix("The range is "));
    // of a list that has to be set an empty one is as wrong as none
    let least = |range: String| if must_be_set { range.replacen("0 to", "1 to", 1) } else { range };
    let wanted = key.range().map(least).map(|range| format!("{range}."));
    assert_eq!(range, wanted.as_deref(), "range of {key:?}");
    let end = if must_be_set {
        "It has no default.\n".to_string()
    } else {
        format!("The default is\n.Cm {} .\n", key.default)
    };
    assert!(text.contains(&end), "{key:?} without its default in:\n{text}");
}

#[test]
fn every_key_is_described_as_it_is() {
    let manual = source("src/config/threatstopd.toml.5");
    let described = described(&manual);
    let known: Vec<_> = config::keys().iter().map(|key| (key.section, key.name)).collect();
    let found: Vec<_> =
        described.iter().map(|key| (key.section.as_str(), key.name.as_str())).collect();
    assert_eq!(found, known, "keys of the manual, and keys of the program");
    for (key, described) in config::keys().iter().zip(&described) {
        check(key, described);
    }
}

/// The examples of configurations, without the escapes of mdoc(7).
fn examples(manual: &str) -> Vec<String> {
    let (_, examples) = manual.split_once("\n.Sh EXAMPLES\n").expect("there are examples");
    let (examples, _) = examples.split_once("\n.Sh ").expect("another section follows");
    examples
        .split(".Bd -literal -offset indent\n")
        .skip(1)
        .map(|rest| rest.split_once(".Ed").expect("the display ends").0.replace("\\e", "\\"))
        .collect()
}

#[test]
fn the_examples_are_configurations() {
    let examples = examples(&source("src/config/threatstopd.toml.5"));
    let file = Path::new("example");
    assert!(examples.len() >= 3);
    for example in &examples {
        Config::parse(example, file).unwrap_or_else(|why| panic!("{why}:\n{example}"));
    }
    let least = Config::parse(&examples[0], file).unwrap();
    assert_eq!(examples.last().unwrap(), &least.to_toml(), "the file with all keys");

    // those of other documents are whole, too
    let (readme, daemon) = (source("README.md"), source("src/threatstopd/threatstopd.8"));
    let fenced = readme.split("```\n").skip(1).step_by(2);
    let shown = daemon.split(".Bd -literal -offset indent\n").skip(1);
    let shown = shown.map(|rest| rest.split(".Ed").next().unwrap());
    let whole: Vec<&str> = fenced.chain(shown).filter(|text| text.contains("[policy]\n")).collect();
    assert_eq!(whole.len(), 2, "{whole:#?}");
    for text in whole {
        Config::parse(text, file).unwrap_or_else(|why| panic!("{why}:\n{text}"));
    }
}

/// Characters that follow a text wherever it occurs.
fn behind(text: &str, before: &str) -> BTreeSet<char> {
    text.split(before).skip(1).filter_map(|rest| rest.chars().next()).collect()
}

#[test]
fn every_flag_is_described() {
    let program = source("src/threatstopd/main.rs");
    let manual = source("src/threatstopd/threatstopd.8");
    let taken = behind(&source("src/threatstopd/flags.rs"), "Short('");
    assert!(taken.len() >= 6, "the flags are not found in flags.rs: {taken:?}");

    let (_, usage) = program.split_once("usage: threatstopd ").expect("a usage line");
    let usage = usage.split('"').next().unwrap();
    let in_usage = usage.split('[').skip(1).filter_map(|option| option.strip_prefix('-'));
    let in_usage: BTreeSet<char> =
        in_usage.flat_map(|letters| letters.split([' ', ']']).next().unwrap().chars()).collect();
    assert_eq!(in_usage, taken, "usage: {usage}");

    assert_eq!(behind(&manual, "\n.It Fl "), taken, "options of the manual");
    let (_, synopsis) = manual.split_once(".Sh SYNOPSIS\n").unwrap();
    let (synopsis, _) = synopsis.split_once(".Sh ").unwrap();
    let in_synopsis = synopsis.lines().filter_map(|line| line.strip_prefix(".Op Fl "));
    let in_synopsis: BTreeSet<char> =
        in_synopsis.flat_map(|letters| letters.split(' ').next().unwrap().chars()).collect();
    assert_eq!(in_synopsis, taken, "synopsis of the manual");
}

/// The lines of the usage of threatstopctl, each a command with its arguments.
fn usage() -> Vec<String> {
    let output = run(&mut Command::new(&programs().threatstopctl), PATIENCE);
    let lines = output.stderr.lines().filter_map(|line| line.strip_prefix('\t'));
    let lines: Vec<String> = lines.map(str::to_owned).collect();
    assert!(lines.len() >= 15, "{}", output.stderr);
    lines
}

/// What mandoc prints of a manual with lines of this width, without the backspaces that make bold.
fn printed(mandoc: &Path, manual: &Path, width: usize) -> String {
    let mut command = Command::new(mandoc);
    command.args(["-T", "ascii", "-O", &format!("width={width}")]).arg(manual);
    let output = run(&mut command, PATIENCE);
    assert!(output.status.success(), "{}", output.stderr);
    let mut text = String::new();
    for character in output.stdout.chars() {
        match character {
            '\u{8}' => drop(text.pop()),
            other => text.push(other),
        }
    }
    text
}

#[test]
fn commands_are_printed_as_in_the_usage() {
    let Some(mandoc) = require_program("mandoc") else { return };
    let manual = manuals().into_iter().find(|path| path.ends_with("threatstopctl.8")).unwrap();
    let printed = printed(&mandoc, &manual, 200);
    let (_, commands) = printed.split_once("commands are available:\n").unwrap();
    let (commands, _) = commands.split_once("\nMETRICS\n").unwrap();
    // a short heading has its text behind it
    let headings = commands.lines().filter_map(|line| line.strip_prefix("     "));
    let headings: Vec<String> = headings
        .filter(|line| !line.starts_with(' '))
        .map(|line| line.split("  ").next().unwrap_or_default().replace(" | ", "|"))
        .collect();
    for line in usage() {
        assert!(headings.contains(&line), "{line} is not among: {headings:#?}");
    }
}

/// The lines of a pf.conf without comments and blank ones, continued ones in one.
fn pf_lines(text: &str) -> Vec<String> {
    let text = text.replace("\\\n\t", "");
    let lines = text.lines().map(|line| line.split('#').next().unwrap().trim().to_string());
    lines.filter(|line| !line.is_empty()).collect()
}

#[test]
fn the_rules_of_the_manual_are_those_of_the_sample() {
    let examples = examples(&source("src/threatstopd/threatstopd.8"));
    assert_eq!(pf_lines(&examples[0]), pf_lines(&source("etc/pf.conf.threatstop")));
}

#[test]
fn files_and_signals_are_described() {
    let manual = source("src/threatstopd/threatstopd.8");
    let default = |name: &str| {
        let key = config::keys().iter().find(|key| (key.section, key.name) == split(name));
        key.unwrap_or_else(|| panic!("{name}")).default.trim_matches('"').to_owned()
    };
    for file in [
        config::DEFAULT_PATH.to_owned(),
        format!("{}/", default("tables.directory")),
        format!("{}/", default("log.spool")),
        default("log.file"),
        config::DEFAULT_SOCKET.to_owned(),
    ] {
        assert!(manual.contains(&format!("\n.It Pa {file}")), "{file}");
    }
    let (_, signals) = manual.split_once("\n.Ss Signals\n").unwrap();
    let (signals, _) = signals.split_once("\n.El\n").unwrap();
    let described: BTreeSet<&str> = signals
        .lines()
        .filter_map(|line| line.strip_prefix(".It "))
        .flat_map(|item| item.split([' ', ',']))
        .filter(|word| word.starts_with("SIG"))
        .collect();
    assert_eq!(described, ["SIGHUP", "SIGINT", "SIGTERM", "SIGUSR1"].into());
}

/// Section and name of a key.
fn split(key: &str) -> (&str, &str) {
    key.split_once('.').unwrap_or(("", key))
}

/// All manuals of the tree.
fn manuals() -> Vec<PathBuf> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src");
    let folders = fs::read_dir(&sources).unwrap().map(|entry| entry.unwrap().path());
    let files = folders.filter(|path| path.is_dir()).flat_map(|dir| fs::read_dir(dir).unwrap());
    let mut manuals: Vec<PathBuf> = files
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|section| section == "5" || section == "8"))
        .collect();
    manuals.sort_unstable();
    manuals
}

#[test]
fn mandoc_has_nothing_to_say() {
    let manuals = manuals();
    assert!(manuals.len() >= 3, "{manuals:?}");
    let Some(mandoc) = require_program("mandoc") else { return };
    let mut command = Command::new(mandoc);
    command.args(["-T", "lint", "-W", "style"]).args(&manuals);
    let output = run(&mut command, PATIENCE);
    // Other systems than OpenBSD lack most of the pages that ours refer to.
    let about_others = |line: &&str| {
        line.contains("referenced manual not found") || line.contains("outdated mandoc.db")
    };
    let lines = output.stdout.lines().chain(output.stderr.lines());
    let complaints: Vec<&str> = lines.filter(|line| !about_others(line)).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// What cannot be broken, such as an example, must not be wider than what is left of the line.
#[test]
fn no_line_is_wider_than_a_terminal() {
    let Some(mandoc) = require_program("mandoc") else { return };
    for manual in manuals() {
        // as man(1) does on a terminal of 80 columns
        let text = printed(&mandoc, &manual, 78);
        let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(wide.is_empty(), "{}: {wide:#?}", manual.display());
    }
}

/// The words behind some text wherever it occurs, up to the next quote.
fn words_behind(text: &str, before: &str) -> BTreeSet<String> {
    let words = text.split(before).skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"'));
    words.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

/// The words that threatstopctl(8) gives for a field of JSON, below the heading of a command.
fn words_told(command: &str, field: &str) -> BTreeSet<String> {
    let manual = source("src/threatstopctl/threatstopctl.8");
    let (_, section) = manual.split_once(&format!("\n.Ss {command}\n")).unwrap();
    let (_, item) = section.split_once(&format!("\n.It Va {field}\n")).unwrap();
    let (item, _) = item.split_once("\n.It ").unwrap();
    let words = item.lines().filter_map(|line| line.strip_prefix(".Cm "));
    words.map(|word| word.trim_end_matches([' ', ',', '.']).to_owned()).collect()
}

/// All sources of a folder in one, without tests.
fn sources_of(folder: &str) -> String {
    let mut text = String::new();
    for entry in
        fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder)).unwrap()
    {
        let path = entry.unwrap().path();
        if path.is_file() && !path.ends_with("tests.rs") {
            text.push_str(&fs::read_to_string(path).unwrap());
        }
    }
    text
}

#[test]
fn every_word_of_a_field_is_described() {
    let doctor = sources_of("src/threatstopctl/doctor");
    let looked_at: BTreeSet<String> = ["report.ok(", "report.fail(", "report.note(", "conclude("]
        .iter()
        .flat_map(|call| words_behind(&doctor, call))
        .collect();
    assert!(looked_at.len() > 10, "{looked_at:?}");
    assert_eq!(words_told("doctor", "checks[].what"), looked_at);

    let engine = sources_of("src/engine/control");
    let tried = &words_behind(&engine, "report.check(") | &words_behind(&engine, " check(");
    let tried = &tried | &words_behind(&engine, "![check(");
    assert!(tried.len() > 5, "{tried:?}");
    assert_eq!(words_told("test", "checks[].what"), tried);

    let status = source("src/control/status.rs");
    let (_, kinds) = status.split_once("\npub enum SourceKind {\n").unwrap();
    let (kinds, _) = kinds.split_once("\n}\n").unwrap();
    let kinds = kinds.lines().filter_map(|line| line.trim().strip_suffix(','));
    let kinds: BTreeSet<String> = kinds.map(str::to_lowercase).collect();
    assert_eq!(words_told("status", "sources[].kind"), kinds);
}

/// What a program can say: the parts of its texts between what is filled in, from this length on.
fn said_by_the_programs() -> BTreeSet<String> {
    const SHORTEST: usize = 12;
    // less than that, and yet nothing else says so
    const SHORT: [&str; 3] = ["fatal:", "; slice", "left out:"];
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../src")];
    let mut found = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_test = path.ends_with("tests") || path.ends_with("tests.rs");
            if path.is_dir() && !is_test {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") && !is_test {
                let text = fs::read_to_string(path).unwrap();
                let code = text.lines().map(str::trim).filter(|line| !line.starts_with("//"));
                // a text that goes on in the next line is one
                let code = code.collect::<Vec<_>>().join("\n").replace("\\\n", "");
                let code = code.replace("'\"'", "").replace("\\\"", "\u{1}");
                let texts = code.split('"').skip(1).step_by(2);
                let parts = texts.flat_map(|text| text.split(['{', '}', '\n', '\u{1}']));
                let parts = parts.map(str::trim).filter(|part| {
                    part.len() >= SHORTEST && part.contains(' ') || SHORT.contains(part)
                });
                found.extend(parts.map(str::to_owned));
            }
        }
    }
    found
}

/// A message that nobody says any more sends whoever reads of it into the wrong direction.
#[test]
fn what_diagnostics_quotes_is_said() {
    let said = said_by_the_programs();
    assert!(said.len() > 500, "only {}", said.len());
    let mut quoted = 0;
    for path in ["src/threatstopd/threatstopd.8", "src/threatstopctl/threatstopctl.8"] {
        let manual = source(path);
        let (_, section) = manual.split_once("\n.Sh DIAGNOSTICS\n").unwrap();
        let (section, _) = section.split_once("\n.Sh ").unwrap();
        for item in section.lines().filter_map(|line| line.strip_prefix(".It \"")) {
            let item = item.replace("\\(dq", "\"");
            assert!(said.iter().any(|part| item.contains(part.as_str())), "{path}: {item}");
            quoted += 1;
        }
    }
    assert!(quoted > 60, "only {quoted}");
}
