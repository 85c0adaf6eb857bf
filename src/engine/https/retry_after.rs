//! Retry-After (RFC 9110, section 10.2.3): when a server wants to be asked again.

use std::time::Duration;

use crate::clock::{MONTHS, day_number, now};

/// Longest wait that a server may ask for.
const LONGEST: u64 = 24 * 60 * 60;

/// How long to wait: seconds, or a date; at most a day.
pub fn retry_after(text: &str) -> Option<Duration> {
    let text = text.trim();
    let seconds = match text.parse() {
        Ok(seconds) => seconds,
        Err(_) => imf_fixdate(text)?.saturating_sub(now()),
    };
    Some(Duration::from_secs(seconds.min(LONGEST)))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7) as epoch seconds.
fn imf_fixdate(text: &str) -> Option<u64> {
    let mut words = text.split_once(", ")?.1.split(' ');
    let day: i64 = words.next()?.parse().ok()?;
    let month = words.next()?;
    let month = MONTHS.iter().position(|name| *name == month)?;
    let year: i64 = words.next()?.parse().ok()?;
    let mut clock = words.next()?.split(':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let in_range = (1..=31).contains(&day)
        && (1970..=9999).contains(&year)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..=60).contains(&second);
    if !in_range || words.next() != Some("GMT") {
        return None;
    }
    let days = day_number(year, month, day);
    u64::try_from(((days * 24 + hour) * 60 + minute) * 60 + second).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_http() {
        assert_eq!(imf_fixdate("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(imf_fixdate("Tue, 29 Feb 2000 00:00:00 GMT"), Some(951_782_400));
        assert_eq!(imf_fixdate("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        for wrong in
            ["", "Sun, 06 Nov 1994", "Sun, 06 Nov 1994 25:00:00 GMT", "Sun, 06 Nov 1994 1:2 GMT"]
        {
            assert_eq!(imf_fixdate(wrong), None, "{wrong}");
        }
    }

    /// Fails when a server can have itself left alone for longer than a day.
    #[test]
    fn nobody_waits_for_more_than_a_day() {
        let day = Duration::from_secs(86_400);
        assert_eq!(retry_after("86399"), Some(day - Duration::from_secs(1)));
        for text in ["999999", "18446744073709551615", "Fri, 31 Dec 9999 23:59:59 GMT"] {
            assert_eq!(retry_after(text), Some(day), "{text}");
        }
    }
}
