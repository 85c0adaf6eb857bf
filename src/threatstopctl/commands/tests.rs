use super::*;

fn lookup(given: &str) -> Result<&'static str, String> {
    find(COMMANDS, |command| (command.word, command.in_full), OsStr::new(given), "command")
        .map(|found| found.word)
}

#[test]
fn words_stand_in_order_and_once() {
    assert!(COMMANDS.is_sorted_by(|one, next| one.word < next.word));
    for command in COMMANDS {
        match command.operands {
            Operands::Word(table) => assert!(table.is_sorted_by(|one, next| one.0 < next.0)),
            Operands::Shown(words, ..) => assert!(words.is_sorted_by(|one, next| one.0 < next.0)),
            _ => {}
        }
    }
}

#[test]
fn every_beginning_of_a_word_finds_it_or_is_ambiguous() {
    for command in COMMANDS {
        for end in 0..=command.word.len() {
            let begin = &command.word[..end];
            let others = COMMANDS.iter().filter(|other| other.word.starts_with(begin)).count();
            match lookup(begin) {
                Ok(found) => assert_eq!((found, others), (command.word, 1)),
                Err(why) if command.in_full && others == 1 => {
                    assert_eq!(why, format!("{} has to be written in full", command.word));
                }
                Err(why) => assert!(others > 1 && why.contains(command.word), "{begin}: {why}"),
            }
        }
    }
}

/// Fails when something that changes much can be done by a slip of the keyboard.
#[test]
fn what_changes_much_is_written_in_full() {
    let in_full = ["allow", "block", "flush", "forget", "rollback"];
    for command in COMMANDS {
        assert_eq!(command.in_full, in_full.contains(&command.word), "{}", command.word);
    }
    assert_eq!(lookup("rollback"), Ok("rollback"));
    assert_eq!(lookup("rol"), Err("rollback has to be written in full".into()));
}

#[test]
fn a_whole_word_is_not_ambiguous() {
    let table = ["log", "logfile"];
    assert_eq!(find(&table, |word| (word, false), OsStr::new("log"), "word"), Ok(&"log"));
    assert_eq!(find(&table, |word| (word, false), OsStr::new("logf"), "word"), Ok(&"logfile"));
    let why = find(&table, |word| (word, false), OsStr::new("lo"), "word");
    assert_eq!(why, Err("ambiguous word: log, logfile".into()));
}

/// Fails when a table whose name begins a word cannot be asked for, or a word cannot be shortened.
#[test]
fn what_begins_a_word_may_be_a_table_too() {
    let words = [("block", Show::Block), ("diff", Show::Diff)];
    let of = |given: &str| shown(&words, OsStr::new(given));
    let table = |name: &str, or| Ok(Request::Table { name: name.into(), or });
    assert_eq!(of("block"), Ok(Request::Show { what: Show::Block }));
    assert_eq!(of("bl"), table("bl", Some(Show::Block)));
    assert_eq!(of("Bl"), table("Bl", None));
    assert_eq!(of("blocked"), table("blocked", None));
    assert_eq!(of(""), Err("ambiguous word: block, diff".into()));
}

#[test]
fn what_is_no_word_is_refused() {
    for given in ["stop", "statuss", "Status", "-", "é", " "] {
        assert_eq!(lookup(given), Err("unknown command".into()), "{given}");
    }
}

#[test]
fn usage_lists_the_commands() {
    let tool = "usage: threatstopctl [-jV] [-s socket] command [argument ...]
commands:
\tallow [-t duration] prefix [reason]
\tblock [-t duration] prefix [reason]
\tcapture address:port
\tdecode [-t time|date|epoch] [file ...]
\tdoctor [-f file]
\tflush [-n] [-f file]
\tforget [-a] [prefix]
\timport file
\tlog brief|verbose
\tmetrics
\treload
\treport [-H] [-d days]
\trollback
\tsetup [-b] [-f file]
\tshow [-v] [-o format] [-z name] allow|block|diff|hits|lists|own|table ...
\tstatus [-q]
\ttest
\tupdate [-fn] [source ...]
\tupload [-n]
\twatch [-e number]
\twhy address ...";
    assert_eq!(synopsis(None), tool);
    let update = COMMANDS.iter().find(|command| command.word == "update");
    assert_eq!(
        synopsis(update),
        "usage: threatstopctl [-jV] [-s socket] update [-fn] [source ...]"
    );
}

/// Fails when a misuse of `status -q` is taken for nobody who answers.
#[test]
fn a_misuse_is_told_however_quiet_a_command_is() {
    let tool = Tool { json: false, socket: "/nowhere".into() };
    for (words, quiet, status) in [("status -q", true, 2), ("status -q x", false, 1)] {
        let mut manner = Manner::default();
        run(&tool, words.split(' ').map(OsString::from).collect(), &mut manner).unwrap_err();
        assert_eq!((manner.quiet, manner.status), (quiet, status), "{words}");
    }
}
