//! Time of day, for what people read. Whatever waits uses the monotonic clock of the event loop.
//!
//! * In: the clock on the wall and the monotonic one; with the feature `fault-points` how far a
//!   test has set it ahead.
//! * Out: epoch seconds, days and dates of the local time zone, waits.
//! * Never: wait by the clock on the wall, or fail at a date: what lies before 1970 is 0.

#[cfg(feature = "fault-points")]
pub mod ahead;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use imsg::process::local_offset;
use tokio::time::Instant;

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
/// The months as every date has them.
pub const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY: i64 = 24 * 60 * 60;

/// Seconds since 1970; 0 when the clock stands before.
pub fn now() -> u64 {
    since_1970().as_secs()
}

fn since_1970() -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    #[cfg(feature = "fault-points")]
    let now = now + Duration::from_secs(ahead::seconds());
    now
}

/// What [`now`] says at a time of a monotonic clock that stands at `monotonic`, as long as nobody sets
/// the clock on the wall: who shows such a time asks for this anew.
pub fn at(time: Instant, monotonic: Instant) -> u64 {
    let (left, late) =
        (time.saturating_duration_since(monotonic), monotonic.saturating_duration_since(time));
    since_1970().saturating_add(left).saturating_sub(late).as_secs()
}

/// The monotonic clock that [`sleep`] goes by.
pub fn monotonic() -> Instant {
    let now = Instant::now();
    #[cfg(feature = "fault-points")]
    let now = now + Duration::from_secs(ahead::seconds());
    now
}

/// Waits on the monotonic clock, for what is hours away.
pub async fn sleep(duration: Duration) {
    #[cfg(feature = "fault-points")]
    ahead::sleep(duration).await;
    #[cfg(not(feature = "fault-points"))]
    tokio::time::sleep(duration).await;
}

/// A time in the local zone as ctime(3) has it: `Sun Nov 22 12:00:00 2026`.
pub fn date(epoch: u64) -> String {
    format_date(epoch.cast_signed() + i64::from(local_offset(epoch)))
}

/// The day of a time by the local time zone, counted from 1970.
pub fn day(epoch: u64) -> i64 {
    (epoch.cast_signed() + i64::from(local_offset(epoch))).div_euclid(DAY)
}

/// When a day, counted from 1970, begins by the local time zone.
pub fn begins(day: i64) -> u64 {
    let at = |offset: i32| u64::try_from(day * DAY - i64::from(offset)).unwrap_or_default();
    // the offset is that of the time at which it begins, which is not far from what UTC says
    at(local_offset(at(local_offset(at(0)))))
}

/// The date of a day, counted from 1970: `2026-11-22`.
pub fn day_date(day: i64) -> String {
    let (year, month, day) = civil(day);
    format!("{year:04}-{:02}-{day:02}", month + 1)
}

/// A time in the local zone by date and minute: `2026-11-22 12:00`.
pub fn minute(epoch: u64) -> String {
    let local = epoch.cast_signed() + i64::from(local_offset(epoch));
    let minute = local.div_euclid(60).rem_euclid(24 * 60);
    format!("{} {:02}:{:02}", day_date(local.div_euclid(DAY)), minute / 60, minute % 60)
}

/// A time in UTC as one word: `20261122T120000Z`.
pub fn compact(epoch: u64) -> String {
    let epoch = epoch.cast_signed();
    let (days, seconds) = (epoch.div_euclid(DAY), epoch.rem_euclid(DAY));
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}{:02}{day:02}T{hour:02}{minute:02}{second:02}Z", month + 1)
}

fn format_date(local: i64) -> String {
    let (days, seconds) = (local.div_euclid(DAY), local.rem_euclid(DAY));
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!(
        "{} {} {day:2} {hour:02}:{minute:02}:{second:02} {year}",
        DAYS[days.rem_euclid(7) as usize],
        MONTHS[month],
    )
}

/// The number of a day counted from 1970-01-01, month from 0; `year` is 1970 or later.
pub fn day_number(year: i64, month: usize, day: i64) -> i64 {
    let month = month as i64;
    // Years that begin in March have their leap day at the end.
    let (years, months) = if month > 1 { (year, month - 2) } else { (year - 1, month + 10) };
    years * 365 + years / 4 - years / 100 + years / 400 + (153 * months + 2) / 5 + day - 719_469
}

/// The date of a day counted from 1970-01-01, month from 0.
fn civil(days: i64) -> (i64, usize, i64) {
    let mut year = 1970 + days.div_euclid(366);
    while day_number(year + 1, 0, 1) <= days {
        year += 1;
    }
    let begun = |month: &usize| day_number(year, *month, 1) <= days;
    let month = (0..MONTHS.len()).rev().find(begun).unwrap_or(0);
    (year, month, days - day_number(year, month, 1) + 1)
}

/// A duration as the summary of an update has it: `0 hour(s) 0 minute(s) 0.31 second(s)`.
pub fn run_length(seconds: f64) -> String {
    let whole = seconds as u64;
    let (hours, minutes) = (whole / 3600, whole / 60 % 60);
    let rest = seconds - (hours * 3600 + minutes * 60) as f64;
    format!("{hours} hour(s) {minutes} minute(s) {rest:.2} second(s)")
}

/// A span in its largest unit.
pub fn span(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..=119 => (seconds, "second"),
        120..=7199 => (seconds / 60, "minute"),
        7200..=172_799 => (seconds / 3600, "hour"),
        _ => (seconds / 86400, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_the_calendar() {
        for (epoch, text) in [
            (0, "Thu Jan  1 00:00:00 1970"),
            (951_782_400, "Tue Feb 29 00:00:00 2000"),
            (1_700_000_000, "Tue Nov 14 22:13:20 2023"),
            (4_107_542_399, "Sun Feb 28 23:59:59 2100"),
            (4_107_542_400, "Mon Mar  1 00:00:00 2100"),
            (253_402_300_799, "Fri Dec 31 23:59:59 9999"),
        ] {
            assert_eq!(format_date(epoch), text);
        }
    }

    #[test]
    fn times_of_the_monotonic_clock_are_those_on_the_wall() {
        let (monotonic, hour) = (monotonic(), Duration::from_secs(3600));
        for (time, wanted) in [(monotonic + hour, now() + 3600), (monotonic - hour, now() - 3600)] {
            assert!((wanted..=wanted + 60).contains(&at(time, monotonic)), "{wanted}");
        }
    }

    #[test]
    fn each_day_has_its_number_back() {
        for days in (0..50_000).chain(2_900_000..2_932_897) {
            let (year, month, day) = civil(days);
            assert_eq!(day_number(year, month, day), days, "{year} {month} {day}");
            assert!(month < 12 && (1..=31).contains(&day));
        }
        assert_eq!(day_number(1970, 0, 1), 0);
    }

    #[test]
    fn days_have_their_dates_and_beginnings() {
        assert_eq!(day_date(0), "1970-01-01");
        assert_eq!(day_date(20_779), "2026-11-22");
        for noon in (1..40_000).step_by(97).map(|days| days * 86_400 + 43_200) {
            let begin = begins(day(noon));
            assert_eq!((day(begin), day(begin - 1)), (day(noon), day(noon) - 1), "{noon}");
            assert!(minute(begin).starts_with(&day_date(day(noon))), "{noon}");
        }
        assert!(minute(begins(20_779)).ends_with("-22 00:00"), "{}", minute(begins(20_779)));
    }

    #[test]
    fn dates_in_one_word() {
        assert_eq!(compact(951_782_400), "20000229T000000Z");
        assert_eq!(compact(1_700_000_000), "20231114T221320Z");
    }

    #[test]
    fn the_length_of_a_run() {
        assert_eq!(run_length(0.314), "0 hour(s) 0 minute(s) 0.31 second(s)");
        assert_eq!(run_length(3725.5), "1 hour(s) 2 minute(s) 5.50 second(s)");
    }
}
