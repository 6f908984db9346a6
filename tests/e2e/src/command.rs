//! The binary and its commands.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

/// No command of the tests takes longer.
const END: Duration = Duration::from_mins(5);

/// `target/release/clickstream`, beside the folder in which this test runs.
///
/// # Panics
/// If it was not built.
pub fn binary() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let binary = test.ancestors().nth(2).expect("a test lies in target/release/deps").join("clickstream");
    assert!(binary.exists(), "{} is missing: cargo build --release -p clickstream", binary.display());
    binary
}

/// What a command printed.
#[derive(Debug)]
pub struct Output {
    /// Exit status 0.
    pub success: bool,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Output {
    /// Standard output of a command that must succeed.
    ///
    /// # Panics
    /// If it failed, with what it said.
    pub fn expect_success(self) -> String {
        assert!(self.success, "the command failed: {}", self.stderr);
        self.stdout
    }

    /// Standard error of a command that must fail, with a sentence for people.
    ///
    /// # Panics
    /// If it succeeded, or panicked.
    pub fn expect_failure(self) -> String {
        assert!(!self.success, "the command should fail: {}", self.stdout);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        self.stderr
    }
}

/// A command of the binary on a data folder; the environment of whoever runs the tests changes nothing.
pub fn command(data: &Path) -> Command {
    let mut command = Command::new(binary());
    for name in VARIABLES {
        command.env_remove(name);
    }
    command.arg("--data").arg(data).stdin(Stdio::null());
    command
}

/// What the binary and its libraries read from the environment.
const VARIABLES: [&str; 36] = [
    "ADMIN_TOKEN",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "CLICKSTREAM_URL",
    "COMPACT_INTERVAL",
    "COOKIELESS_SECRET",
    "DATA",
    "ERASURE_KEY",
    "EVENT_RETENTION_DAYS",
    "INBOX_RETENTION_DAYS",
    "LAKE_DAYS",
    "LAKE_FILE_MB",
    "LAKE_RETENTION_DAYS",
    "LAND_WINDOW_MS",
    "LISTEN",
    "LOG_PARTITIONS",
    "LOG_RETENTION_DAYS",
    "LOG_URL",
    "MERGE_MEMORY_MB",
    "NOTIFICATIONS_ARN",
    "NOTIFICATIONS_TOKEN",
    "NOTIFICATIONS_TOPIC",
    "OBJECTS_URL",
    "QUARANTINE_RETENTION_DAYS",
    "RAW_EXPIRY",
    "RAW_RETENTION_DAYS",
    "RUST_BACKTRACE",
    "RUST_LOG",
    "SCHEDULE",
    "SETUP",
    "SITES",
    "SITES_FILE",
    "STORE_URL",
    "TRUSTED_PROXIES",
    "WAREHOUSE_URL",
    "WORK",
];

/// Runs a command to its end.
///
/// # Panics
/// If it cannot be started.
pub async fn run(data: &Path, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Output {
    let mut command = command(data);
    command.args(arguments);
    output(command).await
}

/// What `command` prints until its end.
///
/// # Panics
/// If it cannot be started, or goes on for minutes.
pub async fn output(command: Command) -> Output {
    let ended = tokio::process::Command::from(command).kill_on_drop(true).output();
    let output = tokio::time::timeout(END, ended).await.expect("the command ends in time").expect("the binary starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
    Output { success: output.status.success(), stdout: text(output.stdout), stderr: text(output.stderr) }
}
