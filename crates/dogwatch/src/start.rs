//! Starts the log: opens what the settings name, joins the layers, sets the process-wide default.

#[cfg(not(feature = "json"))]
use std::sync::Arc;

use tracing_core::Subscriber;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::Config;
use crate::env::Env;
use crate::filter::Filter;
use crate::gate::Gate;
use crate::guard::Guard;
use crate::home::Learns;
#[cfg(feature = "json")]
use crate::left_out::LeftOut;
use crate::preset::Preset;
use crate::settings::{self, Compiled, Settings};
use crate::sinks::Sinks;
use crate::stack::Stack;
use crate::text::{Judge, TextLayer};
use crate::wiring::Wiring;
use crate::{Error, panics, text};

/// Starts logging for this process as the variables `DOGWATCH_*` and `RUST_LOG` say: the same as
/// [`Config::from_env`]`().init()`.
///
/// Call it once, first thing in `main`, and keep the guard to the end. It installs no signal
/// handler; see [`stopped`](crate::stopped).
///
/// # Errors
/// A variable with a value that cannot be used, something asked for that is not compiled in, a
/// file that cannot be opened, rules that do not load, or a second start.
pub fn init() -> Result<Guard, Error> {
    Config::from_env().init()
}

impl Config {
    /// Starts logging for this process: sets the default subscriber and the `log` logger, and
    /// chains a panic hook (see [`keep_panics_quiet`](Self::keep_panics_quiet)).
    ///
    /// # Errors
    /// As [`init`].
    pub fn init(self) -> Result<Guard, Error> {
        let log_panics = !self.keep_panics_quiet;
        let settings = settings(&self)?;
        let (layers, mut guard) = open::<Registry>(self, &settings)?;
        let gate = Gate::new(guard.filter().clone());
        let subscriber = tracing_subscriber::registry().with(layers).with(gate);
        if subscriber.try_init().is_err() {
            return Err(Error::twice());
        }
        guard.drain_at_exit();
        if log_panics {
            panics::log_panics();
            #[cfg(feature = "tower")]
            dogwatch_tower::capture_panics();
        }
        say_first_line(&settings, guard.replayed());
        Ok(guard)
    }

    /// The layers for those who own their registry, under their own filter: other layers see what
    /// they saw before. Sets nothing for the process but the last drain at exit.
    ///
    /// ```
    /// # #[cfg(feature = "json")] {
    /// use tracing_subscriber::layer::SubscriberExt;
    ///
    /// let (layers, log) = dogwatch::Config::prod().layers()?;
    /// let subscriber = tracing_subscriber::registry().with(layers);
    /// tracing::subscriber::with_default(subscriber, || tracing::info!("hello"));
    /// drop(log); }
    /// # Ok::<(), dogwatch::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`init`], but for the second start.
    pub fn layers<S>(self) -> Result<(impl Layer<S> + Send + Sync, Guard), Error>
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        let settings = settings(&self)?;
        let (layers, mut guard) = open::<S>(self, &settings)?;
        guard.drain_at_exit();
        let gate = Gate::new(guard.filter().clone());
        let layers = Learns(guard.filter().clone()).and_then(layers);
        Ok((layers.with_filter(gate), guard))
    }
}

fn settings(config: &Config) -> Result<Settings, Error> {
    settings::resolve(config, Env::of_process()?, Compiled::HERE)
}

fn open<S>(
    config: Config,
    settings: &Settings,
) -> Result<(Box<dyn Layer<S> + Send + Sync>, Guard), Error>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    let filter = Filter::start(settings, config.on_error.clone())?;
    let mut wiring = Wiring::open(&config, settings, &filter)?;
    let layers = format_layers(&config, settings, &mut wiring);
    let (layers, wiring) = wiring.join(layers);
    Ok((layers.join(), Guard::new(wiring, filter)))
}

/// JSON for machines; in `dev`, text on stdout, and JSON in a file if it is compiled in.
fn format_layers<S>(config: &Config, settings: &Settings, wiring: &mut Wiring) -> Stack<S>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    let sinks = wiring.sinks();
    if settings.preset == Preset::Prod {
        return Stack::new().with(json(config, settings, sinks, wiring));
    }
    let (file, stdout) = sinks.split();
    let mut stack = Stack::new();
    if let Some(stdout) = stdout {
        let colour = text::stdout_colour(settings.colour);
        stack = stack.with(TextLayer::new(stdout, colour, judge(config)));
    }
    if let Some(file) = file {
        stack = stack.with(json(config, settings, file, wiring));
    }
    stack
}

#[cfg(feature = "json")]
fn json<S>(
    config: &Config,
    settings: &Settings,
    sinks: Sinks,
    wiring: &mut Wiring,
) -> impl Layer<S> + Send + Sync + use<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let layer = crate::json::dressed(sinks.clone(), config, settings);
    wiring.leaves_out(LeftOut::of(&layer, sinks));
    layer
}

/// Built without JSON: the file gets the text too, without colour.
#[cfg(not(feature = "json"))]
fn json<S>(
    config: &Config,
    _: &Settings,
    sinks: Sinks,
    _: &mut Wiring,
) -> impl Layer<S> + Send + Sync + use<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    TextLayer::new(sinks, false, judge(config))
}

/// What the text masks: the same as JSON lines, if there are any.
fn judge(config: &Config) -> Judge {
    #[cfg(feature = "json")]
    {
        let redact = crate::json::redact(config);
        Judge::new(redact.judge(), redact.nested_text())
    }
    #[cfg(not(feature = "json"))]
    {
        let _ = config;
        Judge::new(
            Arc::new(|_: &str| None),
            Arc::new(|_: &str, _: &dyn std::fmt::Debug| None),
        )
    }
}

fn say_first_line(settings: &Settings, replayed: u64) {
    tracing::info!(
        target: "dogwatch",
        preset = settings.preset.as_str(),
        preset_from = settings.preset_from,
        schema = settings.schema_name(),
        filter = settings.filter,
        filter_from = settings.filter_from,
        log_file = settings.file.as_ref().map(|path| tracing::field::display(path.display())),
        // What a crash ring kept of the process before, and stands above this line now.
        replayed = (replayed > 0).then_some(replayed),
        "logging started"
    );
}
