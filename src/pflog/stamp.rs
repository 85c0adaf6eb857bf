//! The time at the beginning of a line.

use crate::text::{Text, pair};

#[cfg(test)]
mod tests;

/// How the time of a record is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stamp {
    /// `22:13:20.226823`, local time: what tcpdump prints without an option.
    #[default]
    Time,
    /// `Nov 14 22:13:20.226823`, local time: tcpdump's `-ttt`.
    Date,
    /// `1700000000.226823`, seconds since the Epoch: tcpdump's `-tt`.
    Epoch,
}

const DAY: i64 = 86_400;
const MONTHS: [&str; 12] = [
    "Jan ", "Feb ", "Mar ", "Apr ", "May ", "Jun ", "Jul ", "Aug ", "Sep ", "Oct ", "Nov ", "Dec ",
];

/// Appends the time and a blank. `zone` is the offset of local time from UTC in seconds, east
/// positive. `micros` of a damaged record may have more than six digits.
pub(crate) fn put(out: &mut Text<'_>, style: Stamp, zone: i32, seconds: u32, micros: u32) {
    match style {
        Stamp::Time => {
            // In 32 bits, as tcpdump counts: a time near either end of the Epoch wraps.
            let day = seconds.wrapping_add_signed(zone) % DAY as u32;
            clock(out, day, micros);
        }
        Stamp::Date => {
            let local = i64::from(seconds) + i64::from(zone);
            let (month, day) = month_and_day(local.div_euclid(DAY));
            out.put(month).dec2(day).ch(b' ');
            clock(out, local.rem_euclid(DAY) as u32, micros);
        }
        Stamp::Epoch => {
            out.dec(seconds).ch(b'.').dec6(micros).ch(b' ');
        }
    }
}

/// `22:13:20.226823 `
#[inline]
fn clock(out: &mut Text<'_>, day: u32, micros: u32) {
    let ([h, i], [m, n], [s, t]) = (pair(day / 3600), pair(day / 60 % 60), pair(day % 60));
    if micros < 1_000_000 {
        let ([a, b], [c, d], [e, f]) =
            (pair(micros / 10_000), pair(micros / 100 % 100), pair(micros % 100));
        out.begin(&[h, i, b':', m, n, b':', s, t, b'.', a, b, c, d, e, f, b' '], 16);
    } else {
        out.begin(&[h, i, b':', m, n, b':', s, t, b'.'], 9).dec(micros).ch(b' ');
    }
}

/// Month and day of the month of a day counted from the first of January 1970.
fn month_and_day(days: i64) -> (&'static str, u32) {
    // Years begin in March here, so that the leap day is the last one: 400 of them have 146097
    // days, and the lengths of their months repeat every five (153 days).
    const FROM_MARCH_0000: i64 = 719_468;
    let of_era = (days + FROM_MARCH_0000).rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = (from_march + 2) % 12;
    (MONTHS.get(month as usize).copied().unwrap_or("??? "), day as u32)
}
