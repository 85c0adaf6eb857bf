use super::*;

const NOW: u64 = 1_800_000_000;

#[test]
fn the_same_is_told_once_a_day() {
    let told = Told::default();
    let heard: Vec<u64> =
        (0..72).filter(|hour| told.is_news("s", "no", NOW + hour * 3600)).collect();
    assert_eq!(heard, [0, 24, 48]);
    assert!(told.is_news("s", "another reason", NOW + 71 * 3600));
    told.forget("s");
    assert!(told.is_news("s", "no", NOW + 71 * 3600));
    // set back by a week: nothing is silenced until it is that day again
    assert!(!told.is_news("s", "no", NOW + 71 * 3600) && told.is_news("s", "no", NOW - 604_800));
}

/// A server that says something else each time fills no log.
#[test]
fn ever_new_reasons_are_few_a_day() {
    let told = Told::default();
    let news = (0..10 * 24)
        .filter(|hour| told.is_news("s", &format!("request {hour}"), NOW + hour * 3600));
    assert_eq!(news.count(), 10 * MOST);
}

/// Fails when what is said of one list silences another, or what comes again after it was well.
#[test]
fn each_subject_is_told_by_itself() {
    let told = Told::default();
    assert!(told.is_news("list a", "held", NOW) && told.is_news("list b", "held", NOW));
    assert!(!told.is_news("list a", "held", NOW));
    assert!(told.is_news("list a", "refused", NOW));
    told.forget("list b");
    assert!(told.is_news("list b", "held", NOW) && !told.is_news("list a", "refused", NOW));
}
