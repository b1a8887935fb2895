//! A rule judges an event live as it would judge its line, and is shown no more than the line.

use std::backtrace::Backtrace;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex};

use dogwatch::alert::{Alert, RuleCounts};
#[cfg(feature = "serde")]
use dogwatch::json;
use dogwatch::{Config, ErrorValue};
use dogwatch_line::{Line, Value};
use proptest::collection::vec;
use proptest::prelude::*;
use tracing::field::Empty;
use tracing::{Level, event, info_span};
use tracing_core::dispatcher;

use crate::{LONG, lines, start};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_rule_judges_live_as_it_would_judge_the_line_and_sees_no_secret(given in given(EVENTS), depth in 0..3_u8) {
        judged_alike(&given, depth)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3))]

    #[test]
    fn a_rule_sees_of_a_long_value_what_the_line_holds_of_it(given in given(LONG_EVENTS), depth in 0..3_u8) {
        judged_alike(&given, depth)?;
    }
}

fn judged_alike(given: &Given, depth: u8) -> Result<(), TestCaseError> {
    let first = written(given, depth);
    let lines: Vec<Line<'_>> = first
        .iter()
        .map(|text| Line::parse(text).unwrap())
        .collect();
    prop_assert_eq!(lines.len(), given.events.len());

    let judged = judge(&rules(&lines, given), given, depth);
    for (matched, line) in judged.matched.iter().zip(&lines) {
        // The rules made of the other lines must be of one mind about this one too.
        for (name, key, value) in rules_of(&lines) {
            let holds = line.field(&key).is_some_and(|held| held.equals(&value));
            prop_assert_eq!(
                matched.get(&name),
                Some(&u64::from(holds)),
                "`{}: {:?}` is judged otherwise live; the line: {}",
                key,
                value,
                line
            );
        }
        prop_assert_eq!(
            matched.get(LEAK),
            Some(&0),
            "a pattern sees the secret of {}",
            line
        );
        prop_assert_eq!(
            matched.get(MASKED),
            Some(&u64::from(line.as_str().contains("***")))
        );
    }
    let told = judged.samples.concat();
    prop_assert!(!told.is_empty());
    for text in first.iter().chain(&judged.samples) {
        prop_assert!(!text.contains(given.secret.as_str()), "{}", text);
    }
    prop_assert_eq!(judged.lines.len(), lines.len());
    // What a line has of its own differs from run to run, and nothing else does.
    for (one, other) in lines.iter().zip(&judged.lines) {
        let other = Line::parse(other).unwrap();
        for (key, value) in one.fields().filter(|(key, _)| !OWN.contains(&&**key)) {
            prop_assert_eq!(Some(value), other.field(&key));
        }
    }
    Ok(())
}

#[derive(Clone, Debug)]
struct Given {
    text: String,
    other: String,
    /// Longer than a line holds of one value, often.
    long: String,
    secret: String,
    signed: i64,
    unsigned: u64,
    wide: u128,
    float: f64,
    flag: bool,
    /// One callsite each; a run says them all in this order.
    events: &'static [fn(&Given)],
}

fn given(events: &'static [fn(&Given)]) -> impl Strategy<Value = Given> {
    let text = || vec(any::<char>(), 0..24).prop_map(String::from_iter);
    let secret = "s3cret-[a-z0-9]{16}";
    let numbers = (any::<i64>(), any::<u64>(), any::<u128>(), float());
    (text(), text(), long(), secret, numbers, any::<bool>()).prop_map(
        move |(text, other, long, secret, (signed, unsigned, wide, float), flag)| Given {
            text,
            other,
            long,
            secret,
            signed,
            unsigned,
            wide,
            float,
            flag,
            events,
        },
    )
}

/// Runs of characters that a line spells out, and of others.
fn long() -> impl Strategy<Value = String> {
    let kinds = "ax\"\\\n\u{1}\u{7f}\u{85}é\u{61c}中\u{2028}\u{2066}👍";
    let kind = prop::sample::select(kinds.chars().collect::<Vec<_>>());
    let run = (kind, 1..1500_usize).prop_map(|(kind, times)| kind.to_string().repeat(times));
    vec(run, 0..6).prop_map(|runs| runs.concat())
}

fn float() -> impl Strategy<Value = f64> {
    let odd = [
        f64::NAN,
        f64::INFINITY,
        -0.0,
        1.0,
        f64::MAX,
        f64::MIN_POSITIVE,
    ];
    prop_oneof![any::<f64>(), prop::sample::select(odd.to_vec())]
}

const EVENTS: &[fn(&Given)] = &[
    |g| {
        tracing::info!(
            password = g.secret,
            text = g.text,
            shown = %g.other,
            debugged = ?g.text,
            signed = g.signed,
            unsigned = g.unsigned,
            wide = g.wide,
            float = g.float,
            flag = g.flag,
            bytes = g.text.as_bytes(),
            absent = None::<u64>,
            "{}",
            g.other
        );
    },
    // Names of the line's own, names of one type whatever is given, names that are no identifiers.
    |g| {
        tracing::warn!(
            level = g.text,
            timestamp = g.signed,
            target = "elsewhere",
            truncated = g.flag,
            service = g.other,
            user_id = g.unsigned,
            event = g.flag,
            route = ?g.text,
            outcome = g.signed,
            r#type = g.text,
            http.status = 500,
            db.user.name = g.other,
            "two words" = g.flag,
            "店名" = g.text,
            "odd names"
        );
    },
    |g| {
        let error = failure(g);
        let error: &(dyn Error + 'static) = &error;
        tracing::error!(
            error,
            cause = error,
            "cause.message" = g.flag,
            user_id = error,
            db_password = format!("{}!", g.secret),
            "it failed"
        );
    },
    // An error that is only text; secrets that are numbers and errors.
    |g| {
        let error = Failure(g.secret.clone(), None);
        let error: &(dyn Error + 'static) = &error;
        tracing::debug!(error = %g.text, token = error, otp = g.unsigned, phone = ?g.secret);
    },
    |g| tracing::trace!(error = g.signed, order = g.flag, message = g.text),
    // One name for several, with and without a value.
    |g| {
        tracing::info!(
            twice = g.signed,
            twice = g.text,
            twice_ = g.flag,
            level_ = g.other,
            level = g.unsigned,
            late = None::<u64>,
            late = g.wide,
            "{}",
            g.other
        );
    },
    // Numbers where a line always has text.
    |g| {
        tracing::info!(
            user_id = g.float,
            route = g.float * 1e9,
            path = g.float / 3e7,
            error = g.float
        )
    },
    |g| {
        tracing::info!(
            url = g.unsigned,
            method = g.flag,
            request_id = g.wide,
            password = g.float
        )
    },
    |g| {
        let error = failure(g);
        tracing::error!(
            error = ?ErrorValue::of(&error).backtrace(&Backtrace::disabled()),
            cause = ?ErrorValue::of_dyn(&error).type_name(&g.text),
            user_id = ?ErrorValue::of(&error),
            token = ?ErrorValue::of_dyn(&Failure(g.secret.clone(), None)),
            "it failed"
        );
    },
    // Values of any depth, with secrets inside; and where a line has a text instead.
    #[cfg(feature = "serde")]
    |g| {
        let order = order(g);
        tracing::info!(
            order = json(&order),
            "order.id" = "as a key of its own",
            number = json(&g.signed),
            truth = json(&g.flag),
            text = json(&g.text),
            nothing = json(&None::<u8>),
            list = json(&[&g.secret][..0]),
            route = json(&order),
            cookie = json(&order),
            "ordered"
        );
    },
    #[cfg(feature = "serde")]
    |g| tracing::error!(error = json(&order(g)), otp = g.unsigned, "failed"),
    // As a record of the `log` crate comes in.
    |g| {
        event!(
            name: "log event",
            target: "log",
            Level::INFO,
            message = g.other,
            log.target = "hyper::client",
            log.module_path = "hyper::client::pool",
            log.file = "pool.rs",
            log.line = 9,
        );
    },
];

fn order(g: &Given) -> serde_json::Value {
    serde_json::json!({
        "id": g.unsigned, "price": g.float, "paid": g.flag, "note": g.text, "none": null,
        "card": {"card_number": g.secret, "kind": g.other, "pin": {"deep": g.secret}},
        "items": [{"sku": g.text, "token": g.secret}], g.text.as_str(): {"a.b": g.signed},
    })
}

/// A value that is JSON if this build knows how, else nothing.
fn nested(value: &serde_json::Value) -> impl fmt::Debug {
    #[cfg(feature = "serde")]
    return json(value);
    #[cfg(not(feature = "serde"))]
    value.is_object()
}

/// In each way that a text is given.
const LONG_EVENTS: &[fn(&Given)] = &[
    |g| tracing::info!(long = g.long, password = g.secret),
    |g| tracing::info!("{}", g.long),
    |g| tracing::info!(long = ?g.long),
    |g| tracing::info!(error = %g.long),
];

/// All events, within so many spans.
fn say(given: &Given, depth: u8, mut after: impl FnMut()) {
    let g = given;
    let error = failure(g);
    let kind = ErrorValue::of(&error);
    let error: &(dyn Error + 'static) = &error;
    let basket = order(g);
    let outer = info_span!(
        "outer",
        trace_id = "4bf92f3577b34da6a3ce929d0e0e4736",
        phone = g.secret,
        user_id = g.signed,
        level = g.text,
        message = "a span's",
        text = "hidden by the event",
        order = "hidden by the inner span",
        inherited = g.float,
        failed = error,
        kind = ?kind,
        basket = ?nested(&basket),
        late = Empty,
        late = g.flag,
        message_ = g.other,
        never = Empty,
    );
    outer.record("late", g.text.as_str());
    let inner = info_span!(parent: &outer, "inner", order = g.signed, error, late = Empty, session_id = ?g.secret);
    inner.record("order", g.unsigned);
    inner.record("late", g.flag);
    let _within = match depth {
        0 => None,
        1 => Some(outer.enter()),
        _ => Some(inner.enter()),
    };
    for event in given.events {
        event(g);
        after();
    }
}

#[derive(Debug)]
struct Failure(String, Option<Box<Failure>>);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|error| error as _)
    }
}

fn failure(given: &Given) -> Failure {
    let last = Failure("connection reset".to_owned(), None);
    let cause = Failure(given.other.clone(), Some(Box::new(last)));
    Failure(given.text.clone(), Some(Box::new(cause)))
}

fn config() -> Config {
    Config::prod().service("shop").field("region", "华东")
}

/// The lines of a log without rules.
fn written(given: &Given, depth: u8) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let (dispatch, log) = start(config(), dir.path());
    dispatcher::with_default(&dispatch, || say(given, depth, || {}));
    log.close(LONG).unwrap();
    lines(dir.path())
}

/// What a log with rules did about the same events.
struct Judged {
    /// For each event, how often each rule matched it.
    matched: Vec<BTreeMap<String, u64>>,
    samples: Vec<String>,
    lines: Vec<String>,
}

fn judge(rules: &str, given: &Given, depth: u8) -> Judged {
    let dir = tempfile::tempdir().unwrap();
    let samples: Arc<Mutex<Vec<String>>> = Arc::default();
    let keep = Arc::clone(&samples);
    let config = config()
        .rules_text(rules)
        .notifier("keep", move |alert: &Alert| {
            keep.lock().unwrap().extend(alert.samples.iter().cloned());
            Ok(())
        });
    let (dispatch, log) = start(config, dir.path());
    let mut matched = Vec::new();
    let mut before: Vec<u64> = Vec::new();
    dispatcher::with_default(&dispatch, || {
        say(given, depth, || {
            let counts = log.alerts().unwrap().counts();
            before.resize(counts.len(), 0);
            let since = |(counts, before): (&RuleCounts, &u64)| {
                (counts.rule.to_string(), counts.matched - before)
            };
            matched.push(counts.iter().zip(&before).map(since).collect());
            before = counts.iter().map(|counts| counts.matched).collect();
        });
    });
    log.close(LONG).unwrap();
    let samples = samples.lock().unwrap().clone();
    Judged {
        matched,
        samples,
        lines: lines(dir.path()),
    }
}

/// A rule for each field of each line, and two that look for what must not be seen.
fn rules(lines: &[Line<'_>], given: &Given) -> String {
    let mut yaml = String::new();
    let mut rule = |name: &str, condition: &str| {
        let name = quoted(name);
        yaml += &format!("- {{name: {name}, {condition}, threshold: 1, action: keep}}\n");
    };
    rule(LEAK, &format!("pattern: '{}'", given.secret));
    rule(MASKED, r"pattern: '=\*\*\*'");
    for (name, key, value) in rules_of(lines) {
        let condition = format!("match: {{{}: {}}}", quoted(&key), literal(&value));
        rule(&name, &condition);
    }
    yaml
}

/// A name, a key and a value for each field of each line.
fn rules_of<'a>(lines: &'a [Line<'a>]) -> impl Iterator<Item = (String, String, Value<'a>)> + 'a {
    lines.iter().enumerate().flat_map(|(at, line)| {
        let rule = move |(key, value)| (format!("{at} {key}"), key, value);
        wanted(line).into_iter().map(rule)
    })
}

/// The fields that a rule can name, with their values: of an object, those inside. No rule can say
/// `null`.
fn wanted<'a>(line: &Line<'a>) -> BTreeMap<String, Value<'a>> {
    let mut found = BTreeMap::new();
    walk(line, "", &mut found);
    // A key with dots may stand in the way of a path.
    found.retain(|key, value| line.field(key).as_ref() == Some(value));
    found
}

fn walk<'a>(object: &Line<'a>, path: &str, found: &mut BTreeMap<String, Value<'a>>) {
    for (key, value) in object.fields() {
        let key = format!("{path}{key}");
        match value {
            Value::Null => {}
            Value::Raw(json) => {
                if let Ok(inner) = Line::parse(json) {
                    walk(&inner, &format!("{key}."), found);
                }
            }
            value if OWN.contains(&&*key) => drop(value),
            value => drop(found.insert(key, value)),
        }
    }
}

fn literal(value: &Value<'_>) -> String {
    match value {
        Value::Str(text) => quoted(text),
        // With a point or an exponent, so that it stays a float.
        Value::F64(float) => format!("{float:?}"),
        plain => plain.to_string(),
    }
}

/// As YAML, whatever is in it.
fn quoted(text: &str) -> String {
    let escaped = |char: char| match char {
        ' ' | 'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '_' => char.to_string(),
        other => format!("\\U{:08x}", u32::from(other)),
    };
    format!("\"{}\"", text.chars().map(escaped).collect::<String>())
}

/// What only a line has: the layer that writes it makes these.
const OWN: [&str; 3] = ["timestamp", "span_id", "parent_span_id"];

const LEAK: &str = "leak";
const MASKED: &str = "masked";
