//! Reads and applies the limits of `--fail-on`. Pure.

use dogwatch_alert::RuleReport;

use super::Found;

/// A limit for each rule.
#[derive(Debug, PartialEq)]
pub(crate) struct Limit {
    what: &'static str,
    more: bool,
    number: f64,
}

/// `alerts_per_day>20, longest_minutes>60`; nothing for an empty text.
pub(crate) fn read(text: &str) -> Result<Vec<Limit>, String> {
    let parts = text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    parts.map(one).collect()
}

fn one(text: &str) -> Result<Limit, String> {
    let at = text
        .find(['<', '>'])
        .ok_or_else(|| format!("`{text}` is no limit: `alerts_per_day>20`"))?;
    let name = text[..at].trim();
    let what = NAMES.iter().find(|known| **known == name).ok_or_else(|| {
        format!(
            "nothing is called `{name}` here; there are {}",
            NAMES.join(", ")
        )
    })?;
    let number = text[at + 1..].trim();
    Ok(Limit {
        what,
        more: text[at..].starts_with('>'),
        number: number
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite())
            .ok_or_else(|| format!("`{number}` is no number, in `{text}`"))?,
    })
}

impl Limit {
    /// The rules that are beyond it, told.
    pub(crate) fn beyond(&self, found: &Found) -> Vec<String> {
        let sign = if self.more { '>' } else { '<' };
        let told = |rule: &RuleReport| {
            let is = value(self.what, rule, found);
            let beyond = if self.more {
                is > self.number
            } else {
                is < self.number
            };
            beyond.then(|| {
                let is = (is * 100.0).round() / 100.0;
                format!(
                    "rule `{}`: {} is {is}, {sign} {}",
                    rule.rule, self.what, self.number
                )
            })
        };
        found.rules.iter().filter_map(told).collect()
    }
}

fn value(what: &str, rule: &RuleReport, found: &Found) -> f64 {
    match what {
        "alerts_per_day" => found.alerts_per_day(rule),
        "fired" => rule.fired as f64,
        "firing_minutes" => rule.firing.as_secs_f64() / 60.0,
        "longest_minutes" => rule.longest.as_secs_f64() / 60.0,
        "messages" => rule.messages as f64,
        "overflowed" => rule.overflowed as f64,
        _ => rule.matched as f64,
    }
}

const NAMES: [&str; 7] = [
    "alerts_per_day",
    "fired",
    "firing_minutes",
    "longest_minutes",
    "matched",
    "messages",
    "overflowed",
];

#[cfg(test)]
mod tests {
    use super::{Limit, read};

    #[test]
    fn limits_are_read_and_what_is_none_is_told() {
        let limit = |what, more, number| Limit { what, more, number };
        let both = vec![
            limit("alerts_per_day", true, 20.0),
            limit("matched", false, 1.5),
        ];
        assert_eq!(read("alerts_per_day>20, matched < 1.5"), Ok(both));
        assert_eq!(read(""), Ok(Vec::new()));
        for (text, error) in [
            ("fired", "`fired` is no limit: `alerts_per_day>20`"),
            (
                "fires>1",
                "nothing is called `fires` here; there are alerts_per_day, fired, firing_minutes, longest_minutes, matched, messages, overflowed",
            ),
            ("fired>x", "`x` is no number, in `fired>x`"),
            ("fired>=1", "`=1` is no number, in `fired>=1`"),
        ] {
            assert_eq!(read(text), Err(error.to_owned()), "{text}");
        }
    }
}
