//! The commands: their words, options and operands, and what each does.

use std::ffi::{OsStr, OsString};

use control::{Failure, Request, Show};

use crate::advice::Advice;
use crate::arguments::{Arguments, Misuse, takes_value};
use crate::capture;
use crate::decode;
use crate::doctor;
use crate::ending::Ending;
use crate::error::{Error, Manner};
use crate::export;
use crate::flush;
use crate::import;
use crate::own;
use crate::relay::{ask, relay};
use crate::reload;
use crate::report;
use crate::setup::{self, config_path};
use crate::tool::Tool;
use crate::watch;
use crate::why;

/// A command of the tool.
#[derive(Debug)]
pub struct Command {
    /// Its word.
    pub word: &'static str,
    /// Whether the word has to be written in full. Others may be shortened while no other begins
    /// so; what would do much harm is not to be done by a slip.
    pub in_full: bool,
    /// Exit status of an error: more than 1 where that is an answer.
    pub error: u8,
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
    /// One of these or more, called so.
    Some(&'static str, fn(&Tool, &Arguments) -> Result<bool, Error>),
    /// Any number of these, called so.
    Any(&'static str, fn(&Tool, &Arguments) -> Result<bool, Error>),
    /// One operand, called so, that may be missing.
    Maybe(&'static str, fn(&Tool, &Arguments) -> Result<bool, Error>),
    /// One operand, and a second one that may be missing, called so.
    Two(&'static str, &'static str, fn(&Tool, &Arguments) -> Result<bool, Error>),
    /// One of these words, which may be shortened too, and what it asks of the engine.
    Word(&'static [(&'static str, Request)]),
    /// One of these words, which may be shortened too, or the name of a table, called so; and what is
    /// done in place of that where the options say so, with any number of names.
    Shown(
        &'static [(&'static str, Show)],
        &'static str,
        fn(&Tool, &Arguments) -> Option<Result<bool, Error>>,
    ),
}

/// What an option of a command takes, as usage and manual call it.
const VALUES: &[(&str, char, &str)] = &[
    ("allow", 't', "duration"),
    ("block", 't', "duration"),
    ("decode", 't', "time|date|epoch"),
    ("doctor", 'f', "file"),
    ("flush", 'f', "file"),
    ("report", 'd', "days"),
    ("setup", 'f', "file"),
    ("show", 'o', "format"),
    ("show", 'z', "name"),
    ("watch", 'e', "number"),
];

/// All of them, in the order of the manual.
pub const COMMANDS: &[Command] = &[
    Command {
        in_full: true,
        ..command("allow", "t:", Operands::Two("prefix", "reason", own::allow))
    },
    Command {
        in_full: true,
        ..command("block", "t:", Operands::Two("prefix", "reason", own::block))
    },
    command("capture", "", Operands::One("address:port", capture::run)),
    command("decode", "t:", Operands::Any("file", decode::run)),
    command("doctor", "f:", Operands::None(doctor::run)),
    Command { in_full: true, ..command("flush", "nf:", Operands::None(flush::run)) },
    Command { in_full: true, ..command("forget", "a", Operands::Maybe("prefix", own::forget)) },
    command("import", "", Operands::One("file", import::run)),
    command(
        "log",
        "",
        Operands::Word(&[
            ("brief", Request::Log { verbose: false }),
            ("verbose", Request::Log { verbose: true }),
        ]),
    ),
    command("metrics", "", Operands::None(|tool, _| relay(tool, &Request::Metrics {}))),
    command("reload", "", Operands::None(reload::run)),
    command("report", "Hd:", Operands::None(report::run)),
    Command {
        in_full: true,
        ..command("rollback", "", Operands::None(|tool, _| relay(tool, &Request::Rollback {})))
    },
    command("setup", "bf:", Operands::None(setup::run)),
    command(
        "show",
        "vo:z:",
        Operands::Shown(
            &[
                ("allow", Show::Allow),
                ("block", Show::Block),
                ("diff", Show::Diff),
                ("hits", Show::Hits),
                ("lists", Show::Lists),
                ("own", Show::Own),
            ],
            "table",
            export::run,
        ),
    ),
    command("status", "q", Operands::None(status)),
    command("test", "", Operands::None(|tool, _| relay(tool, &Request::Test {}))),
    command("update", "fn", Operands::Any("source", update)),
    command("upload", "n", Operands::None(upload)),
    command("watch", "e:", Operands::None(watch::run)),
    Command { error: 2, ..command("why", "", Operands::Some("address", why::run)) },
];

const fn command(word: &'static str, options: &'static str, operands: Operands) -> Command {
    Command { word, in_full: false, error: 1, options, operands }
}

/// With `-q` the exit status says it all.
fn status(tool: &Tool, arguments: &Arguments) -> Result<bool, Error> {
    let request = Request::Status {};
    if !arguments.has('q') {
        return relay(tool, &request);
    }
    Ok(matches!(ask(tool, &request)?, Ending::Status(status) if status.is_well()))
}

fn update(tool: &Tool, arguments: &Arguments) -> Result<bool, Error> {
    let (force, dry_run) = (arguments.has('f'), arguments.has('n'));
    let source = |name: &OsString| {
        let name = name.to_str();
        let why = "no source of this configuration";
        name.map(ToOwned::to_owned)
            .ok_or_else(|| Error::Failed(Failure { what: "update".into(), why: why.into() }))
    };
    let sources = arguments.operands.iter().map(source).collect::<Result<_, _>>()?;
    relay(tool, &Request::Update { sources, force, dry_run })
}

fn upload(tool: &Tool, arguments: &Arguments) -> Result<bool, Error> {
    relay(tool, &Request::Upload { dry_run: arguments.has('n') })
}

/// Runs the command that `words` begin with; false when it was done and the answer is no. Sets
/// `manner` by the command and its options.
pub fn run(tool: &Tool, words: Vec<OsString>, manner: &mut Manner) -> Result<bool, Error> {
    let mut words = words.into_iter();
    let usage = |what: &str, why| misuse(None, what, why);
    let Some(word) = words.next() else {
        return Err(usage("command", "missing".into()));
    };
    let command = find(COMMANDS, |command| (command.word, command.in_full), &word, "command")
        .map_err(|why| usage(&word.to_string_lossy(), why))?;
    manner.status = command.error;
    let wrong = |why| misuse(Some(command), command.word, why);
    let of_option = |misuse: Misuse| wrong(format!("{}: {}", misuse.option, misuse.why));
    let mut arguments = Arguments::parse(command.options, words.collect()).map_err(of_option)?;
    if let Operands::Shown(..) = command.operands {
        // what is shown may have its options behind it, as if it were a command of its own
        let behind = arguments.operands.split_off(arguments.operands.len().min(1));
        arguments.read(command.options, behind).map_err(of_option)?;
    }
    if takes_value(command.options, 'f') == Some(true) {
        manner.advice = Advice::new(&tool.socket, Some(&config_path(&arguments)));
    }
    // a misuse is told all the same
    if arguments.has('q') && arguments.operands.is_empty() {
        (manner.quiet, manner.status) = (true, 2);
    }
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
        Operands::Some(name, _) if arguments.operands.is_empty() => {
            Err(wrong(format!("{name} missing")))
        }
        Operands::Some(_, run) | Operands::Any(_, run) => run(tool, &arguments),
        Operands::Maybe(_, run) => match arguments.operands.get(1) {
            None => run(tool, &arguments),
            Some(more) => Err(surplus(command, more)),
        },
        Operands::Two(name, _, run) => match arguments.operands.as_slice() {
            [] => Err(wrong(format!("{name} missing"))),
            [_] | [_, _] => run(tool, &arguments),
            [_, _, more, ..] => Err(surplus(command, more)),
        },
        Operands::Word(table) => {
            let operand = one("word")?;
            let (_, request) = find(table, |(word, _)| (*word, false), operand, "word")
                .map_err(|why| wrong(format!("{}: {why}", operand.to_string_lossy())))?;
            relay(tool, request)
        }
        Operands::Shown(words, _, other) => {
            if let Some(done) = other(tool, &arguments) {
                return done;
            }
            let operand = one("word")?;
            let request = shown(words, operand)
                .map_err(|why| wrong(format!("{}: {why}", operand.to_string_lossy())))?;
            match request {
                _ if !arguments.has('v') => relay(tool, &request),
                Request::Show { what: Show::Lists }
                | Request::Table { or: Some(Show::Lists), .. } => {
                    relay(tool, &Request::Show { what: Show::Overlaps })
                }
                _ => Err(wrong("-v: only with lists".into())),
            }
        }
    }
}

/// What asks for a word, or for the table of a name. What only begins a word may be a name as well: which
/// tables there are the engine knows.
fn shown(words: &[(&'static str, Show)], given: &OsStr) -> Result<Request, String> {
    let name = given.to_string_lossy().into_owned();
    if !words.iter().any(|(word, _)| word.starts_with(&name)) {
        return Ok(Request::Table { name, or: None });
    }
    let (word, what) = *find(words, |(word, _)| (*word, false), given, "word")?;
    Ok(match word == name {
        true => Request::Show { what },
        false => Request::Table { name, or: Some(what) },
    })
}

fn surplus(command: &Command, operand: &OsStr) -> Error {
    let why = format!("{}: one too many", operand.to_string_lossy());
    misuse(Some(command), command.word, why)
}

/// A wrong option before the command.
pub fn misused(misuse_of: Misuse) -> Error {
    misuse(None, &misuse_of.option, misuse_of.why.into())
}

/// A command line that is wrong, of a command once it is known.
fn misuse(command: Option<&Command>, what: &str, why: String) -> Error {
    Error::Usage { failure: Failure { what: what.into(), why }, synopsis: synopsis(command) }
}

/// The entry whose word is `given`, or the only one whose word begins so and need not stand in full.
fn find<'a, T>(
    table: &'a [T],
    word: fn(&T) -> (&'static str, bool),
    given: &OsStr,
    kind: &str,
) -> Result<&'a T, String> {
    let given = given.as_encoded_bytes();
    let begins = |entry: &&T| word(entry).0.as_bytes().starts_with(given);
    let begin: Vec<&T> = table.iter().filter(begins).collect();
    if let Some(entry) = begin.iter().find(|entry| word(entry).0.len() == given.len()) {
        return Ok(entry);
    }
    match begin.as_slice() {
        [] => Err(format!("unknown {kind}")),
        [entry] => match word(entry) {
            (word, true) => Err(format!("{word} has to be written in full")),
            (_, false) => Ok(entry),
        },
        _ => {
            let words: Vec<&str> = begin.into_iter().map(|entry| word(entry).0).collect();
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
        let named =
            VALUES.iter().find(|(word, named, _)| (*word, *named) == (command.word, letter));
        (letter, named.map_or("value", |(_, _, value)| value))
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
        Operands::Some(name, _) => format!("{word}{options} {name} ..."),
        Operands::Any(name, _) => format!("{word}{options} [{name} ...]"),
        Operands::Maybe(name, _) => format!("{word}{options} [{name}]"),
        Operands::Two(one, two, _) => format!("{word}{options} {one} [{two}]"),
        Operands::Word(table) => {
            let words: Vec<&str> = table.iter().map(|(word, _)| *word).collect();
            format!("{word}{options} {}", words.join("|"))
        }
        Operands::Shown(words, name, _) => {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).chain([*name]).collect();
            format!("{word}{options} {} ...", words.join("|"))
        }
    }
}

#[cfg(test)]
mod tests;
