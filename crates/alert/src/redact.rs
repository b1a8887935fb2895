//! What may be seen of a field: the judge that the application hands in.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// Judges fields by their key, before any rule or sample sees them.
#[derive(Clone, Default)]
#[expect(
    clippy::type_complexity,
    reason = "std types only: a JSON layer's judge fits as it is"
)]
pub(crate) struct Redact {
    judge: Option<
        Arc<
            dyn Fn(&str) -> Option<Arc<dyn Fn(&str) -> Option<String> + Send + Sync>> + Send + Sync,
        >,
    >,
    nested: Option<Arc<dyn Fn(&str, &dyn fmt::Debug) -> Option<String> + Send + Sync>>,
}

/// Hides one key's values.
#[expect(clippy::type_complexity, reason = "as above")]
pub(crate) struct Mask(Arc<dyn Fn(&str) -> Option<String> + Send + Sync>);

impl Redact {
    #[expect(clippy::type_complexity, reason = "as above")]
    pub(crate) fn judge(
        &mut self,
        judge: Arc<
            dyn Fn(&str) -> Option<Arc<dyn Fn(&str) -> Option<String> + Send + Sync>> + Send + Sync,
        >,
    ) {
        self.judge = Some(judge);
    }

    #[expect(clippy::type_complexity, reason = "as above")]
    pub(crate) fn nested(
        &mut self,
        nested: Arc<dyn Fn(&str, &dyn fmt::Debug) -> Option<String> + Send + Sync>,
    ) {
        self.nested = Some(nested);
    }

    /// The JSON of a value that is no text, its secrets hidden.
    pub(crate) fn json(&self, key: &str, value: &dyn fmt::Debug) -> Option<String> {
        self.nested.as_ref()?(key, value)
    }

    /// What hides this key's value; `None` shows it as it is.
    pub(crate) fn mask(&self, key: &str) -> Option<Mask> {
        self.judge.as_ref().and_then(|judge| judge(key)).map(Mask)
    }

    /// What may be shown of a value; `None` drops the field.
    pub(crate) fn show<'v>(&self, key: &str, value: &'v str) -> Option<Cow<'v, str>> {
        match self.mask(key) {
            None => Some(Cow::Borrowed(value)),
            Some(mask) => mask.show(value).map(Cow::Owned),
        }
    }
}

impl Mask {
    /// What is shown instead; `None` drops the field.
    pub(crate) fn show(&self, value: &str) -> Option<String> {
        self.0(value)
    }
}

impl fmt::Debug for Redact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.judge.is_some() {
            "Redact(judge)"
        } else {
            "Redact(none)"
        })
    }
}
