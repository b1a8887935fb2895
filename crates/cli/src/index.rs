//! Makes the indexes of log files, so that searches by time, level and trace id read only what they must.

use std::io::{self, Write as _};
use std::path::PathBuf;

use dogwatch_reader::Index;

use crate::command::Given;
use crate::input::Input;
use crate::outcome::{Outcome, Stop};
use crate::safe::safe;
use crate::session::{say, with_source};

pub(crate) fn run(given: &Given) -> Result<Outcome, String> {
    let paths: Vec<PathBuf> = given.words().map(PathBuf::from).collect();
    let Input::Logs(families) = Input::find(&paths)? else {
        return Err("an index stands beside a file: standard input has none".to_owned());
    };
    let (mut made, mut failed) = (0_u64, false);
    let mut stdout = io::stdout().lock();
    for file in families.iter().flat_map(|family| family.files()) {
        match Index::write(file) {
            Ok(index) => {
                made += 1;
                let mut name = String::new();
                safe(&file.display().to_string(), false, &mut name);
                let written = writeln!(
                    stdout,
                    "{name}: {} lines in {} parts, {} bytes for {}",
                    index.lines(),
                    index.parts(),
                    index.bytes(),
                    index.file_bytes()
                );
                Stop::settled(written.map_err(Stop::Pipe))?;
            }
            Err(error) => {
                failed = true;
                say(&with_source(&error));
            }
        }
    }
    Ok(match (failed, made) {
        (true, _) => Outcome::Trouble,
        (false, 0) => Outcome::Nothing,
        (false, _) => Outcome::Found,
    })
}
