//! Reads a query: or, and, not, a term; then what comes behind the pipe.

use regex::RegexBuilder;

use super::cursor::{Cursor, Word};
use super::expr::{Expr, Op, Pattern, Test, Text};
use super::glob::Glob;
use super::literal::Literal;
use super::names::{Kind, Names, is_bound};
use super::suggest::{unknown_level, unknown_operator, unknown_time};
use super::summary::Summary;
use super::when::When;
use crate::{Error, Level, Value};

/// What a text means.
pub(crate) fn parse(text: &str) -> Result<(Expr, Option<Summary>), Error> {
    let mut parser = Parser {
        cursor: Cursor::new(text),
        depth: 0,
    };
    if text.len() > MAX_BYTES {
        return Err(parser
            .cursor
            .error(MAX_BYTES, format!("it is longer than {MAX_BYTES} bytes")));
    }
    let expr = match parser.cursor.peek() {
        None | Some('|') => Expr::all(),
        Some(_) => parser.or()?,
    };
    let summary = match parser.cursor.eat('|') {
        true => Some(Summary::read(&mut parser.cursor)?),
        false => None,
    };
    match parser.cursor.peek() {
        None => Ok((expr, summary)),
        Some(')') => Err(parser.cursor.here("`)` closes nothing")),
        Some('|') => Err(parser.cursor.here("there can be only one summary")),
        Some(other) => Err(parser
            .cursor
            .here(format!("expected the end, found `{other}`"))),
    }
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    depth: usize,
}

impl Parser<'_> {
    fn or(&mut self) -> Result<Expr, Error> {
        let mut parts = vec![self.and()?];
        while self.cursor.eat_keyword("or") {
            parts.push(self.and()?);
        }
        Ok(Expr::or(parts))
    }

    fn and(&mut self) -> Result<Expr, Error> {
        let mut parts = vec![self.not()?];
        loop {
            let joined = self.cursor.eat_keyword("and");
            let over = matches!(self.cursor.peek(), None | Some(')' | '|'))
                || self.cursor.at_keyword("or");
            if over && !joined {
                return Ok(Expr::and(parts));
            }
            parts.push(self.not()?);
        }
    }

    fn not(&mut self) -> Result<Expr, Error> {
        if self.depth >= MAX_DEPTH {
            return Err(self
                .cursor
                .here(format!("it is nested deeper than {MAX_DEPTH}")));
        }
        self.depth += 1;
        let expr = if self.cursor.eat('-') || self.cursor.eat_keyword("not") {
            Expr::Not(Box::new(self.not()?))
        } else {
            self.term()?
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn term(&mut self) -> Result<Expr, Error> {
        match self.cursor.peek() {
            None => return Err(self.cursor.here("something to look for is missing")),
            Some('(') => return self.group(),
            Some('~') => {
                self.cursor.eat('~');
                return self
                    .pattern()
                    .map(|pattern| Expr::Test(Test::Anywhere(Text::Matches(pattern))));
            }
            Some('=' | '<' | '>' | '!' | ':') => {
                return Err(self.cursor.here("the name of a field is missing"));
            }
            Some(other @ (')' | ',' | '|')) => {
                return Err(self
                    .cursor
                    .here(format!("something to look for is missing before `{other}`")));
            }
            Some(_) => {}
        }
        if self.cursor.at_keyword("and") || self.cursor.at_keyword("or") {
            return Err(self.cursor.here(
                "something to look for is missing; a word like this is looked for in quotes",
            ));
        }
        let word = self.cursor.word()?;
        if self.cursor.at_operator() {
            return self.comparison(word);
        }
        if self.cursor.at_list() {
            return self.list(word);
        }
        if self.cursor.eat_keyword("exists") {
            return Ok(Expr::Test(Test::Exists(word.text.into())));
        }
        Ok(match &*word.text {
            "*" if !word.quoted => Expr::all(),
            text if text.contains('*') && !word.quoted => {
                Expr::Test(Test::Anywhere(Text::Like(Glob::new(text))))
            }
            text => Expr::Test(Test::Anywhere(Text::Contains(text.into()))),
        })
    }

    fn group(&mut self) -> Result<Expr, Error> {
        let open = self.cursor.at();
        self.cursor.eat('(');
        let expr = self.or()?;
        if self.cursor.eat(')') {
            Ok(expr)
        } else {
            Err(self.cursor.error(open, "this `(` is never closed"))
        }
    }

    fn comparison(&mut self, field: Word) -> Result<Expr, Error> {
        let start = self.cursor.at();
        let sign = self.cursor.operator();
        let op = match sign {
            "=" | ":" | "~" => Op::Is,
            "!=" | "!~" => Op::Isnt,
            "<" => Op::Less,
            "<=" => Op::AtMost,
            ">" => Op::More,
            ">=" => Op::AtLeast,
            other => return Err(self.cursor.error(start, unknown_operator(other))),
        };
        if &*field.text == "*" && !field.quoted {
            return self.anywhere(start, sign);
        }
        let name: Box<str> = field.text.into();
        if is_bound(&name) && !matches!(sign, "=" | ":") {
            let message = format!("`{name}` is a bound already: write `{name}=…`");
            return Err(self.cursor.error(start, message));
        }
        if matches!(sign, "~" | "!~") {
            let pattern = Literal::Pattern(self.pattern()?);
            return Ok(Expr::Test(Test::Compare(name, op, pattern)));
        }
        let literal = self.literal(&name, op)?;
        let anything = matches!(&literal, Literal::Like(glob) if glob.as_str() == "*");
        Ok(match (op, anything) {
            (Op::Is, true) => Expr::Test(Test::Exists(name)),
            (Op::Isnt, true) => Expr::Not(Box::new(Expr::Test(Test::Exists(name)))),
            _ => Expr::Test(Test::Compare(name, op, literal)),
        })
    }

    /// `*~"…"`: in any field.
    fn anywhere(&mut self, start: usize, sign: &str) -> Result<Expr, Error> {
        if !matches!(sign, "~" | "!~") {
            return Err(self
                .cursor
                .error(start, "`*` stands for any field only before `~`"));
        }
        let test = Expr::Test(Test::Anywhere(Text::Matches(self.pattern()?)));
        Ok(if sign == "~" {
            test
        } else {
            Expr::Not(Box::new(test))
        })
    }

    fn list(&mut self, field: Word) -> Result<Expr, Error> {
        self.cursor.eat_keyword("in");
        let open = self.cursor.at();
        self.cursor.eat('(');
        let mut literals = Vec::new();
        loop {
            literals.push(self.literal(&field.text, Op::Is)?);
            if self.cursor.eat(')') {
                return Ok(Expr::Test(Test::In(field.text.into(), literals)));
            }
            if !self.cursor.eat(',') {
                return Err(match self.cursor.peek() {
                    None => self.cursor.error(open, "this list is never closed"),
                    Some(_) => self.cursor.here("expected `,` or `)` in the list"),
                });
            }
        }
    }

    fn pattern(&mut self) -> Result<Pattern, Error> {
        let word = self.cursor.value()?;
        // A pattern may come from a browser or a rules file: 1 MiB compiled is much more than any
        // sensible one needs. Matching is linear in the text whatever the pattern.
        let regex = RegexBuilder::new(&word.text).size_limit(1 << 20).build();
        regex.map(Pattern).map_err(|error| {
            let why = error.to_string();
            let why = why
                .lines()
                .last()
                .unwrap_or_default()
                .trim_start_matches("error: ")
                .to_owned();
            self.cursor
                .error(word.at, format!("not a regular expression: {why}"))
        })
    }

    /// What a value means to the field that it is compared with.
    fn literal(&mut self, field: &str, op: Op) -> Result<Literal, Error> {
        let word = self.cursor.value()?;
        let names = Names::of(field);
        let like = !word.quoted && word.text.contains('*');
        let literal = match names.kind {
            _ if like => Literal::Like(Glob::new(&word.text)),
            Kind::Level => Literal::Level(self.level(&word)?),
            Kind::Time => match When::parse(&word.text) {
                Some(when) => Literal::When(when),
                None if super::literal::is_number(&word.text) && !is_bound(field) => {
                    Literal::Number(word.text.as_str().into())
                }
                None => return Err(self.cursor.error(word.at, unknown_time(&word.text))),
            },
            Kind::Id => Literal::Text(word.text.as_str().into()),
            Kind::Plain | Kind::Span => match When::parse(&word.text) {
                Some(date @ When::Date(_)) if op.is_order() => Literal::When(date),
                _ if word.quoted => Literal::Text(word.text.as_str().into()),
                _ => Literal::guess(&word.text),
            },
        };
        if like && (op.is_order() || is_bound(field)) {
            return Err(self
                .cursor
                .error(word.at, "a wildcard is the same or not, never more or less"));
        }
        Ok(literal)
    }

    fn level(&self, word: &Word) -> Result<Level, Error> {
        let number = word.text.parse::<i64>().ok().map(Value::I64);
        let level = Level::of(&number.unwrap_or(Value::from(&*word.text)));
        level.ok_or_else(|| self.cursor.error(word.at, unknown_level(&word.text)))
    }
}

/// Brackets and `not`s within each other. Deep enough for any person, shallow for any stack.
const MAX_DEPTH: usize = 64;

/// The longest query.
const MAX_BYTES: usize = 16 << 10;
