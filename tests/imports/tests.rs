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
    let b = "pub struct B;\npub fn b() {}\npub const C: u8 = 0;\npub fn with() {}\n\
             pub mod inner { pub const C: u8 = 0; }";
    let b = ("b.rs", b);
    for a in [
        "use crate::b::B;",
        "use super::b::{self as other, b};\nfn a() { other::b() }",
        "use crate::b::*;",
        "fn a() -> u8 { crate::b::C }",
        "use crate::b;\nfn a() -> b::B { b::B }",
        "pub(crate) use crate::b::B;\nfn a() -> B { B }",
        "fn a<'a>(c: char) { if c == '\"' { super::b::b() } }",
        "struct A { pub r#in: u8, b: super::b::B }",
        "mod inner { fn a() { super::super::b::b() } }",
        "pub mod inner { use crate::b::B; fn a(_: B) {} }",
        "#[serde(with = \"crate::b::with\")]\nstruct A;",
        "const A: std::ops::RangeFrom<u8> = ..crate::b::C;",
        "use crate::{b::{inner::C}};",
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
        "fn b() {}\nfn a() { b() }",
        "#[cfg(test)]\nconst A: [u8; 1] = [crate::b::C];\nmod inner {}",
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

/// Two files may each import one in the folder of the other, and be in no circle: then their folders are.
#[test]
fn a_circle_over_folders_is_found() {
    let levels = |b: &str| {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("a/x")).unwrap();
        for (name, text) in [
            ("lib.rs", "mod a;\nmod b;\nmod c;"),
            ("a.rs", "pub mod x;\npub mod y;\nfn a() { x::x() }"),
            ("a/x.rs", "mod z;\npub fn x() { super::y::y(); z::z() }"),
            ("a/x/z.rs", "pub fn z() { crate::b::b() }"),
            ("a/y.rs", "pub fn y() {}"),
            ("b.rs", b),
            ("c.rs", "pub fn c() { crate::a::y::y() }"),
        ] {
            fs::write(dir.path().join(name), text).unwrap();
        }
        let read = Crate::read(&dir.path().join("lib.rs"));
        assert_eq!(circle(&read.imports()), None);
        let shown = |path: &&Path| path.strip_prefix(dir.path()).unwrap().display().to_string();
        let levels = read.levels().into_iter().map(|Level { imports, ties }| {
            let circle = circle(&imports).unwrap_or_default();
            let steps = circle.windows(2).map(|step| ties[&[step[0], step[1]]]);
            let steps = steps.flatten().collect::<Vec<_>>();
            let pairs = imports.iter().flat_map(|(from, to)| to.iter().map(move |to| [from, to]));
            let words = |paths: &[&Path]| paths.iter().map(shown).collect::<Vec<_>>().join(" ");
            let pairs: Vec<_> = pairs.map(|[from, to]| words(&[from, to])).collect();
            (pairs, words(&circle), words(&steps))
        });
        levels.collect::<Vec<_>>()
    };
    let below = || (vec!["a/x.rs a/y.rs".to_owned()], String::new(), String::new());
    let beside = ["a.rs b.rs", "c.rs a.rs"].map(ToOwned::to_owned).to_vec();
    let none = (beside, String::new(), String::new());
    assert_eq!(levels("pub fn b() {}"), [none, below()]);
    let beside = ["a.rs b.rs", "b.rs a.rs", "c.rs a.rs"].map(ToOwned::to_owned).to_vec();
    let ties = "a/x/z.rs b.rs b.rs a/y.rs".to_owned();
    let found = (beside, "a.rs b.rs a.rs".to_owned(), ties);
    assert_eq!(levels("pub fn b() { crate::a::y::y() }"), [found, below()]);
    let beside = ["a.rs b.rs", "b.rs c.rs", "c.rs a.rs"].map(ToOwned::to_owned).to_vec();
    let ties = "a/x/z.rs b.rs b.rs c.rs c.rs a/y.rs".to_owned();
    let found = (beside, "a.rs b.rs c.rs a.rs".to_owned(), ties);
    assert_eq!(levels("pub fn b() { crate::c::c() }"), [found, below()]);
}

/// What stands in the facade is seen through its star, and so is what the facade hands on by a star.
#[test]
fn stars_are_followed() {
    let lib = ("lib.rs", "mod a;\nmod b;\nmod facade;");
    let facade = ("facade.rs", "pub use crate::b::*;\npub fn own() {}");
    let b = ("b.rs", "pub fn b() {}\npub mod c { pub fn c() {} }");
    for (a, found) in [
        ("use crate::facade::*;\nfn a() { b() }", ["a.rs b.rs", "a.rs facade.rs"].as_slice()),
        ("use crate::facade::*;\nfn a() { c::c() }", &["a.rs b.rs", "a.rs facade.rs"]),
        ("use crate::facade::b;", &["a.rs b.rs"]),
    ] {
        assert_eq!(imports(&[lib, ("a.rs", a), b, facade]), found, "{a}");
    }
    // a child sees what its parent has beside it
    let lib = ("lib.rs", "mod a;\nmod b;\nuse std::fmt;");
    let a = ("a.rs", "use super::*;\nfn a() { b::b() }");
    let b = ("b.rs", "use super::*;\npub fn b() { a::a() }");
    let found = imports(&[lib, a, b]);
    assert_eq!(found.last().unwrap(), "circle a.rs b.rs a.rs", "{found:?}");
}

/// A type whose functions stand in several files.
#[test]
fn functions_that_another_file_gives_to_a_type_are_found() {
    let lib = ("lib.rs", "mod a;\nmod b;\nmod c;");
    let b = ("b.rs", "use crate::a::A;\nimpl<T> A<T> where T: Copy { pub fn go(&self) {} }");
    let calls = "pub struct A<T>(T);\nimpl<T> A<T> { fn a(&self) { self.go() } }";
    let circle = ["a.rs b.rs", "b.rs a.rs", "circle a.rs b.rs a.rs"];
    assert_eq!(imports(&[lib, ("a.rs", calls), b, ("c.rs", "")]), circle);
    let calls =
        "pub struct A<T>(T);\nimpl<T> Drop for A<T> { fn drop(&mut self) { Self::go(self) } }";
    assert_eq!(imports(&[lib, ("a.rs", calls), b, ("c.rs", "")]), circle);
    // of a value whose type is not named, where no other file has one of the name
    let a = ("a.rs", "pub struct A<T>(T);");
    let c = ("c.rs", "fn c() { crate::x().y.go() }");
    assert_eq!(imports(&[lib, a, b, c]), ["b.rs a.rs", "c.rs b.rs"]);
    let c = ("c.rs", "fn go() {}\nfn c() { crate::x().y.go() }");
    assert_eq!(imports(&[lib, a, b, c]), ["b.rs a.rs"]);
    // a field of that name is none of them
    let a = (
        "a.rs",
        "pub struct A<T>(T);\nimpl<T> A<T> { fn a(&self) { self.field.go() } }\nfn go() {}",
    );
    assert_eq!(imports(&[lib, a, b, ("c.rs", "")]), ["b.rs a.rs"]);
}

#[test]
fn macros_are_found() {
    let lib = ("lib.rs", "#[macro_use]\nmod b;\nmod a;");
    let b =
        ("b.rs", "macro_rules! define { () => { $crate::a::A }; }\nmacro_rules! own { () => {} }");
    let a = ("a.rs", "pub struct A;\nfn a() { define!(); assert!(true) }");
    assert_eq!(imports(&[lib, a, b]), ["a.rs b.rs", "b.rs a.rs", "circle a.rs b.rs a.rs"]);
    let lib = ("lib.rs", "extern crate self as own;\nmod a;\nmod b;");
    let [a, b] = [("a.rs", "fn a() { own::b::b() }"), ("b.rs", "pub fn b() {}")];
    assert_eq!(imports(&[lib, a, b]), ["a.rs b.rs"]);
}

/// A file that stands elsewhere, and one between braces.
#[test]
fn modules_are_found_wherever_they_stand() {
    let lib = ("lib.rs", "#[path = \"other/name.rs\"]\nmod a;\nmod b { pub mod c; }");
    let a = ("other/name.rs", "pub fn a() { crate::b::c::c() }");
    let c = ("b/c.rs", "pub fn c() { crate::a::a() }");
    let found = imports(&[lib, a, c]);
    assert_eq!(found.last().unwrap(), "circle b/c.rs other/name.rs b/c.rs", "{found:?}");
    // of one file are all that stand between its braces
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("lib.rs", "mod a { pub mod b; }\nmod c { pub mod d; }"),
        ("a/b.rs", "fn b() { crate::c::d::d() }"),
        ("c/d.rs", "pub fn d() {}"),
    ] {
        fs::create_dir_all(dir.path().join(name).parent().unwrap()).unwrap();
        fs::write(dir.path().join(name), text).unwrap();
    }
    assert!(Crate::read(&dir.path().join("lib.rs")).levels().is_empty());
}
