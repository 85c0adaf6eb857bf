use super::{Stamp, month_and_day, put};
use crate::text::{MAX_TEXT, Text};

fn stamp(style: Stamp, zone: i32, seconds: u32, micros: u32) -> String {
    let mut room = [0; MAX_TEXT];
    let mut text = Text::new(&mut room);
    put(&mut text, style, zone, seconds, micros);
    String::from_utf8(text.written().to_vec()).unwrap()
}

#[test]
fn the_three_styles() {
    assert_eq!(stamp(Stamp::Time, 0, 1_700_000_000, 226_823), "22:13:20.226823 ");
    assert_eq!(stamp(Stamp::Date, 0, 1_700_000_000, 226_823), "Nov 14 22:13:20.226823 ");
    assert_eq!(stamp(Stamp::Epoch, 0, 1_700_000_000, 226_823), "1700000000.226823 ");
    assert_eq!(stamp(Stamp::Epoch, 0, 7, 8), "7.000008 ");
}

#[test]
fn local_time_is_a_constant_away() {
    assert_eq!(stamp(Stamp::Time, 3600, 1_700_000_000, 0), "23:13:20.000000 ");
    assert_eq!(stamp(Stamp::Time, 2 * 3600, 1_700_000_000, 0), "00:13:20.000000 ");
    assert_eq!(stamp(Stamp::Date, 2 * 3600, 1_700_000_000, 0), "Nov 15 00:13:20.000000 ");
    assert_eq!(stamp(Stamp::Date, -5 * 3600, 0, 0), "Dec 31 19:00:00.000000 ");
    assert_eq!(stamp(Stamp::Epoch, 3600, 0, 0), "0.000000 ");
}

#[test]
fn damaged_microseconds_are_printed_as_they_are() {
    assert_eq!(stamp(Stamp::Time, 0, 0, 1_000_000), "00:00:00.1000000 ");
    assert_eq!(stamp(Stamp::Epoch, 0, u32::MAX, u32::MAX), "4294967295.4294967295 ");
}

#[test]
fn every_day_of_the_epoch() {
    const LENGTHS: [u32; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    const NAMES: [&str; 12] = [
        "Jan ", "Feb ", "Mar ", "Apr ", "May ", "Jun ", "Jul ", "Aug ", "Sep ", "Oct ", "Nov ",
        "Dec ",
    ];
    let mut day = 0;
    for year in 1970..2107 {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        for (month, name) in NAMES.iter().enumerate() {
            let length = LENGTHS[month] + u32::from(leap && month == 1);
            for of_month in 1..=length {
                assert_eq!(month_and_day(day), (*name, of_month), "day {day}");
                day += 1;
            }
        }
    }
}
