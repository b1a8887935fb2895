//! Names the two sets of defaults.

/// Which set of defaults a service starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Preset {
    /// Coloured text for people, from DEBUG on, with file and line.
    Dev,
    /// One JSON line an event, from INFO on, obvious secrets masked.
    Prod,
}

impl Preset {
    /// The name as `DOGWATCH_ENV` spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Prod => "prod",
        }
    }
}
