//! Reads the access logs and error logs of nginx and Apache. Pure.

use regex::Regex;

use super::object::Object;
use super::stamp::Stamps;

/// The two logs of a web server.
pub(crate) struct Forms {
    access: Regex,
    error: Regex,
    /// How the times of the error log stand.
    stamp: &'static str,
}

impl Forms {
    /// <https://nginx.org/en/docs/http/ngx_http_log_module.html>, the format `combined`.
    pub(crate) fn nginx() -> Self {
        Self::of(
            r"^(?<time>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) \[(?<level>\w+)\] (?<pid>\d+)#\d+: (?<message>.*)$",
            "%Y/%m/%d %H:%M:%S",
        )
    }

    /// <https://httpd.apache.org/docs/2.4/logs.html>, the formats `common` and `combined`, a virtual
    /// host before them or not.
    pub(crate) fn apache() -> Self {
        Self::of(
            r"^\[\w{3} (?<time>\w{3} \d\d \d\d:\d\d:\d\d(?:\.\d+)? \d{4})\] \[(?:(?<target>[\w-]*):)?(?<level>\w+?)\d?\] \[pid (?<pid>\d+)[^\]]*\](?: \[(?:remote|client) (?<client>[^\]]+)\])? (?<message>.*)$",
            "%b %d %H:%M:%S%.f %Y",
        )
    }

    #[expect(
        clippy::expect_used,
        reason = "the patterns are constants, which a test compiles"
    )]
    fn of(error: &str, stamp: &'static str) -> Self {
        let compiled = |pattern: &str| Regex::new(pattern).expect("a constant pattern");
        Self {
            access: compiled(ACCESS),
            error: compiled(error),
            stamp,
        }
    }

    pub(crate) fn line(&self, text: &str, stamps: &Stamps) -> Option<String> {
        self.accessed(text).or_else(|| self.failed(text, stamps))
    }

    fn accessed(&self, text: &str) -> Option<String> {
        let found = self.access.captures(text)?;
        let group = |name: &str| {
            found
                .name(name)
                .map(|group| group.as_str())
                .filter(|text| *text != "-")
        };
        let mut object = Object::new();
        object.text("timestamp", &Stamps::access(group("time")?)?);
        let request = found.name("request").map_or("", |group| group.as_str());
        let mut words = request.split(' ');
        match (words.next(), words.next()) {
            (Some(method), Some(target)) => {
                let (path, query) = match target.split_once('?') {
                    Some((path, query)) => (path, Some(query)),
                    None => (target, None),
                };
                object.text("message", &format!("{method} {path}"));
                object.text("method", method);
                object.text("path", path);
                if let Some(query) = query {
                    object.text("query", query);
                }
            }
            _ => object.text("message", request),
        }
        for (name, key) in [("status", "status"), ("bytes", "bytes_out")] {
            if let Some(number) = group(name) {
                object.add(key, number);
            }
        }
        for (name, key) in [
            ("client", "client_address"),
            ("user", "user_id"),
            ("referer", "referer"),
            ("agent", "user_agent"),
        ] {
            if let Some(text) = group(name) {
                object.text(key, text);
            }
        }
        Some(object.end())
    }

    fn failed(&self, text: &str, stamps: &Stamps) -> Option<String> {
        let found = self.error.captures(text)?;
        let group = |name: &str| found.name(name).map(|group| group.as_str());
        let mut object = Object::new();
        object.text("timestamp", &stamps.local(self.stamp, group("time")?)?);
        for (name, key) in [
            ("level", "level"),
            ("target", "target"),
            ("message", "message"),
        ] {
            if let Some(text) = group(name).filter(|text| !text.is_empty()) {
                object.text(key, text);
            }
        }
        if let Some(pid) = group("pid") {
            object.add("pid", pid);
        }
        if let Some(client) = group("client") {
            object.text("client_address", client);
        }
        Some(object.end())
    }
}

const ACCESS: &str = r#"(?x)^(?:[\w.-]+:\d+\ )?(?<client>\S+)\ \S+\ (?<user>\S+)\ \[(?<time>[^\]]+)\]
    \ "(?<request>(?:[^"\\]|\\.)*)"\ (?<status>\d{3})\ (?<bytes>\d+|-)
    (?:\ "(?<referer>(?:[^"\\]|\\.)*)"\ "(?<agent>(?:[^"\\]|\\.)*)")?"#;
