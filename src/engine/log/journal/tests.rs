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

/// Fails when a clock that is years ahead for some hours counts, or a right one never does.
#[test]
fn a_clock_counts_when_it_has_gone_on_for_a_day() {
    const NOW: u64 = 1_800_000_000;
    let mut seen = Seen::default();
    let hours = |seen: &mut Seen, from: u64, hours: std::ops::Range<u64>| {
        hours.map(|hour| seen.look(from + hour * 3600)).collect::<Vec<_>>()
    };
    assert_eq!(hours(&mut seen, NOW, 0..24), [false; 24]);
    assert_eq!(hours(&mut seen, NOW, 24..48), [true; 24]);
    // kept over a restart, and it may be set by minutes either way
    let kept = serde_json::to_vec(&seen).unwrap();
    assert_eq!(serde_json::from_slice::<Seen>(&kept).unwrap(), seen);
    assert!(seen.look(NOW + 47 * 3600 - 600) && seen.look(NOW + 47 * 3600 + 600));
    let ahead = NOW + 12 * 365 * DAY;
    assert_eq!(hours(&mut seen, ahead, 0..24), [false; 24]);
    // and back
    assert_eq!(hours(&mut seen, NOW, 72..96), [false; 24]);
    assert!(seen.look(NOW + 96 * 3600));
}
