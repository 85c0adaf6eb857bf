use super::*;

fn print(number: u8) -> Fingerprint {
    [number; 24].into()
}

#[test]
fn a_file_that_is_left_is_finished() {
    let mut position = Position::default();
    position.enter(print(1), 24);
    position.enter(print(1), 500);
    assert!(!position.has_finished(print(1)));
    assert_eq!(position.offset_in(print(1)), Some(500));
    position.enter(print(2), 24);
    assert!(position.has_finished(print(1)) && position.offset_in(print(1)).is_none());
    for number in 3..100 {
        position.enter(print(number), 24);
    }
    assert_eq!(position.finished.len(), FINISHED);
    assert!(position.has_finished(print(98)) && !position.has_finished(print(2)));
}

#[test]
fn what_is_saved_is_loaded() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(Journal::load(dir.path()), Ok(Journal::default()));
    let mut journal = Journal { next: 7, dropped: 3, ..Journal::default() };
    journal.position.enter(print(9), 24);
    journal.position.enter(print(0xab), 4711);
    journal.save(dir.path()).unwrap();
    assert_eq!(Journal::load(dir.path()), Ok(journal));
    std::fs::write(dir.path().join(FILE), "{").unwrap();
    assert!(Journal::load(dir.path()).unwrap_err().contains(FILE));
    let wrong = r#"{"position":{"cursor":{"file":"xyz","offset":1}}}"#;
    std::fs::write(dir.path().join(FILE), wrong).unwrap();
    assert!(Journal::load(dir.path()).unwrap_err().contains("48 hexadecimal"));
}
