//! Writes rows of comma-separated values (RFC 4180, lines ended by a line feed). Pure.

use dogwatch_line::{Columns, Line, unwrapped};

/// Lines as rows.
pub(crate) struct Rows {
    names: Vec<String>,
    columns: Columns,
}

impl Rows {
    /// Time, level, target and message, then the fields of a list with commas; each once.
    pub(crate) fn new(fields: &str) -> Self {
        let fields = fields
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty());
        let mut names: Vec<String> = Vec::new();
        for name in ["timestamp", "level", "target", "message"]
            .into_iter()
            .chain(fields)
        {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        Self {
            columns: Columns::new(names.iter().map(|name| &**name)),
            names,
        }
    }

    pub(crate) fn heading(&self) -> String {
        row(self.names.iter().map(|name| &**name))
    }

    /// A line as a row; what it has not is empty. A text is a message, and so is the
    /// half of a JSON line, which has no fields.
    pub(crate) fn line(&self, line: &str) -> String {
        let mut values: Vec<String> = self
            .columns
            .of(line)
            .iter()
            .map(|value| value.as_ref().map_or_else(String::new, ToString::to_string))
            .collect();
        let text = unwrapped(line);
        let bare = values.iter().all(String::is_empty);
        if bare && (!text.starts_with('{') || Line::parse_repeating(&text).is_err()) {
            values[3] = text.into_owned();
        }
        row(values.iter().map(|value| &**value))
    }
}

/// One row with its end.
pub(crate) fn row<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            out.push(',');
        }
        if cell.contains([',', '"', '\n', '\r']) {
            out.push('"');
            out.push_str(&cell.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(cell);
        }
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::Rows;

    #[test]
    fn a_line_is_a_row_and_what_would_break_it_is_quoted() {
        let rows = Rows::new("status, error.message,message,status");
        assert_eq!(
            rows.heading(),
            "timestamp,level,target,message,status,error.message\n"
        );
        for (line, expected) in [
            (
                r#"{"timestamp":"2026-11-24T10:00:00Z","level":"ERROR","target":"a","message":"x, \"y\"\nz","status":502}"#,
                "2026-11-24T10:00:00Z,ERROR,a,\"x, \"\"y\"\"\nz\",502,\n",
            ),
            (
                r#"{"msg":"支付","res":{"statusCode":200}}"#,
                ",,,支付,200,\n",
            ),
            ("just text", ",,,just text,,\n"),
            ("{\"half\":", ",,,\"{\"\"half\"\":\",,\n"),
            (
                r#"{"level":"ERROR","status":5"#,
                ",,,\"{\"\"level\"\":\"\"ERROR\"\",\"\"status\"\":5\",,\n",
            ),
            (
                r#"{"log":"text, wrapped\n","stream":"stdout","time":"x"}"#,
                ",,,\"text, wrapped\",,\n",
            ),
        ] {
            assert_eq!(rows.line(line), expected);
        }
    }
}
