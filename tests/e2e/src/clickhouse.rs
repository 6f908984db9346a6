//! ClickHouse for several services: `clickstream clickhouse` as a process of its own.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Child,
    time::timeout,
};

use crate::command;

/// Longest start, after a crash on a loaded machine.
const START: Duration = Duration::from_mins(2);
const PASSWORD: &str = "password-of-the-tests";

/// The process; killed when dropped.
pub struct ClickHouse {
    data: PathBuf,
    address: String,
    child: Child,
}

impl ClickHouse {
    /// Starts on `data` and a free port, and waits until it is ready.
    ///
    /// # Panics
    /// If it ends, or is not ready in time.
    pub async fn start(data: &Path) -> Self {
        let (child, address) = spawn(data, "127.0.0.1:0").await;
        Self { data: data.to_owned(), address, child }
    }

    /// What `WAREHOUSE_URL` says.
    pub fn url(&self) -> String {
        format!("http://default:{PASSWORD}@{}/clickstream", self.address)
    }

    /// Ends it as a power cut would.
    ///
    /// # Panics
    /// If it cannot be killed.
    pub async fn kill(&mut self) {
        self.child.kill().await.expect("ClickHouse can be killed");
    }

    /// Starts it again on its folder and its port.
    ///
    /// # Panics
    /// As [`ClickHouse::start`].
    pub async fn start_again(&mut self) {
        self.child = spawn(&self.data, &self.address).await.0;
    }
}

async fn spawn(data: &Path, listen: &str) -> (Child, String) {
    std::fs::create_dir_all(data).expect("the data folder can be made");
    let said = File::options().create(true).append(true).open(data.join("stderr")).expect("a file for stderr");
    let mut command = tokio::process::Command::from(command(data));
    command.args(["clickhouse", "--listen", listen]).env("CLICKHOUSE_PASSWORD", PASSWORD);
    let mut child = command.stdout(Stdio::piped()).stderr(said).kill_on_drop(true).spawn().expect("the binary starts");
    let mut lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
    let ready = timeout(START, lines.next_line()).await.expect("ClickHouse is ready in time").expect("stdout can be read");
    let ready = ready.unwrap_or_else(|| panic!("ClickHouse ended: {}", std::fs::read_to_string(data.join("stderr")).unwrap_or_default()));
    let (_, address) = ready.split_once('@').unwrap_or_else(|| panic!("no address: {ready}"));
    (child, address.to_owned())
}
