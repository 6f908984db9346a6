//! A Lambda run as AWS runs it: the binary asks a Runtime API for events and posts its answers
//! (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>).

#![allow(clippy::missing_panics_doc, clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    time::{Duration, Instant},
};

use serde_json::Value;

/// How long an invocation may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a function posted: its result, or its error.
pub type Answer = Result<Value, Value>;

/// A started function.
pub struct Lambda {
    function: Child,
    events: Sender<Vec<u8>>,
    answers: Receiver<Answer>,
}

impl Lambda {
    /// Starts the binary `program` with nothing in its environment but `environment`.
    pub fn start(program: &str, environment: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (events, next) = channel();
        let (posted, answers) = channel();
        let next = Arc::new(Mutex::new(next));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (next, posted) = (Arc::clone(&next), posted.clone());
                std::thread::spawn(move || serve(stream, &next, &posted));
            }
        });
        let mut command = command(program, environment);
        let function = command.env("AWS_LAMBDA_RUNTIME_API", address).spawn().unwrap();
        Self { function, events, answers }
    }

    /// Invokes the function once.
    pub fn invoke(&mut self, event: &Value) -> Answer {
        self.events.send(serde_json::to_vec(event).unwrap()).unwrap();
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Ok(answer) = self.answers.recv_timeout(Duration::from_millis(100)) {
                return answer;
            }
            if let Some(status) = self.function.try_wait().unwrap() {
                panic!("the function ended: {status}");
            }
            assert!(Instant::now() < deadline, "no answer within {PATIENCE:?}");
        }
    }
}

impl Drop for Lambda {
    fn drop(&mut self) {
        let _ = self.function.kill();
        let _ = self.function.wait();
    }
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
    let lambda = [("NAME", "function"), ("VERSION", "1"), ("MEMORY_SIZE", "256")];
    command.envs(lambda.map(|(name, value)| (format!("AWS_LAMBDA_FUNCTION_{name}"), value)));
    command
}

/// One connection, request after request.
fn serve(stream: TcpStream, next: &Mutex<Receiver<Vec<u8>>>, posted: &Sender<Answer>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    while let Some((path, body)) = request(&mut reader) {
        let answer = if path.ends_with("/invocation/next") {
            let Ok(event) = next.lock().unwrap().recv() else { return };
            event
        } else {
            let value = serde_json::from_slice(&body).unwrap_or(Value::Null);
            let answer = if path.ends_with("/response") { Ok(value) } else { Err(value) };
            if posted.send(answer).is_err() {
                return;
            }
            Vec::new()
        };
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\ncontent-type: application/json\r\nlambda-runtime-aws-request-id: 1\r\n\
             lambda-runtime-deadline-ms: 4102444800000\r\nlambda-runtime-trace-id: Root=1-1-1\r\n\
             lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-central-1:1:function:f\r\n\r\n",
            answer.len()
        );
        if writer.write_all(&[head.into_bytes(), answer].concat()).is_err() {
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
