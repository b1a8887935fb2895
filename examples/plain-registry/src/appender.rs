//! The rolling file alone: under the writer of tracing-appender, and under its own.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use dogwatch_appender::{Appender, Keep, NonBlocking, Roll};
use dogwatch_json::JsonLayer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::prelude::*;

/// One line replaces `tracing_appender::rolling::daily(...)`; the rest stays as it was.
pub(crate) fn under_tracing_appender(dir: &Path) -> Result<String, Box<dyn Error>> {
    let dir = dir.join("theirs");
    let appender = Appender::builder(dir.join("app.log"))
        .roll(Roll::size(2_000))
        .open()?;
    let (writer, guard) = tracing_appender::non_blocking(appender);
    hundred_lines(writer);
    drop(guard);
    count(&dir)
}

/// Its own writer is bounded in bytes, and says what became of every line.
pub(crate) fn under_its_own_writer(dir: &Path) -> Result<String, Box<dyn Error>> {
    let dir = dir.join("ours");
    let appender = Appender::builder(dir.join("app.log"))
        .roll(Roll::size(2_000))
        .keep(Keep::all())
        .open()?;
    let (writer, guard) = NonBlocking::builder(appender).spawn()?;
    hundred_lines(writer);
    let accounts = guard.close(Duration::from_secs(10))?;
    crate::same("accepted lines", accounts.accepted.total(), 100)?;
    crate::same("written lines", accounts.written.total(), 100)?;
    count(&dir)
}

fn hundred_lines<W>(writer: W)
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let registry = tracing_subscriber::registry().with(JsonLayer::new(writer));
    tracing::subscriber::with_default(registry, || {
        for number in 0..100 {
            tracing::info!(number, "a line");
        }
    });
}

fn count(dir: &Path) -> Result<String, Box<dyn Error>> {
    let mut shown = String::new();
    let (mut files, mut all) = (0, 0);
    let mut paths: Vec<_> = std::fs::read_dir(dir)?
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<_>>()?;
    paths.sort();
    for path in paths {
        if path.extension().is_none_or(|end| end != "log") {
            continue;
        }
        let lines = crate::lines(&path)?.len();
        shown += &format!(
            "{lines:3} lines in {}\n",
            path.file_name().unwrap_or_default().to_string_lossy()
        );
        (files, all) = (files + 1, all + lines);
    }
    crate::same("the number of lines in all files", all, 100)?;
    crate::same("that there are several files", files > 1, true)?;
    Ok(shown)
}
