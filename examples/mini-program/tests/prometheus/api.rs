//! Asks Prometheus over its HTTP API.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

pub(crate) struct Api {
    address: String,
}

/// One series of an answer, its values that are numbers.
pub(crate) struct Series {
    pub(crate) labels: Value,
    pub(crate) values: Vec<f64>,
}

impl Api {
    pub(crate) fn new(address: &str) -> Self {
        Self {
            address: address.to_owned(),
        }
    }

    /// Unix seconds.
    pub(crate) fn now(&self) -> f64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.expect("a clock after 1970").as_secs_f64()
    }

    /// The series that the query has between then and now, second by second, those without a number
    /// left out.
    pub(crate) fn range(&self, promql: &str, from: f64) -> Vec<Series> {
        let (query, now) = (encoded(promql), self.now());
        let path = format!("/api/v1/query_range?query={query}&start={from}&end={now}&step=1");
        let data = self.get(&path);
        let result = data["result"].as_array().expect("a list of series");
        let series = result.iter().map(|series| {
            let values = series["values"].as_array().unwrap().iter();
            let values = values.filter_map(|pair| pair[1].as_str()?.parse().ok());
            Series {
                labels: series["metric"].clone(),
                values: values.filter(|value: &f64| value.is_finite()).collect(),
            }
        });
        series.filter(|series| !series.values.is_empty()).collect()
    }

    /// The exemplars behind the query: the labels of their series, trace id, value.
    pub(crate) fn exemplars(&self, promql: &str, from: f64) -> Vec<(Value, String, f64)> {
        let (query, now) = (encoded(promql), self.now());
        let data = self.get(&format!(
            "/api/v1/query_exemplars?query={query}&start={from}&end={now}"
        ));
        let mut all = Vec::new();
        for series in data.as_array().expect("a list of series") {
            for exemplar in series["exemplars"].as_array().unwrap() {
                let trace_id = exemplar["labels"]["trace_id"].as_str().unwrap().to_owned();
                let value = exemplar["value"].as_str().unwrap().parse().unwrap();
                all.push((series["seriesLabels"].clone(), trace_id, value));
            }
        }
        all
    }

    /// The `data` of an answer.
    pub(crate) fn get(&self, path: &str) -> Value {
        let text = fetch(&self.address, path);
        let mut answer: Value =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(answer["status"], "success", "{path}: {answer}");
        answer["data"].take()
    }
}

/// The body of an answer. In HTTP/1.0, so that it ends with the connection and comes in one piece.
pub(crate) fn fetch(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nhost: {address}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    body.to_owned()
}

fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let spell = |byte: u8| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(spell).collect()
}
