//! Rust source as words and signs, as far as imports have to be found in it.

use std::iter::Peekable;
use std::str::Chars;

/// A piece of source that is neither space, comment nor literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// An identifier or a keyword.
    Word(String),
    /// `::`
    Path,
    /// Anything else, a character at a time.
    Sign(char),
}

impl Token {
    /// Whether it is this word.
    pub fn is(&self, word: &str) -> bool {
        matches!(self, Self::Word(own) if own == word)
    }
}

/// The tokens of a file; literals, lifetimes and comments leave none.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '/' if rest.peek() == Some(&'/') => while rest.next_if(|c| *c != '\n').is_some() {},
            '/' if rest.peek() == Some(&'*') => block_comment(&mut rest),
            '"' => string(&mut rest),
            '\'' => quote(&mut rest),
            ':' if rest.next_if_eq(&':').is_some() => found.push(Token::Path),
            c if c.is_alphanumeric() || c == '_' => {
                let mut word = String::from(c);
                while let Some(c) = rest.next_if(|c| c.is_alphanumeric() || *c == '_') {
                    word.push(c);
                }
                match rest.peek() {
                    Some('"' | '#') if matches!(&*word, "r" | "br" | "cr") => raw(&mut rest),
                    _ => found.push(Token::Word(word)),
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

fn string(rest: &mut Peekable<Chars<'_>>) {
    while let Some(c) = rest.next() {
        match c {
            '"' => return,
            '\\' => drop(rest.next()),
            _ => {}
        }
    }
}

/// Behind `r`: with as many signs as it begins with it also ends.
fn raw(rest: &mut Peekable<Chars<'_>>) {
    let mut signs = 0;
    while rest.next_if_eq(&'#').is_some() {
        signs += 1;
    }
    // a raw identifier is not one of ours
    while rest.next().is_some() {
        let mut after = rest.clone();
        if after.next() == Some('"') && after.take(signs).filter(|c| *c == '#').count() == signs {
            rest.nth(signs);
            return;
        }
    }
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
