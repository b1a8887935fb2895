//! Reads the command line. Pure.

use std::path::PathBuf;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Args {
    pub(crate) query: String,
    pub(crate) paths: Vec<PathBuf>,
    pub(crate) count: bool,
    pub(crate) follow: bool,
    pub(crate) json: bool,
    pub(crate) utc: bool,
    pub(crate) lines: Option<u64>,
    pub(crate) color: Color,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

/// What a command line means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Help,
    Version,
    Lines(Args),
}

pub(crate) const HELP: &str = "\
Finds and shows lines of log files, rolled and compressed.

usage: dogwatch [OPTIONS] [QUERY] [PATH…]

  dogwatch 'level>=warn since=-1h' logs/
  dogwatch -f 'status>=500 path=/api/*' logs/shop.log

A path is a folder, a pattern in quotes or a current file, which stands for all
that was rolled from it; `-` is standard input. Without one: the folder `logs`
if it is there, else standard input.

  -c, --count        only how many lines were found
  -f, --follow       go on with what is written (one log)
  -j, --json         the lines as they stand in the files
  -n, --lines N      the first N lines at most
      --utc          times in UTC, not in this machine's zone
      --color WHEN   auto, always or never
  -h, --help         this page
  -V, --version      the version

query: level>=error  status=500  path~\"^/api/\"  -target=hyper  \"timed out\"
       since=-1h  status in (500, 502)  error exists  a or (b c)  not a

exit code: 0 a line was found, 1 none, 2 something could not be read or asked
";

/// Reads the arguments behind the program's name.
pub(crate) fn parse(words: impl IntoIterator<Item = String>) -> Result<Asked, String> {
    let mut args = Args {
        query: String::new(),
        paths: Vec::new(),
        count: false,
        follow: false,
        json: false,
        utc: false,
        lines: None,
        color: Color::Auto,
    };
    let mut query = None;
    let mut options = true;
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        if !options || word == "-" || !word.starts_with('-') {
            match query {
                None => query = Some(word),
                Some(_) => args.paths.push(word.into()),
            }
            continue;
        }
        let (name, given) = match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
            _ => (&*word, None),
        };
        let mut value = |what: &str| {
            given
                .clone()
                .or_else(|| words.next())
                .ok_or_else(|| format!("{name} needs {what}"))
        };
        match name {
            "--" => options = false,
            "-h" | "--help" => return Ok(Asked::Help),
            "-V" | "--version" => return Ok(Asked::Version),
            "-c" | "--count" => args.count = true,
            "-f" | "--follow" => args.follow = true,
            "-j" | "--json" => args.json = true,
            "--utc" => args.utc = true,
            "-n" | "--lines" => {
                let number = value("a number")?;
                args.lines = Some(
                    number
                        .parse()
                        .map_err(|_| format!("`{number}` is no number of lines"))?,
                );
            }
            "--color" => args.color = color(&value("auto, always or never")?)?,
            // A query may begin with a minus: `-level=info`.
            _ if query.is_none() && !name.starts_with("--") && word.len() > 2 => {
                query = Some(word.clone())
            }
            _ => {
                return Err(format!(
                    "unknown option `{name}`; `dogwatch --help` lists them"
                ));
            }
        }
    }
    args.query = query.unwrap_or_default();
    if args.follow && args.count {
        return Err("--follow never ends, so that --count has nothing to tell".to_owned());
    }
    Ok(Asked::Lines(args))
}

fn color(when: &str) -> Result<Color, String> {
    match when {
        "auto" => Ok(Color::Auto),
        "always" => Ok(Color::Always),
        "never" => Ok(Color::Never),
        other => Err(format!("--color is auto, always or never, not `{other}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Args, Asked, Color, HELP, parse};

    fn asked(line: &str) -> Result<Asked, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_may_stand_anywhere_and_the_first_word_is_the_query() {
        let expected = Args {
            query: "-level=info".to_owned(),
            paths: vec!["logs".into(), "-".into()],
            count: true,
            follow: false,
            json: true,
            utc: true,
            lines: Some(5),
            color: Color::Never,
        };
        assert_eq!(
            asked("-c -level=info --utc logs -n 5 --color=never - -j"),
            Ok(Asked::Lines(expected))
        );
        assert_eq!(asked("x --help"), Ok(Asked::Help));
        assert_eq!(asked("-V"), Ok(Asked::Version));
    }

    #[test]
    fn what_is_wrong_is_one_clear_sentence() {
        for (line, message) in [
            (
                "--no",
                "unknown option `--no`; `dogwatch --help` lists them",
            ),
            ("-x", "unknown option `-x`; `dogwatch --help` lists them"),
            ("-n", "-n needs a number"),
            ("-n many", "`many` is no number of lines"),
            ("--color=red", "--color is auto, always or never, not `red`"),
            (
                "-f -c",
                "--follow never ends, so that --count has nothing to tell",
            ),
        ] {
            assert_eq!(asked(line), Err(message.to_owned()), "{line}");
        }
    }

    #[test]
    fn help_is_one_screen() {
        assert!(HELP.lines().count() <= 30 && HELP.lines().all(|line| line.chars().count() <= 80));
    }
}
