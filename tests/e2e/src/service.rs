//! One running service.

use std::{
    ffi::OsStr,
    fs::File,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Child,
    time::timeout,
};

use crate::{
    command::{self, Output},
    eventually,
};

/// A start takes a second or two; on a loaded machine, after a crash, more.
const START: Duration = Duration::from_mins(2);
/// A clean end finishes what is in hand first.
const END: Duration = Duration::from_mins(1);
/// Compaction and settling of everything that a test sends.
const SETTLED: Duration = Duration::from_mins(3);
/// Lines of the service's own words that are shown when a test fails.
const SHOWN: usize = 40;

/// How to start a service.
#[derive(Clone, Debug, Default)]
pub struct StartOptions {
    /// The port; 0 takes any free one.
    pub port: u16,
    /// Environment variables.
    pub environment: Vec<(&'static str, String)>,
}

/// A service on a data folder. It is killed when dropped; if the test fails, the end of what it said is shown.
pub struct Service {
    /// Its address, without a slash at the end.
    pub url: String,
    data: PathBuf,
    child: Child,
    client: Client,
}

impl Service {
    /// Starts on `data` and waits until it is ready.
    ///
    /// # Panics
    /// If it ends, or is not ready in time.
    pub async fn start(data: &Path, options: &StartOptions) -> Self {
        let mut service = Self::spawn(data, options);
        service.ready().await;
        service
    }

    /// Starts without waiting; [`Service::ready`] must come before any request.
    ///
    /// # Panics
    /// If the process cannot be started.
    pub fn spawn(data: &Path, options: &StartOptions) -> Self {
        std::fs::create_dir_all(data).expect("the data folder can be made");
        let said = File::options().create(true).append(true).open(said(data)).expect("a file for stderr");
        let mut command = tokio::process::Command::from(command::command(data));
        command.args(["up", "--listen", &format!("127.0.0.1:{}", options.port)]);
        command.envs(options.environment.iter().map(|(name, value)| (name, value)));
        let child = command.stdout(Stdio::piped()).stderr(said).kill_on_drop(true).spawn().expect("the binary starts");
        let client = Client::builder().no_proxy().build().expect("an HTTP client");
        Self { url: String::new(), data: data.to_owned(), child, client }
    }

    /// Waits for the line `ready http://…`.
    ///
    /// # Panics
    /// If the process ends first, or the line does not come in time.
    pub async fn ready(&mut self) {
        let stdout = self.child.stdout.take().expect("stdout is piped");
        let mut lines = BufReader::new(stdout).lines();
        let url = timeout(START, async {
            while let Some(line) = lines.next_line().await.expect("stdout can be read") {
                if let Some(url) = line.strip_prefix("ready ") {
                    return url.to_owned();
                }
            }
            panic!("the service ended before it was ready");
        });
        self.url = url.await.expect("the service is ready in time");
        // Its standard output stays open for as long as it runs.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    }

    /// Its process.
    ///
    /// # Panics
    /// If it has ended.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("the service runs")
    }

    /// Ends it at once, as a power cut would (SIGKILL).
    ///
    /// # Panics
    /// If it cannot be killed.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("the service can be killed");
    }

    /// Holds it still (SIGSTOP): its connections stay, and nothing answers.
    ///
    /// # Panics
    /// If it has ended.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets it go on (SIGCONT).
    ///
    /// # Panics
    /// If it has ended.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let sent = std::process::Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status();
        assert!(sent.expect("kill runs").success(), "the signal was not sent");
    }

    /// Asks it to end (SIGTERM) and waits until it has.
    ///
    /// # Panics
    /// If it does not end in time.
    pub async fn terminate(mut self) -> ExitStatus {
        self.end().await
    }

    /// As [`Service::terminate`], of a service that stands in something else.
    ///
    /// # Panics
    /// If it does not end in time.
    pub async fn end(&mut self) -> ExitStatus {
        self.signal("TERM");
        timeout(END, self.child.wait()).await.expect("the service ends in time").expect("the service can be waited for")
    }

    /// True while the process runs.
    ///
    /// # Panics
    /// If the process cannot be asked.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().expect("the process can be asked").is_none()
    }

    /// Memory that the process holds now, bytes (Linux's `VmRSS`).
    ///
    /// # Panics
    /// If the process has ended.
    pub fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("the service runs");
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).expect("Linux says VmRSS");
        let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("VmRSS is a number");
        kibibytes << 10
    }

    /// All that it said so far, through all its restarts.
    ///
    /// # Panics
    /// If that cannot be read.
    pub fn said(&self) -> String {
        std::fs::read_to_string(said(&self.data)).expect("its standard error is kept")
    }

    /// Its data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// A request of any method to `path`.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    /// A GET of `path`.
    pub fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.url))
    }

    /// A POST to `path`.
    pub fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.url))
    }

    /// A PUT to `path`.
    pub fn put(&self, path: &str) -> RequestBuilder {
        self.client.put(format!("{}{path}", self.url))
    }

    /// The JSON at `path`, which must be there.
    ///
    /// # Panics
    /// If the answer is no 200 with JSON.
    pub async fn json(&self, path: &str) -> Value {
        read(self.get(path).send().await.expect("the service answers")).await
    }

    /// Runs a function by Lambda's Invoke API.
    ///
    /// # Panics
    /// If it fails, with what it said.
    pub async fn invoke(&self, function: &str) -> Value {
        let path = format!("/2015-03-31/functions/{function}/invocations");
        let answer = self.post(&path).json(&serde_json::json!({})).send().await.expect("the service answers");
        let failed = answer.headers().contains_key("x-amz-function-error");
        let result = read(answer).await;
        assert!(!failed, "{function} failed: {result}");
        result
    }

    /// Waits until nothing waits at any of `steps` (names as `clickstream status` shows them).
    pub async fn caught_up(&self, steps: &[&str]) {
        self.caught_up_within(Duration::from_mins(2), |step| steps.contains(&step)).await;
    }

    /// Waits until nothing waits at any step that `counts`; a status that cannot be had now is asked for again.
    pub async fn caught_up_within(&self, deadline: Duration, counts: impl Fn(&str) -> bool) {
        eventually(deadline, "every step has caught up", || async {
            let answer = self.get("/v1/status").send().await.map_err(|e| e.to_string())?;
            let status: Value = answer.json().await.map_err(|e| e.to_string())?;
            let steps = status["steps"].as_array().ok_or_else(|| status.to_string())?;
            let behind: Vec<_> = steps
                .iter()
                .filter(|s| s["step"].as_str().is_some_and(&counts) && s["lag"] != 0)
                .map(|s| format!("{} lags {} {}", s["step"], s["lag"], s["unit"]))
                .collect();
            if behind.is_empty() { Ok(()) } else { Err(behind.join(", ")) }
        })
        .await;
    }

    /// Compacts and settles until nothing is left to do.
    ///
    /// # Panics
    /// If offsets are missing in raw/, or it is not done in time.
    pub async fn settle_everything(&self) {
        eventually(SETTLED, "everything is settled", || async {
            let compacted = self.invoke("compact").await;
            let settled = self.invoke("settle").await;
            assert_eq!(compacted["gaps"].as_array().map(Vec::len), Some(0), "{compacted}");
            let idle = compacted["rows"] == 0 && compacted["duplicates"] == 0 && compacted["more"] == false && settled["versions"] == 0;
            if idle { Ok(()) } else { Err(format!("{compacted} {settled}")) }
        })
        .await;
        self.caught_up(&["compact", "settle"]).await;
    }

    /// Runs a command of the binary against this service.
    pub async fn command(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Output {
        command::run(&self.data, arguments).await
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let said = std::fs::read_to_string(said(&self.data)).unwrap_or_default();
            // While a broker is away librdkafka says so several times a second.
            let lines: Vec<_> = said.lines().filter(|line| !line.contains("\"target\":\"librdkafka\"")).collect();
            eprintln!("--- the service said last:");
            for line in &lines[lines.len().saturating_sub(SHOWN)..] {
                eprintln!("{line}");
            }
            eprintln!("--- and counts:");
            for line in metrics(&self.url).unwrap_or_default().lines().filter(|line| is_of_steps(line)) {
                eprintln!("{line}");
            }
        }
    }
}

/// What it counts, if it still answers; blocks.
fn metrics(url: &str) -> Option<String> {
    let host = url.strip_prefix("http://")?;
    let mut connection = TcpStream::connect(host).ok()?;
    connection.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    write!(connection, "GET /metrics HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).ok()?;
    Some(String::from_utf8_lossy(&answer).into_owned())
}

/// A metric of how far a step is and how it goes, that is not 0.
fn is_of_steps(line: &str) -> bool {
    let names = ["clickstream_function_invocations", "clickstream_batch_failures", "clickstream_group_lag", "clickstream_client_requests"];
    names.iter().any(|name| line.starts_with(name)) && !line.ends_with(" 0")
}

/// Where the service's standard error is kept, through all its restarts.
fn said(data: &Path) -> PathBuf {
    data.with_extension("stderr")
}

async fn read(answer: Response) -> Value {
    let status = answer.status();
    let text = answer.text().await.expect("the answer is whole");
    assert!(status.is_success(), "{status}: {text}");
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("the answer is no JSON ({e}): {text}"))
}
