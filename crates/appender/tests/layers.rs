//! Both parts as the writers of tracing layers.
#![cfg(feature = "tracing")]

use std::time::Duration;

use dogwatch_appender::{Appender, Level, NonBlocking};
use tracing_subscriber::{fmt, layer::SubscriberExt as _, registry};

const LONG: Duration = Duration::from_secs(60);

#[test]
fn both_parts_are_writers_of_a_layer_and_the_queue_knows_the_level() {
    let directory = tempfile::tempdir().unwrap();
    let (bare, behind) = (
        directory.path().join("bare.log"),
        directory.path().join("behind.log"),
    );
    let appender = Appender::builder(&bare).open().unwrap();
    let file = Appender::builder(&behind).open().unwrap();
    let (queue, guard) = NonBlocking::builder(file).spawn().unwrap();
    let plain = |layer: fmt::Layer<_>| layer.with_ansi(false).without_time().with_target(false);
    let subscriber = registry()
        .with(
            fmt::layer()
                .with_ansi(false)
                .without_time()
                .with_writer(appender),
        )
        .with(plain(fmt::layer()).with_writer(queue));
    tracing::subscriber::with_default(subscriber, || {
        tracing::info!("one");
        tracing::warn!("two");
        tracing::warn!("three");
    });
    let accounts = guard.close(LONG).unwrap();
    assert_eq!(accounts.written.of(Level::Info), 1);
    assert_eq!(accounts.written.of(Level::Warn), 2);
    assert_eq!(accounts.offered(), accounts.written);
    assert_eq!(
        std::fs::read_to_string(&behind).unwrap(),
        " INFO one\n WARN two\n WARN three\n"
    );
    assert_eq!(std::fs::read_to_string(&bare).unwrap().lines().count(), 3);
}
