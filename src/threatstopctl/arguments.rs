//! Options and operands in the manner of getopt(3): single letters, which may be grouped, before
//! the operands; the first operand or `--` ends them.

use std::ffi::{OsStr, OsString};

use lexopt::Arg;

/// What stands on the command line behind the tool's name, or behind that of a command.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    options: Vec<(char, Option<OsString>)>,
    /// Everything from the first word that is not an option.
    pub operands: Vec<OsString>,
}

/// An option that getopt(3) would complain about.
#[derive(Debug, PartialEq, Eq)]
pub struct Misuse {
    /// The option, with its dash.
    pub option: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl Arguments {
    /// Sorts `words` by `options`, a string as for getopt(3): the letters, each followed by a
    /// colon when it takes a value.
    ///
    /// # Errors
    /// At the first option that is none of these, or lacks its value.
    pub fn parse(options: &str, words: Vec<OsString>) -> Result<Self, Misuse> {
        let mut found = Self::default();
        found.read(options, words)?;
        Ok(found)
    }

    /// As [`Arguments::parse`]; what stands before a wrong option is there even so.
    pub fn read(&mut self, options: &str, words: Vec<OsString>) -> Result<(), Misuse> {
        let mut parser = lexopt::Parser::from_args(words);
        parser.set_short_equals(false);
        let unknown = |option| Misuse { option, why: "unknown option" };
        while let Some(argument) = parser.next().map_err(|error| unknown(error.to_string()))? {
            match argument {
                Arg::Short(letter) => {
                    let option = format!("-{letter}");
                    let value = match takes_value(options, letter) {
                        None => return Err(unknown(option)),
                        Some(false) => None,
                        Some(true) => match parser.value() {
                            Ok(value) => Some(value),
                            Err(_) => return Err(Misuse { option, why: "needs an argument" }),
                        },
                    };
                    self.options.push((letter, value));
                }
                Arg::Long(name) => return Err(unknown(format!("--{name}"))),
                Arg::Value(first) => {
                    self.operands.push(first);
                    self.operands.extend(parser.try_raw_args().into_iter().flatten());
                    break;
                }
            }
        }
        Ok(())
    }

    /// Whether the option was given.
    pub fn has(&self, letter: char) -> bool {
        self.options.iter().any(|(given, _)| *given == letter)
    }

    /// The value of an option, the last one when it was given more than once.
    pub fn value(&self, letter: char) -> Option<&OsStr> {
        self.options.iter().rev().find(|(given, _)| *given == letter)?.1.as_deref()
    }
}

/// Whether an option takes a value; `None` when there is no such option.
pub fn takes_value(options: &str, letter: char) -> Option<bool> {
    let (_, rest) = options.split_once(letter).filter(|_| letter != ':')?;
    Some(rest.starts_with(':'))
}

#[cfg(test)]
mod tests;
