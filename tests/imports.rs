//! Which file of a crate uses which other one, and whether they go round in a circle.
//!
//! A file imports another one when it names something that is defined there: in a `use`, or by a path.
//! What a file only hands on (`pub use`) is defined where it comes from, so a facade is in no circle.
//! Tests are left out. Read as text, not as a compiler does: macros and names that come through a `*`
//! of another crate are not looked into.
//!
//! * In: the root of a crate.
//! * Out: its files, which of them imports which, and the shortest circle.
//! * Never: follow a name into another crate.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};

#[cfg(test)]
mod tests;
mod tokens;

use tokens::{Token, tokens};

/// For each file those that it imports.
pub type Imports<'a> = BTreeMap<&'a Path, BTreeSet<&'a Path>>;

/// A module, by the words of its path from the root of the crate.
type Module = Vec<String>;

/// A file of the crate.
#[derive(Debug, Default)]
struct File {
    path: PathBuf,
    /// Files that it declares.
    children: BTreeSet<String>,
    /// What it defines itself.
    defines: BTreeSet<String>,
    /// What it imports by which name, and whether it hands it on.
    uses: Vec<Use>,
    /// The paths, and single names, of all that is no import.
    paths: Vec<Vec<String>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Use {
    path: Vec<String>,
    name: String,
    is_public: bool,
}

/// The files of a crate and what they import.
#[derive(Debug, Default)]
pub struct Crate {
    files: BTreeMap<Module, File>,
}

impl Crate {
    /// Reads the crate whose root is this file.
    pub fn read(root: &Path) -> Self {
        let folder = root.parent().expect("a file in a folder").to_path_buf();
        let mut found = Self::default();
        found.add(Vec::new(), root.to_path_buf(), folder);
        found
    }

    fn add(&mut self, module: Module, path: PathBuf, folder: PathBuf) {
        let text =
            fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        let mut file = parse(&tokens(&text));
        file.path = path;
        for child in &file.children {
            let of_child = [module.as_slice(), std::slice::from_ref(child)].concat();
            let beside = folder.join(format!("{child}.rs"));
            let within = folder.join(child);
            let path = if beside.is_file() { beside } else { within.join("mod.rs") };
            self.add(of_child, path, within);
        }
        self.files.insert(module, file);
    }

    /// For each file those whose definitions it names.
    pub fn imports(&self) -> Imports<'_> {
        let edges = self.files.iter().map(|(module, file)| {
            let of_uses = file.uses.iter().filter(|one| !one.is_public || one.is_used(file));
            let of_uses = of_uses.filter_map(|one| self.definer(module, &one.path, 0));
            let of_paths = file.paths.iter().filter(|path| path.len() > 1);
            let of_paths = of_paths.filter_map(|path| self.definer(module, path, 0));
            let others = of_uses.chain(of_paths).filter(|other| other != module);
            (&*file.path, others.map(|other| &*self.files[&other].path).collect())
        });
        edges.collect()
    }

    /// The module that defines what a path in `module` leads to; none when that is a module itself, or
    /// in another crate.
    fn definer(&self, module: &[String], path: &[String], depth: u32) -> Option<Module> {
        let (first, rest) = path.split_first()?;
        let here = &self.files[module];
        if depth > 20 {
            return None;
        }
        match &**first {
            "crate" => self.within(Vec::new(), rest, depth),
            "self" => self.within(module.to_vec(), rest, depth),
            "super" => self.within(module.split_last()?.1.to_vec(), rest, depth),
            _ if here.children.contains(first) => self.within(module.to_vec(), path, depth),
            _ => {
                let one = here.uses.iter().find(|one| one.name == *first)?;
                self.definer(module, &[&one.path, rest].concat(), depth + 1)
            }
        }
    }

    fn within(&self, mut module: Module, path: &[String], depth: u32) -> Option<Module> {
        let mut rest = path;
        while let Some((first, behind)) = rest.split_first() {
            let here = &self.files[&module];
            if first == "super" {
                module.pop();
            } else if here.children.contains(first) {
                module.push(first.clone());
            } else if here.defines.contains(first) || first == "*" {
                return Some(module);
            } else {
                let by_name = here.uses.iter().filter(|one| one.name == *first);
                let by_name = by_name.map(|one| [&one.path, behind].concat());
                // through a star, where it leads to something
                let stars = here.uses.iter().filter(|one| one.name == "*");
                let by_star = stars.map(|one| [&one.path[..one.path.len() - 1], rest].concat());
                return by_name
                    .chain(by_star)
                    .find_map(|path| self.definer(&module, &path, depth + 1));
            }
            rest = behind;
        }
        None
    }
}

/// The shortest circle, as the files on it from one and back to it.
pub fn circle<'a>(imports: &Imports<'a>) -> Option<Vec<&'a Path>> {
    imports.keys().filter_map(|from| way(imports, from)).min_by_key(Vec::len)
}

/// The shortest way from a file back to itself.
fn way<'a>(imports: &Imports<'a>, from: &'a Path) -> Option<Vec<&'a Path>> {
    let mut came = BTreeMap::new();
    let mut next = VecDeque::from([from]);
    while let Some(file) = next.pop_front() {
        for other in &imports[file] {
            if came.contains_key(other) {
                continue;
            }
            came.insert(*other, file);
            if *other == from {
                let mut all = vec![from];
                let mut at = file;
                while at != from {
                    all.push(at);
                    at = came[at];
                }
                all.push(from);
                all.reverse();
                return Some(all);
            }
            next.push_back(other);
        }
    }
    None
}

impl Use {
    fn is_used(&self, file: &File) -> bool {
        file.paths.iter().any(|path| path.first() == Some(&self.name))
    }
}

/// Finds what a file declares, defines, imports and names.
fn parse(tokens: &[Token]) -> File {
    let mut file = File::default();
    let mut at = 0;
    let mut is_public = false;
    while let Some(token) = tokens.get(at) {
        if let Some(behind) = test_only(&tokens[at..]) {
            at += behind;
            continue;
        }
        let Token::Word(word) = token else {
            is_public &= *token != Token::Sign(';') && *token != Token::Sign('}');
            at += 1;
            continue;
        };
        match (&**word, tokens.get(at + 1), tokens.get(at + 2)) {
            ("pub", ..) => is_public = true,
            ("use", ..) => {
                let end = at + 1 + position(&tokens[at + 1..], &Token::Sign(';'));
                let mut rest = &tokens[at + 1..end];
                tree(&mut rest, &[], is_public, &mut file.uses);
                (at, is_public) = (end, false);
            }
            ("mod", Some(Token::Word(name)), Some(Token::Sign(';'))) => {
                file.children.insert(name.clone());
                (at, is_public) = (at + 2, false);
            }
            (
                "fn" | "struct" | "enum" | "trait" | "type" | "const" | "static" | "union",
                Some(Token::Word(name)),
                _,
            ) => {
                file.defines.insert(name.clone());
                is_public = false;
            }
            ("macro_rules", Some(Token::Sign('!')), Some(Token::Word(name))) => {
                file.defines.insert(name.clone());
            }
            _ => {
                let mut path = vec![word.clone()];
                while let (Some(Token::Path), Some(Token::Word(next))) =
                    (tokens.get(at + 1), tokens.get(at + 2))
                {
                    path.push(next.clone());
                    at += 2;
                }
                file.paths.push(path);
            }
        }
        at += 1;
    }
    file
}

/// The number of tokens of an item that is for tests alone, if one begins here.
fn test_only(tokens: &[Token]) -> Option<usize> {
    let sign = |at: usize, sign| tokens.get(at) == Some(&Token::Sign(sign));
    let word = |at: usize, word| tokens.get(at).is_some_and(|token| token.is(word));
    let begins = sign(0, '#') && sign(1, '[') && word(2, "cfg") && sign(3, '(') && word(4, "test");
    if !begins || !sign(5, ')') {
        return None;
    }
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(7) {
        match token {
            Token::Sign('{') => depth += 1,
            Token::Sign('}') if depth == 1 => return Some(at + 1),
            Token::Sign('}') => depth -= 1,
            Token::Sign(';') if depth == 0 => return Some(at + 1),
            _ => {}
        }
    }
    Some(tokens.len())
}

fn position(tokens: &[Token], wanted: &Token) -> usize {
    tokens.iter().position(|token| token == wanted).unwrap_or(tokens.len())
}

/// Reads what stands behind `use`, up to its end or the comma behind it.
fn tree(rest: &mut &[Token], before: &[String], is_public: bool, into: &mut Vec<Use>) {
    let mut path = before.to_vec();
    let mut name = None;
    while let Some((token, behind)) = rest.split_first() {
        *rest = behind;
        match token {
            Token::Word(word) if word == "as" => {
                if let Some((Token::Word(own), behind)) = rest.split_first() {
                    (name, *rest) = (Some(own.clone()), behind);
                }
            }
            Token::Word(word) => path.push(word.clone()),
            Token::Sign('*') => path.push("*".into()),
            Token::Sign('{') => {
                while !matches!(rest.first(), None | Some(Token::Sign('}'))) {
                    tree(rest, &path, is_public, into);
                    if rest.first() == Some(&Token::Sign(',')) {
                        *rest = &rest[1..];
                    }
                }
                *rest = rest.get(1..).unwrap_or_default();
                return;
            }
            Token::Path | Token::Sign(_) => {}
        }
        if matches!(rest.first(), None | Some(Token::Sign(',' | '}'))) {
            break;
        }
    }
    if path.last().is_some_and(|last| last == "self") {
        path.pop();
    }
    if let Some(last) = path.last().cloned() {
        into.push(Use { name: name.unwrap_or(last), path, is_public });
    }
}
