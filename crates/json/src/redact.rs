//! Decides from a key what happens to its value: shown, dropped, masked or hashed. Pure: no I/O.

use crate::escape::escape;
use crate::form::FIELD_BYTES;
use crate::nested::{Answer, Ask, probe};
use crate::plan::Shape;
use crate::schema::ErrorForm;
use crate::siphash::siphash;
use crate::words::{last_word, push_words, words};
use std::fmt;
use std::sync::Arc;

/// What the value of a secret key becomes in the line.
#[derive(Clone)]
#[non_exhaustive]
pub enum Treatment {
    /// The field is left out.
    Drop,
    /// The value is written as `"***"`.
    Mask,
    /// The value is written as `"hash:…"`, 16 hex digits of SipHash-2-4 under this secret key: equal
    /// values can be told equal, and without the key a guess cannot be checked.
    Hash([u8; 16]),
}

/// Which keys hold secrets, and what becomes of their values.
///
/// A key is compared by its words: `accessToken`, `access-token` and `access_token` are the same.
/// The layer decides once per callsite, so a long list costs an event nothing. Only the values of
/// fields are redacted: a secret that was formatted into the message text stays there.
///
/// ```
/// use dogwatch_json::{Redact, Treatment};
///
/// let redact = Redact::secrets()
///     .key("email", Treatment::Mask)             // also `user.email`, `contact_email`
///     .path("card.*.number", Treatment::Drop)    // exactly `card.<one word>.number`
///     .show("page_token");                       // not a secret here
/// let judge = redact.judge();
/// assert_eq!(judge("db_password").map(|mask| mask("hunter2")), Some(Some("***".to_owned())));
/// assert_eq!(judge("card.main.number").map(|mask| mask("4242")), Some(None));
/// assert!(judge("page_token").is_none() && judge("order_id").is_none());
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a redaction does nothing until it is given to a layer"]
pub struct Redact {
    /// Shared, for each plan and each nested value has its own handle.
    rules: Arc<Rules>,
}

#[derive(Clone, Debug, Default)]
struct Rules {
    /// Later ones win.
    all: Vec<Rule>,
    /// Hashes of the last words of all endings, sorted: most keys are told from secrets by these.
    last_words: Vec<u32>,
    /// One of the rules is for a path.
    paths: bool,
}

#[derive(Clone, Debug)]
struct Rule {
    keys: Keys,
    treatment: Option<Treatment>,
}

#[derive(Clone, Debug)]
enum Keys {
    /// The words at the end of a key.
    Ending(String),
    /// The segments of a dotted key, each by its words; `None` stands for any one segment.
    Path(Vec<Option<String>>),
}

impl Redact {
    /// Shows every value.
    pub fn none() -> Self {
        Self::default()
    }

    /// Masks what is a secret, or a person's own, in nearly every service: each key that is or ends
    /// with one of [`Redact::SECRETS`].
    pub fn secrets() -> Self {
        Self::SECRETS
            .iter()
            .fold(Self::none(), |redact, key| redact.key(key, Treatment::Mask))
    }

    /// The keys of [`Redact::secrets`].
    pub const SECRETS: &[&str] = &[
        "password",
        "passwd",
        "pwd",
        "passphrase",
        "passcode",
        "authorization",
        "cookie",
        "cookies",
        "token",
        "jwt",
        "bearer",
        "secret",
        "credential",
        "credentials",
        "api_key",
        "apikey",
        "private_key",
        "secret_key",
        "access_key",
        "session_key",
        "session_id",
        "sessionid",
        "csrf",
        "xsrf",
        "otp",
        "pin",
        "cvv",
        "cvc",
        "js_code",
        "auth_code",
        "sms_code",
        "verification_code",
        "id_card",
        "id_number",
        "ssn",
        "passport",
        "card_number",
        "bank_card",
        "iban",
        "phone",
        "phone_number",
        "mobile",
        "mobile_number",
    ];

    /// Treats each key that is `key` or ends with its words: `password` also covers
    /// `user.db_password`.
    pub fn key(self, key: &str, treatment: Treatment) -> Self {
        self.rule(Keys::Ending(words(key)), Some(treatment))
    }

    /// Treats the dotted key that fits `path` from end to end; `*` stands for one segment.
    pub fn path(self, path: &str, treatment: Treatment) -> Self {
        let segment = |s: &str| (s != "*").then(|| words(s));
        self.rule(
            Keys::Path(path.split('.').map(segment).collect()),
            Some(treatment),
        )
    }

    /// Shows the dotted key `path`, whatever was said about it before.
    pub fn show(self, path: &str) -> Self {
        let segment = |s: &str| (s != "*").then(|| words(s));
        self.rule(Keys::Path(path.split('.').map(segment).collect()), None)
    }

    fn rule(mut self, keys: Keys, treatment: Option<Treatment>) -> Self {
        // No words would fit every key.
        let rules = Arc::make_mut(&mut self.rules);
        match &keys {
            Keys::Ending(words) if words.is_empty() => return self,
            Keys::Ending(words) => {
                rules.last_words.push(last_word(words));
                rules.last_words.sort_unstable();
            }
            Keys::Path(_) => rules.paths = true,
        }
        rules.all.push(Rule { keys, treatment });
        self
    }

    /// The same decisions for other layers, in std types: from a key to what becomes of its value
    /// (`None` from the inner closure: left out), or `None` if the value is shown.
    #[expect(
        clippy::type_complexity,
        reason = "std types only, so that no crate has to import ours"
    )]
    pub fn judge(
        &self,
    ) -> Arc<dyn Fn(&str) -> Option<Arc<dyn Fn(&str) -> Option<String> + Send + Sync>> + Send + Sync>
    {
        let redact = self.clone();
        Arc::new(move |key| {
            let treatment = redact.treatment(key)?.clone();
            Some(Arc::new(move |value: &str| treatment.apply(value)))
        })
    }

    /// What stands in a line for a value that is no text (of `json(…)`, of [`ErrorValue`]), its
    /// secrets hidden, for layers that would else see all of it as text: from a key and a value to
    /// JSON, at most 8 KiB. `None` for a value that is a text, and for a key that is a secret itself.
    ///
    /// [`ErrorValue`]: crate::ErrorValue
    #[expect(
        clippy::type_complexity,
        reason = "std types only, so that no crate has to import ours"
    )]
    pub fn nested(&self) -> Arc<dyn Fn(&str, &dyn fmt::Debug) -> Option<String> + Send + Sync> {
        let redact = self.clone();
        Arc::new(move |key, value| {
            let shape = Shape::of(key);
            let answer = redact.answer(key, shape, value)?;
            let fits = answer.fits(shape);
            let json = String::from_utf8(answer.json).ok()?;
            if fits {
                return Some(json);
            }
            let mut text = Vec::new();
            escape(&mut text, &json);
            let text = String::from_utf8(text).ok()?;
            Some(match shape {
                Shape::Error => format!("{{\"message\":\"{text}\",\"causes\":[]}}"),
                _ => format!("\"{text}\""),
            })
        })
    }

    /// As [`nested`](Redact::nested), for layers that show text to people: the JSON of an object or a
    /// list, its secrets hidden; `None` for all others, errors among them.
    #[expect(
        clippy::type_complexity,
        reason = "std types only, so that no crate has to import ours"
    )]
    pub fn nested_text(
        &self,
    ) -> Arc<dyn Fn(&str, &dyn fmt::Debug) -> Option<String> + Send + Sync> {
        let redact = self.clone();
        Arc::new(move |key, value| {
            let answer = redact.answer(key, Shape::Text, value)?;
            String::from_utf8(answer.json).ok()
        })
    }

    /// The answer of a value that is no text and no secret itself.
    fn answer(&self, key: &str, shape: Shape, value: &dyn fmt::Debug) -> Option<Answer> {
        let ask = || {
            self.treatment(key).is_none().then(|| Ask {
                key: key.to_owned(),
                redact: self.clone(),
                max_bytes: FIELD_BYTES,
                max_field: FIELD_BYTES,
                shape,
                error: ErrorForm::OBJECT,
            })
        };
        probe(&ask, value)
    }

    /// What becomes of the value of `key`; `None`: it is shown.
    pub(crate) fn treatment(&self, key: &str) -> Option<&Treatment> {
        if !self.hides() {
            return None;
        }
        let mut words = String::with_capacity(key.len() + 8);
        push_words(&mut words, key);
        self.treatment_of(key, &words)
    }

    /// Whether anything is hidden at all.
    pub(crate) fn hides(&self) -> bool {
        !self.rules.all.is_empty()
    }

    /// As [`treatment`](Self::treatment), for one whose words are known.
    pub(crate) fn treatment_of(&self, key: &str, all: &str) -> Option<&Treatment> {
        let rules = &*self.rules;
        if !rules.paths && rules.last_words.binary_search(&last_word(all)).is_err() {
            return None;
        }
        let fits = |path: &[Option<String>]| {
            let mut segments = key.split('.');
            let fits = path.iter().all(|wanted| {
                let segment = segments.next();
                segment.is_some_and(|s| wanted.as_ref().is_none_or(|wanted| *wanted == words(s)))
            });
            fits && segments.next().is_none()
        };
        let rule = rules.all.iter().rev().find(|rule| match &rule.keys {
            Keys::Ending(ending) => all.ends_with(ending),
            Keys::Path(path) => fits(path),
        });
        rule?.treatment.as_ref()
    }
}

impl Treatment {
    pub(crate) const MASKED: &str = "***";

    /// The text that stands for `value`, or `None` if the field is left out.
    pub(crate) fn apply(&self, value: &str) -> Option<String> {
        match self {
            Treatment::Drop => None,
            Treatment::Mask => Some(Self::MASKED.to_owned()),
            Treatment::Hash(key) => Some(format!("hash:{:016x}", siphash(key, value.as_bytes()))),
        }
    }
}

impl fmt::Debug for Treatment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Treatment::Drop => "Drop",
            Treatment::Mask => "Mask",
            // The key is a secret too.
            Treatment::Hash(_) => "Hash(..)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(redact: &Redact, key: &str) -> String {
        match redact.judge()(key) {
            None => "shown".to_owned(),
            Some(mask) => mask("value").unwrap_or_else(|| "dropped".to_owned()),
        }
    }

    #[test]
    fn each_secret_is_found_in_every_spelling_and_as_an_ending() {
        let redact = Redact::secrets();
        for key in Redact::SECRETS {
            let camel: String = words(key)
                .split('\0')
                .skip(1)
                .enumerate()
                .map(|(n, w)| {
                    if n == 0 {
                        w.to_owned()
                    } else {
                        w[..1].to_uppercase() + &w[1..]
                    }
                })
                .collect();
            for spelled in [
                (*key).to_owned(),
                key.to_uppercase(),
                key.replace('_', "-"),
                camel,
                format!("user.{key}"),
                format!("old_{key}"),
            ] {
                assert_eq!(shown(&redact, &spelled), "***", "{spelled}");
            }
        }
    }

    #[test]
    fn words_that_only_look_alike_are_shown() {
        let redact = Redact::secrets();
        for key in [
            "tokens_used",
            "password_checked",
            "pinned",
            "status_code",
            "phoneme",
            "",
            ".",
        ] {
            assert_eq!(shown(&redact, key), "shown", "{key}");
        }
    }

    #[test]
    fn the_later_rule_wins_and_a_path_fits_from_end_to_end() {
        let redact = Redact::none()
            .key("code", Treatment::Mask)
            .path("login.*.code", Treatment::Drop)
            .show("status.code");
        for (key, expected) in [
            ("code", "***"),
            ("login.sms.code", "dropped"),
            ("login.code", "***"),
            ("login.a.b.code", "***"),
            ("status.code", "shown"),
            ("http.status.code", "***"),
        ] {
            assert_eq!(shown(&redact, key), expected, "{key}");
        }
    }

    #[test]
    fn a_key_without_a_word_is_no_rule() {
        assert_eq!(
            shown(&Redact::none().key("", Treatment::Drop), "order_id"),
            "shown"
        );
    }

    #[test]
    fn a_hash_depends_on_value_and_key_and_its_key_is_not_printed() {
        let hash = |key: u8, value: &str| Treatment::Hash([key; 16]).apply(value).unwrap();
        assert_eq!(hash(1, "a"), hash(1, "a"));
        assert_ne!(hash(1, "a"), hash(2, "a"));
        assert_ne!(hash(1, "a"), hash(1, "b"));
        assert_eq!(format!("{:?}", Treatment::Hash([7; 16])), "Hash(..)");
    }
}
