//! What stands beside LocalStack: Kafka, and ClickHouse for the functions.

use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::scene::root;

/// The folder of Kafka and ClickHouse, which end with it, however the checks end.
pub struct Beside {
    folder: TempDir,
}

impl Beside {
    /// A folder in which nothing runs yet.
    pub fn new() -> Self {
        let target = root().join("target").canonicalize().expect("the folder of builds");
        Self { folder: tempfile::tempdir_in(target).expect("a folder") }
    }

    /// Its path.
    pub fn at(&self) -> &str {
        self.folder.path().to_str().expect("a path in UTF-8")
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let mut stop = Command::new("bash");
        stop.arg(root().join("localstack/beside.sh")).args(["stop", self.at()]).stdin(Stdio::null()).stdout(Stdio::null());
        let stopped = stop.status().is_ok_and(|status| status.success());
        assert!(stopped || std::thread::panicking(), "beside.sh does not stop what runs in {}", self.at());
    }
}
