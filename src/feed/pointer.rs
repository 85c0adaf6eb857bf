//! Pointers into JSON documents (RFC 6901), with `*` for each entry of an array or object.

/// Most octets of a member's name that a pointer can tell from others.
pub const LONGEST_NAME: usize = 256;

/// Where in a document the prefixes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer(Vec<Step>);

/// One step down from an array or object.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// To each entry.
    Each,
    /// To the member of this name, or the element of this number.
    Name(String),
}

impl Pointer {
    /// Reads a pointer of at least one step: `/prefixes/*/ip_prefix`.
    ///
    /// `None` for a text that does not begin with `/`, for a `~` that is neither `~0` nor `~1`, and
    /// for a step of more than [`LONGEST_NAME`] octets.
    pub fn parse(text: &str) -> Option<Self> {
        let steps = text.strip_prefix('/')?.split('/');
        steps.map(Step::parse).collect::<Option<_>>().map(Self)
    }

    /// Number of steps, at least one.
    pub(crate) fn steps(&self) -> usize {
        self.0.len()
    }

    /// Whether step `depth`, from 0, leads to the member of that name.
    pub(crate) fn leads_to_name(&self, depth: usize, name: &[u8]) -> bool {
        match self.0.get(depth) {
            Some(Step::Each) => true,
            Some(Step::Name(wanted)) => wanted.as_bytes() == name,
            None => false,
        }
    }

    /// Whether step `depth`, from 0, leads to the element of that number.
    pub(crate) fn leads_to_element(&self, depth: usize, index: u64) -> bool {
        match self.0.get(depth) {
            Some(Step::Each) => true,
            // RFC 6901, section 4: no leading zeros, no sign
            Some(Step::Name(wanted)) => *wanted == index.to_string(),
            None => false,
        }
    }
}

impl Step {
    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Each);
        }
        let mut behind = text.split('~').skip(1);
        if text.len() > LONGEST_NAME || !behind.all(|part| part.starts_with(['0', '1'])) {
            return None;
        }
        // in this order, so that ~01 is ~1 and not /
        Some(Self::Name(text.replace("~1", "/").replace("~0", "~")))
    }
}
