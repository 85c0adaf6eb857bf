//! Writing text: numbers, addresses and names, without `core::fmt`, which would cost more than
//! everything else in a line together.

use crate::octets::Octets;

#[cfg(test)]
mod tests;

/// No record makes more octets of text than these, the line feed included. The longest text of
/// a record of pflogd's default length (160 octets) is a tenth of it.
pub const MAX_TEXT: usize = 24 * 1024;

/// Loops over foreign data stop at this length of text; what they have begun and what closes
/// the headers around them finds room between it and [`MAX_TEXT`].
pub(crate) const SOFT_LIMIT: usize = 16 * 1024;

/// Whether a line that begins with this octet goes on with the record of the line before: tcpdump
/// breaks some texts, and a record begins with a letter or a digit of its time.
pub fn goes_on(first: u8) -> bool {
    matches!(first, b'\t' | b' ' | b'[')
}

/// "00" to "99"; the rest is there because seven bits need no check of bounds.
const PAIRS: [[u8; 2]; 128] = {
    let mut pairs = [*b"??"; 128];
    let mut n = 0;
    while n < 100 {
        pairs[n] = [b'0' + (n / 10) as u8, b'0' + (n % 10) as u8];
        n += 1;
    }
    pairs
};

/// "0." to "255.", the first character in the lowest octet, and how many bits that are.
const DOTTED: [(u32, u32); 256] = {
    let mut dotted = [(0, 0); 256];
    let mut n = 0;
    while n < 256 {
        let digits = [b'0' + (n / 100) as u8, b'0' + (n / 10 % 10) as u8, b'0' + (n % 10) as u8];
        let (text, len) = match (digits, n) {
            ([_, _, c], 0..10) => ([c, b'.', 0, 0], 2),
            ([_, b, c], 10..100) => ([b, c, b'.', 0], 3),
            ([a, b, c], _) => ([a, b, c, b'.'], 4),
        };
        dotted[n] = (u32::from_le_bytes(text), len * 8);
        n += 1;
    }
    dotted
};

const HEX: [[u8; 2]; 256] = hex_pairs(b"0123456789abcdef");
const HEX_UPPER: [[u8; 2]; 256] = hex_pairs(b"0123456789ABCDEF");

/// "00" to "ff".
const fn hex_pairs(digits: &[u8; 16]) -> [[u8; 2]; 256] {
    let mut pairs = [[0; 2]; 256];
    let mut n = 0;
    while n < 256 {
        pairs[n] = [digits[n >> 4], digits[n & 15]];
        n += 1;
    }
    pairs
}

/// The two digits of a number below 100.
#[inline]
pub(crate) fn pair(n: u32) -> [u8; 2] {
    PAIRS[n as usize & 127]
}

/// The room for the text of one record.
pub(crate) type Room = [u8; MAX_TEXT];

/// Text that grows in a room of fixed size: no step of it allocates, or calls anything that the
/// compiler cannot see. What finds no room is dropped. All methods return the writer, so that a
/// line reads like its format.
pub(crate) struct Text<'r> {
    room: &'r mut Room,
    end: usize,
}

impl<'r> Text<'r> {
    /// Text at the beginning of `room`.
    pub(crate) fn new(room: &'r mut Room) -> Text<'r> {
        Text { room, end: 0 }
    }

    /// What has been written.
    pub(crate) fn written(&self) -> &[u8] {
        self.room.get(..self.end).unwrap_or_default()
    }

    /// How much has been written.
    pub(crate) fn len(&self) -> usize {
        self.end
    }

    /// Cuts what was written behind `len` octets.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.end = self.end.min(len);
    }

    /// Ends the text with a line feed, for which there is always room.
    pub(crate) fn end(&mut self) {
        self.truncate(MAX_TEXT - 1);
        self.ch(b'\n');
    }

    /// Has the text become so long that loops stop?
    #[inline]
    pub(crate) fn full(&self) -> bool {
        self.end >= SOFT_LIMIT
    }

    /// Appends octets that are known to be printable.
    #[inline]
    fn raw(&mut self, octets: &[u8]) -> &mut Self {
        if let Some(slot) = self.room.get_mut(self.end..self.end + octets.len()) {
            slot.copy_from_slice(octets);
            self.end += octets.len();
        }
        self
    }

    /// Appends a string.
    #[inline]
    pub(crate) fn put(&mut self, text: &str) -> &mut Self {
        self.raw(text.as_bytes())
    }

    /// Appends one character of ASCII.
    #[inline]
    pub(crate) fn ch(&mut self, c: u8) -> &mut Self {
        self.raw(&[c])
    }

    /// Appends the first `len` octets of `from`. A copy of constant size of which only a part
    /// counts is cheaper than a copy of variable size.
    #[inline]
    pub(crate) fn begin<const N: usize>(&mut self, from: &[u8; N], len: usize) -> &mut Self {
        if let Some(slot) = self.room.get_mut(self.end..self.end + N) {
            slot.copy_from_slice(from);
            self.end += len;
        }
        self
    }

    /// Decimal, as `%u`.
    #[inline]
    pub(crate) fn dec(&mut self, n: u32) -> &mut Self {
        if n < 10_000 {
            // Without a branch for each length, which nobody could predict.
            let len = 1 + u32::from(n > 9) + u32::from(n > 99) + u32::from(n > 999);
            self.begin(&(four_digits(n) << (32 - 8 * len)).to_be_bytes(), len as usize)
        } else {
            dec_long(self, n)
        }
    }

    /// Decimal, as `%llu`.
    #[inline]
    pub(crate) fn dec64(&mut self, n: u64) -> &mut Self {
        const GROUP: u64 = 100_000_000;
        match u32::try_from(n) {
            Ok(n) => self.dec(n),
            Err(_) => {
                let low = (n % GROUP) as u32;
                self.dec64(n / GROUP).dec2(low / 1_000_000).dec6(low % 1_000_000)
            }
        }
    }

    /// Decimal of the same 32 bits taken as signed, as `%d`.
    #[inline]
    pub(crate) fn int(&mut self, n: u32) -> &mut Self {
        let n = n.cast_signed();
        if n < 0 {
            self.ch(b'-');
        }
        self.dec(n.unsigned_abs())
    }

    /// Decimal with at least two digits, as `%02u`.
    #[inline]
    pub(crate) fn dec2(&mut self, n: u32) -> &mut Self {
        if n < 100 { self.begin(&pair(n), 2) } else { self.dec(n) }
    }

    /// Decimal with at least six digits, as `%06u`.
    #[inline]
    pub(crate) fn dec6(&mut self, n: u32) -> &mut Self {
        if n >= 1_000_000 {
            return self.dec(n);
        }
        let ([a, b], [c, d], [e, f]) = (pair(n / 10_000), pair(n / 100 % 100), pair(n % 100));
        self.begin(&[a, b, c, d, e, f], 6)
    }

    /// Hexadecimal with at least `width` digits, as `%0*x`.
    #[inline]
    pub(crate) fn hex(&mut self, n: u32, width: usize) -> &mut Self {
        hex_with(self, n, width, &HEX)
    }

    /// Hexadecimal in capitals with at least `width` digits, as `%0*X`.
    #[inline]
    pub(crate) fn hex_upper(&mut self, n: u32, width: usize) -> &mut Self {
        hex_with(self, n, width, &HEX_UPPER)
    }

    /// Each octet as two hexadecimal digits.
    pub(crate) fn hex_octets(&mut self, octets: &[u8]) -> &mut Self {
        for &octet in octets {
            self.hex(u32::from(octet), 2);
        }
        self
    }

    /// An IPv4 address.
    #[inline]
    pub(crate) fn ip4(&mut self, address: [u8; 4]) -> &mut Self {
        let (mut text, mut bits) = (0_u128, 0);
        for octet in address {
            let (digits, more) = DOTTED[usize::from(octet)];
            text |= u128::from(digits) << bits;
            bits += more;
        }
        self.begin(&text.to_le_bytes(), bits as usize / 8 - 1)
    }

    /// An IPv6 address as inet_ntop(3) of OpenBSD writes it: the longest run of two or more
    /// zero words (the first of equals) is `::`; the last 32 bits are dotted behind 96 zero
    /// bits and behind `::ffff`.
    pub(crate) fn ip6(&mut self, address: [u8; 16]) -> &mut Self {
        let mut words = [0; 8];
        for (word, octets) in words.iter_mut().zip(address.as_chunks::<2>().0) {
            *word = u16::from_be_bytes(*octets);
        }
        let (zeros, run) = longest_zeros(&words);
        let dotted = zeros == 0 && (run == 6 || run == 5 && words[5] == 0xffff);
        for (place, &word) in words.iter().enumerate() {
            if place >= zeros && place < zeros + run {
                if place == zeros {
                    self.ch(b':');
                }
                continue;
            }
            if place > 0 {
                self.ch(b':');
            }
            if dotted && place == 6 {
                return self.ip4(address.array(12));
            }
            self.hex(word.into(), 1);
        }
        if run > 0 && zeros + run == words.len() {
            self.ch(b':');
        }
        self
    }

    /// A hardware address.
    pub(crate) fn ether(&mut self, address: [u8; 6]) -> &mut Self {
        for (n, octet) in address.into_iter().enumerate() {
            if n > 0 {
                self.ch(b':');
            }
            self.hex(u32::from(octet), 2);
        }
        self
    }

    /// A name of foreign octets. What is not printable is written as tcpdump does with names:
    /// `M-` before an octet with the top bit, `^` before a control character.
    pub(crate) fn name(&mut self, octets: &[u8]) -> &mut Self {
        for &octet in octets {
            if octet >= 0x80 {
                self.put("M-");
            }
            let low = octet & 0x7f;
            if printable(low) {
                self.ch(low)
            } else {
                self.ch(b'^').ch(low ^ 0x40)
            };
        }
        self
    }

    /// Foreign octets with the unprintable ones as a backslash and three octal digits.
    pub(crate) fn octal(&mut self, octets: &[u8]) -> &mut Self {
        for &octet in octets {
            if printable(octet) {
                self.ch(octet);
            } else {
                let digit = |shift: u8| b'0' + (octet >> shift & 7);
                self.begin(&[b'\\', digit(6), digit(3), digit(0)], 4);
            }
        }
        self
    }

    /// A name of foreign octets, see [`Text::name`], cut where the line is full.
    #[inline]
    pub(crate) fn bounded_name(&mut self, name: &[u8]) -> &mut Self {
        self.name(self.bounded(name))
    }

    /// As much of `octets` as may be written, four characters for each.
    pub(crate) fn bounded<'o>(&self, octets: &'o [u8]) -> &'o [u8] {
        let room = SOFT_LIMIT.saturating_sub(self.end) / 4;
        octets.get(..room).unwrap_or(octets)
    }

    /// The octets up to the first NUL as a name. True when there is no NUL.
    pub(crate) fn string(&mut self, octets: &[u8]) -> bool {
        let end = octets.iter().position(|&octet| octet == 0);
        self.bounded_name(octets.get(..end.unwrap_or(octets.len())).unwrap_or_default());
        end.is_none()
    }

    /// Words from a table of flags, each that is set after a separator: a blank before the
    /// first, a slash before the others.
    pub(crate) fn flags(&mut self, flags: u8, table: &[(u8, &str)]) {
        let mut separator = b' ';
        for &(flag, word) in table {
            if flags & flag != 0 {
                self.ch(separator).put(word);
                separator = b'/';
            }
        }
    }

    /// The word with this number, or `before` and the number.
    pub(crate) fn word(&mut self, number: u32, table: &[(u32, &str)], before: &str) -> &mut Self {
        match lookup(number, table) {
            Some(word) => self.put(word),
            None => self.put(before).int(number),
        }
    }

    /// Octets of an unknown protocol: pairs in hexadecimal, eight to a line.
    pub(crate) fn dump(&mut self, octets: &[u8]) {
        for line in octets.chunks(16) {
            if self.full() {
                return;
            }
            self.put("\n\t\t\t");
            for pair in line.chunks(2) {
                self.ch(b' ').hex_octets(pair);
            }
        }
    }
}

/// The word with this number.
pub(crate) fn lookup<'t>(number: u32, table: &[(u32, &'t str)]) -> Option<&'t str> {
    table.iter().find(|entry| entry.0 == number).map(|entry| entry.1)
}

/// Printable in the C locale.
#[inline]
pub(crate) fn printable(octet: u8) -> bool {
    matches!(octet, b' '..=b'~')
}

/// The four digits of a number below 10,000, the first in the highest octet.
#[inline]
fn four_digits(n: u32) -> u32 {
    let ([a, b], [c, d]) = (pair(n / 100), pair(n % 100));
    u32::from_be_bytes([a, b, c, d])
}

/// A number of five digits or more.
fn dec_long<'t, 'r>(to: &'t mut Text<'r>, n: u32) -> &'t mut Text<'r> {
    const EIGHT_DIGITS: u32 = 100_000_000;
    let eight =
        |n: u32| u64::from(four_digits(n / 10_000)) << 32 | u64::from(four_digits(n % 10_000));
    if n < EIGHT_DIGITS {
        let len = 5 + u32::from(n > 99_999) + u32::from(n > 999_999) + u32::from(n > 9_999_999);
        to.begin(&(eight(n) << (64 - 8 * len)).to_be_bytes(), len as usize)
    } else {
        let top = n / EIGHT_DIGITS;
        let [tens, ones] = pair(top);
        if top > 9 {
            to.ch(tens);
        }
        to.ch(ones).begin(&eight(n % EIGHT_DIGITS).to_be_bytes(), 8)
    }
}

#[inline]
fn hex_with<'t, 'r>(
    to: &'t mut Text<'r>,
    n: u32,
    width: usize,
    pairs: &[[u8; 2]; 256],
) -> &'t mut Text<'r> {
    let significant = (u32::BITS - n.leading_zeros()).div_ceil(4) as usize;
    let len = significant.max(width).clamp(1, 8);
    let octets = n.to_be_bytes().map(|octet| pairs[usize::from(octet)]);
    // All eight digits in a row, those that do not count shifted out at the front.
    let digits = u64::from_be_bytes(octets.as_flattened().array(0));
    to.begin(&(digits << (64 - 8 * len)).to_be_bytes(), len)
}

/// Where the longest run of two or more zero words begins and how long it is; (0, 0) if none.
fn longest_zeros(words: &[u16; 8]) -> (usize, usize) {
    let (mut best, mut run) = ((0, 0), 0);
    for (place, &word) in words.iter().enumerate() {
        run = if word == 0 { run + 1 } else { 0 };
        if run >= 2 && run > best.1 {
            best = (place + 1 - run, run);
        }
    }
    best
}
