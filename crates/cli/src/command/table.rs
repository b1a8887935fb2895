//! Lists the commands. Pure.

use super::{Command, options as o};

/// Every command; the one without a name first.
pub(crate) static COMMANDS: &[&Command] = &[&VIEW, &STATS, &CHECK];

/// What is done without a command's name.
pub(crate) static VIEW: Command = Command {
    name: "",
    does: "Finds and shows lines of log files, rolled and compressed.",
    takes: "[QUERY] [PATH…]",
    options: &[
        &o::COUNT,
        &o::FOLLOW,
        &o::JSON,
        &o::LINES,
        &o::FIELDS,
        &o::UTC,
        &o::COLOR,
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
if it is there, else standard input. A first word that is a path which is there
is taken as one; a word that is a command's name is looked for behind `--`.

query: level>=error  status=500  path~\"^/api/\"  -target=hyper  \"timed out\"
       since=-1h  status in (500, 502)  error exists  a or (b c)  not a
       * | count by status    | p50,p99(latency_ms) by route    | top 5 message

exit code: 0 a line was found, 1 none, 2 something could not be read or asked
",
    run: crate::view::run,
};

static STATS: Command = Command {
    name: "stats",
    does: "Sums up logs on one page.",
    takes: "[QUERY] [PATH…]",
    options: &[&o::UTC, &o::HELP],
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

exit code: 0 nothing was found, 1 something was, 2 something could not be read
           or asked
",
    run: crate::check::run,
};
