//! Types of a few words each.

/// Declares an enum of words.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])+ $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$doc])+ $variant),+ }

        impl $name {
            /// The word of the file.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl $crate::setting::Setting for $name {
            const KIND: $crate::key::Kind = $crate::key::Kind::OneOf(&[$($word),+]);

            fn read(
                value: &$crate::setting::Value<'_>,
                _: $crate::setting::Bounds,
                faults: &mut Vec<$crate::fault::Fault>,
            ) -> Option<Self> {
                match value.get_ref().as_str() {
                    $(Some($word) => Some(Self::$variant),)+
                    _ => $crate::word::not_a_word(Self::KIND, value, faults),
                }
            }

            fn write(&self, out: &mut String) {
                out.push_str(&$crate::text::quote(self.as_str()));
            }
        }
    };
}
pub(crate) use words;

use prefix::quoted;

use crate::fault::Fault;
use crate::key::Kind;
use crate::setting::{Value, wrong, wrong_type};

/// What to say of a value that is none of the words.
pub(crate) fn not_a_word<T>(kind: Kind, value: &Value<'_>, faults: &mut Vec<Fault>) -> Option<T> {
    let why = match value.get_ref().as_str() {
        Some(text) => format!("takes {kind}, not {}", quoted(text)),
        None => wrong_type(kind, value.get_ref()),
    };
    wrong(value, why, faults)
}
