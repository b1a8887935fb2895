//! A tracing layer of alert rules: windows, states, notifiers and playbooks.
//!
//! Rules from YAML are judged inside the process, as events happen. A rule that counts too many
//! matching events fires with its evidence: when it began, sample lines, a trace id. It resolves by
//! itself. Notifiers are told of both, and a playbook can act in between.
//!
//! ```
//! use std::sync::{Arc, atomic::AtomicBool};
//! use std::time::Duration;
//! use dogwatch_alert::{AlertLayer, Rules, Shed, State};
//! use tracing_subscriber::prelude::*;
//!
//! let rules = Rules::parse(r#"
//! - name: "HighErrorRate"
//!   pattern: "ERROR.*\\[5xx\\]"
//!   threshold: 3/10s
//!   level: "critical"
//!   playbook: {run: degrade_route, lease: 30s, dry_run: false}
//! "#)?;
//! let switch = Arc::new(AtomicBool::new(false));
//! let (layer, guard) = AlertLayer::builder(rules).playbook("degrade_route", Shed::new(switch)).spawn()?;
//!
//! let subscriber = tracing_subscriber::registry().with(layer);
//! tracing::subscriber::with_default(subscriber, || {
//!     for _ in 0..3 {
//!         tracing::error!(status = 502, "request failed [5xx]");
//!     }
//! });
//! let fired = guard.alerts().wait(Duration::from_secs(5), |rules| rules[0].state == State::Firing);
//! assert!(fired);
//! guard.close(Duration::from_secs(2)).ok();
//! # Ok::<(), dogwatch_alert::Error>(())
//! ```
//!
//! # Rules
//! A file is a list of rules, or a document:
//!
//! ```
//! # use dogwatch_alert::Rules;
//! # Rules::parse_with(r#"
//! version: 1
//! defaults: {level: error, action: log, window: 1m}
//! notifiers:
//!   am: {type: webhook, url: "http://${AM_HOST}/hook", timeout: 5s}
//! playbooks:
//!   shed_recommend: {lease: 30s, dry_run: false, cooldown: 2m, max_per_hour: 3}
//! rules:
//!   - name: payments_fail
//!     match: {level: ">=warn", event: pay_failed, currency: CNY}
//!     threshold: 5
//!     window: 30s
//!     resolve_after: 10s
//!     level: critical
//!     action: [am, log]
//!     playbook: shed_recommend
//!     labels: {team: 支付}
//! # "#, |_| Some("127.0.0.1:9093".into()))?;
//! # Ok::<(), dogwatch_alert::Error>(())
//! ```
//!
//! | key | meaning | default |
//! |---|---|---|
//! | `name` | unique | required |
//! | `pattern` | a regular expression over `LEVEL target: message key=value …`: the event's fields in its order, then those that its spans add. `.` matches no line break; `(?s)` lets it | any event |
//! | `match` | a query as the command `dogwatch` takes it, texts without a field in the message; or a map of fields that must equal these: `level` (or `">=warn"`), `target`, `message`, any other; numbers by value, text exactly | any event |
//! | `threshold` | how many are too many, or with the window at once: `10/30s` | required |
//! | `window` | within which span | `1m` |
//! | `resolve_after` | how long the count must stay below the threshold | one window |
//! | `level` | `critical`, `error`, `warning` or `info` | `warning` |
//! | `action`, or `notify` | a notifier's name, or a list of them | `log` |
//! | `playbook` | a playbook's name, or `{run: name, lease: 30s, dry_run: false, cooldown: 1m, max_per_hour: 6}` | none; a dry run, lease `1m`, cooldown `1m`, 6 an hour |
//! | `labels` | more labels for the alert | none |
//! | `type` | `any`, `threshold`, `ratio`, `absence`, `spike`, `change`, `field_stat`, `cardinality`, `new_value`, `new_template`, `anomaly`, each with keys of its own | `threshold` |
//! | `group_by` | fields whose values are counted apart, `max_groups` at most | none; 1000 |
//! | `for` | how long it must be bad before it fires | `0s` |
//! | `clear` | `below` which number it is good again; a `match` for an event that says so | the threshold; none |
//! | `repeat_interval` | how often notifiers are told again | never |
//! | `mute` | times of the week when they are not told | none |
//! | `annotations` | texts with `{{count}}` and other names in them | none |
//! | `samples` | how many lines an alert shows | 3 |
//!
//! All of them, with their own keys and bounds, are told in `docs/alerts.md` of the repository.
//!
//! `pattern` and `match` must both hold if both are there; one of them must be there. What the file
//! does not know, it refuses, with line and column.
//!
//! # What it does not do
//! A rule sees one process: ten in a minute means ten in this one. Over a restart it remembers what
//! [`Builder::state_file`] says, and nothing without. Grouping over services, silences and escalation are Alertmanager's. A process that ends tells nobody that its
//! alerts are resolved.
//!
//! # Edges
//! - An event is judged on its own thread: matched and counted, no I/O, no lock that I/O holds. An
//!   event that no rule can match by its level and target costs a look-up in 4 KiB that each
//!   thread has for it.
//! - Secrets are hidden before anything is matched or kept: see [`Builder::redact`].
//! - A rule sees 8 KiB of each value and 64 KiB of the text. Samples: 3 of 512 bytes.
//! - A `Display` that panics keeps what it wrote, says `<formatting panicked>` and is counted. An event logged while this layer
//!   formats a value is not judged. Events with the target `dogwatch::alert` never are.
//! - An alert waits in a queue of 256 for each notifier, in order, and is tried again for an hour.
//!   Each alert dropped or given up is counted in [`Deliveries`] and told to
//!   [`Builder::on_error`]. "Resolved" is not sent where "firing" never arrived.
//! - The file of `Rules::load` is read again every 5 s ([`Builder::reload_every`]) and put to work
//!   when it has changed: [`Alerts::reload`] says what goes on and what is over. A file that does
//!   not load changes nothing, is told once and counted in [`Alerts::reloads`].
//! - A playbook only says what it would have done until `dry_run: false` arms it. Each act, each
//!   refusal with its reason, and each taking back is an event of its own in the log, like an alert
//!   of `log`. Its lease is kept by a thread of its own: if nothing renews it, it is taken back.
//!   [`Alerts::playbooks`] turns all of them off, and takes back what is applied.
//! - Under `panic = "abort"` a `Display` or a callback that panics ends the process, as anywhere.
//! - At most 1000 rules, a threshold of 100,000 (exact: 8 bytes for each), a window of 30 days.
//!
//! # Features
//! - `webhook` (default): `Webhook`, `Alertmanager` and `Messenger`, and their types in files. Brings `ureq`, plain
//!   HTTP, and `hmac`, `sha2` and `base64` for signatures. Leave it off if all notifiers are your own.
//! - `email`: `Email`, by `lettre`, with TLS through rustls.
//! - `tls`: https for them, through rustls with Mozilla's roots.
#![forbid(unsafe_code)]

mod about;
mod alert;
mod alerts;
mod anomaly;
mod buckets;
mod builder;
mod bystanders;
mod callsites;
mod clock;
mod collect;
mod conditions;
mod current;
mod dead_letters;
mod dictionary;
mod error;
mod filter;
mod group;
mod joiner;
mod json;
mod keeper;
mod known;
mod layer;
mod leases;
mod meter;
mod mute;
mod namesakes;
mod notify;
mod outbox;
mod overflow;
mod pace;
mod playbook;
mod prefilter;
mod queue;
mod ratio;
mod read;
mod redact;
mod reload;
mod replay;
mod report;
mod resends;
mod retire;
mod rule;
mod rules;
mod samples;
mod screen;
mod seen;
mod set;
mod severity;
mod shape;
mod shared;
mod shift;
mod silence;
mod slot;
mod snapshot;
mod span_of_time;
mod spans;
mod spike;
mod standing;
mod stat;
mod succession;
mod tail;
mod tell;
mod template;
mod threads;
mod ticker;
mod trial;
mod tries;
mod usual;
mod variety;
mod view;
mod watch;
mod width;
mod window;
mod workers;
mod written;

pub use alert::{Alert, AlertState, Deliveries, RuleCounts, State};
pub use alerts::{AlertGuard, Alerts};
pub use builder::Builder;
pub use collect::catching_panic;
pub use error::Error;
pub use filter::RulesFilter;
pub use layer::AlertLayer;
#[cfg(feature = "email")]
pub use notify::email::Email;
pub use notify::{Notify, NotifyError};
#[cfg(feature = "webhook")]
pub use notify::{alertmanager::Alertmanager, messenger::Messenger, webhook::Webhook};
pub use pace::Pace;
pub use playbook::{Playbook, Shed};
pub use reload::ReloadCounts;
pub use replay::{Lines, Replay};
pub use report::RuleReport;
pub use rules::Rules;
pub use severity::Severity;
pub use trial::{RuleTests, TestOutcome};

/// The target of this crate's own events.
pub(crate) const TARGET: &str = "dogwatch::alert";

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
