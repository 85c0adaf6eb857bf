use super::*;

#[test]
fn waits_double_up_to_an_hour() {
    let failure = Failure { why: String::new(), slow: false, wait: None };
    let minutes: Vec<u64> =
        (1..9).map(|failures| after(failures, &failure).as_secs() / 60).collect();
    assert_eq!(minutes, [1, 2, 4, 8, 16, 32, 60, 60]);
    assert_eq!(after(u32::MAX, &failure), LONGEST);
    let slow = Failure { slow: true, ..failure.clone() };
    assert_eq!(after(1, &slow), LONGEST);
    let asked = Failure { wait: Some(Duration::from_secs(90 * 60)), ..failure };
    assert_eq!(after(1, &asked), Duration::from_secs(90 * 60));
}
