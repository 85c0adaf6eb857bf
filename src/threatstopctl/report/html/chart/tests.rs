use super::*;

fn days(numbers: &[Option<u64>]) -> Vec<Day<'static>> {
    const DATES: [&str; 9] = [
        "2026-11-20",
        "2026-11-21",
        "2026-11-22",
        "2026-11-23",
        "2026-11-24",
        "2026-11-25",
        "2026-11-26",
        "2026-11-27",
        "2026-11-28",
    ];
    let day = |(at, number): (usize, &Option<u64>)| Day {
        date: DATES.get(at).copied().unwrap_or("2026-11-29"),
        number: *number,
    };
    numbers.iter().enumerate().map(day).collect()
}

fn bars(numbers: &[Option<u64>]) -> Chart {
    Chart::new("in", "Coming in".into(), Of::Came, &days(numbers))
}

#[test]
fn the_axis_ends_at_a_round_number() {
    let tops = [0, 1, 2, 3, 5, 7, 9, 11, 4321, 26_424, 80_001].map(top);
    assert_eq!(tops, [1, 1, 2, 4, 6, 8, 10, 20, 6000, 40_000, 100_000]);
    assert_eq!(top(u64::MAX), u64::MAX);
    let labels = |top| marks(top).into_iter().map(|mark| mark.label).collect::<Vec<_>>();
    assert_eq!(labels(1), ["0", "1"], "no half of a packet");
    assert_eq!(labels(40_000), ["0", "20k", "40k"]);
}

/// Fails when a day of which nobody knows anything looks like one without a packet.
#[test]
fn unknown_is_not_nothing() {
    let chart = bars(&[None, Some(0), Some(3), Some(4000)]);
    let [unknown, nothing, little, most] = chart.days.as_slice() else { panic!("{chart:?}") };
    assert!(matches!(unknown.shape, Shape::Unknown));
    assert!(matches!(nothing.shape, Shape::Nothing));
    let Shape::Bar { y, height } = most.shape else { panic!("{most:?}") };
    assert_eq!((y, height), (Percent(0.0), Percent(100.0)));
    let Shape::Bar { height, .. } = little.shape else { panic!("{little:?}") };
    assert_eq!(height, Percent(LEAST), "it is seen");
    assert!(chart.has_unknown && chart.has_nothing);
    assert_eq!(unknown.words, "2026-11-20: nothing is known");
    assert_eq!(
        chart.words,
        "4,003 packets in all; most on 2026-11-23: 4,000. Of 1 day nothing is known."
    );
    assert_eq!(bars(&[None, None]).words, "Nothing is known of these days.");
    let known = bars(&[Some(1)]);
    assert!(!known.has_unknown && !known.has_nothing);
}

#[test]
fn steps_go_from_day_to_day_and_stop_where_nothing_is_known() {
    let sizes = [Some(10), Some(20), None, Some(0)];
    let chart = Chart::new("table0", "block".into(), Of::Size, &days(&sizes));
    let shapes: Vec<&Shape> = chart.days.iter().map(|day| &day.shape).collect();
    assert!(
        matches!(shapes[0], Shape::Step { y: Percent(50.0), next: Some(Percent(0.0)) }),
        "{shapes:?}"
    );
    assert!(matches!(shapes[1], Shape::Step { next: None, .. }), "{shapes:?}");
    assert!(matches!(shapes[2], Shape::Unknown), "{shapes:?}");
    assert!(matches!(shapes[3], Shape::Step { y: Percent(100.0), next: None }), "{shapes:?}");
    assert!(!chart.has_nothing, "an empty table is a size");
    assert_eq!(chart.days[0].end, chart.days[1].x);
    assert_eq!(
        chart.words,
        "From 10 prefixes on 2026-11-20 to 0 on 2026-11-23; most on 2026-11-21: 20. Of 1 day \
         nothing is known."
    );
}

#[test]
fn the_last_day_has_its_date_and_others_as_there_is_room() {
    let labels = |days: usize| {
        let chart = bars(&vec![Some(1); days]);
        let dates = chart.dates.into_iter();
        dates.map(|date| (date.label, date.is_minor)).collect::<Vec<_>>()
    };
    let of = |label: &str, is_minor| (label.to_owned(), is_minor);
    assert_eq!(labels(1), [of("11-20", false)]);
    assert_eq!(labels(3), [of("11-20", false), of("11-21", true), of("11-22", false)]);
    assert_eq!(labels(9), [of("11-21", true), of("11-28", false)]);
    assert_eq!(labels(35).len(), 5);
    assert_eq!(bars(&[]).days.len(), 0);
}

/// Fails when a chart leaves its room, whatever the numbers.
#[test]
fn everything_stands_within_the_room() {
    let most = Some(u64::MAX);
    for numbers in [vec![most; 35], vec![most, Some(1), None, Some(0)], vec![most]] {
        for of in [Of::Went, Of::Size] {
            let chart = Chart::new("in", "in".into(), of, &days(&numbers));
            for day in &chart.days {
                assert!(day.x.0 >= 0.0 && day.end.0 <= 100.0 + 1e-9, "{day:?}");
                if let Shape::Bar { y, height } = day.shape {
                    assert!(y.0 >= 0.0 && (y.0 + height.0 - 100.0).abs() < 1e-9, "{day:?}");
                }
            }
            assert!(chart.marks.iter().all(|mark| (0.0..=100.0).contains(&mark.y.0)));
        }
    }
}
