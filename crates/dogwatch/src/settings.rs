//! Decides what runs from the code, the environment and what is compiled in. Pure.

use std::path::PathBuf;

use crate::Error;
use crate::config::{Config, RulesFrom};
use crate::env::Env;
use crate::preset::Preset;

/// What is compiled in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Compiled {
    pub(crate) dev: bool,
    pub(crate) json: bool,
    pub(crate) appender: bool,
    pub(crate) alert: bool,
}

impl Compiled {
    pub(crate) const HERE: Self = Self {
        dev: cfg!(feature = "dev"),
        json: cfg!(feature = "json"),
        appender: cfg!(feature = "appender"),
        alert: cfg!(feature = "alert"),
    };
}

/// What runs, each with a value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) preset: Preset,
    pub(crate) preset_from: &'static str,
    #[cfg(feature = "json")]
    pub(crate) schema: Option<dogwatch_json::Schema>,
    pub(crate) filter: String,
    pub(crate) filter_from: &'static str,
    pub(crate) filter_file: Option<PathBuf>,
    pub(crate) file: Option<PathBuf>,
    #[cfg(feature = "appender")]
    pub(crate) reopen_on_sighup: bool,
    pub(crate) stdout: bool,
    pub(crate) rules: Option<RulesFrom>,
    pub(crate) alert_state: Option<PathBuf>,
    pub(crate) playbooks: bool,
    pub(crate) service: Option<String>,
    pub(crate) colour: Option<bool>,
}

impl Settings {
    /// The schema of the JSON lines, if one was asked for.
    pub(crate) fn schema_name(&self) -> Option<&'static str> {
        #[cfg(feature = "json")]
        let name = self.schema.as_ref().map(dogwatch_json::Schema::name);
        #[cfg(not(feature = "json"))]
        let name = None;
        name
    }
}

/// Later wins: preset, then environment, then code.
pub(crate) fn resolve(config: &Config, env: Env, compiled: Compiled) -> Result<Settings, Error> {
    let (preset, preset_from) = preset(config.preset, env.preset, compiled)?;
    if env.schema.is_some() && !compiled.json {
        return Err(Error::feature("DOGWATCH_SCHEMA is set", "json"));
    }
    let file = config.file.clone().or(env.file);
    if file.is_some() && !compiled.appender {
        return Err(Error::feature(
            "a log file is set (DOGWATCH_FILE or `file`)",
            "appender",
        ));
    }
    #[cfg(feature = "appender")]
    let asked = config.log_file.reopen_on_sighup.or(env.reopen_on_sighup);
    #[cfg(not(feature = "appender"))]
    let asked = env.reopen_on_sighup;
    let reopen_on_sighup = asked.unwrap_or(false);
    if reopen_on_sighup && file.is_none() {
        return Err(Error::setting(
            "a log file is to be reopened at SIGHUP (DOGWATCH_REOPEN_ON_SIGHUP or \
             `reopen_on_sighup`) and there is none; set DOGWATCH_FILE (or `file`)",
        ));
    }
    let rules = config.rules.clone().or(env.rules.map(RulesFrom::File));
    if rules.is_some() && !compiled.alert {
        return Err(Error::feature(
            "alert rules are set (DOGWATCH_RULES or `rules`)",
            "alert",
        ));
    }
    let (filter, filter_from) = match (&config.filter, env.filter, preset) {
        (Some(directives), _, _) => (directives.clone(), "code"),
        (None, Some(directives), _) => (directives, "RUST_LOG"),
        (None, None, Preset::Dev) => (DEV_FILTER.to_owned(), "preset"),
        (None, None, Preset::Prod) => ("info".to_owned(), "preset"),
    };
    let by_preset = preset == Preset::Dev || file.is_none();
    let stdout = config.stdout.or(env.stdout).unwrap_or(by_preset);
    if !stdout && file.is_none() {
        return Err(Error::start(
            "nowhere to log: stdout is switched off and no file is set; \
             set DOGWATCH_FILE (or `file`), or leave DOGWATCH_STDOUT (or `stdout`) on",
        ));
    }
    Ok(Settings {
        preset,
        preset_from,
        #[cfg(feature = "json")]
        schema: schema(config, env.schema)?,
        filter,
        filter_from,
        filter_file: env.filter_file,
        stdout,
        file,
        #[cfg(feature = "appender")]
        reopen_on_sighup,
        rules,
        alert_state: env.alert_state,
        playbooks: env.playbooks.unwrap_or(true),
        service: config.service.clone().or(env.service),
        colour: env.colour,
    })
}

fn preset(
    code: Option<Preset>,
    env: Option<Preset>,
    compiled: Compiled,
) -> Result<(Preset, &'static str), Error> {
    let (preset, from) = match (code, env) {
        (Some(preset), _) => (preset, "code"),
        (None, Some(preset)) => (preset, "DOGWATCH_ENV"),
        (None, None) => match (compiled.dev, compiled.json) {
            (true, true) => (Preset::Prod, "default"),
            (true, false) => (Preset::Dev, "the only one compiled in"),
            (false, true) => (Preset::Prod, "the only one compiled in"),
            (false, false) => {
                return Err(Error::start(
                    "dogwatch was built without a format: \
                     add its feature `prod` (JSON lines) or `dev` (text for people) in Cargo.toml",
                ));
            }
        },
    };
    let asked = format!("preset `{}` is asked for by {from}", preset.as_str());
    match preset {
        Preset::Dev if !compiled.dev => Err(Error::feature(&asked, "dev")),
        Preset::Prod if !compiled.json => Err(Error::feature(&asked, "json` or `prod")),
        _ => Ok((preset, from)),
    }
}

#[cfg(feature = "json")]
fn schema(config: &Config, env: Option<String>) -> Result<Option<dogwatch_json::Schema>, Error> {
    match (&config.schema, env) {
        (Some(schema), _) => Ok(Some(schema.clone())),
        (None, Some(name)) => {
            let why = |error| Error::start("DOGWATCH_SCHEMA names no schema").because(error);
            Ok(Some(name.parse().map_err(why)?))
        }
        (None, None) => Ok(None),
    }
}

/// The HTTP stack and the store tell every frame and statement at DEBUG: too much for a terminal.
const DEV_FILTER: &str = "debug,h2=info,hyper=info,hyper_util=info,mio=info,reqwest=info,\
                          rustls=info,sqlx=info,tower=info,ureq=info";

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Compiled = Compiled {
        dev: true,
        json: true,
        appender: true,
        alert: true,
    };
    const NONE: Compiled = Compiled {
        dev: false,
        json: false,
        appender: false,
        alert: false,
    };

    fn with(config: Config, env: Env, compiled: Compiled) -> Result<Settings, String> {
        resolve(&config, env, compiled).map_err(|e| e.to_string())
    }

    #[test]
    fn a_preset_comes_from_code_then_environment_then_what_is_compiled_in() {
        let dev = || Env {
            preset: Some(Preset::Dev),
            ..Env::default()
        };
        let only_dev = Compiled { dev: true, ..NONE };
        let only_json = Compiled { json: true, ..NONE };
        for (config, env, compiled, want) in [
            (Config::prod(), dev(), ALL, (Preset::Prod, "code")),
            (
                Config::from_env(),
                dev(),
                ALL,
                (Preset::Dev, "DOGWATCH_ENV"),
            ),
            (
                Config::from_env(),
                Env::default(),
                ALL,
                (Preset::Prod, "default"),
            ),
            (
                Config::from_env(),
                Env::default(),
                only_dev,
                (Preset::Dev, "the only one compiled in"),
            ),
            (
                Config::from_env(),
                Env::default(),
                only_json,
                (Preset::Prod, "the only one compiled in"),
            ),
        ] {
            let got = with(config, env, compiled).unwrap();
            assert_eq!((got.preset, got.preset_from), want);
        }
    }

    #[test]
    fn what_is_not_compiled_in_is_an_error_that_names_the_feature() {
        let file = Env {
            file: Some("api.log".into()),
            ..Env::default()
        };
        let rules = Env {
            rules: Some("rules.yaml".into()),
            ..Env::default()
        };
        let only_dev = Compiled { dev: true, ..NONE };
        let only_json = Compiled { json: true, ..NONE };
        for (config, env, compiled, feature) in [
            (Config::dev(), Env::default(), only_json, "`dev`"),
            (Config::prod(), Env::default(), only_dev, "`json` or `prod`"),
            (Config::prod(), file, only_json, "`appender`"),
            (Config::prod(), rules, only_json, "`alert`"),
            (
                Config::from_env(),
                Env::default(),
                NONE,
                "`prod` (JSON lines) or `dev`",
            ),
        ] {
            let error = with(config, env, compiled).unwrap_err();
            assert!(error.contains(feature), "{error}");
        }
    }

    #[test]
    fn a_file_takes_the_place_of_stdout_unless_both_are_asked_for() {
        let env = |stdout| Env {
            file: Some("api.log".into()),
            stdout,
            ..Env::default()
        };
        for (config, env, want) in [
            (Config::prod(), Env::default(), true),
            (Config::prod(), env(None), false),
            (Config::prod(), env(Some(true)), true),
            (Config::prod().stdout(false), env(Some(true)), false),
            (Config::dev(), env(None), true),
        ] {
            assert_eq!(with(config, env, ALL).unwrap().stdout, want);
        }
    }

    #[cfg(feature = "json")]
    #[test]
    fn a_schema_comes_from_code_then_environment() {
        let env = |name: &str| Env {
            schema: Some(name.into()),
            ..Env::default()
        };
        let in_code = || Config::prod().schema(dogwatch_json::Schema::ecs());
        for (config, env, want) in [
            (in_code(), env("gcp"), Some(dogwatch_json::Schema::ecs())),
            (
                Config::prod(),
                env("gcp"),
                Some(dogwatch_json::Schema::gcp()),
            ),
            (Config::prod(), Env::default(), None),
        ] {
            assert_eq!(with(config, env, ALL).unwrap().schema, want);
        }
        let missing = with(Config::dev(), env("ecs"), Compiled { dev: true, ..NONE });
        assert!(missing.unwrap_err().contains("`json`"));
    }

    #[cfg(feature = "appender")]
    #[test]
    fn what_reopens_at_sighup_is_said_by_code_then_environment_and_needs_a_file() {
        let env = |on| Env {
            file: Some("api.log".into()),
            reopen_on_sighup: on,
            ..Env::default()
        };
        for (config, env, want) in [
            (Config::prod(), env(None), false),
            (Config::prod(), env(Some(true)), true),
            (Config::prod().reopen_on_sighup(true), env(None), true),
            (
                Config::prod().reopen_on_sighup(false),
                env(Some(true)),
                false,
            ),
        ] {
            assert_eq!(with(config, env, ALL).unwrap().reopen_on_sighup, want);
        }
        let error = with(Config::prod().reopen_on_sighup(true), Env::default(), ALL);
        assert_eq!(
            error.unwrap_err(),
            "a log file is to be reopened at SIGHUP (DOGWATCH_REOPEN_ON_SIGHUP or \
             `reopen_on_sighup`) and there is none; set DOGWATCH_FILE (or `file`)"
        );
    }

    #[test]
    fn nowhere_to_log_is_an_error() {
        let error = with(Config::prod().stdout(false), Env::default(), ALL).unwrap_err();
        assert!(error.starts_with("nowhere to log"), "{error}");
    }

    #[test]
    fn code_wins_over_the_environment_and_that_over_the_preset() {
        let env = || Env {
            filter: Some("warn".into()),
            service: Some("from-env".into()),
            ..Env::default()
        };
        let got = with(Config::prod().filter("debug").service("shop"), env(), ALL).unwrap();
        assert_eq!((got.filter.as_str(), got.filter_from), ("debug", "code"));
        assert_eq!(got.service.as_deref(), Some("shop"));
        let got = with(Config::prod(), env(), ALL).unwrap();
        assert_eq!((got.filter.as_str(), got.filter_from), ("warn", "RUST_LOG"));
        assert_eq!(got.service.as_deref(), Some("from-env"));
        let got = with(Config::prod(), Env::default(), ALL).unwrap();
        assert_eq!((got.filter.as_str(), got.filter_from), ("info", "preset"));
    }
}
