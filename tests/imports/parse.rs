//! What a file of Rust declares, defines, imports and names, without a look at any other file.

use std::collections::BTreeSet;

use super::tokens::Token;

/// The words of a path.
pub type Words = Vec<String>;

/// A module: a file, or what stands between the braces of `mod name { }`.
#[derive(Debug, Default)]
pub struct Module {
    /// The modules that it declares.
    pub children: Vec<Child>,
    /// What it defines itself, without what stands in `impl` blocks.
    pub defines: BTreeSet<String>,
    /// What stands in these.
    pub methods: BTreeSet<String>,
    /// Its macros by example.
    pub macros: BTreeSet<String>,
    /// What it imports.
    pub uses: Vec<Use>,
    /// The paths, and single names, of all that is no import.
    pub paths: Vec<Words>,
    /// The macros that it calls by a single name.
    pub expands: BTreeSet<String>,
    /// The functions of `impl` blocks without a trait: of which type, and their names.
    pub given: Vec<(Words, String)>,
    /// The methods that it calls: of which type, where that is the one of the `impl` block around the
    /// call, and their names.
    pub calls: Vec<(Option<Words>, String)>,
}

/// A module that another one declares.
#[derive(Debug)]
pub struct Child {
    /// Its name.
    pub name: String,
    /// The value of `#[path]`.
    pub path: Option<String>,
    /// What stands between its braces; `None` when it is a file, or was taken out.
    pub body: Option<Module>,
    /// Whether it has stood between braces.
    pub is_inline: bool,
}

impl Module {
    /// Whether it declares a module of this name.
    pub fn has_child(&self, name: &str) -> bool {
        self.children.iter().any(|child| child.name == name)
    }
}

/// A name that an import brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// Where it leads to; `*` is its last word where all names are meant.
    pub path: Words,
    /// The name by which it is known here.
    pub name: String,
    /// Whether others may take it from here.
    pub is_public: bool,
}

/// The `impl` block that is being read.
struct Block {
    /// Its last token.
    end: usize,
    of: Words,
    has_trait: bool,
}

/// Reads a module. What is for tests alone is left out.
pub fn parse(tokens: &[Token]) -> Module {
    let mut module = Module::default();
    let (mut at, mut is_public) = (0, false);
    let (mut file, mut block): (Option<String>, Option<Block>) = (None, None);
    while at < tokens.len() {
        let rest = &tokens[at..];
        if let Some(length) = test_only(rest) {
            at += length;
            continue;
        }
        block = block.filter(|block| at <= block.end);
        let of = block.as_ref().map(|block| &block.of);
        match rest {
            [Token::Sign('#'), Token::Sign('['), ..] => {
                attribute(&rest[..closing(rest, 1)], &mut file, &mut module.paths);
                at += 2;
            }
            [Token::Sign('.'), Token::Word(name), behind, ..] if !follows(tokens, at, '.') => {
                if matches!(behind, Token::Sign('(') | Token::Path) {
                    let on_self =
                        at > 0 && tokens[at - 1].is("self") && !follows(tokens, at - 1, '.');
                    module.calls.push((of.filter(|_| on_self).cloned(), name.clone()));
                }
                at += 2;
            }
            [Token::Word(word), Token::Word(name), Token::Sign(sign), ..]
                if word == "mod" && matches!(sign, ';' | '{') =>
            {
                let end = if *sign == ';' { 2 } else { closing(rest, 2) };
                let is_inline = *sign == '{';
                let body = is_inline.then(|| parse(&rest[3..end]));
                let (name, path) = (name.clone(), file.take());
                module.children.push(Child { name, path, body, is_inline });
                (at, is_public) = (at + end + 1, false);
            }
            [Token::Word(word), ..] if word == "use" => {
                let end = rest.iter().position(|token| *token == Token::Sign(';'));
                let end = end.unwrap_or(rest.len());
                tree(&mut &rest[1..end], &[], is_public, &mut module.uses);
                (at, is_public) = (at + end, false);
            }
            // extern crate self as name;
            [
                Token::Word(first),
                Token::Word(second),
                Token::Word(third),
                _,
                Token::Word(name),
                ..,
            ] if first == "extern" && second == "crate" && third == "self" => {
                let path = vec!["crate".into()];
                module.uses.push(Use { path, name: name.clone(), is_public: false });
                at += 5;
            }
            [Token::Word(word), Token::Sign('!'), Token::Word(name), ..]
                if word == "macro_rules" =>
            {
                module.defines.insert(name.clone());
                module.macros.insert(name.clone());
                at += 3;
            }
            [Token::Word(word), Token::Word(name), ..] if is_item(word) => {
                match &block {
                    None => module.defines.insert(name.clone()),
                    Some(_) => module.methods.insert(name.clone()),
                };
                if let Some(block) = block.as_ref().filter(|block| word == "fn" && !block.has_trait)
                {
                    module.given.push((block.of.clone(), name.clone()));
                }
                (at, is_public) = (at + 2, false);
            }
            [Token::Word(word), ..] if word == "impl" && begins_item(tokens, at) => {
                block = implementation(rest).map(|found| Block { end: at + found.end, ..found });
                at += 1;
            }
            [Token::Word(word), behind, ..] => {
                is_public |= word == "pub";
                if *behind == Token::Sign('!') && rest.get(2).is_some_and(opens) {
                    module.expands.insert(word.clone());
                }
                let mut path = vec![word.clone()];
                at += 1;
                while let [Token::Path, Token::Word(next), ..] = &tokens[at..] {
                    path.push(next.clone());
                    at += 2;
                }
                if let Some(of) = of.filter(|_| path[0] == "Self") {
                    path.splice(..1, of.iter().cloned());
                }
                module.paths.push(path);
            }
            _ => {
                is_public &= !matches!(rest[0], Token::Sign(';' | '}'));
                at += 1;
            }
        }
    }
    module
}

fn is_item(word: &str) -> bool {
    matches!(word, "fn" | "struct" | "enum" | "trait" | "type" | "const" | "static" | "union")
}

fn opens(token: &Token) -> bool {
    matches!(token, Token::Sign('(' | '[' | '{'))
}

/// Whether a token stands directly behind a sign.
fn follows(tokens: &[Token], at: usize, sign: char) -> bool {
    at > 0 && tokens[at - 1] == Token::Sign(sign)
}

/// Whether an item can begin here; `impl` stands in types too.
fn begins_item(tokens: &[Token], at: usize) -> bool {
    at == 0 || matches!(tokens[at - 1], Token::Sign('}' | '{' | ';' | ']'))
}

/// The index of what closes the bracket at an index; that of the last token when nothing does.
fn closing(tokens: &[Token], at: usize) -> usize {
    let mut depth = 0;
    for (index, token) in tokens.iter().enumerate().skip(at) {
        match token {
            Token::Sign('(' | '[' | '{') => depth += 1,
            Token::Sign(')' | ']' | '}') if depth == 1 => return index,
            Token::Sign(')' | ']' | '}') => depth -= 1,
            _ => {}
        }
    }
    tokens.len() - 1
}

/// Finds the texts of an attribute that are paths: that of a file, and of what derived code calls.
fn attribute(tokens: &[Token], file: &mut Option<String>, paths: &mut Vec<Words>) {
    for (at, token) in tokens.iter().enumerate() {
        let Token::Text(text) = token else { continue };
        if at > 2 && tokens[at - 2].is("path") && file.is_none() {
            *file = Some(text.clone());
        }
        let words: Words = text.split("::").map(str::to_owned).collect();
        let is_word = |word: &String| word.chars().all(|c| c.is_alphanumeric() || c == '_');
        if words.len() > 1 && words.iter().all(is_word) {
            paths.push(words);
        }
    }
}

/// Reads the head of an `impl` block: the type, whether it is of a trait, and where the block ends.
fn implementation(tokens: &[Token]) -> Option<Block> {
    let (mut of, mut has_trait, mut depth, mut begun) = (Words::new(), false, 0, false);
    for (at, token) in tokens.iter().enumerate().skip(1) {
        match token {
            Token::Sign('<') => depth += 1,
            Token::Sign('>') if tokens[at - 1] != Token::Sign('-') => depth -= 1,
            Token::Sign('{') => return Some(Block { end: closing(tokens, at), of, has_trait }),
            Token::Sign(';') => return None,
            Token::Word(word) if depth == 0 && word == "for" => {
                (of, has_trait) = (Words::new(), true)
            }
            Token::Word(word) if depth == 0 && word == "where" => begun = true,
            // of the first path; what follows are bounds
            Token::Word(word)
                if depth == 0
                    && !begun
                    && !matches!(&**word, "mut" | "dyn" | "const")
                    && (of.is_empty() || tokens[at - 1] == Token::Path) =>
            {
                of.push(word.clone());
            }
            _ => {}
        }
    }
    None
}

/// The number of tokens of an item that is for tests alone, if one begins here.
fn test_only(tokens: &[Token]) -> Option<usize> {
    let [Token::Sign('#'), Token::Sign('['), cfg, Token::Sign('('), test, Token::Sign(')'), ..] =
        tokens
    else {
        return None;
    };
    if !cfg.is("cfg") || !test.is("test") {
        return None;
    }
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(7) {
        match token {
            Token::Sign('(' | '[' | '{') => depth += 1,
            Token::Sign('}') if depth == 1 => return Some(at + 1),
            Token::Sign(')' | ']' | '}') => depth -= 1,
            Token::Sign(';') if depth == 0 => return Some(at + 1),
            _ => {}
        }
    }
    Some(tokens.len())
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
            Token::Path | Token::Text(_) | Token::Sign(_) => {}
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
