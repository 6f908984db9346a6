//! Real servers under tests: those that `make servers` started, and private ones that a test may kill.

#![allow(clippy::missing_panics_doc, clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use clickstream_objects::s3::S3Config;
use tempfile::TempDir;
use uuid::Uuid;

/// The repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A folder for a server, on the disk that the build is on: `/tmp` may be memory.
///
/// # Panics
/// If it cannot be made.
pub fn folder() -> TempDir {
    let target = root().join("target");
    std::fs::create_dir_all(&target).unwrap();
    tempfile::tempdir_in(target).unwrap()
}

/// The scripts that start servers: `SERVERS_DIR`, else `servers/` of the repository.
fn scripts() -> PathBuf {
    std::env::var_os("SERVERS_DIR").map_or_else(|| root().join("servers"), PathBuf::from)
}

/// The address of a running server: the variable `variable`, else `fact` in `target/servers.env`, which `make servers` writes.
///
/// # Panics
/// If neither is there; the message says what to do.
pub fn running(variable: &str, fact: &str) -> String {
    if let Some(address) = std::env::var(variable).ok().filter(|address| !address.is_empty()) {
        return address;
    }
    let file = root().join("target/servers.env");
    let facts = std::fs::read_to_string(&file).map(|text| facts(&text)).unwrap_or_default();
    facts.get(fact).cloned().unwrap_or_else(|| {
        panic!("no server: {variable} is not set and {} has no {fact}; `make servers` starts the servers", file.display())
    })
}

/// A bucket of a test's own, to be made, on the `MinIO` that `make servers` started.
///
/// # Panics
/// As of [`running`].
pub fn bucket() -> S3Config {
    let key = |name: &str| Some(running(name, name));
    S3Config {
        bucket: format!("test-{}", Uuid::new_v4().simple()),
        access_key: key("AWS_ACCESS_KEY_ID"),
        secret_key: key("AWS_SECRET_ACCESS_KEY"),
        ..S3Config::from_url(&running("OBJECTS_URL", "OBJECTS_URL")).unwrap()
    }
}

/// `NAME=VALUE` a line.
fn facts(text: &str) -> HashMap<String, String> {
    text.lines().filter_map(|line| line.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// A server of one test, with data of its own. It ends with this value.
pub struct Server {
    name: String,
    folder: TempDir,
    settings: Vec<String>,
}

impl Server {
    /// Starts `servers/start.sh NAME`, with lines `KEY=VALUE` of the server's configuration.
    ///
    /// # Panics
    /// If it does not answer; the message holds what the script said.
    pub fn start(name: &str, settings: &[&str]) -> Self {
        Self::start_on(folder(), name, settings)
    }

    /// As [`Server::start`], on a folder that may hold files which `settings` name.
    ///
    /// # Panics
    /// As [`Server::start`].
    pub fn start_on(folder: TempDir, name: &str, settings: &[&str]) -> Self {
        let settings = settings.iter().flat_map(|setting| ["--set".to_owned(), (*setting).to_owned()]).collect();
        let server = Self { name: name.to_owned(), folder, settings };
        server.start_again();
        server
    }

    /// Starts it again on its data and its port, after [`Server::kill`] or [`Server::stop`].
    ///
    /// # Panics
    /// As [`Server::start`].
    pub fn start_again(&self) {
        self.script("start.sh", &[std::slice::from_ref(&self.name), &self.settings[..]].concat());
    }

    /// Stops it as an operator does.
    ///
    /// # Panics
    /// If it does not stop.
    pub fn stop(&self) {
        self.script("stop.sh", &[]);
    }

    /// Kills it with SIGKILL.
    pub fn kill(&self) {
        self.signal("KILL");
        let process = format!("/proc/{}", self.pid());
        while Path::new(&process).exists() && !is_zombie(&process) {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    /// Holds it still with SIGSTOP: connections stay, and nothing answers.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    /// A fact that the server has told, such as `url`, `port` or `version`.
    ///
    /// # Panics
    /// If there is none of that name.
    pub fn fact(&self, name: &str) -> String {
        let text = std::fs::read_to_string(self.folder.path().join("server.env")).unwrap();
        facts(&text).remove(name).unwrap_or_else(|| panic!("no {name} in {text}"))
    }

    fn pid(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("pid")).unwrap().trim().to_owned()
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([format!("-{signal}"), self.pid()]).status().unwrap();
        assert!(sent.success(), "{} does not run", self.name);
    }

    fn script(&self, script: &str, arguments: &[String]) {
        let path = scripts().join(script);
        assert!(path.exists(), "{} is not there; SERVERS_DIR names the folder of the scripts that start servers", path.display());
        let said = Command::new(&path).args(arguments).arg("--data").arg(self.folder.path()).stdin(Stdio::null()).output().unwrap();
        assert!(said.status.success(), "{} {}: {}", path.display(), self.name, String::from_utf8_lossy(&said.stderr));
    }
}

fn is_zombie(process: &str) -> bool {
    std::fs::read_to_string(format!("{process}/stat")).is_ok_and(|stat| stat.rsplit(')').next().is_some_and(|s| s.starts_with(" Z")))
}

impl Drop for Server {
    fn drop(&mut self) {
        // What is held still hears no other signal; what has ended needs none.
        if self.folder.path().join("pid").exists() {
            let pid = self.pid();
            let _ = Command::new("kill").args(["-CONT", &pid]).stderr(Stdio::null()).status();
            let stop = scripts().join("stop.sh");
            let _ = Command::new(stop).arg("--data").arg(self.folder.path()).stdin(Stdio::null()).stderr(Stdio::null()).status();
        }
    }
}
