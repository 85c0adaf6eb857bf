//! Assignments of sh(1), read as data.

use std::collections::BTreeMap;

/// A statement of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// `KEY=value`
    Assignment {
        /// The line that it begins on, counted from 1.
        line: usize,
        /// The name.
        key: String,
        /// The value, after quotes and the names of earlier keys are worked out.
        value: String,
    },
    /// Anything else.
    NotExecuted {
        /// The line that it begins on.
        line: usize,
        /// The name that would be assigned; empty when there is none.
        key: String,
        /// The text of that line.
        text: String,
        /// What it is.
        why: &'static str,
    },
}

impl Statement {
    /// The line that it begins on.
    pub fn line(&self) -> usize {
        match self {
            Self::Assignment { line, .. } | Self::NotExecuted { line, .. } => *line,
        }
    }

    /// The name that is, or would be, assigned.
    pub fn key(&self) -> &str {
        match self {
            Self::Assignment { key, .. } | Self::NotExecuted { key, .. } => key,
        }
    }
}

/// The most that all values may have together, in octets. `a=$b$b` doubles, so that a short file
/// could ask for any length.
const MOST: usize = 64 * 1024;

/// Why an assignment ends without a value.
type Stop = &'static str;

const STATEMENT: Stop = "not an assignment, not executed";
const COMMAND: Stop = "a command substitution, not executed";
const EXPANSION: Stop = "an expansion other than $KEY or ${KEY}, not executed";
const NOT_SET: Stop = "it has a key that is not set before";
const TOO_LONG: Stop = "too long";
const UNCLOSED: Stop = "a quote is not closed";
const NOT_UTF8: Stop = "not UTF-8: convert it with iconv -f latin1 -t utf-8";

/// Reads all statements; lines end with LF. Octets that were not UTF-8 have become U+FFFD.
///
/// A quote that is not closed, for which sh(1) would read nothing, costs the line that it is in.
pub fn read(text: &str) -> Vec<Statement> {
    let mut source = Source { rest: text, line: 1 };
    let mut values = BTreeMap::new();
    let mut left = MOST;
    let mut statements = Vec::new();
    loop {
        source.take_while(|c| c.is_ascii_whitespace());
        let before = source;
        match source.peek() {
            None => return statements,
            Some('#') => {
                source.take_while(|c| c != '\n');
                continue;
            }
            Some(_) => {}
        }
        let key = source.key();
        match key.ok_or(STATEMENT).and_then(|_| source.value(&values, left)) {
            Ok(value) if !value.contains(char::REPLACEMENT_CHARACTER) => {
                let (line, key) = (before.line, key.unwrap_or_default());
                left -= value.len();
                values.insert(key, value.clone());
                statements.push(Statement::Assignment { line, key: key.to_owned(), value });
            }
            other => {
                let key = key.unwrap_or_default();
                // a value of before must not stand for one that is not known
                values.remove(key);
                let why = other.err().unwrap_or(NOT_UTF8);
                // there is no telling where the quotes of these should have ended
                if [UNCLOSED, TOO_LONG].contains(&why) {
                    source = before;
                }
                // and what is not UTF-8 has been read to its end
                if why != NOT_UTF8 {
                    source.take_while(|c| c != '\n');
                }
                let text = before.rest.lines().next().unwrap_or_default().to_owned();
                let (line, key) = (before.line, key.to_owned());
                statements.push(Statement::NotExecuted { line, key, text, why });
            }
        }
    }
}

/// What is left of the text.
#[derive(Clone, Copy)]
struct Source<'t> {
    rest: &'t str,
    line: usize,
}

impl<'t> Source<'t> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        self.rest = chars.as_str();
        self.line += usize::from(c == '\n');
        Some(c)
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|c| !wanted(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.line += taken.matches('\n').count();
        self.rest = rest;
        taken
    }

    /// A name; empty when there is none.
    fn name(&mut self) -> &'t str {
        if self.peek().is_some_and(|c| c.is_ascii_digit()) {
            return "";
        }
        self.take_while(|c| c.is_ascii_alphanumeric() || c == '_')
    }

    /// The name and the `=` of an assignment, with or without `export` or `readonly` before them.
    fn key(&mut self) -> Option<&'t str> {
        let blank = [' ', '\t'];
        let words = ["export", "readonly"].into_iter();
        let mut behind = words.filter_map(|word| self.rest.strip_prefix(word));
        if let Some(rest) = behind.find(|rest| rest.starts_with(blank)) {
            self.rest = rest.trim_start_matches(blank);
        }
        let key = Some(self.name()).filter(|name| !name.is_empty())?;
        self.rest = self.rest.strip_prefix('=')?;
        Some(key)
    }

    /// The value of an assignment and what may stand behind it, up to the end of the statement.
    fn value(&mut self, values: &BTreeMap<&str, String>, most: usize) -> Result<String, Stop> {
        let mut out = String::new();
        let mut quote = None;
        while out.len() <= most {
            match (quote, self.peek()) {
                (Some(_), None) => return Err(UNCLOSED),
                (None, None | Some(' ' | '\t' | '\n' | ';')) => {
                    self.take_while(|c| c == ' ' || c == '\t');
                    return match self.peek() {
                        None | Some('\n' | '#') => Ok(out),
                        Some(';') => {
                            self.next();
                            Ok(out)
                        }
                        Some(_) => Err(STATEMENT),
                    };
                }
                (Some(open), Some(c)) if c == open => {
                    self.next();
                    quote = None;
                }
                (Some('\''), Some(c)) => {
                    self.next();
                    out.push(c);
                }
                (None, Some(c @ ('"' | '\''))) => {
                    self.next();
                    quote = Some(c);
                }
                (_, Some('`')) => return Err(COMMAND),
                (None, Some('|' | '&' | '<' | '>' | '(' | ')')) => return Err(STATEMENT),
                (_, Some('$')) => {
                    self.next();
                    out.push_str(self.expansion(values)?);
                }
                (_, Some('\\')) => {
                    self.next();
                    match self.next() {
                        None => out.push('\\'),
                        Some('\n') => {}
                        Some(c) => {
                            // within double quotes it escapes only these
                            if quote.is_some() && !matches!(c, '$' | '`' | '"' | '\\') {
                                out.push('\\');
                            }
                            out.push(c);
                        }
                    }
                }
                (_, Some(c)) => {
                    self.next();
                    out.push(c);
                }
            }
        }
        Err(TOO_LONG)
    }

    /// What a `$` stands for.
    fn expansion<'v>(&mut self, values: &'v BTreeMap<&str, String>) -> Result<&'v str, Stop> {
        let braces = self.peek() == Some('{');
        match self.peek() {
            Some('(') => return Err(COMMAND),
            Some('{') => drop(self.next()),
            None | Some(' ' | '\t' | '\n' | '"') => return Ok("$"),
            Some(_) => {}
        }
        let name = self.name();
        // sh joins lines before it looks for the end of a name
        let goes_on = self.rest.starts_with("\\\n");
        if name.is_empty() || goes_on || (braces && self.next() != Some('}')) {
            return Err(EXPANSION);
        }
        values.get(name).map(String::as_str).ok_or(NOT_SET)
    }
}
