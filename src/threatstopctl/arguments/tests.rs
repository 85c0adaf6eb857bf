use proptest::prelude::*;

use super::*;

fn parse(options: &str, words: &[&str]) -> Result<Arguments, Misuse> {
    Arguments::parse(options, words.iter().map(OsString::from).collect())
}

#[test]
fn letters_may_be_grouped_and_values_may_stand_behind_them() {
    for words in
        [&["-j", "-s", "path", "status"][..], &["-jspath", "status"], &["-js", "path", "status"]]
    {
        let found = parse("jVs:", words).unwrap();
        assert!(found.has('j') && !found.has('V'));
        assert_eq!(found.value('s'), Some(OsStr::new("path")));
        assert_eq!(found.operands, ["status"]);
    }
}

#[test]
fn the_last_value_counts_and_equals_signs_belong_to_it() {
    let found = parse("s:", &["-s", "one", "-s=two"]).unwrap();
    assert_eq!(found.value('s'), Some(OsStr::new("=two")));
}

#[test]
fn the_first_operand_or_two_dashes_end_the_options() {
    assert_eq!(parse("fn", &["-f", "one", "-n", "--"]).unwrap().operands, ["one", "-n", "--"]);
    assert_eq!(parse("fn", &["-f", "--", "-n"]).unwrap().operands, ["-n"]);
    assert_eq!(parse("fn", &["-", "-n"]).unwrap().operands, ["-", "-n"]);
    assert!(!parse("fn", &["-f", "--", "-n"]).unwrap().has('n'));
}

#[test]
fn what_is_no_option_is_named() {
    let misuse = |option: &str, why| Err(Misuse { option: option.into(), why });
    assert_eq!(parse("js:", &["-jx"]), misuse("-x", "unknown option"));
    let mut found = Arguments::default();
    found.read("js:", ["-jx"].map(OsString::from).to_vec()).unwrap_err();
    assert!(found.has('j'));
    assert_eq!(parse("js:", &["-:"]), misuse("-:", "unknown option"));
    assert_eq!(parse("js:", &["--json"]), misuse("--json", "unknown option"));
    assert_eq!(parse("js:", &["--json=yes"]), misuse("--json", "unknown option"));
    assert_eq!(parse("js:", &["-j=yes"]), misuse("-=", "unknown option"));
    assert_eq!(parse("js:", &["-s"]), misuse("-s", "needs an argument"));
}

proptest! {
    /// Whatever the words are, operands are the last of them, unchanged.
    #[test]
    fn operands_are_the_last_words(words in prop::collection::vec("-?[-a-z:=é]{0,3}", 0..6)) {
        let given: Vec<OsString> = words.iter().map(OsString::from).collect();
        if let Ok(found) = Arguments::parse("ab:c", given.clone()) {
            prop_assert!(given.ends_with(&found.operands));
        }
    }
}
