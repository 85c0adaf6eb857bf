use super::*;

/// A set of so many hosts of each family.
fn set(v4: u8, v6: u8) -> PrefixSet {
    let v4 = (0..v4).map(|host| prefix::Prefix4::host(host.into()));
    let v6 = (0..v6).map(|host| prefix::Prefix6::host(host.into()));
    PrefixSet::new(v4.collect(), v6.collect()).unwrap()
}

#[test]
fn ages_are_read_as_they_were_kept() {
    let dir = tempfile::tempdir().unwrap();
    let load = |v4, v6| load(dir.path(), "block", &set(v4, v6));
    assert_eq!(load(20, 3), Ok(None));
    let (v4, v6) = ((0..20).map(|host| host / 7).collect(), [u32::MAX, 0, 0].into_iter().collect());
    let since = Since::from_parts(&set(20, 3), v4, v6).unwrap();
    save(dir.path(), "block", &set(20, 3), &since).unwrap();
    assert_eq!(load(20, 3), Ok(Some(since)));
    assert_eq!(load(19, 4), Ok(None));
}

/// Fails when an engine that ended before it kept the times of the next set takes those of the one before, where
/// as many entries came as went.
#[test]
fn times_of_as_many_other_entries_are_of_another_set() {
    let dir = tempfile::tempdir().unwrap();
    // more than are packed at once
    let set = |v4: u32, v6: u128| {
        let v4 = (0..10_000).chain([v4]).map(prefix::Prefix4::host);
        PrefixSet::new(v4.collect(), vec![prefix::Prefix6::host(v6)]).unwrap()
    };
    let since = Since::new(&set(20_000, 1), 7);
    save(dir.path(), "block", &set(20_000, 1), &since).unwrap();
    let load = |set| load(dir.path(), "block", &set);
    assert_eq!(load(set(20_000, 1)), Ok(Some(since)));
    assert_eq!(load(set(20_001, 1)), Ok(None));
    assert_eq!(load(set(20_000, 2)), Ok(None));
}

/// Fails when ages are believed that are of another form, or that say one thing and have another: an octet for
/// an age would be enough to tell somebody a wrong time.
#[test]
fn what_is_of_another_form_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let is_damaged = |head: &str, octets: &[u8]| {
        let text = [head.as_bytes(), b"\n", octets].concat();
        replace(dir.path(), "ages", summed(once(text)), false).unwrap();
        load(dir.path(), "block", &set(1, 0)).is_err()
    };
    let head = |entries: &str, times: &str| {
        let of = |entries, times| format!("{{\"entries\":{entries},\"times\":{times}}}");
        // of 0.0.0.0/32
        let (set, v4, v6) = (0xfd4c_d7d5_u32, of(entries, times), of("0", "0"));
        format!("{{\"set\":{set},\"v4\":{v4},\"v6\":{v6}}}")
    };
    let all = usize::MAX.to_string();
    assert!(!is_damaged(&head("1", "1"), &[1, 7, 0, 0, 0]));
    for octets in [&[1, 7, 0, 0][..], &[1, 7, 0, 0, 0, 0], &[0, 7, 0, 0, 0], &[3, 7, 0, 0, 0], &[]]
    {
        assert!(is_damaged(&head("1", "1"), octets), "{octets:?}");
    }
    assert!(is_damaged(&head(&all, "1"), &[1, 7, 0, 0, 0]));
    assert!(is_damaged(&head("1", &all), &[1, 7, 0, 0, 0]));
    // a time for each entry
    assert!(is_damaged("{\"set\":0,\"v4\":1,\"v6\":0}", &[7, 0, 0, 0]));
}
