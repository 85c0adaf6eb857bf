use super::*;
use crate::log::journal::Position;
use crate::log::spool::Slice;

const NOW: u64 = 1_800_000_000;

/// Each hour a slice falls out for three days and some hours: the first is told at once, then once a
/// day how many, and in the end the rest, so that the sum is right.
#[test]
fn losses_are_told_in_sums() {
    let head = |number| Slice::new(number, (5, 6), 7, vec![b'x'], Position::default()).head;
    let mut losses = Losses::default();
    assert!(losses.end().is_none() && !losses.any());
    let mut said = Vec::new();
    for hour in 0..76 {
        losses.add(&head(hour), NOW + hour * 3600);
        said.extend(losses.news(NOW + hour * 3600));
    }
    assert!(losses.any());
    said.extend(losses.end());
    assert!(said[0].starts_with("slice 0000000000-") && said[0].ends_with(" with 7 records"));
    let sums: Vec<&str> =
        said[1..].iter().map(|text| text.split(" since ").next().unwrap()).collect();
    let day = "24 slices with 168 records";
    assert_eq!(sums, [day, day, day, "3 slices with 21 records"]);
    assert!(losses.end().is_none() && !losses.any());
}

/// Fails when a slice of which nobody knows what was in it is said to have had nothing.
#[test]
fn what_could_not_be_read_had_something() {
    let mut losses = Losses::default();
    let slice = Slice::new(1, (5, 6), 0, vec![b'x'], Position::default());
    losses.add(&slice.head, NOW);
    assert_eq!(losses.news(NOW), Some(format!("slice {}", slice.head.id)));
}
