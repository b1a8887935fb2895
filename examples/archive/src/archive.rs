//! Stores closed files in a bucket over HTTP, as often as it takes.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use ureq::Agent;

/// One bucket. An object is called as its file: names of rolled files are never used again, so that a
/// second PUT of one, after a kill, changes nothing.
///
/// Any store with PUT and HEAD serves: S3, GCS, OSS or MinIO by a signed URL or a proxy that signs,
/// WebDAV as it is. A program serves as well: in `store`, `Command::new("rclone")` in the place of
/// the PUT.
pub(crate) struct Archive {
    bucket: String,
    agent: Agent,
}

impl Archive {
    pub(crate) fn new(bucket: &str) -> Self {
        // Without a bound a store that hangs would keep the housekeeping from making room.
        let config = Agent::config_builder().timeout_global(Some(Duration::from_secs(30)));
        Self {
            bucket: bucket.to_owned(),
            agent: config.build().into(),
        }
    }

    /// For `on_close`. What fails is tried again when the file is to be deleted.
    #[expect(
        clippy::print_stderr,
        reason = "said in the log, it would be one more line to store"
    )]
    pub(crate) fn store(&self, file: &Path) {
        if let Err(error) = self.put(file) {
            eprintln!("cannot store {}: {error}", file.display());
        }
    }

    /// For `held`: asked before a file is deleted, after a restart too.
    pub(crate) fn lacks(&self, file: &Path) -> bool {
        self.agent.head(self.object(file)).call().is_err() && self.put(file).is_err()
    }

    fn put(&self, file: &Path) -> Result<(), ureq::Error> {
        let body = File::open(file)?;
        let length = body.metadata()?.len();
        let request = self.agent.put(self.object(file));
        // Of whole objects: a store refuses one whose length is not known.
        request.header("content-length", length).send(&body)?;
        Ok(())
    }

    fn object(&self, file: &Path) -> String {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        format!("{}/{name}", self.bucket)
    }
}
