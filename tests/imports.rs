//! Which file of a crate uses which other one, which folder which one beside it, and whether they go
//! round in a circle.
//!
//! A file imports another one when it names something that is defined there: in a `use`, by a path,
//! by a macro, or by calling a function that an `impl` block there gives to a type of a third file.
//! What a file only hands on (`pub use`) is defined where it comes from, so a facade is in no circle; nor
//! does a file import those that it only declares (`mod`). Tests are left out.
//!
//! Read as text, not as a compiler does: what a trait or a macro of another crate leads to is not seen,
//! nor is a method of a value that is not `self` where two files have one of its name.
//!
//! * In: the root of a crate.
//! * Out: its files and folders, which of them imports which, and the shortest circle.
//! * Never: follow a name into another crate.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};

mod parse;
#[cfg(test)]
mod tests;
mod tokens;

use parse::{Module, parse};
use tokens::tokens;

/// For each file those that it imports.
pub type Imports<'a> = BTreeMap<&'a Path, BTreeSet<&'a Path>>;

/// What stands side by side: the files that one file declares, each with all that it declares itself.
#[derive(Debug, Default)]
pub struct Level<'a> {
    /// For each those among the others that it imports.
    pub imports: Imports<'a>,
    /// Of each such pair, two files that make it one: an import by way of example.
    pub ties: BTreeMap<[&'a Path; 2], [&'a Path; 2]>,
}

/// A module, by the words of its path from the root of the crate.
type Name = Vec<String>;

/// The modules of a crate, with the file that each stands in, and what they import.
#[derive(Debug, Default)]
pub struct Crate {
    modules: BTreeMap<Name, (PathBuf, Module)>,
    /// The names of the crate itself in paths: `crate`, and what `extern crate self as` says.
    names: BTreeSet<String>,
}

/// The functions that files give to types of other files: by name, the module of the type and that of
/// the function.
type Given<'a> = BTreeMap<&'a str, Vec<(Name, &'a Name)>>;

impl Crate {
    /// Reads the crate whose root is this file.
    pub fn read(root: &Path) -> Self {
        let folder = root.parent().expect("a file in a folder");
        let mut found = Self::default();
        found.names.insert("crate".into());
        found.add_file(Vec::new(), root, folder);
        let aliases = found.modules[&Name::new()].1.uses.iter();
        let aliases = aliases.filter(|one| one.path == ["crate"]).map(|one| one.name.clone());
        found.names.extend(aliases.collect::<Vec<_>>());
        found
    }

    /// Adds a file whose children are in `folder`.
    fn add_file(&mut self, name: Name, path: &Path, folder: &Path) {
        let text =
            fs::read_to_string(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        let beside = path.parent().expect("a file in a folder");
        self.add(name, path, (folder, beside), parse(&tokens(&text)));
    }

    /// Adds a module of a file, whose children are in `folder`, or by `#[path]` from `beside` on.
    fn add(
        &mut self,
        name: Name,
        path: &Path,
        (folder, beside): (&Path, &Path),
        mut module: Module,
    ) {
        for child in &mut module.children {
            let of_child = [name.as_slice(), std::slice::from_ref(&child.name)].concat();
            let within = folder.join(&child.name);
            let elsewhere = child.path.as_ref().map(|path| beside.join(path));
            match (child.body.take(), elsewhere) {
                (Some(body), elsewhere) => {
                    let within = elsewhere.unwrap_or(within);
                    self.add(of_child, path, (&within, &within), body);
                }
                (None, Some(file)) => {
                    let folder = file.parent().expect("a file in a folder");
                    self.add_file(of_child, &file, folder);
                }
                (None, None) => {
                    let file = folder.join(format!("{}.rs", child.name));
                    let file = if file.is_file() { file } else { within.join("mod.rs") };
                    self.add_file(of_child, &file, &within);
                }
            }
        }
        self.modules.insert(name, (path.to_path_buf(), module));
    }

    /// The files of the crate that declare files in a folder of their own, each with the names of
    /// these.
    pub fn folders(&self) -> impl Iterator<Item = (&Path, Vec<&str>)> {
        let is_file = |name: &Name| match name.split_last() {
            None => true,
            Some((last, parent)) => {
                let (_, parent) = &self.modules[parent];
                !parent.children.iter().any(|child| child.name == *last && child.is_inline)
            }
        };
        let files = self.modules.iter().filter(move |(name, _)| is_file(name));
        files.filter_map(|(_, (path, module))| {
            let files = module.children.iter().filter(|child| !child.is_inline);
            let own = files.filter(|child| child.path.is_none());
            let names: Vec<&str> = own.map(|child| &*child.name).collect();
            (!names.is_empty()).then_some((&**path, names))
        })
    }

    /// The module of the root that a file belongs to, or [`None`] for the root itself.
    pub fn part(&self, file: &Path) -> Option<&str> {
        let mut modules = self.modules.iter().filter(|(_, (path, _))| path == file);
        modules.find_map(|(name, _)| name.first()).map(|name| &**name)
    }

    /// For each file those whose definitions it names.
    pub fn imports(&self) -> Imports<'_> {
        let given = self.given();
        let mut imports = Imports::new();
        for (name, (path, module)) in &self.modules {
            let of_file = imports.entry(&**path).or_default();
            let mut add = |other: &Name| {
                let other = &*self.modules[other].0;
                if other != path {
                    of_file.insert(other);
                }
            };
            let is_used = |one: &&parse::Use| {
                !one.is_public || module.paths.iter().any(|path| path.first() == Some(&one.name))
            };
            for one in module.uses.iter().filter(is_used) {
                self.definer(name, &one.path, 0).iter().for_each(&mut add);
            }
            for path in &module.paths {
                self.definer(name, path, 0).iter().for_each(&mut add);
                if let Some((function, of @ [_, ..])) = path.split_last() {
                    self.giver(&given, name, Some(of), function).into_iter().for_each(&mut add);
                }
            }
            for (of, method) in &module.calls {
                self.giver(&given, name, of.as_deref(), method).into_iter().for_each(&mut add);
            }
            let expands = module.expands.difference(&module.macros);
            for (other, (_, definer)) in &self.modules {
                if expands.clone().any(|one| definer.macros.contains(one)) {
                    add(other);
                }
            }
        }
        imports
    }

    /// The same by what stands side by side. An import counts once: where the way from the root to one
    /// file parts from the way to the other. One that is on the way to the other is beside nothing.
    pub fn levels(&self) -> Vec<Level<'_>> {
        let mut names = BTreeMap::<&Path, &Name>::new();
        for (name, (path, _)) in &self.modules {
            // that of a file comes before those between braces in it
            names.entry(path).or_insert(name);
        }
        let mut levels = BTreeMap::<&[String], Level<'_>>::new();
        let imports = self.imports();
        let all = imports.iter().flat_map(|(from, to)| to.iter().map(move |to| [*from, *to]));
        for tie in all {
            let [from, to] = tie.map(|path| names[path]);
            let shared = from.iter().zip(to).take_while(|(one, other)| one == other).count();
            let (Some(one), Some(other)) = (from.get(..=shared), to.get(..=shared)) else {
                continue;
            };
            let [one, other] = [one, other].map(|name| &*self.modules[name].0);
            // two between braces
            if one == other {
                continue;
            }
            let level = levels.entry(&from[..shared]).or_default();
            level.imports.entry(other).or_default();
            level.imports.entry(one).or_default().insert(other);
            level.ties.entry([one, other]).or_insert(tie);
        }
        levels.into_values().collect()
    }

    fn given(&self) -> Given<'_> {
        let mut given = Given::new();
        for (name, (path, module)) in &self.modules {
            for (of, function) in &module.given {
                let definer = self.definer(name, of, 0);
                if let Some(definer) = definer.filter(|one| self.modules[one].0 != *path) {
                    given.entry(function).or_default().push((definer, name));
                }
            }
        }
        given
    }

    /// The modules that give a function to the type that a path in `name` leads to; of a type that is
    /// not known, the module that alone has a function of this name.
    fn giver<'a>(
        &self,
        given: &Given<'a>,
        name: &Name,
        of: Option<&[String]>,
        function: &str,
    ) -> Vec<&'a Name> {
        let all = given.get(function).map(Vec::as_slice).unwrap_or_default();
        let Some(of) = of else {
            let has_one = |(_, module): &&(PathBuf, Module)| {
                module.defines.contains(function) || module.methods.contains(function)
            };
            let is_alone = self.modules.values().filter(has_one).count() == 1;
            return all.iter().filter(|_| is_alone).map(|(_, giver)| *giver).collect();
        };
        let Some(definer) = all.first().and_then(|_| self.definer(name, of, 0)) else {
            return Vec::new();
        };
        all.iter().filter(|(one, _)| *one == definer).map(|(_, giver)| *giver).collect()
    }

    /// The module that defines what a path in `name` leads to; none when that is a module itself, or in
    /// another crate.
    fn definer(&self, name: &[String], path: &[String], depth: u32) -> Option<Name> {
        let (first, rest) = path.split_first()?;
        let here = &self.modules[name].1;
        // names that lead to each other
        if depth > 20 {
            return None;
        }
        match &**first {
            "self" => self.within(name.to_vec(), rest, depth),
            "super" => self.within(name.split_last()?.1.to_vec(), rest, depth),
            first if self.names.contains(first) => self.within(Name::new(), rest, depth),
            _ if here.has_child(first) => self.within(name.to_vec(), path, depth),
            _ => self.by_use(name, path, depth),
        }
    }

    /// What a path in `name` leads to: through an import of its first word, else what is defined there,
    /// else through an import of all names.
    fn by_use(&self, name: &[String], path: &[String], depth: u32) -> Option<Name> {
        let (first, rest) = path.split_first()?;
        let here = &self.modules[name].1;
        let follow = |path: Vec<String>| self.definer(name, &path, depth + 1);
        let mut by_name = here.uses.iter().filter(|one| one.name == *first);
        if let Some(found) = by_name.find_map(|one| follow([&one.path, rest].concat())) {
            return Some(found);
        }
        if here.defines.contains(first) {
            return Some(name.to_vec());
        }
        let mut stars = here.uses.iter().filter(|one| one.name == "*");
        stars.find_map(|one| follow([&one.path[..one.path.len() - 1], path].concat()))
    }

    fn within(&self, mut name: Name, path: &[String], depth: u32) -> Option<Name> {
        let mut rest = path;
        while let Some((first, behind)) = rest.split_first() {
            let here = &self.modules[&name].1;
            if first == "super" {
                name.pop();
            } else if here.has_child(first) {
                name.push(first.clone());
            } else if here.defines.contains(first) || first == "*" {
                return Some(name);
            } else {
                return self.by_use(&name, rest, depth);
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
