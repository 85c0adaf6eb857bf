//! Rust source as words and signs, as far as imports have to be found in it.

use std::iter::Peekable;
use std::str::Chars;

/// A piece of source that is neither space nor comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// An identifier or a keyword.
    Word(String),
    /// `::`
    Path,
    /// What stands between two quotes, as it stands there: an attribute may have a path in it.
    Text(String),
    /// Anything else, a character at a time.
    Sign(char),
}

impl Token {
    /// Whether it is this word.
    pub fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(own) if own == word)
    }
}

/// The tokens of a file; lifetimes, comments, raw strings and characters leave none.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '/' if rest.peek() == Some(&'/') => while rest.next_if(|c| *c != '\n').is_some() {},
            '/' if rest.peek() == Some(&'*') => block_comment(&mut rest),
            '"' => found.push(Token::Text(string(&mut rest))),
            '\'' => quote(&mut rest),
            ':' if rest.next_if_eq(&':').is_some() => found.push(Token::Path),
            c if c.is_alphanumeric() || c == '_' => {
                let mut word = String::from(c);
                while let Some(c) = rest.next_if(|c| c.is_alphanumeric() || *c == '_') {
                    word.push(c);
                }
                let is_prefix = matches!(&*word, "r" | "br" | "cr");
                match is_prefix && raw(&mut rest) {
                    true => {}
                    // r#in is the name `in`, which comes next
                    false if is_prefix && rest.next_if_eq(&'#').is_some() => {}
                    false => found.push(Token::Word(word)),
                }
            }
            c if c.is_whitespace() => {}
            c => found.push(Token::Sign(c)),
        }
    }
    found
}

fn block_comment(rest: &mut Peekable<Chars<'_>>) {
    let mut depth = 0;
    let mut before = '/';
    for c in rest {
        match (before, c) {
            ('/', '*') => depth += 1,
            ('*', '/') => depth -= 1,
            _ => {
                before = c;
                continue;
            }
        }
        before = ' ';
        if depth == 0 {
            return;
        }
    }
}

fn string(rest: &mut Peekable<Chars<'_>>) -> String {
    let mut text = String::new();
    while let Some(c) = rest.next().filter(|c| *c != '"') {
        text.push(c);
        if c == '\\' {
            text.extend(rest.next());
        }
    }
    text
}

/// Passes over a raw string, if one stands behind `r`: it ends with as many signs as it begins with.
fn raw(rest: &mut Peekable<Chars<'_>>) -> bool {
    let mut begin = rest.clone();
    let mut signs = 0;
    while begin.next_if_eq(&'#').is_some() {
        signs += 1;
    }
    if begin.next_if_eq(&'"').is_none() {
        return false;
    }
    *rest = begin;
    while let Some(c) = rest.next() {
        if c == '"' && rest.clone().take(signs).filter(|c| *c == '#').count() == signs {
            if let Some(last) = signs.checked_sub(1) {
                rest.nth(last);
            }
            break;
        }
    }
    true
}

/// A character, or a lifetime.
fn quote(rest: &mut Peekable<Chars<'_>>) {
    let mut after = rest.clone();
    match (after.next(), after.next()) {
        (Some('\\'), _) => {
            rest.next();
            rest.next();
            while rest.next().is_some_and(|c| c != '\'') {}
        }
        (Some(_), Some('\'')) => drop(rest.nth(1)),
        _ => {}
    }
}
