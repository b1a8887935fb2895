//! Writes what a backtest found as one page. Pure.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use dogwatch_alert::RuleReport;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Found;
use super::incidents::Score;
use crate::safe::safe;
use crate::table::aligned;

pub(crate) fn page(found: &Found, zone: &TimeZone) -> String {
    let mut out = head(found, zone);
    let mut rows = vec![HEADS.map(str::to_owned).to_vec()];
    rows.extend(found.rules.iter().map(|rule| row(rule, found)));
    out.push_str(&aligned(&rows, |column| column < 2));
    notified(&mut out, found);
    let silent: Vec<&RuleReport> = found
        .rules
        .iter()
        .filter(|rule| rule.matched == 0)
        .collect();
    named(&mut out, "never matched", &silent);
    let noisy = |rule: &&RuleReport| found.alerts_per_day(rule) > NOISY;
    let noisy: Vec<&RuleReport> = found.rules.iter().filter(noisy).collect();
    named(&mut out, "noisy, more than 10 alerts a day", &noisy);
    kept_back(&mut out, &found.rules);
    sweep(&mut out, found);
    samples(&mut out, &found.rules);
    if let Some(score) = &found.score {
        scored(&mut out, score);
    }
    out
}

fn head(found: &Found, zone: &TimeZone) -> String {
    let lines = &found.lines;
    let mut out = format!("{} lines", lines.lines);
    if let Some((from, to)) = found.span {
        let span = to.duration_since(from).unwrap_or_default();
        let _ = write!(
            out,
            " from {} to {}, {}",
            time(from, zone),
            time(to, zone),
            lasted(span)
        );
    }
    let seconds = found.took.as_secs_f64().max(1e-9);
    let speed = found.bytes as f64 / 1e6 / seconds;
    let _ = writeln!(
        out,
        "; {:.1} MB at {speed:.0} MB/s",
        found.bytes as f64 / 1e6
    );
    let odd = [
        (lines.no_json, "no JSON"),
        (lines.no_time, "without a time"),
        (lines.out_of_order, "out of order"),
        (lines.late, "more than 30 s late and left out"),
    ];
    let odd: Vec<String> = odd
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{number} {what}"))
        .collect();
    if !odd.is_empty() {
        let _ = writeln!(out, "of them {}", odd.join(", "));
    }
    out.push('\n');
    out
}

const HEADS: [&str; 10] = [
    "rule", "type", "matched", "fired", "resolved", "a day", "minutes", "longest", "groups",
    "messages",
];

fn row(rule: &RuleReport, found: &Found) -> Vec<String> {
    vec![
        shown(&rule.rule),
        rule.kind.to_owned(),
        rule.matched.to_string(),
        rule.fired.to_string(),
        rule.resolved.to_string(),
        format!("{:.1}", found.alerts_per_day(rule)),
        format!("{:.1}", rule.firing.as_secs_f64() / 60.0),
        lasted(rule.longest),
        rule.most_groups.to_string(),
        rule.messages.to_string(),
    ]
}

fn notified(out: &mut String, found: &Found) {
    let each = found.notified().into_iter();
    let each: Vec<String> = each
        .map(|(name, messages)| format!("{} {messages}", shown(name)))
        .collect();
    if !each.is_empty() {
        let _ = writeln!(out, "\nmessages to each notifier: {}", each.join(", "));
    }
}

fn named(out: &mut String, what: &str, rules: &[&RuleReport]) {
    if rules.is_empty() {
        return;
    }
    let names: Vec<String> = rules.iter().map(|rule| shown(&rule.rule)).collect();
    let _ = writeln!(out, "\n{what}: {}", names.join(", "));
}

fn kept_back(out: &mut String, rules: &[RuleReport]) {
    for rule in rules {
        let reasons = [
            (rule.muted, "messages muted"),
            (rule.learning, "values learned"),
            (rule.overflowed, "lines of groups beyond the bound"),
        ];
        for (number, what) in reasons.iter().filter(|(number, _)| *number > 0) {
            let _ = writeln!(out, "\n{}: {number} {what}", shown(&rule.rule));
        }
    }
}

fn sweep(out: &mut String, found: &Found) {
    let swept = |rule: &&RuleReport| rule.matched > 0 && !rule.sweep.is_empty();
    let mut rules = found.rules.iter().filter(swept).peekable();
    if rules.peek().is_some() {
        out.push_str("\nalerts a day with other thresholds\n");
    }
    for rule in rules {
        let mut tried = rule.sweep.clone();
        // What it has, among what it might have: the number stands in front of its limit.
        let own = rule
            .limit
            .split(' ')
            .next()
            .and_then(|number| number.parse().ok());
        tried.extend(own.map(|threshold| (threshold, rule.fired)));
        tried.sort_unstable();
        let each: Vec<String> = tried
            .iter()
            .map(|(threshold, fired)| {
                let a_day = *fired as f64 / found.days();
                let mark = if Some(*threshold) == own { "*" } else { "" };
                format!("{threshold}{mark}: {a_day:.1}")
            })
            .collect();
        let _ = writeln!(out, "  {}  {}", shown(&rule.rule), each.join("  "));
    }
}

fn samples(out: &mut String, rules: &[RuleReport]) {
    for rule in rules.iter().filter(|rule| !rule.samples.is_empty()) {
        let _ = writeln!(out, "\nfirst alert of {}", shown(&rule.rule));
        for sample in &rule.samples {
            let _ = writeln!(out, "  {}", shown(sample));
        }
    }
}

fn scored(out: &mut String, score: &Score) {
    let percent = |share: Option<f64>| match share {
        Some(share) => format!("{:.0}%", share * 100.0),
        None => "-".to_owned(),
    };
    let _ = writeln!(
        out,
        "\nincidents: {} of {} caught (recall {}), {} of {} firings right (precision {}), \
         {:.2} false a day, median delay {}",
        score.caught,
        score.incidents,
        percent(score.recall()),
        score.right,
        score.firings,
        percent(score.precision()),
        score.false_per_day,
        score.delay.map_or_else(|| "-".to_owned(), lasted)
    );
}

fn shown(text: &str) -> String {
    let mut out = String::new();
    safe(text, false, &mut out);
    out
}

fn time(at: SystemTime, zone: &TimeZone) -> String {
    match Timestamp::try_from(at) {
        Ok(at) => {
            let local = zone.to_datetime(at);
            local.strftime("%Y-%m-%d %H:%M:%S").to_string()
        }
        Err(_) => "-".to_owned(),
    }
}

/// A span by its two largest units.
fn lasted(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
        _ => format!("{}d{:02}h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// More than anybody reads.
const NOISY: f64 = 10.0;
