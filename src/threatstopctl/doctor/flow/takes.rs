//! How much of a class a rule takes.

/// How much of a class a rule takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Takes {
    /// Not one packet.
    None,
    /// Some, or perhaps none or all.
    Some,
    /// Every packet.
    All,
}

impl Takes {
    /// All or nothing.
    pub fn when(condition: bool) -> Self {
        if condition { Self::All } else { Self::None }
    }

    /// How much of the class is left by a rule that takes so much.
    pub fn not(self) -> Self {
        match self {
            Self::None => Self::All,
            Self::Some => Self::Some,
            Self::All => Self::None,
        }
    }

    /// The rest, behind a `!`.
    pub fn unless(self, not: bool) -> Self {
        if not { self.not() } else { self }
    }
}
