//! Reads the variables that choose how a service logs. Pure but for one function that asks the process.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use crate::Error;
use crate::preset::Preset;

/// What the environment asks for; `None` where it says nothing. An empty value says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Env {
    pub(crate) preset: Option<Preset>,
    pub(crate) schema: Option<String>,
    pub(crate) filter: Option<String>,
    pub(crate) filter_file: Option<PathBuf>,
    pub(crate) file: Option<PathBuf>,
    pub(crate) reopen_on_sighup: Option<bool>,
    pub(crate) stdout: Option<bool>,
    pub(crate) rules: Option<PathBuf>,
    pub(crate) alert_state: Option<PathBuf>,
    pub(crate) playbooks: Option<bool>,
    pub(crate) service: Option<String>,
    pub(crate) colour: Option<bool>,
}

impl Env {
    /// The environment of this process.
    pub(crate) fn of_process() -> Result<Self, Error> {
        Self::from_variables(std::env::vars_os())
    }

    pub(crate) fn from_variables(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, Error> {
        let set: BTreeMap<String, OsString> = variables
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .collect();
        let text = |name: &str| match set.get(name) {
            None => Ok(None),
            Some(value) => value
                .to_str()
                .map(|v| Some(v.to_owned()))
                .ok_or_else(|| Error::variable(name, &value.to_string_lossy(), "text in UTF-8")),
        };
        let path = |name: &str| set.get(name).map(PathBuf::from);
        let on = |name: &str| text(name)?.map(|value| switch(name, &value)).transpose();
        Ok(Self {
            preset: text("DOGWATCH_ENV")?.map(|v| preset(&v)).transpose()?,
            schema: text("DOGWATCH_SCHEMA")?,
            filter: text("RUST_LOG")?,
            filter_file: path("DOGWATCH_FILTER_FILE"),
            file: path("DOGWATCH_FILE"),
            reopen_on_sighup: on("DOGWATCH_REOPEN_ON_SIGHUP")?,
            stdout: on("DOGWATCH_STDOUT")?,
            rules: path("DOGWATCH_RULES"),
            alert_state: path("DOGWATCH_ALERT_STATE"),
            playbooks: text("DOGWATCH_PLAYBOOKS")?
                .map(|value| playbooks(&value))
                .transpose()?,
            service: text("DOGWATCH_SERVICE")?,
            colour: colour(
                set.contains_key("NO_COLOR"),
                text("CLICOLOR_FORCE")?.as_deref(),
            ),
        })
    }
}

/// One variable of the process, for `${NAME}` in a rules file.
#[cfg(feature = "alert")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var_os(name)?.into_string().ok()
}

fn preset(value: &str) -> Result<Preset, Error> {
    match value {
        "dev" => Ok(Preset::Dev),
        "prod" => Ok(Preset::Prod),
        _ => Err(Error::variable("DOGWATCH_ENV", value, "`dev` or `prod`")),
    }
}

fn switch(name: &str, value: &str) -> Result<bool, Error> {
    match value {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        _ => Err(Error::variable(name, value, "`1` or `0`")),
    }
}

/// Not a number: whoever reaches for this is in a hurry and types the word.
fn playbooks(value: &str) -> Result<bool, Error> {
    match value {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(Error::variable(
            "DOGWATCH_PLAYBOOKS",
            value,
            "`on` or `off`",
        )),
    }
}

/// <https://no-color.org>: any value turns colour off. <https://bixense.com/clicolors>:
/// `CLICOLOR_FORCE` other than `0` turns it on where no terminal is.
fn colour(no_color: bool, force: Option<&str>) -> Option<bool> {
    match (no_color, force) {
        (true, _) => Some(false),
        (false, Some(value)) if value != "0" => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(variables: &[(&str, &str)]) -> Result<Env, Error> {
        Env::from_variables(variables.iter().map(|(n, v)| (n.into(), v.into())))
    }

    #[test]
    fn each_variable_is_read() {
        let read = env(&[
            ("DOGWATCH_ENV", "dev"),
            ("DOGWATCH_SCHEMA", "ecs"),
            ("RUST_LOG", "shop=debug"),
            ("DOGWATCH_FILTER_FILE", "/etc/shop/filter"),
            ("DOGWATCH_FILE", "日志/api.log"),
            ("DOGWATCH_REOPEN_ON_SIGHUP", "true"),
            ("DOGWATCH_STDOUT", "1"),
            ("DOGWATCH_RULES", "rules.yaml"),
            ("DOGWATCH_ALERT_STATE", "状态/alerts"),
            ("DOGWATCH_PLAYBOOKS", "off"),
            ("DOGWATCH_SERVICE", "小店"),
            ("CLICOLOR_FORCE", "1"),
        ]);
        let want = Env {
            preset: Some(Preset::Dev),
            schema: Some("ecs".into()),
            filter: Some("shop=debug".into()),
            filter_file: Some("/etc/shop/filter".into()),
            file: Some("日志/api.log".into()),
            reopen_on_sighup: Some(true),
            stdout: Some(true),
            rules: Some("rules.yaml".into()),
            alert_state: Some("状态/alerts".into()),
            playbooks: Some(false),
            service: Some("小店".into()),
            colour: Some(true),
        };
        assert_eq!(read.unwrap(), want);
    }

    #[test]
    fn an_empty_value_says_nothing() {
        let read = env(&[
            ("DOGWATCH_ENV", ""),
            ("DOGWATCH_FILTER_FILE", ""),
            ("DOGWATCH_FILE", ""),
            ("RUST_LOG", ""),
        ]);
        assert_eq!(read.unwrap(), Env::default());
    }

    #[test]
    fn a_bad_value_names_the_variable_the_value_and_what_is_wanted() {
        let error = env(&[("DOGWATCH_ENV", "stage")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "DOGWATCH_ENV is `stage`, want `dev` or `prod`"
        );
        assert!(error.is_setting());
        let error = env(&[("DOGWATCH_STDOUT", "yes")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "DOGWATCH_STDOUT is `yes`, want `1` or `0`"
        );
        let error = env(&[("DOGWATCH_PLAYBOOKS", "no")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "DOGWATCH_PLAYBOOKS is `no`, want `on` or `off`"
        );
    }

    #[test]
    fn no_color_wins_over_force() {
        let read = env(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]).unwrap();
        assert_eq!(read.colour, Some(false));
    }

    #[cfg(unix)]
    #[test]
    fn a_path_need_not_be_utf8_but_a_name_must() {
        use std::os::unix::ffi::OsStringExt;
        let odd = OsString::from_vec(b"logs/\xff.log".to_vec());
        let read = Env::from_variables([("DOGWATCH_FILE".into(), odd.clone())]).unwrap();
        assert_eq!(read.file, Some(PathBuf::from(&odd)));
        let error = Env::from_variables([("DOGWATCH_SERVICE".into(), odd)]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "DOGWATCH_SERVICE is `logs/\u{fffd}.log`, want text in UTF-8"
        );
    }
}
