//! The file of alerts that nobody took: one line of JSON each.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use serde_json::json;

use crate::Alert;
use crate::error::Error;
use crate::notify::body;
use crate::seen::rfc3339;

pub(crate) struct DeadLetters {
    path: PathBuf,
    file: Mutex<File>,
}

impl DeadLetters {
    /// Opens the file at the start, so that a wrong path is known then.
    pub(crate) fn open(path: PathBuf) -> Result<Self, Error> {
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let file = file.map_err(|error| {
            let path = path.display();
            Error::setup(format!("cannot open the file of dead letters `{path}`")).caused_by(error)
        })?;
        Ok(Self {
            path,
            file: Mutex::new(file),
        })
    }

    /// Appends each alert with where it should have gone and why it did not.
    pub(crate) fn write(
        &self,
        notifier: &str,
        alerts: &[Arc<Alert>],
        why: &str,
        now: SystemTime,
    ) -> Result<(), Error> {
        let lines: String = alerts
            .iter()
            .map(|alert| {
                let letter = json!({
                    "timestamp": rfc3339(now),
                    "notifier": notifier,
                    "why": why,
                    "alert": body::alert(alert),
                });
                format!("{letter}\n")
            })
            .collect();
        let broken = |error| {
            let path = self.path.display();
            Error::delivery(format!("cannot write a dead letter into `{path}`")).caused_by(error)
        };
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let length = file.metadata().map_err(broken)?.len();
        if length.saturating_add(lines.len() as u64) > MAX_BYTES {
            let path = self.path.display();
            let count = alerts.len();
            let what = format!("cannot write {count} dead letters: `{path}` has 16 MiB already");
            return Err(Error::delivery(what));
        }
        file.write_all(lines.as_bytes()).map_err(broken)
    }
}

/// Thousands of alerts with their samples: then somebody has to look.
const MAX_BYTES: u64 = 16 << 20;

#[cfg(test)]
mod tests {
    use super::{DeadLetters, MAX_BYTES};
    use crate::State;
    use crate::queue::tests::alert;
    use serde_json::Value;
    use std::time::SystemTime;

    #[test]
    fn each_lost_alert_is_a_line_of_json_until_the_file_is_full() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("dead.jsonl");
        let letters = DeadLetters::open(path.clone()).unwrap();
        let alerts = [alert("支付", State::Firing), alert("b", State::Resolved)];
        let write = || letters.write("am", &alerts, "refused", SystemTime::UNIX_EPOCH);
        write().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let read = |line| serde_json::from_str::<Value>(line).unwrap();
        let lines: Vec<Value> = text.lines().map(read).collect();
        let told = |line: &Value| {
            let alert = &line["alert"];
            ["status", "fingerprint"]
                .map(|key| alert[key].as_str().unwrap().to_owned())
                .to_vec()
        };
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["notifier"], "am");
        assert_eq!(lines[0]["why"], "refused");
        assert_eq!(lines[0]["timestamp"], "1970-01-01T00:00:00.000000Z");
        assert_eq!(lines[0]["alert"]["labels"]["alertname"], "支付");
        assert_eq!(told(&lines[0]), ["firing", &alerts[0].fingerprint()]);
        assert_eq!(told(&lines[1]), ["resolved", &alerts[1].fingerprint()]);

        let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(MAX_BYTES).unwrap();
        let what = format!(
            "cannot write 2 dead letters: `{}` has 16 MiB already",
            path.display()
        );
        assert_eq!(write().unwrap_err().to_string(), what);
    }

    #[test]
    fn a_path_that_cannot_be_is_an_error_at_the_start() {
        let error = DeadLetters::open("/nowhere/dead.jsonl".into()).map(|_| ());
        let what = "cannot open the file of dead letters `/nowhere/dead.jsonl`";
        assert_eq!(error.unwrap_err().to_string(), what);
    }
}
