use super::*;

fn name(text: &str) -> ListName {
    ListName::parse(text).unwrap()
}

#[test]
fn text_is_read_with_or_without_the_final_dot() {
    assert_eq!(name("basic.threatstop.local."), name("Basic.ThreatSTOP.local"));
    assert_eq!(name("basic.threatstop.local.").to_string(), "basic.threatstop.local");
}

#[test]
fn text_that_is_no_name_is_refused() {
    assert_eq!(ListName::parse(""), Err(NameError::EmptyLabel));
    assert_eq!(ListName::parse("."), Err(NameError::EmptyLabel));
    assert_eq!(ListName::parse("a..b"), Err(NameError::EmptyLabel));
    assert_eq!(ListName::parse("a b"), Err(NameError::Character(' ')));
    assert_eq!(
        NameError::Character('\u{1b}').to_string(),
        "\"\\u{1b}\" is not possible in the name of a list"
    );
    assert_eq!(ListName::parse("ä.local"), Err(NameError::Character('ä')));
    assert_eq!(ListName::parse(&"a".repeat(64)), Err(NameError::TooLong));
    assert_eq!(ListName::parse(&"a.".repeat(128)), Err(NameError::TooLong));
}

#[test]
fn below_a_suffix() {
    let suffix = name("threatstop.local");
    assert!(name("1.basic.ThreatStop.LOCAL").is_below(&suffix));
    assert!(!name("threatstop.local").is_below(&suffix));
    assert!(!name("evilthreatstop.local").is_below(&suffix));
    assert!(!name("local").is_below(&suffix));
}

#[test]
fn numbers_go_to_the_first_label() {
    assert_eq!(name("basic.threatstop.local").numbered(12), Some(name("basic12.threatstop.local")));
    assert_eq!(name(&"a".repeat(63)).numbered(1), None);
}

#[test]
fn octets_that_could_harm_a_terminal_are_escaped() {
    let wire = Name::from_labels([b"a\x1b[31m.\\".as_slice(), b"\xff local"]).unwrap();
    let name = ListName::from_wire(wire).unwrap();
    assert_eq!(name.to_string(), "a\\027[31m\\.\\\\.\\255\\032local");
}
