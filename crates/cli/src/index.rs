//! Makes the indexes of log files, so that searches by time, level and trace id read only what they must.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use dogwatch_reader::Index;

use crate::command::Given;
use crate::input::Input;
use crate::outcome::{Outcome, Stop};
use crate::safe::safe;
use crate::session::{say, with_source};
use crate::table::counted;

pub(crate) fn run(given: &Given) -> Result<Outcome, String> {
    let paths: Vec<PathBuf> = given.words().map(PathBuf::from).collect();
    let Input::Logs(families) = Input::find(&paths)? else {
        return Err("an index stands beside a file: standard input has none".to_owned());
    };
    let files: Vec<&PathBuf> = families.iter().flat_map(|family| family.files()).collect();
    let mut failed = all(&files)?;
    for family in &families {
        match Index::delete_stale(family.log()) {
            Ok(deleted) => deleted.iter().for_each(|path| {
                say(&format!(
                    "`{}` is deleted: the file that it was the index of is gone",
                    path.display()
                ));
            }),
            Err(error) => {
                failed = true;
                say(&with_source(&error));
            }
        }
    }
    Ok(match (failed, files.len()) {
        (true, _) => Outcome::Trouble,
        (false, 0) => Outcome::Nothing,
        (false, _) => Outcome::Found,
    })
}

/// Makes the index of each file, as many at once as there are cores, and tells of them in their order;
/// whether one failed.
fn all(files: &[&PathBuf]) -> Result<bool, String> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let (done, made) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..threads.min(files.len()) {
            let (done, next) = (done.clone(), &next);
            scope.spawn(move || {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    // The other end outlives this thread.
                    let _ = done.send((*file, Index::write(file)));
                }
            });
        }
        drop(done);
        let mut waiting = HashMap::new();
        let mut failed = false;
        for file in files {
            let index = loop {
                if let Some(index) = waiting.remove(file) {
                    break index;
                }
                let Ok((file, index)) = made.recv() else {
                    return Ok(failed);
                };
                waiting.insert(file, index);
            };
            match index {
                Ok(index) => tell(file, &index)?,
                Err(error) => {
                    failed = true;
                    say(&with_source(&error));
                }
            }
        }
        Ok(failed)
    })
}

fn tell(file: &Path, index: &Index) -> Result<(), String> {
    let mut line = String::new();
    safe(&file.display().to_string(), false, &mut line);
    let lines = counted(index.lines(), "line");
    let parts = counted(index.parts(), "part");
    let (bytes, file_bytes) = (index.bytes(), index.file_bytes());
    let written = writeln!(
        io::stdout(),
        "{line}: {lines} in {parts}, {bytes} bytes for {file_bytes}"
    );
    Stop::settled(written.map_err(Stop::Pipe))
}
