//! Lists the commands. Pure.

use super::{Command, options as o};

/// Every command; the one without a name first.
pub(crate) static COMMANDS: &[&Command] = &[&VIEW];

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
