//! A Lambda run as AWS runs it: the binary asks a Runtime API for events and posts its answers
//! (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>).

#![allow(clippy::missing_panics_doc, clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{
    io::{BufRead as _, BufReader, Read, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde_json::Value;

use crate::sockets;

/// How long an invocation may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
/// A deadline that no test reaches: 2100-01-01.
const NEVER: u64 = 4_102_444_800_000;

/// Set by `cargo llvm-cov`.
const PROFILE: &str = "LLVM_PROFILE_FILE";

/// What a function posted: its result, or its error.
pub type Answer = Result<Value, Value>;

/// A started function.
pub struct Lambda {
    function: Child,
    events: Sender<Invocation>,
    answers: Receiver<Answer>,
    /// When the function first asked for an event.
    ready: Receiver<Instant>,
    began: Instant,
    invocations: u32,
    /// What it prints on standard output, and on standard error, line by line.
    said: [Lines; 2],
}

type Lines = Arc<Mutex<Vec<String>>>;

/// An event on its way.
struct Invocation {
    event: Vec<u8>,
    request_id: String,
    /// ms since 1970.
    deadline: u64,
}

impl Lambda {
    /// Starts the binary `program` with nothing in its environment but `environment`.
    pub fn start(program: &str, environment: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (events, next) = channel();
        let (posted, answers) = channel();
        let (asks, ready) = channel();
        let next = Arc::new(Mutex::new(next));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (next, posted, asks) = (Arc::clone(&next), posted.clone(), asks.clone());
                std::thread::spawn(move || serve(stream, &next, &posted, &asks));
            }
        });
        let mut command = command(program, environment);
        command.env("AWS_LAMBDA_RUNTIME_API", address).stdout(Stdio::piped()).stderr(Stdio::piped());
        let began = Instant::now();
        let mut function = command.spawn().unwrap();
        let said = [kept(function.stdout.take().unwrap(), false), kept(function.stderr.take().unwrap(), true)];
        Self { function, events, answers, ready, began, invocations: 0, said }
    }

    /// From the start of the program until it asked for its first event.
    pub fn start_up(&mut self) -> Duration {
        let ready = self.ready.recv_timeout(PATIENCE).unwrap();
        ready.duration_since(self.began)
    }

    /// Invokes the function once.
    pub fn invoke(&mut self, event: &Value) -> Answer {
        self.send(event, None);
        self.answer()
    }

    /// Invokes it with a deadline: Lambda would kill it then.
    pub fn invoke_within(&mut self, event: &Value, time: Duration) -> Answer {
        self.send(event, Some(time));
        self.answer()
    }

    /// Invokes it, and goes on; answers the request's id.
    pub fn send(&mut self, event: &Value, time: Option<Duration>) -> String {
        self.invocations += 1;
        let request_id = format!("8f5b5c2e-0000-4000-8000-{:012}", self.invocations);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let deadline = time.map_or(NEVER, |time| (now + time).as_millis() as u64);
        let invocation = Invocation { event: serde_json::to_vec(event).unwrap(), request_id: request_id.clone(), deadline };
        self.events.send(invocation).unwrap();
        request_id
    }

    /// The answer to what was sent.
    pub fn answer(&mut self) -> Answer {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.answers.recv_timeout(Duration::from_millis(100)) {
                Ok(answer) => return answer,
                Err(RecvTimeoutError::Disconnected) => panic!("nobody posts answers any more"),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if let Some(status) = self.function.try_wait().unwrap() {
                panic!("the function ended: {status}");
            }
            assert!(Instant::now() < deadline, "no answer within {PATIENCE:?}");
        }
    }

    /// The lines of JSON on standard output, metrics; waits until there are so many.
    pub fn metrics(&self, lines: usize) -> Vec<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let found = json(&self.said[0]);
            if found.len() >= lines {
                return found;
            }
            assert!(Instant::now() < deadline, "{} of {lines} lines of metrics", found.len());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The sum of `metric` over the lines of metrics, of which there are so many.
    pub fn counted(&self, metric: &str, lines: usize) -> f64 {
        self.metrics(lines).iter().filter_map(|line| line[metric].as_f64()).sum()
    }

    /// The first line of JSON on standard error, a log, that is meant; waits for it.
    pub fn log(&self, is_meant: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(line) = json(&self.said[1]).into_iter().find(&is_meant) {
                return line;
            }
            assert!(Instant::now() < deadline, "no such line was logged: {}", self.said());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Everything it said.
    pub fn said(&self) -> String {
        self.said.iter().flat_map(|lines| lines.lock().unwrap().clone()).map(|line| line + "\n").collect()
    }

    /// Connections that it has open to `port` of this machine.
    pub fn connections(&self, port: u16) -> usize {
        sockets::connected(self.function.id(), port)
    }

    /// Holds it still, as Lambda does between two invocations.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    /// Kills it, as Lambda does at the deadline.
    pub fn kill(mut self) -> ExitStatus {
        self.function.kill().unwrap();
        self.function.wait().unwrap()
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([format!("-{signal}"), self.function.id().to_string()]).status().unwrap();
        assert!(sent.success(), "the function does not run");
    }
}

impl Drop for Lambda {
    fn drop(&mut self) {
        let _ = self.function.kill();
        let _ = self.function.wait();
    }
}

/// Gathers lines; shows them to who runs the test, too, if `shown`.
fn kept(from: impl Read + Send + 'static, shown: bool) -> Lines {
    let lines = Lines::default();
    let gathered = Arc::clone(&lines);
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if shown {
                eprintln!("{line}");
            }
            gathered.lock().unwrap().push(line);
        }
    });
    lines
}

fn json(lines: &Lines) -> Vec<Value> {
    lines.lock().unwrap().iter().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// What a function says when it cannot start.
pub fn refusal(program: &str, environment: &[(&str, &str)]) -> String {
    let output = command(program, environment).env("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9").stderr(Stdio::piped()).output().unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

/// A function that is started with `environment` ends, and what it says contains `text`.
pub fn assert_refused(program: &str, environment: &[(&str, &str)], text: &str) {
    let said = refusal(program, environment);
    assert!(said.contains(text), "{said}");
}

fn command(program: &str, environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(environment.iter().copied()).stdin(Stdio::null()).stdout(Stdio::null());
    // Where an instrumented program (tests/coverage.sh) writes what it ran.
    command.envs(std::env::var_os(PROFILE).map(|file| (PROFILE, file)));
    let lambda = [("NAME", "function"), ("VERSION", "1"), ("MEMORY_SIZE", "256")];
    command.envs(lambda.map(|(name, value)| (format!("AWS_LAMBDA_FUNCTION_{name}"), value)));
    command
}

/// One connection, request after request.
fn serve(stream: TcpStream, next: &Mutex<Receiver<Invocation>>, posted: &Sender<Answer>, asks: &Sender<Instant>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    while let Some((path, body)) = request(&mut reader) {
        let answer = if path.ends_with("/invocation/next") {
            // Only the first is waited for.
            let _ = asks.send(Instant::now());
            let Ok(invocation) = next.lock().unwrap().recv() else { return };
            invocation
        } else {
            let value = serde_json::from_slice(&body).unwrap_or(Value::Null);
            let answer = if path.ends_with("/response") { Ok(value) } else { Err(value) };
            if posted.send(answer).is_err() {
                return;
            }
            Invocation { event: Vec::new(), request_id: String::new(), deadline: NEVER }
        };
        let Invocation { event, request_id, deadline } = answer;
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\ncontent-type: application/json\r\nlambda-runtime-aws-request-id: {request_id}\r\n\
             lambda-runtime-deadline-ms: {deadline}\r\nlambda-runtime-trace-id: Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0\r\n\
             lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-central-1:1:function:f\r\n\r\n",
            event.len()
        );
        if writer.write_all(&[head.into_bytes(), event].concat()).is_err() {
            return;
        }
    }
}

/// Path and body of the next request; none at the end of the connection.
fn request(reader: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let mut line = || {
        let mut line = String::new();
        (reader.read_line(&mut line).ok()? > 0).then(|| line.trim_end().to_owned())
    };
    let path = line()?.split(' ').nth(1)?.to_owned();
    let (mut length, mut chunked) = (0, false);
    loop {
        let header = line()?.to_ascii_lowercase();
        match header.split_once(':') {
            Some(("content-length", value)) => length = value.trim().parse().ok()?,
            Some(("transfer-encoding", value)) => chunked = value.trim() == "chunked",
            Some(_) => {}
            None => break,
        }
    }
    let mut body = Vec::new();
    if !chunked {
        body.resize(length, 0);
        reader.read_exact(&mut body).ok()?;
        return Some((path, body));
    }
    loop {
        let mut size = String::new();
        reader.read_line(&mut size).ok()?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        let mut chunk = vec![0; size + 2];
        reader.read_exact(&mut chunk).ok()?;
        if size == 0 {
            return Some((path, body));
        }
        body.extend_from_slice(&chunk[..size]);
    }
}
