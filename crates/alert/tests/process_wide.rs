//! Holds the notifier `log` where the process-wide subscriber owns the layer, in a `Vec` that does
//! not tell it so. A test binary of its own: there is one such subscriber in a process.

use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use dogwatch_alert::{Alert, AlertLayer, NotifyError, Rules};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::prelude::*;

struct Heard(Sender<&'static str>);

impl Layer<Registry> for Heard {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, Registry>) {
        // After the test nobody listens.
        let _ = self.0.send(event.metadata().target());
    }
}

fn trouble() {
    tracing::error!("a client's own trouble");
}

#[test]
fn an_alert_is_logged_where_everybody_logs_and_what_a_notifier_logs_is_not() {
    let yaml = "- {name: r, pattern: '.', threshold: 1, action: [loud, log]}";
    let (layer, guard) = AlertLayer::builder(Rules::parse(yaml).unwrap())
        .notifier("loud", |_: &Alert| -> Result<(), NotifyError> {
            trouble();
            Ok(())
        })
        .spawn()
        .unwrap();
    let (sender, heard) = channel();
    let layers: Vec<Box<dyn Layer<Registry> + Send + Sync>> =
        vec![Heard(sender).boxed(), layer.boxed()];
    tracing_subscriber::registry().with(layers).init();
    tracing::error!("x");
    guard.alerts().close(Duration::from_secs(20)).unwrap();
    let told: Vec<&str> = heard.try_iter().collect();
    assert_eq!(told, [module_path!(), "dogwatch::alert"]);
    assert_eq!(guard.alerts().counts()[0].matched, 1);
    assert_eq!(guard.alerts().deliveries().sent, 2);
    // The same line elsewhere: that a thread of alerts came by first turned it off for nobody.
    trouble();
    assert_eq!(heard.try_iter().collect::<Vec<_>>(), [module_path!()]);
}
