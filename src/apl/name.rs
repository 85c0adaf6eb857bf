//! Names of lists and of the parts that lists are made of.

use core::fmt;

use hickory_proto::rr::Name;
use prefix::quoted;

/// The name of a list or of a part of one: a fully qualified DNS name that is not the root.
///
/// Compared without regard to the case of ASCII letters (RFC 4343). The text form has no final
/// dot and only printable ASCII, whatever octets a server put into its labels.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ListName(Name);

/// Why a text is not the name of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// A label is empty.
    EmptyLabel,
    /// A label has more than 63 octets, or the name more than 255.
    TooLong,
    /// A character other than an ASCII letter, a digit, `-` and `_`.
    Character(char),
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyLabel => f.write_str("a DNS name has no empty part between its dots"),
            Self::TooLong => f.write_str("a DNS name has at most 63 octets a part and 255 in all"),
            Self::Character(c) => {
                let c = quoted(c.encode_utf8(&mut [0; 4]));
                write!(f, "{c} is not possible in the name of a list")
            }
        }
    }
}

impl std::error::Error for NameError {}

impl ListName {
    /// Reads the text of a name, with or without the final dot.
    ///
    /// # Errors
    /// When a label is empty, too long, or has other characters than letters, digits, `-` and `_`.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text = text.strip_suffix('.').unwrap_or(text);
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if let Some(c) = text.chars().find(|c| !allowed(*c)) {
            return Err(NameError::Character(c));
        }
        if text.split('.').any(str::is_empty) {
            return Err(NameError::EmptyLabel);
        }
        Name::from_labels(text.split('.').map(str::as_bytes))
            .map(Self)
            .map_err(|_| NameError::TooLong)
    }

    /// A name off the wire; `None` for the root.
    pub(crate) fn from_wire(mut name: Name) -> Option<Self> {
        name.set_fqdn(true);
        (!name.is_root()).then_some(Self(name))
    }

    /// The name for comparison with those off the wire.
    pub(crate) fn as_name(&self) -> &Name {
        &self.0
    }

    /// Whether the name lies below `suffix`. A name does not lie below itself.
    pub fn is_below(&self, suffix: &Self) -> bool {
        self != suffix && suffix.0.zone_of(&self.0)
    }

    /// The name with a number appended to its first label, as the service numbers the parts of a
    /// list of A records; `None` when the label would grow beyond 63 octets or the name beyond 255.
    pub(crate) fn numbered(&self, number: u8) -> Option<Self> {
        let mut labels: Vec<Vec<u8>> = self.0.iter().map(<[u8]>::to_vec).collect();
        labels.first_mut()?.extend_from_slice(number.to_string().as_bytes());
        Name::from_labels(labels).map(Self).ok()
    }

    /// Appends the wire form without compression (RFC 1035, section 3.1).
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        for label in &self.0 {
            // At most 63 by construction, so that the cast keeps the value.
            out.push(label.len() as u8);
            out.extend_from_slice(label);
        }
        out.push(0);
    }
}

impl fmt::Display for ListName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, label) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            for &octet in label {
                match octet {
                    b'.' | b'\\' => write!(f, "\\{}", char::from(octet))?,
                    0x21..=0x7e => write!(f, "{}", char::from(octet))?,
                    // RFC 1035, section 5.1: three decimal digits
                    _ => write!(f, "\\{octet:03}")?,
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for ListName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

#[cfg(test)]
mod tests;
