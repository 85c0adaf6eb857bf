use std::cell::Cell;

use super::*;

/// 2026-03-29 01:00 UTC: the clocks of Berlin go from 2 to 3.
const CHANGE: u32 = 1_774_746_000;

fn record(seconds: u32) -> Record<'static> {
    Record { offset: 0, end: 0, seconds, micros: 0, len: 0, data: &[] }
}

#[test]
fn each_record_has_the_local_time_of_its_own_moment() {
    let asked = Cell::new(0);
    let berlin = |at: u32| {
        asked.set(asked.get() + 1);
        if at < CHANGE { 3600 } else { 7200 }
    };
    let mut printer = Printer::new(Stamp::Date, 0);
    let mut text = Lines::default();
    for seconds in [CHANGE - 600, CHANGE - 1, CHANGE, CHANGE + 1, CHANGE + 899, CHANGE - 1] {
        printer.follow_zone(seconds, berlin);
        printer.print(&record(seconds), &mut text);
    }
    let times: Vec<String> = String::from_utf8(text.to_vec())
        .unwrap()
        .lines()
        .map(|line| line.split(' ').nth(2).unwrap().to_owned())
        .collect();
    let expected = ["01:50:00", "01:59:59", "03:00:00", "03:00:01", "03:14:59", "01:59:59"];
    assert!(times.iter().zip(expected).all(|(time, begin)| time.starts_with(begin)), "{times:?}");
    assert_eq!(asked.get(), 3, "once for each quarter of an hour, and once on the way back");
}

/// As tcpdump, which takes the offset when it starts.
#[test]
fn a_printer_left_alone_keeps_its_offset() {
    let mut printer = Printer::new(Stamp::Time, 3600);
    let mut text = Lines::default();
    printer.print(&record(CHANGE - 1), &mut text);
    printer.print(&record(CHANGE), &mut text);
    assert_eq!(&*text, b"01:59:59.000000 [|pflog]\n02:00:00.000000 [|pflog]\n");
}
