use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::{MAX_TEXT, SOFT_LIMIT, Text};

/// What is appended to a text.
fn written(write: impl Fn(&mut Text<'_>)) -> String {
    let mut room = [0; MAX_TEXT];
    let mut text = Text::new(&mut room);
    write(text.put("> "));
    String::from_utf8(text.written().to_vec()).unwrap().split_off(2)
}

/// What one call of a writer appends.
macro_rules! text {
    ($method:ident($($argument:expr),*)) => {
        written(|out| {
            out.$method($($argument),*);
        })
    };
}

fn ip6(text: &str) -> String {
    let address: Ipv6Addr = text.parse().unwrap();
    text!(ip6(address.octets()))
}

#[test]
fn small_numbers_all() {
    for n in 0..=20_000_u32 {
        assert_eq!(text!(dec(n)), format!("{n}"));
    }
    // all that four digits can be, at either place of eight
    for four in 0..10_000 {
        for n in [four * 10_001, four * 10_000, four * 10_000 + 9_999 - four] {
            assert_eq!(text!(dec(n)), format!("{n}"));
        }
    }
    for n in 0..=u16::MAX {
        let n = u32::from(n);
        assert_eq!(text!(hex(n, 1)), format!("{n:x}"));
        assert_eq!(text!(hex(n, 4)), format!("{n:04x}"));
    }
}

#[test]
fn numbers_at_the_ends() {
    let ends = [
        0,
        9,
        10,
        99,
        100,
        999_999,
        1_000_000,
        99_999_999,
        100_000_000,
        999_999_999,
        1_000_000_000,
        1 << 31,
        u32::MAX - 1,
        u32::MAX,
    ];
    for n in ends {
        assert_eq!(text!(dec(n)), format!("{n}"));
        assert_eq!(text!(dec_range(n, n)), format!("{n}:{n}"));
        assert_eq!(text!(int(n)), format!("{}", n.cast_signed()));
        assert_eq!(text!(dec6(n)), format!("{n:06}"));
        assert_eq!(text!(dec2(n)), format!("{n:02}"));
        assert_eq!(text!(hex(n, 8)), format!("{n:08x}"));
        assert_eq!(text!(hex_upper(n, 1)), format!("{n:X}"));
    }
    assert_eq!(text!(dec64(u64::MAX)), format!("{}", u64::MAX));
}

#[test]
fn an_address_takes_the_first_longest_run_of_zeros() {
    for text in [
        "::",
        "::1",
        "1::",
        "2001:db8::1",
        "1::2:0:0:3:4",
        "1:0:2:3:4:5:6:7",
        "1:0:0:2::4",
        "fe80::1:0:0",
    ] {
        assert_eq!(ip6(text), text);
    }
}

/// Against the standard library, which writes them the same way but for those that are dotted.
#[test]
fn every_place_of_zeros_and_every_word() {
    for zeros in 0..=u8::MAX {
        let words = std::array::from_fn(|place| if zeros >> place & 1 == 1 { 0 } else { 0x1f });
        let address = Ipv6Addr::from_segments(words);
        if words[..6] != [0; 6] {
            assert_eq!(text!(ip6(address.octets())), address.to_string());
        }
    }
    for word in 1..=u16::MAX {
        let address = Ipv6Addr::from_segments([word, 0, 0, 0, 0, 0, 0, word]);
        assert_eq!(text!(ip6(address.octets())), address.to_string());
    }
}

#[test]
fn an_address_inside_an_address_is_dotted() {
    assert_eq!(ip6("::ffff:192.0.2.1"), "::ffff:192.0.2.1");
    assert_eq!(ip6("::192.0.2.1"), "::192.0.2.1");
    assert_eq!(ip6("::1:2"), "::0.1.0.2");
    assert_eq!(ip6("::1:0"), "::0.1.0.0");
    assert_eq!(ip6("::ffff:0:0"), "::ffff:0.0.0.0");
    assert_eq!(ip6("::1:0:0"), "::1:0:0");
    assert_eq!(ip6("::2"), "::2");
    assert_eq!(ip6("::fffe:1:2"), "::fffe:1:2");
}

#[test]
fn unprintable_octets_of_names_are_escaped() {
    let name = text!(name(b"em0 ~\0\n\x7f\x80\xa0\xe9\xff"));
    assert_eq!(name, "em0 ~^@^J^?M-^@M- M-iM-^?");
    assert_eq!(text!(octal(b"a\\\0\xff")), "a\\\\000\\377");
}

#[test]
fn what_finds_no_room_is_dropped() {
    let mut room = [0; MAX_TEXT];
    let mut text = Text::new(&mut room);
    while text.len() < MAX_TEXT - 3 {
        text.ch(b'x');
    }
    assert!(text.full());
    text.put("four").dec(1_234_567).ip4([255; 4]).ip6([0xff; 16]);
    text.end();
    assert!(text.written().ends_with(b"x\n") && text.len() <= MAX_TEXT);

    let mut room = [0; MAX_TEXT];
    let mut text = Text::new(&mut room);
    text.bounded_name(&[0xff; MAX_TEXT]);
    assert_eq!(text.len(), SOFT_LIMIT);
}

proptest! {
    #[test]
    fn numbers(n: u64, width in 0_usize..9) {
        let word = n as u32;
        prop_assert_eq!(text!(dec64(n)), format!("{n}"));
        prop_assert_eq!(text!(dec(word)), format!("{word}"));
        prop_assert_eq!(text!(dec_range(word, word)), format!("{word}:{word}"));
        prop_assert_eq!(text!(dec_range(word, !word)), format!("{word}:{}", !word));
        prop_assert_eq!(text!(int(word)), format!("{}", word as i32));
        prop_assert_eq!(text!(hex(word, width)), format!("{word:0width$x}"));
    }

    #[test]
    fn addresses(octets: [u8; 16], zeros: u16) {
        let v4 = Ipv4Addr::from([octets[0], octets[1], octets[2], octets[3]]);
        prop_assert_eq!(text!(ip4(v4.octets())), v4.to_string());
        // The standard library writes addresses the same way, but for those that are dotted
        // behind 96 zero bits.
        let mut words = Ipv6Addr::from(octets).segments();
        for (n, word) in words.iter_mut().enumerate() {
            if zeros >> n & 1 == 1 {
                *word = 0;
            }
        }
        let v6 = Ipv6Addr::from(words);
        if words[..6] != [0; 6] {
            prop_assert_eq!(text!(ip6(v6.octets())), v6.to_string());
        }
    }
}
