//! A server of this test's own, by `servers/start.sh`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

/// A started server. It is stopped when dropped.
pub struct Server {
    name: &'static str,
    folder: PathBuf,
    environment: Vec<(String, String)>,
    facts: BTreeMap<String, String>,
}

impl Server {
    /// Starts `name` on `folder`; returns when it answers.
    pub fn start(name: &'static str, folder: PathBuf, environment: &[(&str, String)]) -> Self {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let mut server = Self { name, folder, environment, facts: BTreeMap::new() };
        server.again();
        server
    }

    /// Starts it again on what it has.
    pub fn again(&mut self) {
        let mut command = Command::new(scripts().join("start.sh"));
        command.arg(self.name).arg("--data").arg(&self.folder).envs(self.environment.iter().cloned());
        let started = command.output().expect("servers/start.sh runs");
        assert!(
            started.status.success(),
            "{} does not start (make servers-install?): {}",
            self.name,
            String::from_utf8_lossy(&started.stderr)
        );
        let facts = std::fs::read_to_string(self.folder.join("server.env")).expect("a started server leaves server.env");
        self.facts = facts.lines().filter_map(|line| line.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    }

    /// What `server.env` says of `name`.
    pub fn fact(&self, name: &str) -> &str {
        self.facts.get(name).unwrap_or_else(|| panic!("{} has no {name}: {:?}", self.name, self.facts))
    }

    /// Sends its process a signal, such as KILL, STOP or CONT.
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").arg(format!("-{signal}")).arg(self.fact("pid")).status().expect("kill runs");
        assert!(sent.success(), "{} takes no signal", self.name);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let stopped = Command::new(scripts().join("stop.sh")).arg("--data").arg(&self.folder).output();
        if !stopped.is_ok_and(|stopped| stopped.status.success()) {
            eprintln!("{} on {} was not stopped", self.name, self.folder.display());
        }
    }
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../servers")
}
