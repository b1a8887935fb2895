//! One POST over HTTP: the URL is taken for a secret, of which no error shows more than its host.

use std::io::Read;
use std::time::{Duration, SystemTime};

use ureq::Agent;
use ureq::http::{HeaderMap, HeaderName, HeaderValue, Uri};

use crate::error::Error;
use crate::notify::NotifyError;

/// Posts JSON to one place.
pub(crate) struct Poster {
    url: Uri,
    agent: Agent,
    headers: HeaderMap,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) host: String,
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    /// At most 64 KiB of it.
    pub(crate) body: String,
}

impl Poster {
    /// `what` it is for, in errors.
    pub(crate) fn new(what: &str, url: &str) -> Result<Self, Error> {
        let broken = || {
            Error::setup(format!(
                "cannot use the {what}'s url: it is no http(s) url with a host"
            ))
        };
        let url: Uri = url.parse().map_err(|_| broken())?;
        match (url.scheme_str(), url.host()) {
            _ if has_broken_port(&url) => return Err(broken()),
            (Some("http"), Some(_)) => {}
            (Some("https"), Some(_)) if cfg!(feature = "tls") => {}
            (Some("https"), Some(host)) => {
                return Err(Error::setup(format!(
                    "cannot use the {what} at `{host}`: https needs the feature `tls` of dogwatch-alert"
                )));
            }
            _ => return Err(broken()),
        }
        Ok(Self {
            url,
            agent: agent(DEFAULT_TIMEOUT),
            headers: HeaderMap::new(),
        })
    }

    pub(crate) fn timeout(&mut self, timeout: Duration) {
        self.agent = agent(timeout);
    }

    /// A header of each request. Its value may be a secret.
    pub(crate) fn header(&mut self, name: &str, value: &str) -> Result<(), Error> {
        let read = name.parse::<HeaderName>().ok();
        let (Some(read), Ok(value)) = (read, HeaderValue::from_str(value)) else {
            return Err(Error::setup(format!(
                "cannot send the header `{}`: its name or value is no header's",
                name.escape_debug()
            )));
        };
        self.headers.insert(read, value);
        Ok(())
    }

    pub(crate) fn host(&self) -> &str {
        self.url.host().unwrap_or("")
    }

    /// Posts to the URL, with `query` behind its own. An error is one of the network, and worth another try.
    pub(crate) fn post(
        &self,
        query: &str,
        headers: &[(&str, String)],
        body: String,
    ) -> Result<Answer, NotifyError> {
        let url = if query.is_empty() {
            self.url.clone()
        } else {
            self.with_query(query)?
        };
        let mut post = self
            .agent
            .post(&url)
            .header("content-type", "application/json");
        for (name, value) in &self.headers {
            post = post.header(name, value);
        }
        for (name, value) in headers {
            post = post.header(*name, value);
        }
        let host = self.host();
        let mut response = post
            .send(body)
            .map_err(|error| NotifyError::retry(without_url(&error, host)))?;
        let mut body = Vec::new();
        let reader = response.body_mut().as_reader();
        // A body that breaks off is judged by what there is of it.
        let _ = reader.take(MAX_ANSWER).read_to_end(&mut body);
        Ok(Answer {
            host: host.to_owned(),
            status: response.status().as_u16(),
            retry_after: retry_after(response.headers(), SystemTime::now()),
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }

    fn with_query(&self, query: &str) -> Result<Uri, NotifyError> {
        let path = self.url.path();
        let query = match self.url.query() {
            Some(own) => format!("{path}?{own}&{query}"),
            None => format!("{path}?{query}"),
        };
        let mut parts = self.url.clone().into_parts();
        let broken = |_| NotifyError::permanent("the url takes no query");
        parts.path_and_query = Some(query.parse().map_err(broken)?);
        Uri::from_parts(parts).map_err(|_| NotifyError::permanent("the url takes no query"))
    }
}

impl Answer {
    /// By the status alone: 2xx is success, 408, 429 and 5xx are worth another try, all else is for good.
    pub(crate) fn judge(&self) -> Result<(), NotifyError> {
        match self.status {
            200..=299 => Ok(()),
            408 | 429 | 500..=599 => Err(self.retry("")),
            _ => Err(self.permanent("")),
        }
    }

    /// Worth another try; `more` is what the body says of it.
    pub(crate) fn retry(&self, more: &str) -> NotifyError {
        let error = NotifyError::retry(self.told(more));
        match self.retry_after {
            Some(wait) => error.after(wait),
            None => error,
        }
    }

    pub(crate) fn permanent(&self, more: &str) -> NotifyError {
        NotifyError::permanent(self.told(more))
    }

    fn told(&self, more: &str) -> String {
        let (host, status) = (&self.host, self.status);
        match more {
            "" => format!("`{host}` answered {status}"),
            more => format!("`{host}` answered {status}: {more}"),
        }
    }
}

/// In seconds, or as a date (RFC 9110, 10.2.3).
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get("retry-after")?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text);
    let seconds = u64::try_from(date.ok()?.as_second()).ok()?;
    let date = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    Some(date.duration_since(now).unwrap_or_default())
}

/// `Uri` reads a port that is no number as no port.
fn has_broken_port(url: &Uri) -> bool {
    let address = url.authority().map_or("", |authority| authority.as_str());
    let address = address
        .rsplit_once('@')
        .map_or(address, |(_, address)| address);
    let behind_ip = address.rsplit_once(']').map_or(address, |(_, rest)| rest);
    behind_ip.contains(':') && url.port_u16().is_none()
}

fn agent(timeout: Duration) -> Agent {
    let config = Agent::config_builder()
        .timeout_global(Some(timeout))
        .http_status_as_error(false)
        // A secret in the URL goes to the host that it was meant for, and to no other.
        .max_redirects(0)
        .max_redirects_will_error(false)
        // The environment is the application's to read.
        .proxy(None)
        .user_agent(concat!("dogwatch-alert/", env!("CARGO_PKG_VERSION")))
        .build();
    config.into()
}

/// What went wrong, without what ureq may quote of the URL.
fn without_url(error: &ureq::Error, host: &str) -> String {
    let what = match error {
        ureq::Error::Timeout(_) => "the time-out ran out".into(),
        ureq::Error::Io(error) => error.to_string(),
        ureq::Error::HostNotFound => "no such host".into(),
        ureq::Error::ConnectionFailed => "no connection".into(),
        _ => String::from("the exchange failed"),
    };
    format!("cannot post to `{host}`: {what}")
}

/// Longer than any healthy receiver needs, short enough to leave a shutdown time.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// More than any provider has to say.
const MAX_ANSWER: u64 = 64 << 10;

#[cfg(test)]
mod tests {
    use super::{Poster, retry_after};
    use std::time::{Duration, SystemTime};
    use ureq::http::HeaderMap;

    #[test]
    fn a_wait_is_told_in_seconds_or_as_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        for (text, wait) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10)),
            ("Sun, 06 Nov 1994 08:49:27 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("retry-after", text.parse().unwrap());
            let wait = wait.map(Duration::from_secs);
            assert_eq!(retry_after(&headers, now), wait, "{text}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }

    #[test]
    fn a_query_is_added_to_that_of_the_url() {
        for (url, with) in [
            ("http://h/a?k=1", "http://h/a?k=1&sign=x%3D"),
            ("http://h:8/a", "http://h:8/a?sign=x%3D"),
            ("http://h", "http://h/?sign=x%3D"),
        ] {
            let poster = Poster::new("robot", url).unwrap();
            assert_eq!(poster.with_query("sign=x%3D").unwrap().to_string(), with);
        }
    }

    #[test]
    fn no_refusal_shows_the_secret() {
        for url in [
            "s3cret",
            "ftp://h/s3cret",
            "http://h:x/s3cret",
            "http:///s3cret",
        ] {
            let error = Poster::new("robot", url)
                .map(|_| ())
                .unwrap_err()
                .to_string();
            assert_eq!(
                error,
                "cannot use the robot's url: it is no http(s) url with a host"
            );
        }
        let mut poster = Poster::new("robot", "http://h/").unwrap();
        let error = poster.header("x-key", "s3cret\n").unwrap_err().to_string();
        assert_eq!(
            error,
            "cannot send the header `x-key`: its name or value is no header's"
        );
    }
}
