//! Sections: how the struct, the keys, the reader and the writer of one come from one declaration.

use crate::key::{Key, header, join};
use crate::reader::Reader;

/// A section of the file, declared with [`section!`].
pub(crate) trait Section: Sized {
    /// Its name with those around it, such as `log.request`; empty for the whole file.
    const PATH: &'static str;
    /// Whether it can stand several times.
    const MANY: bool;

    /// Appends its keys, then those of the sections within it.
    fn keys(out: &mut Vec<Key>);
    /// Reads the one that stands at `path`, which has a number where [`Section::PATH`] has several.
    /// What is wrong is left with the reader.
    fn read(reader: &mut Reader<'_>, path: &str) -> Option<Self>;
    /// Appends it as TOML.
    fn write(&self, out: &mut String);
}

/// What stands within a section besides keys: one section, or any number of one kind.
pub(crate) trait Inner: Sized {
    /// See [`Section::keys`].
    fn keys(out: &mut Vec<Key>);
    /// Reads what has this name within the section at `path`; `most` is how often it can stand.
    fn read(reader: &mut Reader<'_>, path: &str, name: &str, most: usize) -> Option<Self>;
    /// See [`Section::write`].
    fn write(&self, out: &mut String);
}

impl<S: Section> Inner for S {
    fn keys(out: &mut Vec<Key>) {
        S::keys(out);
    }

    fn read(reader: &mut Reader<'_>, path: &str, name: &str, _: usize) -> Option<Self> {
        let path = join(path, name);
        reader.one(&path, S::PATH);
        S::read(reader, &path)
    }

    fn write(&self, out: &mut String) {
        S::write(self, out);
    }
}

impl<S: Section> Inner for Vec<S> {
    fn keys(out: &mut Vec<Key>) {
        S::keys(out);
    }

    fn read(reader: &mut Reader<'_>, path: &str, name: &str, most: usize) -> Option<Self> {
        let path = join(path, name);
        let count = reader.many(&path, S::PATH, most);
        (0..count).map(|index| S::read(reader, &format!("{path}.{index}"))).collect()
    }

    fn write(&self, out: &mut String) {
        for section in self {
            section.write(out);
        }
    }
}

/// The header of a section, for writing it.
pub(crate) fn begin<S: Section>(out: &mut String) {
    if !S::PATH.is_empty() {
        out.push_str(&format!("\n{}\n", header(S::PATH, S::MANY)));
    }
}

/// Declares a section: a struct with a field for each key, `name: Type = default`, in brackets
/// its bounds, for a key that must be set a value that stands in while it is not; and after a bar
/// the sections within it, `Vec<Type> [most]` for those that can stand several times, which are
/// declared with `many` before the name.
macro_rules! section {
    (
        $(#[$meta:meta])*
        $name:ident $section:literal $($many:ident)? {
            $(
                #[doc = $doc:literal]
                $key:ident: $type:ty = $default:tt $(or $stand_in:literal)?
                    $([$least:expr, $greatest:expr])?;
            )+
            $(| $(#[doc = $inner_doc:literal] $inner:ident: $inner_type:ty $(= $most:literal)?;)+)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name {
            $(#[doc = $doc] pub $key: $type,)+
            $($(#[doc = $inner_doc] pub $inner: $inner_type,)+)?
        }

        impl $name {
            const KEYS: &'static [$crate::key::Key] = &[$($crate::key::Key {
                section: $section,
                many: <Self as $crate::section::Section>::MANY,
                name: stringify!($key),
                kind: <$type as $crate::setting::Setting>::KIND,
                default: stringify!($default),
                bounds: $crate::section::optional!($(($least, $greatest))?),
                stand_in: $crate::section::optional!($(concat!("\"", $stand_in, "\""))?),
                // rustdoc keeps the blank after the slashes
                doc: $doc.trim_ascii_start(),
            }),+];
        }

        impl $crate::section::Section for $name {
            const PATH: &'static str = $section;
            const MANY: bool = $crate::section::several!($($many)?);

            fn keys(out: &mut Vec<$crate::key::Key>) {
                out.extend_from_slice(Self::KEYS);
                $($(<$inner_type as $crate::section::Inner>::keys(out);)+)?
            }

            fn read(reader: &mut $crate::reader::Reader<'_>, path: &str) -> Option<Self> {
                reader.unknown(path, Self::PATH, &[$($(stringify!($inner)),+)?]);
                let mut keys = Self::KEYS.iter();
                $(let $key = keys.next().and_then(|key| reader.get(path, key));)+
                $($(let $inner = <$inner_type as $crate::section::Inner>::read(
                    reader,
                    path,
                    stringify!($inner),
                    0 $(+ $most)?,
                );)+)?
                Some(Self { $($key: $key?,)+ $($($inner: $inner?,)+)? })
            }

            fn write(&self, out: &mut String) {
                $crate::section::begin::<Self>(out);
                $(
                    out.push_str(concat!(stringify!($key), " = "));
                    $crate::setting::Setting::write(&self.$key, out);
                    out.push('\n');
                )+
                $($($crate::section::Inner::write(&self.$inner, out);)+)?
            }
        }
    };
}
pub(crate) use section;

/// What may be left out.
macro_rules! optional {
    () => {
        None
    };
    ($value:expr) => {
        Some($value)
    };
}
pub(crate) use optional;

/// Whether a section is declared with `many`.
macro_rules! several {
    () => {
        false
    };
    (many) => {
        true
    };
}
pub(crate) use several;
