//! A JSON document (RFC 8259) octet by octet, and what a pointer leads to in it.
//!
//! Nothing is kept of the document but the way down to where it is being read, the name of the
//! member there and the string that the pointer leads to, all of them bounded.

use crate::pointer::{LONGEST_NAME, Pointer};

/// How deep arrays and objects may lie within one another.
pub const DEEPEST: usize = 64;

/// What the pointer leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A string, which is [`Json::text`].
    Text,
    /// Something else that is not null; the octet with which it begins.
    Other(u8),
}

/// Why octets are no JSON document, in words.
pub(crate) type Problem = &'static str;

/// A reader of one document.
pub(crate) struct Json {
    state: State,
    /// The arrays and objects around what is being read.
    around: Vec<Around>,
    /// Whether the pointer leads this way.
    this_way: bool,
    /// The string or name that is being read, where it is wanted.
    text: Vec<u8>,
    wanted: bool,
}

struct Around {
    object: bool,
    /// Number of the element within an array, from 0.
    element: u64,
    /// Whether the pointer leads here.
    this_way: bool,
}

#[derive(Clone, Copy)]
enum State {
    /// Before a value.
    Value,
    /// Behind `[`: a value or `]`.
    First,
    /// Behind `{`: a name or `}`.
    FirstName,
    /// Behind `,` in an object.
    Name,
    /// Behind a name.
    Colon,
    /// Behind a value.
    Behind,
    /// Within a string, which may be a name.
    Text { name: bool, at: InText },
    /// Within a number.
    Number(InNumber),
    /// Within true, false or null: what has to follow.
    Word(&'static [u8]),
}

#[derive(Clone, Copy)]
enum InText {
    Plain,
    /// Behind `\`.
    Escape,
    /// Behind `\u` and so many digits, which make `value`; `high` is the surrogate before.
    Code {
        digits: u8,
        value: u32,
        high: Option<u32>,
    },
    /// Behind an escaped high surrogate, and behind the `\` that follows it.
    High {
        high: u32,
        escape: bool,
    },
}

#[derive(Clone, Copy)]
enum InNumber {
    Minus,
    Zero,
    Whole,
    Point,
    Fraction,
    Exponent,
    Sign,
    Power,
}

const HALF: Problem = "it ends in the midst of a value";

impl Json {
    /// A reader that stands before a document.
    pub(crate) fn new() -> Self {
        let (around, text) = (Vec::new(), Vec::new());
        // A pointer has at least one step, and none of it is taken before the first value.
        Self { state: State::Value, around, this_way: true, text, wanted: false }
    }

    /// Makes ready for another document.
    pub(crate) fn again(&mut self) {
        self.around.clear();
        (self.state, self.this_way) = (State::Value, true);
    }

    /// The text that was found.
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Whether nothing but blanks has come.
    pub(crate) fn is_fresh(&self) -> bool {
        self.around.is_empty() && matches!(self.state, State::Value)
    }

    /// Takes the next octet.
    ///
    /// # Errors
    /// When no document has it there.
    #[inline]
    pub(crate) fn next(&mut self, octet: u8, pointer: &Pointer) -> Result<Option<Found>, Problem> {
        match self.state {
            State::Text { at: InText::Plain, .. } if !matches!(octet, b'"' | b'\\' | ..0x20) => {
                self.keep(&[octet]);
                Ok(None)
            }
            State::Text { name, at } => self.within_text(name, at, octet, pointer),
            State::Number(at) => match next_in_number(at, octet)? {
                Some(at) => {
                    self.state = State::Number(at);
                    Ok(None)
                }
                None => self.behind(octet),
            },
            State::Word(rest) => {
                let (wanted, rest) = rest.split_first().ok_or("not a value")?;
                if octet != *wanted {
                    return Err("neither true, false nor null");
                }
                self.state = if rest.is_empty() { State::Behind } else { State::Word(rest) };
                Ok(None)
            }
            _ if matches!(octet, b' ' | b'\t' | b'\n' | b'\r') => Ok(None),
            State::Value => self.value(octet, pointer),
            State::First if octet == b']' => {
                self.end();
                Ok(None)
            }
            State::First => self.value(octet, pointer),
            State::FirstName if octet == b'}' => {
                self.end();
                Ok(None)
            }
            State::FirstName | State::Name => {
                if octet != b'"' {
                    return Err("a name in quotes is wanting");
                }
                self.begin_text(true, self.leads_here());
                Ok(None)
            }
            State::Colon => {
                if octet != b':' {
                    return Err("a colon is wanting behind a name");
                }
                self.state = State::Value;
                Ok(None)
            }
            State::Behind => self.behind(octet),
        }
    }

    /// Says that no more octets follow.
    ///
    /// # Errors
    /// When the document is not whole.
    pub(crate) fn finish(&self) -> Result<(), Problem> {
        let whole = match self.state {
            State::Behind => true,
            State::Number(at) => next_in_number(at, b' ').is_ok(),
            _ => false,
        };
        if whole && self.around.is_empty() { Ok(()) } else { Err(HALF) }
    }

    fn leads_here(&self) -> bool {
        self.around.last().is_none_or(|around| around.this_way)
    }

    /// The first octet of a value.
    fn value(&mut self, octet: u8, pointer: &Pointer) -> Result<Option<Found>, Problem> {
        if let Some(around) = self.around.last().filter(|around| !around.object) {
            let depth = self.around.len() - 1;
            self.this_way = around.this_way && pointer.leads_to_element(depth, around.element);
        }
        let found = self.this_way && self.around.len() == pointer.steps();
        match octet {
            b'"' => {
                self.begin_text(false, found);
                return Ok(None);
            }
            b'{' | b'[' => {
                if self.around.len() == DEEPEST {
                    return Err("arrays and objects lie too deep within one another");
                }
                let (object, this_way) = (octet == b'{', self.this_way && !found);
                self.around.push(Around { object, element: 0, this_way });
                self.state = if object { State::FirstName } else { State::First };
            }
            b'-' => self.state = State::Number(InNumber::Minus),
            b'0' => self.state = State::Number(InNumber::Zero),
            b'1'..=b'9' => self.state = State::Number(InNumber::Whole),
            b't' => self.state = State::Word(b"rue"),
            b'f' => self.state = State::Word(b"alse"),
            b'n' => {
                self.state = State::Word(b"ull");
                return Ok(None);
            }
            _ => return Err("not a value"),
        }
        Ok(found.then_some(Found::Other(octet)))
    }

    /// An octet behind a value.
    fn behind(&mut self, octet: u8) -> Result<Option<Found>, Problem> {
        self.state = State::Behind;
        let Some(around) = self.around.last_mut() else {
            let blank = matches!(octet, b' ' | b'\t' | b'\n' | b'\r');
            return if blank { Ok(None) } else { Err("something follows behind the document") };
        };
        match (octet, around.object) {
            (b' ' | b'\t' | b'\n' | b'\r', _) => {}
            (b',', true) => self.state = State::Name,
            (b',', false) => {
                around.element += 1;
                self.state = State::Value;
            }
            (b'}', true) | (b']', false) => self.end(),
            _ => return Err("a comma or the end of an array or object is wanting"),
        }
        Ok(None)
    }

    /// The end of an array or object.
    fn end(&mut self) {
        self.around.pop();
        self.state = State::Behind;
    }

    fn begin_text(&mut self, name: bool, wanted: bool) {
        self.state = State::Text { name, at: InText::Plain };
        self.wanted = wanted;
        self.text.clear();
    }

    fn keep(&mut self, octets: &[u8]) {
        // one more than a name may have tells a longer one
        if self.wanted && self.text.len() <= LONGEST_NAME {
            self.text.extend_from_slice(octets);
        }
    }

    /// An octet within a string that is not simply part of it.
    fn within_text(
        &mut self,
        name: bool,
        at: InText,
        octet: u8,
        pointer: &Pointer,
    ) -> Result<Option<Found>, Problem> {
        let next = match at {
            InText::Plain => match octet {
                b'"' => return Ok(self.end_of_text(name, pointer)),
                b'\\' => InText::Escape,
                _ => return Err("a control character in a string"),
            },
            InText::Escape => match octet {
                b'u' => InText::Code { digits: 0, value: 0, high: None },
                _ => {
                    let plain = match octet {
                        b'"' | b'\\' | b'/' => octet,
                        b'b' => 0x08,
                        b'f' => 0x0c,
                        b'n' => b'\n',
                        b'r' => b'\r',
                        b't' => b'\t',
                        _ => return Err("an escape that there is not"),
                    };
                    self.keep(&[plain]);
                    InText::Plain
                }
            },
            InText::High { high, escape } => match (octet, escape) {
                (b'\\', false) => InText::High { high, escape: true },
                (b'u', true) => InText::Code { digits: 0, value: 0, high: Some(high) },
                _ => return Err("half of a surrogate pair"),
            },
            InText::Code { digits, value, high } => {
                let digit = char::from(octet).to_digit(16).ok_or("not four digits behind \\u")?;
                let (digits, value) = (digits + 1, value << 4 | digit);
                match (digits, high, value) {
                    (..4, ..) => InText::Code { digits, value, high },
                    (_, None, 0xd800..0xdc00) => InText::High { high: value, escape: false },
                    (_, Some(high), 0xdc00..0xe000) => {
                        self.code(0x10000 + ((high & 0x3ff) << 10 | value & 0x3ff))?
                    }
                    (_, Some(_), _) => return Err("half of a surrogate pair"),
                    (_, None, _) => self.code(value)?,
                }
            }
        };
        self.state = State::Text { name, at: next };
        Ok(None)
    }

    fn code(&mut self, value: u32) -> Result<InText, Problem> {
        let char = char::from_u32(value).ok_or("half of a surrogate pair")?;
        self.keep(char.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(InText::Plain)
    }

    fn end_of_text(&mut self, name: bool, pointer: &Pointer) -> Option<Found> {
        if !name {
            self.state = State::Behind;
            return self.wanted.then_some(Found::Text);
        }
        self.state = State::Colon;
        let depth = self.around.len() - 1;
        self.this_way = self.wanted && pointer.leads_to_name(depth, &self.text);
        None
    }
}

/// What a number goes on with; `None` when it ended before the octet.
fn next_in_number(at: InNumber, octet: u8) -> Result<Option<InNumber>, Problem> {
    use InNumber::{Exponent, Fraction, Minus, Point, Power, Sign, Whole, Zero};
    Ok(Some(match (at, octet) {
        (Minus, b'0') => Zero,
        (Minus, b'1'..=b'9') | (Whole, b'0'..=b'9') => Whole,
        (Zero, b'0'..=b'9') => return Err("a number with a leading zero"),
        (Zero | Whole, b'.') => Point,
        (Zero | Whole | Fraction, b'e' | b'E') => Exponent,
        (Point | Fraction, b'0'..=b'9') => Fraction,
        (Exponent, b'+' | b'-') => Sign,
        (Exponent | Sign | Power, b'0'..=b'9') => Power,
        (Zero | Whole | Fraction | Power, _) => return Ok(None),
        (Minus | Point | Exponent | Sign, _) => return Err("half a number"),
    }))
}
