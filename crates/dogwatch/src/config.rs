//! What a service asks of its log, in code. Nothing here touches the disk or the environment.

use std::fmt;
use std::path::{Path, PathBuf};
#[cfg(feature = "alert")]
use std::sync::Arc;

#[cfg(feature = "appender")]
use dogwatch_appender::{Compress, CrashRing, Keep, Roll, WhenFull};

use crate::preset::Preset;
use crate::tell::Tell;

/// How a service logs. Later wins: preset, then environment, then what is said here.
///
/// ```no_run
/// # #[cfg(all(feature = "json", feature = "appender"))] {
/// use dogwatch::{Config, Keep, Roll};
///
/// let log = Config::prod()
///     .service("shop")
///     .file("logs/shop.log")
///     .roll(Roll::daily().max_bytes(64 << 20))
///     .keep(Keep::files(14))
///     .init()?;
/// # drop(log); }
/// # Ok::<(), dogwatch::Error>(())
/// ```
///
/// | what | `dev` | `prod` | variable |
/// |---|---|---|---|
/// | format | text, coloured on a terminal | JSON lines | `DOGWATCH_ENV` |
/// | keys of JSON lines | dogwatch's own | the same | `DOGWATCH_SCHEMA` |
/// | filter | `debug`, the HTTP stack at `info` | `info` | `RUST_LOG` |
/// | stdout | on | on, unless there is a file | `DOGWATCH_STDOUT` |
/// | file | none | none | `DOGWATCH_FILE` |
/// | reopen at SIGHUP | no | no | `DOGWATCH_REOPEN_ON_SIGHUP` |
/// | roll, keep, compress | daily or 100 MiB, 7 files, zstd | the same | |
/// | secrets | masked, if built with `json` | masked | |
/// | rules | none | none | `DOGWATCH_RULES` |
/// | alerts over a restart | none | none | `DOGWATCH_ALERT_STATE` |
/// | playbooks of rules that arm them | on | on | `DOGWATCH_PLAYBOOKS` |
#[must_use = "a configuration does nothing until `init` or `layers` is called"]
#[derive(Clone, Default)]
pub struct Config {
    pub(crate) preset: Option<Preset>,
    pub(crate) service: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) env: Option<String>,
    pub(crate) host: Option<String>,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) filter: Option<String>,
    pub(crate) file: Option<PathBuf>,
    pub(crate) stdout: Option<bool>,
    pub(crate) rules: Option<RulesFrom>,
    pub(crate) on_error: Tell,
    pub(crate) keep_panics_quiet: bool,
    #[cfg(feature = "appender")]
    pub(crate) roll: Option<Roll>,
    #[cfg(feature = "appender")]
    pub(crate) keep: Option<Keep>,
    #[cfg(feature = "appender")]
    pub(crate) compress: Option<Compress>,
    #[cfg(feature = "appender")]
    pub(crate) when_full: Option<WhenFull>,
    #[cfg(feature = "appender")]
    pub(crate) buffer_bytes: Option<usize>,
    #[cfg(feature = "appender")]
    pub(crate) crash_ring: Option<CrashRing>,
    #[cfg(feature = "appender")]
    pub(crate) log_file: crate::log_file::LogFile,
    #[cfg(feature = "json")]
    pub(crate) schema: Option<dogwatch_json::Schema>,
    #[cfg(feature = "json")]
    pub(crate) redact: Option<dogwatch_json::Redact>,
    #[cfg(feature = "json")]
    pub(crate) error_backtrace: bool,
    #[cfg(feature = "json")]
    pub(crate) nest_dots: bool,
    #[cfg(feature = "json")]
    pub(crate) sample: Option<dogwatch_json::Sample>,
    #[cfg(feature = "metrics")]
    pub(crate) metrics: Option<dogwatch_metrics::Metrics>,
    #[cfg(feature = "alert")]
    pub(crate) alert: crate::alerting::Registered,
}

impl Config {
    /// The preset for a developer's terminal. Needs the feature `dev`.
    pub fn dev() -> Self {
        Self {
            preset: Some(Preset::Dev),
            ..Self::default()
        }
    }

    /// The preset for a service in production. Needs the feature `json`, which `prod` brings.
    pub fn prod() -> Self {
        Self {
            preset: Some(Preset::Prod),
            ..Self::default()
        }
    }

    /// The preset that `DOGWATCH_ENV` names; else the only one compiled in; else `prod`.
    pub fn from_env() -> Self {
        Self::default()
    }

    /// The name of the service, on each line as `service`. Default: `DOGWATCH_SERVICE`, else absent.
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.service = Some(name.into());
        self
    }

    /// The version of the service, on each line as `version`. Default: absent.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Where the service runs, such as `staging`, on each line as `env`. Default: absent.
    pub fn env(mut self, env: impl Into<String>) -> Self {
        self.env = Some(env.into());
        self
    }

    /// The machine's name, on each line as `host`. Default: absent.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// One more field that stands on each JSON line.
    pub fn field(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.fields.push((key.into(), value.into()));
        self
    }

    /// Which events are logged, in the syntax of `RUST_LOG`, such as `info,shop::pay=debug`.
    pub fn filter(mut self, directives: impl Into<String>) -> Self {
        self.filter = Some(directives.into());
        self
    }

    /// The log file; it rolls beside itself. Needs the feature `appender`.
    pub fn file(mut self, path: impl AsRef<Path>) -> Self {
        self.file = Some(path.as_ref().to_owned());
        self
    }

    /// Whether lines go to stdout. Default: on without a file and in `dev`, else off.
    pub fn stdout(mut self, on: bool) -> Self {
        self.stdout = Some(on);
        self
    }

    /// The file of alert rules. Needs the feature `alert`.
    pub fn rules(mut self, path: impl AsRef<Path>) -> Self {
        self.rules = Some(RulesFrom::File(path.as_ref().to_owned()));
        self
    }

    /// Alert rules as YAML text. Needs the feature `alert`.
    pub fn rules_text(mut self, yaml: impl Into<String>) -> Self {
        self.rules = Some(RulesFrom::Text(yaml.into()));
        self
    }

    /// Where the log tells its own failures: the first at once, then one summary an interval.
    /// Default: stderr. It may call `std::process::exit`.
    pub fn on_error(mut self, tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.on_error = Tell::by(tell);
        self
    }

    /// Leaves panics out of the log. By default [`init`](Self::init) chains a panic hook that logs
    /// each panic at ERROR under the target `dogwatch::panic`, then calls the hook before it.
    pub fn keep_panics_quiet(mut self) -> Self {
        self.keep_panics_quiet = true;
        self
    }
}

#[cfg(feature = "appender")]
impl Config {
    /// When the file rolls. Default: `Roll::daily().max_bytes(100 MiB)`.
    pub fn roll(mut self, roll: Roll) -> Self {
        self.roll = Some(roll);
        self
    }

    /// Which rolled files are kept. Default: `Keep::files(7)`.
    pub fn keep(mut self, keep: Keep) -> Self {
        self.keep = Some(keep);
        self
    }

    /// How rolled files are compressed. Default: `Compress::Zstd`.
    pub fn compress(mut self, compress: Compress) -> Self {
        self.compress = Some(compress);
        self
    }

    /// What happens to a line that finds the buffer full. Default: `WhenFull::Wait(100 ms)`.
    pub fn when_full(mut self, when_full: WhenFull) -> Self {
        self.when_full = Some(when_full);
        self
    }

    /// How many bytes of lines may wait before the file, and as many before stdout.
    /// Default: 8 MiB.
    pub fn buffer_bytes(mut self, bytes: usize) -> Self {
        self.buffer_bytes = Some(bytes);
        self
    }

    /// Keeps the lines that wait before the file in a mapped file, so that `kill -9` of the process,
    /// an abort or the out-of-memory killer lose none of them: the next start writes them, and says
    /// in its first line how many (`replayed`). Default: they wait in memory. Linux only.
    pub fn crash_ring(mut self, ring: CrashRing) -> Self {
        self.crash_ring = Some(ring);
        self
    }
}

#[cfg(feature = "json")]
impl Config {
    /// Which keys the fields of JSON lines have, and how level and timestamp are written, such as
    /// `Schema::ecs()`. Default: `DOGWATCH_SCHEMA`, else dogwatch's own. Rules see the same names
    /// under every schema.
    pub fn schema(mut self, schema: dogwatch_json::Schema) -> Self {
        self.schema = Some(schema);
        self
    }

    /// What is masked. Default: `Redact::secrets()`.
    pub fn redact(mut self, redact: dogwatch_json::Redact) -> Self {
        self.redact = Some(redact);
        self
    }

    /// Whether the field `error` of a JSON line at ERROR tells where it was logged, as
    /// `error.backtrace`, whatever `RUST_BACKTRACE` says. Default: false, for it costs as much as
    /// hundreds of lines. [`ErrorValue`](crate::ErrorValue) writes the backtrace of an error itself.
    pub fn error_backtrace(mut self, on: bool) -> Self {
        self.error_backtrace = on;
        self
    }

    /// Whether keys with dots become objects in JSON lines: `http.method` as `"http":{"method":…}`.
    /// Default: false. Rules and queries find `http.method` either way.
    pub fn nest_dots(mut self, on: bool) -> Self {
        self.nest_dots = on;
        self
    }

    /// How many JSON lines of a busy callsite are written. Default: all.
    ///
    /// Only lines are left out: rules and metrics see every event. What is missing is told by a line
    /// with `gap`, at the latest when the log ends. ERROR and what dogwatch itself says, a request's
    /// closing line included, are always written: those of a busy route are thinned out by
    /// [`RequestLayer::sample`](dogwatch_tower::RequestLayer::sample).
    pub fn sample(mut self, sample: dogwatch_json::Sample) -> Self {
        self.sample = Some(sample);
        self
    }
}

#[cfg(feature = "alert")]
impl Config {
    /// A notifier that rules name by `action`. The names `log` and those of the rules file's
    /// `notifiers` are there already.
    pub fn notifier(
        mut self,
        name: impl Into<String>,
        notifier: impl dogwatch_alert::Notify + 'static,
    ) -> Self {
        self.alert.notifiers.push((name.into(), Arc::new(notifier)));
        self
    }

    /// Where alerts that no notifier took are kept, a line of JSON each: 16 MiB at most. Default:
    /// they are counted and told to [`on_error`](Self::on_error).
    pub fn dead_letters(mut self, path: impl Into<PathBuf>) -> Self {
        self.alert.dead_letters = Some(path.into());
        self
    }

    /// Keeps the alerts that fire, what no notifier has taken yet and what rules know in this file,
    /// and takes it up again at the next start. One process at a time. Default:
    /// `DOGWATCH_ALERT_STATE`, else nothing is kept. See
    /// [`Builder::state_file`](dogwatch_alert::Builder::state_file).
    pub fn alert_state(mut self, path: impl Into<PathBuf>) -> Self {
        self.alert.state = Some(path.into());
        self
    }

    /// A playbook that rules name. `degrade_route` is there already: it turns on
    /// [`Guard::shed_switch`](crate::Guard::shed_switch). So is `raise_log_level`: it logs more of a
    /// target for a time. None acts while `DOGWATCH_PLAYBOOKS` is
    /// `off`.
    pub fn playbook(
        mut self,
        name: impl Into<String>,
        playbook: impl dogwatch_alert::Playbook + 'static,
    ) -> Self {
        self.alert.playbooks.push((name.into(), Arc::new(playbook)));
        self
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("preset", &self.preset)
            .field("service", &self.service)
            .field("filter", &self.filter)
            .field("file", &self.file)
            .field("stdout", &self.stdout)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RulesFrom {
    File(PathBuf),
    Text(String),
}
