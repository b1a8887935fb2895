//! Texts with `{{names}}` in them, checked when they are read.

/// A text in which names stand for what is known when an alert is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(Box<str>),
    Name(Box<str>),
}

impl Template {
    /// Reads a text; a name that is not known is an error that says which are.
    pub(crate) fn parse(text: &str, known: &[&str]) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find("{{") {
            let Some((name, after)) = rest[at + 2..].split_once("}}") else {
                return Err("`{{` without its `}}`".into());
            };
            let name = name.trim();
            if !known.contains(&name) {
                return Err(format!(
                    "unknown name `{{{{{name}}}}}`; known are {}",
                    known.join(", ")
                ));
            }
            parts.push(Part::Text(rest[..at].into()));
            parts.push(Part::Name(name.into()));
            rest = after;
        }
        parts.push(Part::Text(rest.into()));
        Ok(Self(parts))
    }

    /// Writes it out; `value` gives what a name stands for.
    pub(crate) fn fill(&self, value: impl Fn(&str) -> String) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.to_string(),
            Part::Name(name) => value(name),
        };
        self.0.iter().map(part).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Template;

    #[test]
    fn names_are_filled_in_and_unknown_ones_refused() {
        let fill = |text: &str| {
            let template = Template::parse(text, &["count", "租户"])?;
            Ok::<_, String>(template.fill(|name| format!("<{name}>")))
        };
        let error = |text: &str| Err::<String, String>(text.into());
        for (text, filled) in [
            ("", Ok("".into())),
            ("plain } {", Ok("plain } {".into())),
            ("{{count}} of {{ 租户 }}!", Ok("<count> of <租户>!".into())),
            ("{{count}}{{count}}", Ok("<count><count>".into())),
            ("a {{count", error("`{{` without its `}}`")),
            (
                "{{cuont}}",
                error("unknown name `{{cuont}}`; known are count, 租户"),
            ),
            ("{{}}", error("unknown name `{{}}`; known are count, 租户")),
        ] {
            assert_eq!(fill(text), filled, "{text}");
        }
    }
}
