//! Stores each closed log file in an object store, and keeps it until the store has it.
//!
//! The store is down for the first run of the service and up for the second. In between nothing is
//! lost: a file that could not be stored is held, though more of them lie there than shall be kept,
//! and is stored before it is deleted.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "it tells what it did")]

mod archive;
mod bucket;

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use dogwatch::{Config, Keep, Roll};
use dogwatch_line::{Line, Now, Query, Value};
use dogwatch_reader::{Family, Search};
use tracing_subscriber::prelude::*;

use crate::archive::Archive;
use crate::bucket::Bucket;

fn main() -> Result<(), Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let (logs, stored) = (
        directory.path().join("logs"),
        directory.path().join("bucket"),
    );
    let bucket = Bucket::open(&stored)?;

    serve(&logs, bucket.url(), 0..ORDERS)?;
    let (held, there) = (rolled(&logs)?, rolled(&stored)?);
    println!("bucket down: {held} files held, {there} stored");
    assert!(held > KEPT && there == 0);

    bucket.repair();
    serve(&logs, bucket.url(), ORDERS..2 * ORDERS)?;
    // On a slow machine the end of a run does not wait for all of them: each start goes on with it.
    for _ in 0..10 {
        if rolled(&logs)? > KEPT {
            serve(&logs, bucket.url(), 0..0)?;
        }
    }
    let (left, there) = (rolled(&logs)?, rolled(&stored)?);
    println!("bucket up: {left} files left, {there} stored");
    assert!(left == KEPT && there > held);

    let orders = orders(&stored)?;
    println!("orders in the bucket: {}", orders.len());
    // The last ones are in the file that is still written to.
    assert!(orders.len() as i64 > ORDERS && orders.iter().copied().eq(0..orders.len() as i64));
    Ok(())
}

/// A run of a service that logs its orders.
fn serve(logs: &Path, bucket: &str, orders: std::ops::Range<i64>) -> Result<(), Box<dyn Error>> {
    let archive = Arc::new(Archive::new(bucket));
    let asked = Arc::clone(&archive);
    let (layers, log) = Config::prod()
        .file(logs.join("shop.log"))
        .roll(Roll::size(2048))
        // Held files may stay up to a hundred, then they go unread: a bound, as all is bounded.
        .keep(Keep::files(KEPT).unread(Keep::files(100)))
        .on_close(move |file| archive.store(file))
        .held(move |file| asked.lacks(file))
        .layers()?;
    let subscriber = tracing_subscriber::registry().with(layers);
    tracing::subscriber::with_default(subscriber, || {
        for order in orders {
            tracing::info!(
                event = "order_created",
                order,
                "a bowl of noodles for table 7"
            );
        }
    });
    log.close(Duration::from_secs(10))?;
    Ok(())
}

/// How many closed files of the log lie there.
fn rolled(directory: &Path) -> Result<usize, Box<dyn Error>> {
    let mut files = 0;
    for entry in std::fs::read_dir(directory)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        files += usize::from(name.starts_with("shop.2"));
    }
    Ok(files)
}

/// The numbers of all orders, read back from what the bucket has.
fn orders(stored: &Path) -> Result<Vec<i64>, Box<dyn Error>> {
    let now = Now::utc(SystemTime::now());
    let search = Search::new(&Query::parse("event=order_created")?, now);
    let mut orders = Vec::new();
    for family in Family::find(&[stored.to_owned()])? {
        let mut reading = search.read(&family);
        while let Some(line) = reading.next() {
            let line = line.map_err(|trouble| trouble.to_string())?;
            match Line::parse(&line.text())?.field("order") {
                Some(Value::I64(order)) => orders.push(order),
                other => return Err(format!("no order: {other:?}").into()),
            }
        }
    }
    Ok(orders)
}

const ORDERS: i64 = 60;

/// Rolled files on the disk, once the bucket has them.
const KEPT: usize = 2;
