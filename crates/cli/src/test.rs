//! Runs the tests of alert rules.

use std::io::{self, Write as _};

use dogwatch_alert::RuleTests;

use crate::command::Given;
use crate::outcome::{Outcome, Stop};
use crate::safe::safe;
use crate::session::{say, with_source};

pub(crate) fn run(given: &Given) -> Result<Outcome, String> {
    let (mut passed, mut failed, mut broken) = (0_u64, 0_u64, false);
    let mut page = String::new();
    for path in given.words() {
        let tests = match RuleTests::load(path) {
            Ok(tests) => tests,
            Err(error) => {
                broken = true;
                say(&with_source(&error));
                continue;
            }
        };
        safe(path, false, &mut page);
        page.push('\n');
        for outcome in tests.run() {
            let good = outcome.failures.is_empty();
            *if good { &mut passed } else { &mut failed } += 1;
            page.push_str(if good { "  ok      " } else { "  FAILED  " });
            safe(&outcome.name, false, &mut page);
            page.push('\n');
            for failure in &outcome.failures {
                page.push_str("          ");
                safe(failure, false, &mut page);
                page.push('\n');
            }
        }
    }
    if given.words().next().is_none() {
        return Err("name a file of tests: `dogwatch test rules.yaml`".to_owned());
    }
    page.push_str(&format!("{passed} passed, {failed} failed\n"));
    let written = io::stdout().write_all(page.as_bytes());
    Stop::settled(written.map_err(Stop::Pipe))?;
    Ok(match (broken, failed) {
        (true, _) => Outcome::Trouble,
        (false, 0) => Outcome::Found,
        (false, _) => Outcome::Nothing,
    })
}
