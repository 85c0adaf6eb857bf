//! Names that look alike.

/// The one of some names that was probably meant.
pub(crate) fn near<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let name = name.to_ascii_lowercase().replace('-', "_");
    let nearest = known.map(|known| (distance(known, &name), known)).min()?;
    // two slips of the finger, but not so many that anything is near
    (nearest.0 <= 2 && nearest.0 < nearest.1.len()).then_some(nearest.1)
}

/// The number of characters to insert, remove or replace to make one text of the other
/// (Levenshtein); `usize::MAX` for long texts, which nobody wrote by a slip of the finger.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    if a.len() > 40 || b.len() > 40 {
        return usize::MAX;
    }
    // the distances of the part of `a` seen so far to all beginnings of `b`
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut left = i + 1;
        let mut next = vec![left];
        for (cb, pair) in b.chars().zip(row.windows(2)) {
            if let [diagonal, above] = pair {
                left = (diagonal + usize::from(ca != cb)).min(above + 1).min(left + 1);
                next.push(left);
            }
        }
        row = next;
    }
    row.last().copied().unwrap_or(usize::MAX)
}
