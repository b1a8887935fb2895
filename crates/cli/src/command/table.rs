//! Lists the commands. Pure.

use super::{Command, options as o};

/// Every command; the one without a name first.
pub(crate) static COMMANDS: &[&Command] = &[
    &VIEW, &FOLLOW, &TRACE, &STATS, &PATTERNS, &DIFF, &CHECK, &INDEX, &TEST, &BACKTEST,
];

/// What is done without a command's name.
pub(crate) static VIEW: Command = Command {
    name: "",
    does: "Finds and shows lines of log files, rolled and compressed.",
    takes: "[QUERY] [PATH…]",
    options: &[
        &o::COUNT,
        &o::FOLLOW,
        &o::JSON,
        &o::CSV,
        &o::LINES,
        &o::TAIL,
        &o::CONTEXT,
        &o::CURSOR,
        &o::FIELDS,
        &o::EXTRACT,
        &o::UTC,
        &o::COLOR,
        &o::NO_PAGER,
        &o::GENERATE,
        &o::HELP,
        &o::VERSION,
    ],
    examples: [
        "dogwatch 'level>=warn since=-1h' logs/",
        "dogwatch -f 'status>=500 path=/api/*' logs/shop.log",
    ],
    more: "\
A path is a folder, a pattern in quotes or a current file, which stands for all
that was rolled from it; `-` is standard input. Without one: the folder `logs`
if it is there, else standard input. The first word is a path if something is
there by that name; if it only looks like one, that is an error. Behind `--` it
is always the query, as is what has quotes of its own: '\"shop.log\"'.
--cursor is for one log: each line once, and again after a run that was killed.

query: level>=error  status=500  path~\"^/api/\"  -target=hyper  \"timed out\"
       since=-1h  status in (500, 502)  error exists  a or (b c)  not a
       * | count by status    | p50,p99(latency_ms) by route    | top 5 message

exit code: 0 a line was found, 1 none, 2 something could not be read or asked,
           130 Ctrl-C came first: what was found before it is shown
",
    run: crate::view::run,
};

static FOLLOW: Command = Command {
    name: "follow",
    does: "Goes on with what is written to logs, across rolls.",
    takes: "[QUERY] [PATH…]",
    options: &[
        &o::JSON,
        &o::CSV,
        &o::LINES,
        &o::CONTEXT,
        &o::CURSOR,
        &o::FIELDS,
        &o::EXTRACT,
        &o::UTC,
        &o::COLOR,
        &o::HELP,
    ],
    examples: [
        "dogwatch follow logs/",
        "dogwatch follow 'level>=warn' shop/logs/shop.log pay/logs/pay.log",
    ],
    more: "\
The same as `dogwatch -f`. It begins at the end of each log, and ends by Ctrl-C
or with the Nth line of -n. A folder or a pattern stands for the logs that are
in it at the start; a log that is named need not be there yet. What several logs
have at one look, ten times a second, is shown by time. With --cursor, for one
log, it begins where the last run ended, or with the oldest file. Paths are
those of `dogwatch --help`.

exit code: 0 a line was found, 1 none, 2 something could not be read or asked,
           130 Ctrl-C ended it
",
    run: crate::view::run,
};

static STATS: Command = Command {
    name: "stats",
    does: "Sums up logs on one page.",
    takes: "[QUERY] [PATH…]",
    options: &[&o::EXTRACT, &o::UTC, &o::HELP],
    examples: [
        "dogwatch stats logs/",
        "dogwatch stats 'service=shop since=-1h' logs/",
    ],
    more: "\
Lines and errors over time, levels, services, the commonest messages, routes
with their latency, and errors by what they say. In messages, numbers, ids and
what stands in quotes are `*`, so that they count as one. A request counts as
failed if its line is an ERROR or its status is 500 or more. Without a query:
all lines. Paths are those of `dogwatch --help`.

At most 10,000 services, messages, routes and errors are told apart, and
percentiles are of at most 4,194,304 requests; beyond a bound it says so.

exit code: 0 a line was found, 1 none, 2 something could not be read or asked
",
    run: crate::stats::run,
};

static CHECK: Command = Command {
    name: "check",
    does: "Holds lines against the field dictionary.",
    takes: "[QUERY] [PATH…]",
    options: &[&o::HELP],
    examples: [
        "dogwatch check logs/",
        "dogwatch check 'target=shop*' logs/shop.log",
    ],
    more: "\
It tells lines that are no JSON; keys that stand twice; what every line has and
one has not; values of a wrong type or form; names in a wrong case; secrets in
clear, by their key (`password`, `token`, ...) or by their looks (a JSON Web
Token, a bearer token, a private key, a URL with a password, the number of a
card). The dictionary is docs/line.md. A line without `timestamp` is of another
schema: its time, level, target and message may have any name that a query
knows. Secrets are not shown. At most 1,000 kinds of findings are told apart.

exit code: 0 lines were there and nothing was found, 1 something was or no line
           was there, 2 something could not be read or asked
",
    run: crate::check::run,
};

static TRACE: Command = Command {
    name: "trace",
    does: "Shows a request as a tree, with its durations and its lines.",
    takes: "ID [PATH…]",
    options: &[&o::JSON, &o::UTC, &o::COLOR, &o::HELP],
    examples: [
        "dogwatch trace 4bf92f3577b34da6a3ce929d0e0e4736 logs/",
        "dogwatch trace 4bf92f35 shop/logs/ pay/logs/",
    ],
    more: "\
Each row says when it began, how long it took, and what it was; the lines of a
span stand under it, by time, whichever service logged them. `▶` marks the spans
that took longest, from the whole to its parts. A duration with `≥` is from the
first line to the last, where no line tells it.

ID may be a `traceparent`, or how a trace id begins, with at least 6 digits; a
whole one is found at once in files that have an index (`dogwatch index`). The
first 10,000 lines of a trace are shown. Paths are those of `dogwatch --help`.

exit code: 0 the trace was found, 1 it was not, 2 something could not be read
           or asked
",
    run: crate::trace::run,
};

static INDEX: Command = Command {
    name: "index",
    does: "Makes an index beside each log file, for faster searches.",
    takes: "[PATH…]",
    options: &[&o::HELP],
    examples: ["dogwatch index logs/", "dogwatch index 'archive/*.log.gz'"],
    more: "\
An index, `<file>.idx`, lets a search by time, level or trace id read only the
parts of the file that may match. It changes no answer: one that is lost or
damaged is not missed, one whose file has changed is not used. A file of one
gzip member is read whole or not at all; one of many frames, as dogwatch writes
them, frame by frame. Index files that are closed: one that grows is read whole.
The indexes of files of these logs that are gone are deleted.

exit code: 0 each file has its index, 1 there was none, 2 one has not
",
    run: crate::index::run,
};

static TEST: Command = Command {
    name: "test",
    does: "Tests alert rules on a clock of their own.",
    takes: "FILE…",
    options: &[&o::HELP],
    examples: [
        "dogwatch test rules.yaml",
        "dogwatch test rules/*.test.yaml",
    ],
    more: "\
A file has `tests:` beside its `rules:`, or names them by `rule_files:`. A test
gives events with their times, and says what fires at which moment; anything
else that fires then is a failure. The format is in docs/alerts.md.

exit code: 0 every test passed, 1 one failed, 2 a file could not be loaded
",
    run: crate::test::run,
};

static BACKTEST: Command = Command {
    name: "backtest",
    does: "Tries alert rules on old logs: what would have fired.",
    takes: "--rules FILE [PATH…]",
    options: &[
        &o::RULES,
        &o::INCIDENTS,
        &o::FAIL_ON,
        &o::AS_JSON,
        &o::UTC,
        &o::HELP,
    ],
    examples: [
        "dogwatch backtest --rules rules.yaml logs/",
        "dogwatch backtest --rules rules.yaml --fail-on 'alerts_per_day>20' logs/",
    ],
    more: "\
The engine is that of the running service, on the lines' own time: a line that
is older than one before it by up to 30 s is judged with that one, older ones
are left out and counted. Nobody is told and no playbook acts. For rules of the
type `threshold` it says what half, twice and five times it would have done.

An incidents file is a list: `- {start: 2026-11-24T10:00:00Z, end: …, rule: r}`
(`rule` may be left out). A firing is right if it touches one, two minutes early
at most; the delay is from its start.

Limits of --fail-on: alerts_per_day, fired, firing_minutes, longest_minutes,
matched, messages, overflowed, each with > or <; several with commas.
Paths are those of `dogwatch --help`.

exit code: 0 within the limits, 1 beyond one of them or no line was read, 2
           something could not be read or asked
",
    run: crate::backtest::run,
};

static PATTERNS: Command = Command {
    name: "patterns",
    does: "Groups lines by what they say.",
    takes: "[QUERY] [PATH…]",
    options: &[&o::LINES, &o::EXTRACT, &o::UTC, &o::HELP],
    examples: [
        "dogwatch patterns logs/",
        "dogwatch patterns -n 10 'level>=warn since=-1d' logs/",
    ],
    more: "\
A pattern is a target and a message in which numbers, ids and what stands in
quotes are `*`. Marked as new is what was first said in the last tenth of the
time between the first line and the last. The first 40 are shown, or -n.
At most 10,000 patterns are told apart; beyond that it says so.

exit code: 0 a line was found, 1 none, 2 something could not be read or asked
",
    run: crate::patterns::run,
};

static DIFF: Command = Command {
    name: "diff",
    does: "Tells what bad lines have that good ones have not.",
    takes: "--bad QUERY --good QUERY [PATH…]",
    options: &[&o::BAD, &o::GOOD, &o::HELP],
    examples: [
        "dogwatch diff --bad 'status>=500' --good 'status<500' logs/",
        "dogwatch diff --bad 'since=-10m level=error' --good 'until=-1h level=error'",
    ],
    more: "\
Of each field and value it tells how many of the bad and of the good lines have
it, the greatest difference first. Differences as chance makes them are left
out (a two-proportion z-test, five standard errors), so is what only single
lines have. In texts of several words, numbers, ids and what stands in quotes
are `*`. At most 200,000 values are told apart; beyond that it says so.

exit code: 0 a difference was found, 1 none, 2 something could not be read or
           asked
",
    run: crate::diff::run,
};
