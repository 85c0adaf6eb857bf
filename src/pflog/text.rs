//! Writing text: numbers, addresses and names, without `core::fmt`, which would cost more than
//! everything else in a line together.

use prefix::DOTTED;

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

/// Of eight words, those with a bit set being zero: where the longest run of two or more zero words
/// begins (the first of equals), and how long it is; (0, 0) if none.
const LONGEST_ZEROS: [(u8, u8); 256] = {
    let mut longest = [(0, 0); 256];
    let mut bits = 0;
    while bits < 256 {
        let (mut place, mut run) = (0, 0);
        while place < 8 {
            run = if bits >> place & 1 == 1 { run + 1 } else { 0 };
            place += 1;
            if run >= 2 && run > longest[bits].1 {
                longest[bits] = (place - run, run);
            }
        }
        bits += 1;
    }
    longest
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

/// The first number that eight digits cannot hold.
const EIGHT_DIGITS: u32 = 100_000_000;

/// The room for the text of one record.
pub(crate) type Room = [u8; MAX_TEXT];

/// Text that grows in a room of fixed size: no step of it allocates, or calls anything that the
/// compiler cannot see. What finds no room is dropped. The methods that append return the writer, so
/// that a line reads like its format.
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
    #[cfg(test)]
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

    /// Lets `append` go on with a text of its own. Steps that are inlined into it keep its end in
    /// a register; that of a text which others hold is read from memory again behind each octet that
    /// is written. So a step that is not inlined gets a text of its own, too: it leaves that of the
    /// others in its register.
    #[inline(always)]
    pub(crate) fn apart<T>(&mut self, append: impl FnOnce(&mut Text<'_>) -> T) -> T {
        let mut own = Text { room: self.room, end: self.end };
        let done = append(&mut own);
        self.end = own.end;
        done
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
            self.apart(|text| dec_long(text, n));
            self
        }
    }

    /// Two numbers in decimal with a colon between, as `%u:%u`: sequence numbers. Two long ones that
    /// are the same, as most are, are made once.
    #[inline]
    pub(crate) fn dec_range(&mut self, from: u32, to: u32) -> &mut Self {
        if from == to && from >= EIGHT_DIGITS {
            self.apart(|text| dec_twice(text, from));
            self
        } else {
            self.dec(from).ch(b':').dec(to)
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
        let [a, b, c, d] = address;
        let half = |first: u8, second: u8| {
            let (first, bits) = DOTTED[usize::from(first)];
            let (second, more) = DOTTED[usize::from(second)];
            (u64::from(first) | u64::from(second) << bits, (bits + more) as usize / 8)
        };
        let ((first, len), (second, more)) = (half(a, b), half(c, d));
        self.begin(&first.to_le_bytes(), len).begin(&second.to_le_bytes(), more - 1)
    }

    /// An IPv6 address as inet_ntop(3) of OpenBSD writes it: the longest run of two or more
    /// zero words (the first of equals) is `::`; the last 32 bits are dotted behind 96 zero
    /// bits and behind `::ffff`.
    #[inline]
    pub(crate) fn ip6(&mut self, address: [u8; 16]) -> &mut Self {
        self.apart(|text| ip6(text, address));
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
fn dec_long(to: &mut Text<'_>, n: u32) {
    if n < EIGHT_DIGITS {
        let len = 5 + u32::from(n > 99_999) + u32::from(n > 999_999) + u32::from(n > 9_999_999);
        to.begin(&(eight_digits(n) >> (64 - 8 * len)).to_le_bytes(), len as usize);
    } else {
        let (top, len, rest) = nine_digits(n);
        to.begin(&top, len).begin(&rest, 8);
    }
}

/// A number of nine digits or more, twice, with a colon between.
fn dec_twice(to: &mut Text<'_>, n: u32) {
    let (top, len, rest) = nine_digits(n);
    to.begin(&top, len).begin(&rest, 8).ch(b':').begin(&top, len).begin(&rest, 8);
}

/// A number of nine digits or more: those before the last eight, how many they are, and the last eight.
#[inline]
fn nine_digits(n: u32) -> ([u8; 2], usize, [u8; 8]) {
    let top = n / EIGHT_DIGITS;
    let ones = u32::from(top < 10);
    let two = u16::from_le_bytes(pair(top)) >> (8 * ones);
    (two.to_le_bytes(), 2 - ones as usize, eight_digits(n % EIGHT_DIGITS).to_le_bytes())
}

/// The eight digits of a number below 100,000,000, the first in the lowest octet. It is taken apart
/// into two numbers of four digits, both at once into two of two, and all four at once into digits:
/// times 2^20 / 100 or 2^10 / 10, rounded up, is a quotient as long as there are no more digits.
#[inline]
fn eight_digits(n: u32) -> u64 {
    let halves = u64::from(n / 10_000) | u64::from(n % 10_000) << 32;
    let hundreds = ((halves * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let pairs = hundreds | (halves - 100 * hundreds) << 16;
    let tens = ((pairs * 103) >> 10) & 0x000f_000f_000f_000f;
    let digits = tens | (pairs - 10 * tens) << 8;
    digits | u64::from_le_bytes(*b"00000000")
}

/// An IPv6 address, see [`Text::ip6`].
fn ip6(to: &mut Text<'_>, address: [u8; 16]) {
    let words = address.as_chunks::<2>().0;
    let bits = words.iter().enumerate().map(|(place, word)| usize::from(*word == [0; 2]) << place);
    // eight bits need no check of bounds
    let (zeros, run) = LONGEST_ZEROS[bits.sum::<usize>() & 0xff];
    let (zeros, run) = (usize::from(zeros), usize::from(run));
    let rest = words.get(zeros + run..).unwrap_or_default();
    words.iter().take(zeros).for_each(|word| put_word(to, *word, 1));
    if run > 0 {
        to.put(if zeros == 0 { "::" } else { ":" });
    }
    match rest {
        [_, _] if zeros == 0 => _ = to.ip4(address.array(12)),
        [[0xff, 0xff], _, _] if zeros == 0 => _ = to.put("ffff:").ip4(address.array(12)),
        [] => {}
        [before @ .., last] => {
            before.iter().for_each(|word| put_word(to, *word, 1));
            put_word(to, *last, 0);
        }
    }
}

/// A word of an address, with so many colons behind it: one at most.
#[inline]
fn put_word(to: &mut Text<'_>, [high, low]: [u8; 2], colons: usize) {
    let [[a, b], [c, d]] = [HEX[usize::from(high)], HEX[usize::from(low)]];
    let zeros = (u16::from_be_bytes([high, low]) | 1).leading_zeros() / 4;
    let text = u64::from_le_bytes([a, b, c, d, b':', 0, 0, 0]) >> (8 * zeros);
    to.begin(&text.to_le_bytes(), 4 - zeros as usize + colons);
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
