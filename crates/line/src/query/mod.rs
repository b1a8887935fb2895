//! The query language: one question for a live event, for a line, and for a million lines.

mod bulk;
mod check;
mod civil;
mod columns;
mod cursor;
mod expr;
mod gist;
mod glob;
mod lens;
mod literal;
mod literals;
mod matcher;
mod maybe;
mod names;
mod narrow;
mod now;
mod parse;
mod probe;
mod quote;
mod reckon;
mod skim;
mod source;
mod suggest;
mod summary;
mod times;
mod walk;
mod when;
mod wrapped;

use std::fmt;

pub use bulk::Bulk;
pub use columns::Columns;
pub use gist::Gist;
pub use lens::{Lens, Seen, unwrapped};
pub use literals::{Literals, Needle};
pub use matcher::{Matcher, Verdict};
pub use now::Now;
pub use summary::{Measure, Summary};
pub use times::Times;

use crate::Error;
use expr::Expr;

/// A question about lines: `level>=warn status>=500 -target=hyper "timed out" since=-1h`.
///
/// The language is told in `docs/query.md`. `Display` writes it in one canonical form, which reads
/// back as the same query.
///
/// ```
/// use std::time::SystemTime;
/// use dogwatch_line::{Now, Query};
///
/// let query = Query::parse("level >= warn and path:/api/*")?;
/// assert_eq!(query.to_string(), "level>=warn path=/api/*");
///
/// let matcher = query.matcher(Now::utc(SystemTime::now()));
/// assert!(matcher.judge(r#"{"level":"ERROR","path":"/api/orders"}"#).holds());
/// assert!(matcher.judge(r#"{"severity":"CRITICAL","http":{"path":"/"},"url.path":"/api/pay"}"#).holds());
/// assert!(!matcher.judge(r#"{"level":30,"path":"/api/orders"}"#).holds());
///
/// let error = Query::parse("level>=warm").unwrap_err();
/// assert_eq!(error.to_string(), "cannot read the query at column 8: unknown level `warm`, did you mean `warn`?");
/// # Ok::<(), dogwatch_line::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    expr: Expr,
    summary: Option<Summary>,
}

impl Query {
    /// Reads a query; the empty one holds for every line. At most 16 KiB, nested at most 64 deep.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (expr, summary) = parse::parse(text)?;
        Ok(Self { expr, summary })
    }

    /// Makes it ready to be asked: `-1h` and `yesterday` become moments.
    pub fn matcher(&self, now: Now) -> Matcher {
        Matcher::new(self, now)
    }

    /// What is made of the lines, if anything stands behind a pipe.
    pub fn summary(&self) -> Option<&Summary> {
        self.summary.as_ref()
    }

    /// What must stand, byte for byte, in every line that the query holds for.
    pub fn literals(&self) -> Literals {
        Literals::of(&self.expr)
    }

    /// The same query with its bare texts looked for in one field, not in every value: what
    /// `"timed out"` means in an alert rule, where it is the message that is meant.
    ///
    /// ```
    /// let query = dogwatch_line::Query::parse("level=error \"timed out\"")?;
    /// assert_eq!(query.texts_in("message").to_string(), "level=error message~\"timed out\"");
    /// # Ok::<(), dogwatch_line::Error>(())
    /// ```
    pub fn texts_in(&self, field: &str) -> Self {
        Self {
            expr: self.expr.texts_in(field),
            summary: self.summary.clone(),
        }
    }

    fn expr(&self) -> &Expr {
        &self.expr
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expr.fmt(f)?;
        match &self.summary {
            Some(summary) => write!(f, " | {summary}"),
            None => Ok(()),
        }
    }
}
