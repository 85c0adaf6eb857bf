use super::*;

/// A crate of these files, and what imports what.
fn imports(files: &[(&str, &str)]) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let read = Crate::read(&dir.path().join("lib.rs"));
    let shown = |path: &Path| path.strip_prefix(dir.path()).unwrap().display().to_string();
    let imports = read.imports();
    let all = imports.iter().flat_map(|(from, files)| files.iter().map(move |to| (*from, *to)));
    let mut found: Vec<_> =
        all.map(|(from, to)| format!("{} {}", shown(from), shown(to))).collect();
    if let Some(circle) = circle(&imports) {
        let names: Vec<_> = circle.into_iter().map(shown).collect();
        found.push(format!("circle {}", names.join(" ")));
    }
    found
}

const TWO: &str = "mod a;\nmod b;\n";

#[test]
fn names_are_found_in_every_form() {
    let b = ("b.rs", "pub struct B;\npub fn b() {}\npub const C: u8 = 0;");
    for a in [
        "use crate::b::B;",
        "use super::b::{self as other, b};\nfn a() { other::b() }",
        "use crate::b::*;",
        "fn a() -> u8 { crate::b::C }",
        "use crate::b;\nfn a() -> b::B { b::B }",
        "pub(crate) use crate::b::B;\nfn a() -> B { B }",
        "fn a<'a>(c: char) { if c == '\"' { super::b::b() } }",
    ] {
        assert_eq!(imports(&[("lib.rs", TWO), ("a.rs", a), b]), ["a.rs b.rs"], "{a}");
    }
}

#[test]
fn what_names_nothing_is_no_import() {
    let b = ("b.rs", "pub struct B;");
    for a in [
        "// use crate::b::B;\n/* crate::b::B /* */ crate::b::B */",
        "const A: &str = \"crate::b::B \\\" crate::b::B\";\nconst B: &str = r#\"crate::b::B\"#;",
        "#[cfg(test)]\nmod tests { use crate::b::B; }\n#[cfg(test)]\nuse crate::b::B;",
        "use crate::b;",
        "pub use crate::b::B;",
        "use std::b::B;",
    ] {
        assert_eq!(imports(&[("lib.rs", TWO), ("a.rs", a), b]), [""; 0], "{a}");
    }
}

/// Who takes a name from a facade imports the file that it comes from.
#[test]
fn a_facade_is_in_no_circle() {
    let lib = ("lib.rs", "mod a;\nmod b;\npub use a::A;\npub use b::*;");
    let [a, b] = [("a.rs", "pub struct A;"), ("b.rs", "use crate::A;\npub struct B(A);")];
    assert_eq!(imports(&[lib, a, b]), ["b.rs a.rs"]);
    let a = ("a.rs", "use crate::B;\npub struct A;");
    assert_eq!(imports(&[lib, a, b]), ["a.rs b.rs", "b.rs a.rs", "circle a.rs b.rs a.rs"]);
}

#[test]
fn a_circle_over_several_files_is_found() {
    let found = imports(&[
        ("lib.rs", "mod a;\nfn lib() { a::a() }"),
        ("a.rs", "pub mod b;\nmod c;\nuse c::c;\npub fn a() { c() }"),
        ("a/b.rs", "pub fn b() { super::a() }"),
        ("a/c.rs", "pub fn c() { super::b::b(); std::mem::drop(()) }"),
    ]);
    assert_eq!(
        found,
        [
            "a/b.rs a.rs",
            "a/c.rs a/b.rs",
            "a.rs a/c.rs",
            "lib.rs a.rs",
            "circle a/b.rs a.rs a/c.rs a/b.rs"
        ]
    );
}
