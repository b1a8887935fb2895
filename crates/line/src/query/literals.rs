//! What must stand, byte for byte, in every line that a query holds for: a search can skip the others.

use super::expr::{Expr, Op, Pattern, Test, Text};
use super::glob::Glob;
use super::literal::Literal;
use super::names::{Kind, Names};
use crate::Level;

/// The bytes that every matching line has, as alternatives: of each set at least one needle stands
/// in the line as it is written, before anything is parsed.
///
/// JSON may spell a character in several ways, so a needle holds none of `"`, `\`, `/` and the
/// control characters, and each set has a needle for what is left: any character may be spelled
/// `\u0065`, so `\u00` is one of the alternatives, or `\u` where a needle is not ASCII. A line that is
/// no JSON has its needles too.
///
/// ```
/// use dogwatch_line::Query;
///
/// let literals = Query::parse("trace_id=4bf92f3577b34da6 status>=500")?.literals();
/// let best: Vec<&[u8]> = literals.best().iter().map(|needle| needle.bytes()).collect();
/// assert_eq!(best, [&b"4bf92f3577b34da6"[..], b"\\u00"]);
///
/// // Nothing that every line without the word would have.
/// assert!(Query::parse("-timeout")?.literals().best().is_empty());
/// # Ok::<(), dogwatch_line::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literals {
    /// The most telling set first.
    sets: Vec<Set>,
}

/// One of the texts of which a line must have one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Needle {
    bytes: Box<[u8]>,
    ends_number: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Set {
    worth: Worth,
    needles: Vec<Needle>,
}

/// How much of a log a set lets one skip; more first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Worth {
    /// The text of a value.
    Text,
    /// The names of some levels.
    Level,
    /// The name of a field.
    Name,
}

impl Needle {
    /// The bytes to look for.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether the bytes are the end of a number: a comma, a closing brace or white space follows.
    pub fn ends_number(&self) -> bool {
        self.ends_number
    }

    /// Whether it stands somewhere in a line. A search for many lines has faster ways.
    pub fn is_in(&self, line: &[u8]) -> bool {
        let ends = |at: usize| {
            matches!(
                line.get(at),
                Some(b',' | b'}' | b' ' | b'\t' | b'\r' | b'\n')
            )
        };
        let found = |(at, window): (usize, &[u8])| {
            window == &*self.bytes && (!self.ends_number || ends(at + window.len()))
        };
        line.windows(self.bytes.len()).enumerate().any(found)
    }

    fn new(text: &str) -> Self {
        Self {
            bytes: text.as_bytes().into(),
            ends_number: false,
        }
    }
}

impl Literals {
    pub(super) fn of(expr: &Expr) -> Self {
        let mut sets = sets(expr);
        // Stable: of equals the one that was written first.
        sets.sort_by_key(|set| (set.worth, std::cmp::Reverse(set.shortest())));
        Self { sets }
    }

    /// The set that is likely to skip most; empty if the query has none: then every line has to be
    /// looked at.
    pub fn best(&self) -> &[Needle] {
        self.sets.first().map_or(&[], |set| &set.needles)
    }

    /// Every set, the most telling first. A line that lacks all needles of any one does not match.
    pub fn sets(&self) -> impl Iterator<Item = &[Needle]> {
        self.sets.iter().map(|set| &*set.needles)
    }
}

impl Set {
    /// Of the texts, without the escapes.
    fn shortest(&self) -> usize {
        let texts = self
            .needles
            .iter()
            .filter(|needle| needle.bytes[0] != b'\\');
        texts.map(|needle| needle.bytes.len()).min().unwrap_or(0)
    }

    /// One of these texts, in any spelling.
    fn of(worth: Worth, texts: Vec<Run>) -> Self {
        let escape = if texts.iter().any(|run| !run.0.is_ascii()) {
            "\\u"
        } else {
            "\\u00"
        };
        let mut needles: Vec<Needle> = texts.iter().map(|run| Needle::new(&run.0)).collect();
        needles.push(Needle::new(escape));
        Self { worth, needles }.least()
    }

    /// Without the needles that stand wherever another stands.
    fn least(mut self) -> Self {
        let mut least: Vec<Needle> = Vec::new();
        for needle in &self.needles {
            let covered = |other: &Needle| {
                other != needle && !other.ends_number && contains(&needle.bytes, &other.bytes)
            };
            if !self.needles.iter().any(covered) && !least.contains(needle) {
                least.push(needle.clone());
            }
        }
        self.needles = least;
        self
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// The sets of which every line has one needle each.
fn sets(expr: &Expr) -> Vec<Set> {
    match expr {
        Expr::And(parts) => parts.iter().flat_map(sets).collect(),
        Expr::Or(parts) => union(parts).into_iter().collect(),
        Expr::Not(_) => Vec::new(),
        Expr::Test(test) => of_test(test),
    }
}

/// A line has one of the best sets of the branches, if each branch has one.
fn union(parts: &[Expr]) -> Option<Set> {
    let mut whole: Option<Set> = None;
    for part in parts {
        let set = Literals::of(part).sets.into_iter().next()?;
        match &mut whole {
            None => whole = Some(set),
            Some(whole) => {
                whole.worth = whole.worth.max(set.worth);
                whole.needles.extend(set.needles);
            }
        }
    }
    whole.map(Set::least)
}

fn of_test(test: &Test) -> Vec<Set> {
    let (field, value) = match test {
        Test::Anywhere(Text::Contains(text)) => {
            return of_runs(runs(text, true)).into_iter().collect();
        }
        Test::Anywhere(Text::Like(glob)) => return of_runs(of_glob(glob)).into_iter().collect(),
        Test::Anywhere(Text::Matches(pattern)) => {
            return of_runs(of_pattern(pattern)).into_iter().collect();
        }
        Test::Exists(field) => (field, None),
        Test::Compare(field, Op::Isnt, _) => (field, None),
        Test::Compare(field, op, literal) => (field, of_literal(*op, literal)),
        Test::In(field, literals) => (field, of_list(literals)),
    };
    let names = Names::of(field);
    value.into_iter().chain(of_names(&names)).collect()
}

fn of_list(literals: &[Literal]) -> Option<Set> {
    let mut needles = Vec::new();
    let mut worth = Worth::Text;
    for literal in literals {
        let set = of_literal(Op::Is, literal)?;
        worth = worth.max(set.worth);
        needles.extend(set.needles);
    }
    Some(Set { worth, needles }.least())
}

fn of_literal(op: Op, literal: &Literal) -> Option<Set> {
    match literal {
        // Never a number with a point or an exponent, so it stands as it was asked for.
        Literal::Text(text) if op == Op::Is => of_runs(runs(text, false)),
        Literal::Like(glob) => of_runs(of_glob(glob)),
        Literal::Pattern(pattern) => of_runs(of_pattern(pattern)),
        Literal::Level(level) => Some(of_levels(op, *level)),
        _ => None,
    }
}

/// A part of a text in which no character has a second spelling but `\u…`.
#[derive(Clone, Debug, PartialEq)]
struct Run(Box<str>);

/// The runs of a text. A text that might be the text of a number is none if `numbers`: `1e3` is
/// found as `1000`.
fn runs(text: &str, numbers: bool) -> Vec<Run> {
    let second_spelling = |char: char| char.is_control() || matches!(char, '"' | '\\' | '/');
    let of_number = |char: char| {
        char.is_ascii_digit()
            || matches!(
                char,
                '+' | '-' | '.' | 'e' | 'E' | 'i' | 'n' | 'f' | 'N' | 'a'
            )
    };
    text.split(second_spelling)
        .filter(|run| !(run.is_empty() || numbers && run.chars().all(of_number)))
        .map(|run| Run(run.into()))
        .collect()
}

fn of_glob(glob: &Glob) -> Vec<Run> {
    glob.pieces().flat_map(|piece| runs(piece, true)).collect()
}

/// A pattern that is no more than a text, with anchors or without.
fn of_pattern(pattern: &Pattern) -> Vec<Run> {
    let text = pattern.0.as_str();
    let text = text.strip_prefix('^').unwrap_or(text);
    let text = text.strip_suffix('$').unwrap_or(text);
    if text.contains([
        '\\', '.', '+', '*', '?', '(', ')', '|', '[', ']', '{', '}', '^', '$',
    ]) {
        return Vec::new();
    }
    runs(text, true)
}

/// Of the runs of one text the longest, and within it the longest part in ASCII if that is enough.
fn of_runs(runs: Vec<Run>) -> Option<Set> {
    let longest = runs.into_iter().max_by_key(|run| run.0.len())?;
    let ascii = longest
        .0
        .split(|char: char| !char.is_ascii())
        .max_by_key(|part| part.len())
        .unwrap_or_default();
    // The part alone could be the text of a number, but the run is not: digits do not stand beside
    // other letters in one.
    let run = if ascii.len() >= ENOUGH {
        Run(ascii.into())
    } else {
        longest
    };
    Some(Set::of(Worth::Text, vec![run]))
}

/// The last part of each of a field's names: it stands in the key, nested or dotted. Every line has
/// a level and a time, so these tell nothing.
fn of_names(names: &Names) -> Option<Set> {
    if matches!(names.kind, Kind::Level | Kind::Time) {
        return None;
    }
    let mut parts = Vec::new();
    for name in &names.names {
        let last = name.path.rsplit('.').next().unwrap_or_default();
        parts.push(
            runs(last, false)
                .into_iter()
                .max_by_key(|run| run.0.len())?,
        );
    }
    Some(Set::of(Worth::Name, parts))
}

/// The names of the levels that an operator takes, in the three cases that are read, and bunyan's
/// numbers behind whatever may stand before a number. OpenTelemetry's are known by their key.
fn of_levels(op: Op, level: Level) -> Set {
    let mut needles = ["\\u00", "ity_number", "ityNumber"]
        .map(Needle::new)
        .to_vec();
    let wanted = |(_, one): &(usize, Level)| op.holds(one.cmp(&level));
    for (index, one) in Level::ALL.into_iter().enumerate().filter(wanted) {
        for stem in crate::severity::stems(one) {
            let capital = stem[..1].to_uppercase() + &stem[1..];
            needles.extend([stem, &*capital, &*stem.to_uppercase()].map(Needle::new));
        }
        let tens = [":", " ", "\t", "\r"].map(|before| format!("{before}{}0", index + 1));
        needles.extend(tens.iter().map(|tens| Needle {
            ends_number: true,
            ..Needle::new(tens)
        }));
    }
    Set {
        worth: Worth::Level,
        needles,
    }
}

/// Shorter than this stands in every other line.
const ENOUGH: usize = 4;
