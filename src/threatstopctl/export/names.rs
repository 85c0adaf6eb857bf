//! Names of tables where other programs have narrower rules for names than pf(4).

/// A name of at most `most` octets, letters, digits and what else is `allowed`, and beginning with a
/// letter. Where that changes it, a sum of the whole name is behind it, so that two tables never have
/// one name.
pub fn fit(name: &str, most: usize, allowed: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || allowed.contains(c);
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic());
    if begins && name.len() <= most && name.chars().all(fits) {
        return name.to_owned();
    }
    let sum = format!("-{:08x}", fnv(name.as_bytes()));
    let mut fitted = String::from(if begins { "" } else { "t" });
    fitted.extend(name.chars().map(|c| if fits(c) { c } else { '-' }));
    fitted.truncate(most.saturating_sub(sum.len()));
    fitted + &sum
}

/// FNV-1a of 32 bits: names are the administrator's own, and nobody else chooses them.
fn fnv(octets: &[u8]) -> u32 {
    octets
        .iter()
        .fold(0x811c_9dc5, |sum, octet| (sum ^ u32::from(*octet)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_does_not_fit_is_still_one_of_its_own() {
        assert_eq!(fit("ThreatSTOP-Block", 25, "-"), "ThreatSTOP-Block");
        let long = |end| fit(&format!("a-table-with-a-very-long-n.{end}"), 25, "-");
        assert_ne!(long("1"), long("2"));
        assert_eq!(long("1").len(), 25);
        assert_ne!(fit("a:b", 25, "-"), fit("a.b", 25, "-"));
        assert!(fit("4all", 25, "-").starts_with("t4all-"));
    }
}
