//! Points the bare texts of a query at one field.

use regex::{Regex, escape};

use super::expr::{Expr, Op, Pattern, Test, Text};
use super::glob::Glob;
use super::literal::Literal;

impl Expr {
    /// The same tree with each text that was looked for anywhere looked for in `field` alone.
    pub(crate) fn texts_in(&self, field: &str) -> Self {
        let all = |parts: &[Self]| parts.iter().map(|part| part.texts_in(field)).collect();
        match self {
            Self::And(parts) => Self::And(all(parts)),
            Self::Or(parts) => Self::Or(all(parts)),
            Self::Not(inner) => Self::Not(Box::new(inner.texts_in(field))),
            Self::Test(Test::Anywhere(text)) => {
                Self::Test(Test::Compare(field.into(), Op::Is, literal(text)))
            }
            Self::Test(test) => Self::Test(test.clone()),
        }
    }
}

fn literal(text: &Text) -> Literal {
    match text {
        // A wildcard has no quotes to hold a space, and a star in the text is a star.
        Text::Contains(text) => match Regex::new(&escape(text)) {
            Ok(regex) => Literal::Pattern(Pattern(regex)),
            // Too long for the engine, and so for any line: all of the field.
            Err(_) => Literal::Text(text.clone()),
        },
        Text::Like(glob) => Literal::Like(Glob::new(&format!("*{}*", glob.as_str()))),
        Text::Matches(pattern) => Literal::Pattern(pattern.clone()),
    }
}

#[cfg(test)]
mod tests {
    use crate::{Line, Now, Query};
    use std::time::SystemTime;

    #[test]
    fn a_bare_text_is_looked_for_in_the_field_alone_and_reads_back() {
        for (query, narrowed, holds, fails) in [
            (
                "timeout",
                "message~timeout",
                r#"{"message":"a timeout b"}"#,
                r#"{"message":"","x":"timeout"}"#,
            ),
            (
                "\"a*b\" level=error",
                "message~\"a\\\\*b\" level=error",
                r#"{"message":"xa*b","level":"ERROR"}"#,
                r#"{"message":"axb","level":"ERROR"}"#,
            ),
            (
                "time*out or -~\"ti(m|p)ed\"",
                "message=*time*out* or -message~\"ti(m|p)ed\"",
                r#"{"message":"time is out"}"#,
                r#"{"message":"tiped"}"#,
            ),
            (
                "\"支付 失败\"",
                "message~\"支付 失败\"",
                r#"{"message":"支付 失败了"}"#,
                r#"{"message":"支付失败"}"#,
            ),
        ] {
            let narrow = Query::parse(query).unwrap().texts_in("message");
            let told = narrow.to_string();
            assert_eq!(told, narrowed);
            let matcher = narrow.matcher(Now::utc(SystemTime::UNIX_EPOCH));
            let line = |text| Line::parse(text).unwrap();
            assert!(matcher.holds(&line(holds)), "{told}");
            assert!(!matcher.holds(&line(fails)), "{told}");
            assert!(matcher.judge(holds).holds() && !matcher.judge(fails).holds());
            assert_eq!(Query::parse(&told).unwrap(), narrow, "{told}");
        }
    }
}
