//! The commands: their words, options and operands, and what each does.

use std::ffi::{OsStr, OsString};
use std::net::IpAddr;

use control::{Failure, Request, Show};

use crate::Tool;
use crate::arguments::{Arguments, takes_value};
use crate::capture;
use crate::decode;
use crate::doctor;
use crate::error::Error;
use crate::import;
use crate::output::relay;
use crate::setup;

/// A command of the tool.
#[derive(Debug)]
pub struct Command {
    /// Its word, which may be shortened while no other begins so.
    pub word: &'static str,
    /// Its options, as getopt(3) takes them.
    pub options: &'static str,
    /// What stands behind the options, and what is done then.
    pub operands: Operands,
}

/// What stands behind the options of a command, and what is done then. The functions say false
/// when it was done and the answer is no.
#[derive(Debug)]
pub enum Operands {
    /// Nothing.
    None(fn(&Tool, &Arguments) -> Result<bool, Error>),
    /// One operand, called so in usage and manual.
    One(&'static str, fn(&Tool, &OsStr) -> Result<bool, Error>),
    /// Any number of these, called so.
    Any(&'static str, fn(&Tool, &Arguments) -> Result<bool, Error>),
    /// One of these words, which may be shortened too, and what it asks of the engine.
    Word(&'static [(&'static str, Request)]),
}

/// What an option takes, as usage and manual call it.
const VALUES: &[(char, &str)] = &[('f', "file"), ('t', "time|date|epoch")];

/// All of them, in the order of the manual.
pub const COMMANDS: &[Command] = &[
    Command { word: "capture", options: "", operands: Operands::One("address:port", capture::run) },
    Command { word: "decode", options: "t:", operands: Operands::Any("file", decode::run) },
    Command { word: "doctor", options: "f:", operands: Operands::None(doctor::run) },
    Command { word: "import", options: "", operands: Operands::One("file", import::run) },
    Command {
        word: "log",
        options: "",
        operands: Operands::Word(&[
            ("brief", Request::Log { verbose: false }),
            ("verbose", Request::Log { verbose: true }),
        ]),
    },
    Command {
        word: "metrics",
        options: "",
        operands: Operands::None(|tool, _| relay(tool, &Request::Metrics {})),
    },
    Command {
        word: "reload",
        options: "",
        operands: Operands::None(|tool, _| relay(tool, &Request::Reload {})),
    },
    Command {
        word: "rollback",
        options: "",
        operands: Operands::None(|tool, _| relay(tool, &Request::Rollback {})),
    },
    Command { word: "setup", options: "bf:", operands: Operands::None(setup::run) },
    Command {
        word: "show",
        options: "",
        operands: Operands::Word(&[
            ("allow", Request::Show { what: Show::Allow }),
            ("block", Request::Show { what: Show::Block }),
            ("diff", Request::Show { what: Show::Diff }),
            ("hits", Request::Show { what: Show::Hits }),
        ]),
    },
    Command {
        word: "status",
        options: "",
        operands: Operands::None(|tool, _| relay(tool, &Request::Status {})),
    },
    Command {
        word: "test",
        options: "",
        operands: Operands::None(|tool, _| relay(tool, &Request::Test {})),
    },
    Command {
        word: "update",
        options: "fn",
        operands: Operands::None(|tool, arguments| {
            let (force, dry_run) = (arguments.has('f'), arguments.has('n'));
            relay(tool, &Request::Update { force, dry_run })
        }),
    },
    Command {
        word: "upload",
        options: "n",
        operands: Operands::None(|tool, arguments| {
            relay(tool, &Request::Upload { dry_run: arguments.has('n') })
        }),
    },
    Command { word: "why", options: "", operands: Operands::One("address", why) },
];

fn why(tool: &Tool, operand: &OsStr) -> Result<bool, Error> {
    let text = operand.to_string_lossy();
    let address: IpAddr = text.parse().map_err(|_| {
        let why = format!("{text}: not a numeric IP address");
        Error::Failed(Failure { what: "why".into(), why })
    })?;
    relay(tool, &Request::Why { address })
}

/// Runs the command that `words` begin with; false when it was done and the answer is no.
pub fn run(tool: &Tool, words: Vec<OsString>) -> Result<bool, Error> {
    let mut words = words.into_iter();
    let usage = |what: &str, why| Error::Usage {
        command: None,
        failure: Failure { what: what.into(), why },
    };
    let Some(word) = words.next() else {
        return Err(usage("command", "missing".into()));
    };
    let command = find(COMMANDS, |command| command.word, &word, "command")
        .map_err(|why| usage(&word.to_string_lossy(), why))?;
    let wrong = |why| Error::argument(command, why);
    let arguments = Arguments::parse(command.options, words.collect())
        .map_err(|misuse| wrong(format!("{}: {}", misuse.option, misuse.why)))?;
    let one = |name: &str| match arguments.operands.as_slice() {
        [] => Err(wrong(format!("{name} missing"))),
        [operand] => Ok(operand),
        [_, more, ..] => Err(surplus(command, more)),
    };
    match &command.operands {
        Operands::None(run) => match arguments.operands.first() {
            None => run(tool, &arguments),
            Some(more) => Err(surplus(command, more)),
        },
        Operands::One(name, run) => run(tool, one(name)?),
        Operands::Any(_, run) => run(tool, &arguments),
        Operands::Word(table) => {
            let operand = one("word")?;
            let (_, request) = find(table, |(word, _)| word, operand, "word")
                .map_err(|why| wrong(format!("{}: {why}", operand.to_string_lossy())))?;
            relay(tool, request)
        }
    }
}

fn surplus(command: &'static Command, operand: &OsStr) -> Error {
    Error::argument(command, format!("{}: one too many", operand.to_string_lossy()))
}

/// The entry whose word is `given`, or the only one whose word begins so.
fn find<'a, T>(
    table: &'a [T],
    word: fn(&T) -> &'static str,
    given: &OsStr,
    kind: &str,
) -> Result<&'a T, String> {
    let given = given.as_encoded_bytes();
    if let Some(entry) = table.iter().find(|entry| word(entry).as_bytes() == given) {
        return Ok(entry);
    }
    let begin: Vec<&T> =
        table.iter().filter(|entry| word(entry).as_bytes().starts_with(given)).collect();
    match begin.as_slice() {
        [] => Err(format!("unknown {kind}")),
        [entry] => Ok(entry),
        _ => {
            let words: Vec<&str> = begin.into_iter().map(word).collect();
            Err(format!("ambiguous {kind}: {}", words.join(", ")))
        }
    }
}

/// The usage line of a command, or that of the tool and the commands there are.
pub fn synopsis(command: Option<&Command>) -> String {
    let usage = "usage: threatstopctl [-jV] [-s socket]";
    let Some(command) = command else {
        let commands: Vec<String> = COMMANDS.iter().map(form).collect();
        return format!("{usage} command [argument ...]\ncommands:\n\t{}", commands.join("\n\t"));
    };
    format!("{usage} {}", form(command))
}

/// The options that stand alone, and those with a value and what that is called.
pub fn options(command: &Command) -> (String, Vec<(char, &'static str)>) {
    let letters = |values| {
        let mut letters: Vec<char> = command.options.chars().collect();
        letters.retain(|letter| takes_value(command.options, *letter) == Some(values));
        letters
    };
    let value = |letter: char| {
        let named = VALUES.iter().find(|(named, _)| *named == letter);
        (letter, named.map_or("value", |(_, value)| value))
    };
    (letters(false).into_iter().collect(), letters(true).into_iter().map(value).collect())
}

/// A command with its options and operands, as usage shows it.
fn form(command: &Command) -> String {
    let Command { word, operands, .. } = command;
    let (alone, valued) = options(command);
    let mut options = if alone.is_empty() { alone } else { format!(" [-{alone}]") };
    options.extend(valued.iter().map(|(letter, value)| format!(" [-{letter} {value}]")));
    match operands {
        Operands::None(_) => format!("{word}{options}"),
        Operands::One(name, _) => format!("{word}{options} {name}"),
        Operands::Any(name, _) => format!("{word}{options} [{name} ...]"),
        Operands::Word(table) => {
            let words: Vec<&str> = table.iter().map(|(word, _)| *word).collect();
            format!("{word}{options} {}", words.join("|"))
        }
    }
}

#[cfg(test)]
mod tests;
