//! A query made ready for lines as they stand, or for the fields that `--extract` makes of text.

use std::borrow::Cow;

use dogwatch_line::{Matcher, Query};
use dogwatch_reader::Search;

use crate::command::{EXTRACT, Given};
use crate::extract::Extract;
use crate::session::{Session, say};

/// What is looked for.
pub(crate) struct Question {
    /// What the reader looks for: everything, if fields have to be made first.
    pub(crate) search: Search,
    pub(crate) matcher: Matcher,
    /// What the reader looks for in one log if so many lines around each are wanted too.
    pub(crate) near: Option<(Search, usize)>,
    extract: Option<Extract>,
}

impl Question {
    /// `around` if so many other lines are wanted too.
    pub(crate) fn new(
        given: &Given,
        session: &Session,
        query: &Query,
        around: Option<usize>,
    ) -> Result<Self, String> {
        let form = given.value(&EXTRACT);
        let extract = form.map(|form| Extract::new(form, session.zone.clone(), session.moment()));
        let extract = extract.transpose()?;
        let near = around.filter(|_| extract.is_none());
        let near = near.map(|lines| (session.search(query).around(lines), lines));
        let all = around.is_some() || extract.is_some();
        let search = match all {
            true => session.search(&Query::parse("").map_err(|error| error.to_string())?),
            false => session.search(query),
        };
        Ok(Self {
            search,
            matcher: query.matcher(session.now()),
            near,
            extract,
        })
    }

    /// Whether text becomes fields.
    pub(crate) fn makes_fields(&self) -> bool {
        self.extract.is_some()
    }

    /// A line with the fields that are made of it.
    pub(crate) fn made<'a>(&self, line: &'a str) -> Cow<'a, str> {
        let made = self.extract.as_ref().and_then(|extract| extract.line(line));
        made.map_or(Cow::Borrowed(line), Cow::Owned)
    }

    /// A line that the search gave, as it is asked about; `None` if it is not what is looked for.
    pub(crate) fn found<'a>(&self, line: &'a str) -> Option<Cow<'a, str>> {
        let made = self.made(line);
        let found = self.extract.is_none() || self.matcher.judge(&made).holds();
        found.then_some(made)
    }

    /// Says what could not be read as fields.
    pub(crate) fn end(&self) {
        let shortfall = self.extract.as_ref().and_then(Extract::shortfall);
        if let Some(shortfall) = shortfall {
            say(&shortfall);
        }
    }
}
