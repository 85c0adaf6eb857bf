use super::*;

#[test]
fn a_run_counts_half_an_interval_after_the_last() {
    let hour = Duration::from_secs(3600);
    let counts = |at, now| Row::default().after(HeldRuns::default(), at).may_count(now, hour);
    assert!(counts(None, 10_000));
    assert!(!counts(Some(10_000), 10_000));
    assert!(!counts(Some(10_000), 11_799));
    assert!(counts(Some(10_000), 11_800));
    // the clock was set back
    assert!(counts(Some(10_000), 9_999));
}

#[test]
fn changes_are_told_apart_by_number_and_have_their_true_time() {
    let mut memory = Memory::default();
    let order = |memory: &Memory| ["block", "allow"].map(|word| memory.table(word).order);
    let set = PrefixSet::default();
    memory.note_change("block", Some(memory.next_order()), 1000, None);
    memory.note_change("allow", Some(memory.next_order()), 1000, Some(&set));
    assert_eq!(order(&memory), [1, 2]);
    assert!(memory.table("block").was_first && !memory.table("allow").was_first);
    // the clock was set back
    memory.note_change("block", Some(memory.next_order()), 500, Some(&set));
    assert_eq!((order(&memory), memory.table("block").changed), ([3, 2], Some(500)));
    // what changes a table besides is not what is told apart
    memory.note_change("allow", None, 600, Some(&set));
    assert_eq!((order(&memory), memory.table("allow").changed), ([3, 2], Some(600)));
}

/// Fails when a run that changes a table twice forgets that it had no set before the run.
#[test]
fn a_run_may_change_a_table_more_than_once() {
    let mut memory = Memory::default();
    for (at, before) in [(1000, None), (1005, Some(&PrefixSet::default()))] {
        memory.note_change("block", Some(1), at, before);
    }
    let block = memory.table("block");
    assert_eq!((block.changed, block.order, block.was_first), (Some(1005), 1, true));
}

/// Fails when what a version with two tables remembered is lost.
#[test]
fn what_was_remembered_of_two_tables_is_taken_over() {
    let directory = tempfile::tempdir().unwrap();
    let text = r#"{"first_start":7,"changed":[9,null],"order":[3,0],"was_first":[true,false],
        "mended":[null,{"at":5,"text":"x"}],
        "held":[{"since":8,"text":"y","can_force":true,"of_service":true},null],
        "held_rows":[{"at":8},{}]}"#;
    std::fs::write(directory.path().join(FILE), text).unwrap();
    let memory = load(directory.path(), drop);
    let block = memory.table("block");
    assert_eq!((block.changed, block.order, block.was_first), (Some(9), 3, true));
    let held = block.held.unwrap();
    assert_eq!(held.text, "y");
    assert_eq!(memory.row("block", "policy").at, Some(8));
    // without the service nobody knows whether that is over
    assert_eq!(held.of, ["policy".to_owned()].into());
    assert_eq!(memory.table("allow").mended.unwrap().text, "x");
    save(directory.path(), &memory).unwrap();
    assert_eq!(load(directory.path(), drop), memory);
}

/// Fails when runs are forgotten that a version counted which had one row for all sources of a table. The
/// version before reads what this one writes, but for the rows, which begin anew.
#[test]
fn the_row_of_a_table_is_that_of_each_source_at_fault() {
    let directory = tempfile::tempdir().unwrap();
    let text = r#"{"tables":{"block":{"held":{"since":8,"text":"y","can_force":true,"of":["a","b"]},
        "held_row":{"last":[4,4,0],"at":8}},"allow":{"held_row":{}}}}"#;
    std::fs::write(directory.path().join(FILE), text).unwrap();
    let memory = load(directory.path(), drop);
    let row = Row { last: Some([4, 4, 0]), at: Some(8), before: None };
    assert_eq!(memory.table("block").rows, ["a", "b"].map(|name| (name.to_owned(), row)).into());
    assert!(memory.table("allow").rows.is_empty());
    save(directory.path(), &memory).unwrap();
    assert_eq!(load(directory.path(), drop), memory);
    let kept = std::fs::read_to_string(directory.path().join(FILE)).unwrap();
    assert!(!kept.contains("held_row"), "{kept}");
}

/// Fails when a device is said to have been without a policy since 1970, or when the next thing to be remembered
/// is the end of what could not be read.
#[test]
fn what_cannot_be_read_begins_now_and_is_put_aside() {
    for is_damaged in [true, false] {
        let directory = tempfile::tempdir().unwrap();
        let [file, aside] = [FILE, "state.json.unread.1"].map(|name| directory.path().join(name));
        match is_damaged {
            true => std::fs::write(&file, "{").unwrap(),
            false => std::fs::create_dir(&file).unwrap(),
        }
        let (now, told) = (crate::clock::now(), std::cell::RefCell::new(String::new()));
        let memory = load(directory.path(), |text| drop(told.replace(text)));
        assert!(memory.first_start >= now);
        assert!(told.take().ends_with("publish again; the file is state.json.unread.1 now"));
        save(directory.path(), &memory).unwrap();
        assert_eq!(load(directory.path(), drop).first_start, memory.first_start);
        match is_damaged {
            true => assert_eq!(std::fs::read_to_string(&aside).unwrap(), "{"),
            false => assert!(aside.is_dir()),
        }
    }
}
