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
    assert!(Journal::load(dir.path()).unwrap_err().ends_with(", at line 1, column 35"));
}

/// What 0.1.0 left, whose counters had nothing that went.
#[test]
fn what_0_1_0_has_saved_is_loaded() {
    let dir = tempfile::tempdir().unwrap();
    let text = r#"{"next":2,"position":{"cursor":{"file":
        "384b0c6b000000008c0000008c000000d74954e736d42090","offset":109224},"finished":[]},
        "hits":{"since":1795967800,"total":{"in":2,"out":1,"last":1795967803},
        "addresses":[["198.51.100.1",{"in":1,"out":1,"last":1795967803}],
        ["2001:db8::1",{"in":1,"out":0,"last":1795967802}]],
        "lists":[["basic.threatstop.local",{"in":2,"out":1,"last":1795967803}]],
        "protocols":[],"ports":[[[6,22],{"in":2,"out":1,"last":1795967803}]]},
        "ahead":null,"dropped":0,"gaps":0,"damaged":0,"damaged_file":null,
        "last":{"at":1795967804,"ok":true,"text":"confirmed"},"last_good":1795967804,"uploaded":2,
        "failed":0}"#;
    std::fs::write(dir.path().join(FILE), text).unwrap();
    let journal = Journal::load(dir.path()).unwrap();
    let of_list = journal.hits.lists.count("basic.threatstop.local").unwrap();
    assert_eq!((of_list.r#in, of_list.out, of_list.last), (2, 1, 1_795_967_803));
    assert_eq!([journal.hits.addresses.len(), journal.hits.ports.len()], [2, 1]);
    assert_eq!(journal.position.cursor.map(|cursor| cursor.offset), Some(109_224));
    journal.save(dir.path()).unwrap();
    assert_eq!(Journal::load(dir.path()), Ok(journal));
    std::fs::write(dir.path().join(FILE), r#"{"hits":{"lists":[1,2,3]}}"#).unwrap();
    assert!(Journal::load(dir.path()).unwrap_err().ends_with(", at line 1, column 25"));
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
