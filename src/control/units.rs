//! Durations and sizes for people, in the letters that threatstopd.toml(5) uses; numbers of things.

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Times that differ by no more are the same: changes are told apart by theirs, so that of two within
/// a second the later one has the next.
const SAME: u64 = 2;

/// A duration as precise as anybody needs it: `45s`, `12m`, `3h 12m`, `2d 1h`.
pub fn duration(seconds: u64) -> String {
    let (large, small) = match seconds {
        0..MINUTE => return format!("{seconds}s"),
        MINUTE..HOUR => return format!("{}m", seconds / MINUTE),
        HOUR..DAY => ((HOUR, "h"), (MINUTE, "m")),
        DAY.. => ((DAY, "d"), (HOUR, "h")),
    };
    let whole = format!("{}{}", seconds / large.0, large.1);
    match seconds % large.0 / small.0 {
        0 => whole,
        rest => format!("{whole} {rest}{}", small.1),
    }
}

/// A time of the past as seen from `now`, both in epoch seconds: `12m ago`. When somebody set the
/// clock back, nobody knows how long ago it was; how far the clock lies behind is visible then.
pub fn ago(at: u64, now: u64) -> String {
    match at.checked_sub(now) {
        Some(ahead @ SAME..) => format!("{} ahead of the clock", duration(ahead)),
        _ => format!("{} ago", duration(now.saturating_sub(at))),
    }
}

/// A time to come: `in 47m`, or `now` when it is over.
pub fn due(at: u64, now: u64) -> String {
    match at.saturating_sub(now) {
        0 => "now".into(),
        left => format!("in {}", duration(left)),
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
