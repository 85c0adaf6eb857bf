use std::collections::BTreeMap;

use nix::errno::Errno;

use super::*;

fn scratch(limit: usize) -> (tempfile::TempDir, Simulated) {
    let scratch = tempfile::tempdir().unwrap();
    let pf = Simulated::open(scratch.path(), limit).unwrap();
    (scratch, pf)
}

#[test]
fn a_table_is_replaced_as_in_the_kernel() {
    let (scratch, pf) = scratch(100);
    let table = table("T");
    assert_eq!((pf.running(), pf.stats(&table)), (Ok(true), Ok(TableStat::default())));
    assert_eq!(pf.list(&table).unwrap_err().errno, Errno::ESRCH);
    let created = Changes { created: true, added: 3, ..Changes::default() };
    let three = set("1.1.1.1 2.0.0.0/8 ::1");
    assert_eq!(pf.replace(&table, &three, true), Ok(created));
    assert!(names(scratch.path()).is_empty());
    assert_eq!(pf.replace(&table, &three, false), Ok(created));
    let five = set("1.1.1.1 2.0.0.0/9 3.3.3.3 ::1 ::2");
    let changes = Changes { added: 3, deleted: 1, ..Changes::default() };
    assert_eq!(pf.replace(&table, &five, true), Ok(changes));
    assert_eq!(texts(&pf.list(&table).unwrap()), "1.1.1.1 2.0.0.0/8 ::1");
    assert_eq!(pf.replace(&table, &five, false), Ok(changes));
    assert_eq!(pf.replace(&table, &five, false), Ok(Changes::default()));
    let stats = pf.stats(&table).unwrap();
    assert!(stats.present && stats.since > 1_700_000_000);
    assert_eq!((stats.entries, stats.rules, stats.anchors, stats.blocked), (5, 1, 0, [0, 0]));
    let text = std::fs::read_to_string(scratch.path().join("T.simulated")).unwrap();
    assert_eq!(text, "1.1.1.1\n2.0.0.0/9\n3.3.3.3\n::1\n::2\n");
}

#[test]
fn the_limit_counts_old_and_new_of_all_tables() {
    let (scratch, pf) = scratch(6);
    plant(scratch.path(), "other.simulated", "9.9.9.9\n");
    pf.replace(&table("T"), &set("1.1.1.1 2.2.2.2"), false).unwrap();
    // 1 other + 2 old + 3 new
    pf.replace(&table("T"), &set("3.3.3.3 4.4.4.4 5.5.5.5"), true).unwrap();
    let four = set("3.3.3.3 4.4.4.4 5.5.5.5 6.6.6.6");
    for dummy in [true, false] {
        let error = pf.replace(&table("T"), &four, dummy).unwrap_err();
        assert_eq!(error, failed("T", "DIOCRSETADDRS")(Errno::ENOMEM));
    }
    assert_eq!(texts(&pf.list(&table("T")).unwrap()), "1.1.1.1 2.2.2.2");
    pf.replace(&table("T"), &set("1.1.1.1 2.2.2.2 3.3.3.3 4.4.4.4 5.5.5.5"), false).unwrap();
    assert_eq!(pf.replace(&table("U"), &set("1.1.1.1"), true).unwrap_err().errno, Errno::ENOMEM);
}

#[test]
fn what_is_no_table_is_an_empty_one_and_is_replaced() {
    let (scratch, pf) = scratch(100);
    for spoilt in ["2.2.2.2\n1.1.1.1\n", "no prefix\n", "\0"] {
        plant(scratch.path(), "T.simulated", spoilt);
        assert_eq!(pf.stats(&table("T")).unwrap().entries, 0, "{spoilt:?}");
        assert_eq!(pf.list(&table("T")), Ok(Vec::new()));
        for set in ["3.3.3.3", ""] {
            plant(scratch.path(), "T.simulated", spoilt);
            pf.replace(&table("T"), &super::set(set), false).unwrap();
            let text = std::fs::read_to_string(scratch.path().join("T.simulated")).unwrap();
            assert_eq!(text.trim(), set);
        }
    }
}

#[test]
fn what_is_not_canonical_is_refused_whole() {
    let (_scratch, pf) = scratch(100);
    pf.replace(&table("T"), &set("1.1.1.1"), false).unwrap();
    let spoil: [fn(&mut PfrAddr); 5] = [
        |addr| addr.net = 23,
        |addr| addr.addr[15] = 1,
        |addr| addr.af = 10, // Linux's AF_INET6
        |addr| addr.marks[1] = 2,
        |addr| addr.marks[0] = 2,
    ];
    for spoil in spoil {
        let mut odd = set("1.1.1.0/24 9.9.9.0/24");
        spoil(&mut odd[1]);
        for dummy in [true, false] {
            let error = pf.replace(&table("T"), &odd, dummy).unwrap_err();
            assert_eq!(error.errno, Errno::EINVAL);
        }
    }
    assert_eq!(texts(&pf.list(&table("T")).unwrap()), "1.1.1.1");
}

#[test]
fn a_file_says_what_else_this_pf_is_like() {
    let (scratch, pf) = scratch(100);
    plant(scratch.path(), "simulated.conf", "securelevel 2\n");
    assert!(pf.replace(&table("T"), &set("1.1.1.1"), true).unwrap().created);
    let error = pf.replace(&table("T"), &set("1.1.1.1"), false).unwrap_err();
    assert_eq!(error, failed("T", "DIOCRADDTABLES")(Errno::EPERM));
    std::fs::remove_file(scratch.path().join("simulated.conf")).unwrap();
    pf.replace(&table("T"), &set("1.1.1.1"), false).unwrap();
    pf.replace(&table("U"), &set("1.1.1.1"), false).unwrap();

    plant(scratch.path(), "simulated.conf", "disabled\nunused T\nsecurelevel 2\nconst U\n");
    pf.replace(&table("T"), &set("2.2.2.2"), false).unwrap();
    let error = pf.replace(&table("U"), &set("2.2.2.2"), false).unwrap_err();
    assert_eq!(error.errno, Errno::EPERM);
    assert_eq!(pf.list(&table("U")).unwrap_err().errno, Errno::EPERM);
    assert_eq!(pf.running(), Ok(false));
    let rules = ["T", "U"].map(|name| pf.stats(&table(name)).unwrap().rules);
    assert_eq!(rules, [0, 1]);
}

#[test]
fn an_edited_table_is_noticed() {
    let (scratch, pf) = scratch(100);
    pf.replace(&table("T"), &set("1.1.1.1 2.2.2.2"), false).unwrap();
    plant(scratch.path(), "T.simulated", "1.1.1.1\n");
    assert_eq!(pf.stats(&table("T")).unwrap().entries, 1);
    let changes = pf.replace(&table("T"), &set("1.1.1.1 2.2.2.2"), true).unwrap();
    assert_eq!(changes, Changes { added: 1, ..Changes::default() });
}

/// What the kernel would say, by its rules written down once more and naively.
fn oracle(
    tables: &mut BTreeMap<usize, Vec<PfrAddr>>,
    limit: usize,
    (table, dummy, new): &(usize, bool, Vec<PfrAddr>),
) -> std::result::Result<(bool, usize, usize), Errno> {
    let total: usize = tables.values().map(Vec::len).sum();
    let old = tables.get(table).cloned();
    let added = new.iter().filter(|addr| !old.iter().flatten().any(|old| old == *addr)).count();
    let deleted = old.iter().flatten().filter(|old| !new.contains(old)).count();
    if total + added > limit {
        return Err(Errno::ENOMEM);
    }
    if !dummy {
        tables.insert(*table, new.clone());
    }
    Ok((old.is_none(), added, deleted))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn it_answers_as_the_kernel_would(
        limit in 0usize..40,
        calls in proptest::collection::vec((0usize..3, any::<bool>(), small_set()), 1..12)
    ) {
        let (_scratch, pf) = scratch(limit);
        let mut tables = BTreeMap::new();
        for call in calls {
            let (number, dummy, new) = &call;
            let table = table(&format!("T{number}"));
            let answer = pf.replace(&table, new, *dummy);
            let expected = oracle(&mut tables, limit, &call);
            prop_assert_eq!(
                answer.map(|c| (c.created, c.added as usize, c.deleted as usize)).map_err(|error| error.errno),
                expected
            );
            let stats = pf.stats(&table).unwrap();
            prop_assert_eq!(stats.present, tables.contains_key(number));
            if let Some(content) = tables.get(number) {
                prop_assert_eq!(&pf.list(&table).unwrap(), content);
                prop_assert_eq!(stats.entries as usize, content.len());
            }
        }
    }
}
