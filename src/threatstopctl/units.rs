//! Durations and sizes for people, in the letters that threatstopd.toml(5) uses; numbers of things.

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A duration in its two largest units: `45s`, `12m 5s`, `3h 12m`, `2d 1h`.
pub fn duration(seconds: u64) -> String {
    let (large, small) = match seconds {
        0..MINUTE => return format!("{seconds}s"),
        MINUTE..HOUR => ((MINUTE, "m"), (1, "s")),
        HOUR..DAY => ((HOUR, "h"), (MINUTE, "m")),
        DAY.. => ((DAY, "d"), (HOUR, "h")),
    };
    let whole = format!("{}{}", seconds / large.0, large.1);
    match seconds % large.0 / small.0 {
        0 => whole,
        rest => format!("{whole} {rest}{}", small.1),
    }
}

/// A time as seen from `now`, both in epoch seconds: `12m ago`, `in 47m`, `now`. Times of the past
/// lie in the future when somebody set the clock back, which is then visible.
pub fn when(at: u64, now: u64) -> String {
    match at {
        _ if at < now => format!("{} ago", duration(now - at)),
        _ if at > now => format!("in {}", duration(at - now)),
        _ => "now".into(),
    }
}

/// A number of octets, to two digits or more: `512`, `1.5K`, `64M`.
pub fn octets(octets: u64) -> String {
    let (mut unit, mut letters) = (1, "KMGTPE".chars());
    let mut letter = None;
    while octets / unit >= 1024 {
        unit *= 1024;
        letter = letters.next();
    }
    let Some(letter) = letter else { return octets.to_string() };
    match (octets / unit, octets % unit * 10 / unit) {
        (whole @ 0..10, tenth @ 1..) => format!("{whole}.{tenth}{letter}"),
        (whole, _) => format!("{whole}{letter}"),
    }
}

/// So many things: `1 prefix`, `0 prefixes`.
pub fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests;
