//! Statements on the engine: each on a connection and a thread of its own.

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::{
    blocks::Joined,
    library::{Answer, Connection},
    request::{Refusal, Request, refuse_what_would_be_lost, split_format},
};
use crate::error::exception_code;

/// Statements at one time: one machine's cores and memory are shared with the rest of the service.
const STATEMENTS: usize = 8;
/// Stack of a statement's thread, bytes: parsing and planning recurse.
const STACK: usize = 8 << 20;

/// Runs requests, at most [`STATEMENTS`] at a time.
pub struct Engine {
    arguments: Vec<String>,
    places: Arc<Semaphore>,
}

/// What the head of an answer says.
#[derive(Default)]
pub struct Head {
    /// Rows read from tables.
    pub read: u64,
    /// Rows written.
    pub written: u64,
}

/// An answer's head, then its body piece by piece.
pub struct Reply {
    /// Counts, where the statement had ended before the first byte.
    pub head: Head,
    /// The body; an error in it ends it.
    pub body: mpsc::Receiver<Result<Bytes, String>>,
}

/// Who waits for the head of an answer.
type Waiting = oneshot::Sender<Result<Reply, Refusal>>;

impl Engine {
    /// An engine that opens connections with `arguments`.
    pub fn new(arguments: Vec<String>) -> Self {
        Self { arguments, places: Arc::new(Semaphore::new(STATEMENTS)) }
    }

    /// Runs `request`; `data` are the pieces of an INSERT's body.
    pub async fn run(&self, request: Request, data: mpsc::Receiver<Bytes>) -> Result<Reply, Refusal> {
        let gone = || Refusal::new(StatusCode::SERVICE_UNAVAILABLE, 210, "NETWORK_ERROR", "ClickHouse is shutting down");
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| gone())?;
        let (head, answered) = oneshot::channel();
        let arguments = self.arguments.clone();
        std::thread::Builder::new()
            .name("clickhouse".into())
            .stack_size(STACK)
            .spawn(move || run(&arguments, &request, data, head, &place))
            .map_err(|e| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, 439, "CANNOT_SCHEDULE_TASK", &format!("No thread: {e}")))?;
        answered.await.map_err(|_| gone())?
    }

    /// Waits until no statement runs and lets no other begin.
    pub async fn close(&self) {
        let _all = self.places.acquire_many(STATEMENTS as u32).await;
        self.places.close();
    }
}

/// A connection is opened for each statement (0.1 ms) and thrown away after it: nothing set for one is left for the next.
fn run(arguments: &[String], request: &Request, data: mpsc::Receiver<Bytes>, head: Waiting, _place: &OwnedSemaphorePermit) {
    let connection = match prepared(arguments, request) {
        Ok(connection) => connection,
        Err(refusal) => {
            let _ = head.send(Err(refusal));
            return;
        }
    };
    if request.is_insert() && split_format(&request.statement).is_some() {
        insert(connection, request, data, head);
    } else if request.is_stream() {
        stream(connection, request, head);
    } else {
        whole(connection, request, head);
    }
}

/// A connection with the request's settings and database.
fn prepared(arguments: &[String], request: &Request) -> Result<Connection, Refusal> {
    let mut connection = Connection::open(arguments)
        .ok_or_else(|| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, 210, "NETWORK_ERROR", "No connection to ClickHouse in process"))?;
    if let Some(database) = &request.database {
        done(&connection.query(&format!("USE `{}`", quoted(database, '`')), "Null", &[]))?;
    }
    for (name, value) in &request.settings {
        done(&connection.query(&format!("SET {name} = '{}'", quoted(value, '\'')), "Null", &[]))?;
    }
    Ok(connection)
}

fn quoted(text: &str, quote: char) -> String {
    text.replace('\\', "\\\\").replace(quote, &format!("\\{quote}"))
}

fn done(answer: &Answer) -> Result<(), Refusal> {
    answer.error().map_or(Ok(()), |text| Err(refusal(text)))
}

/// The status that ClickHouse's HTTP interface gives an exception.
fn refusal(text: String) -> Refusal {
    let status = match exception_code(&text) {
        Some(6 | 26 | 27 | 36 | 38 | 41 | 43 | 46 | 47 | 53 | 62 | 72 | 117 | 386 | 456 | 457) => StatusCode::BAD_REQUEST,
        Some(60 | 81 | 115) => StatusCode::NOT_FOUND,
        Some(48) => StatusCode::NOT_IMPLEMENTED,
        Some(159) => StatusCode::REQUEST_TIMEOUT,
        Some(_) => StatusCode::INTERNAL_SERVER_ERROR,
        None => return Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, 1001, "STD_EXCEPTION", text.trim()),
    };
    Refusal { status, text }
}

fn insert(mut connection: Connection, request: &Request, mut data: mpsc::Receiver<Bytes>, head: Waiting) {
    let Some((sql, format)) = split_format(&request.statement) else { return };
    let mut insert = connection.insert(sql, format);
    let mut failed = insert.error();
    while let Some(piece) = data.blocking_recv() {
        // After a failure the rest of the body is read and dropped, so that the client gets to the answer.
        if failed.is_none() && !insert.append(&piece) {
            failed = Some(insert.error().unwrap_or_default());
        }
    }
    let answer = insert.finish();
    let outcome = match answer.error().or(failed) {
        Some(text) => Err(refusal(text)),
        None => Ok(Reply { head: Head { read: answer.rows_read(), written: answer.rows_written() }, body: mpsc::channel(1).1 }),
    };
    drop(answer);
    drop(connection);
    let _ = head.send(outcome);
}

fn whole(mut connection: Connection, request: &Request, head: Waiting) {
    let outcome = refuse_what_would_be_lost(&request.statement).and_then(|()| {
        let format = request.format.as_deref().unwrap_or("TabSeparated");
        let answer = connection.query(&request.statement, format, &request.parameters);
        done(&answer)?;
        let (body, receiver) = mpsc::channel(1);
        if !answer.bytes().is_empty() {
            let _ = body.try_send(Ok(Bytes::copy_from_slice(answer.bytes())));
        }
        Ok(Reply { head: Head { read: answer.rows_read(), written: answer.rows_written() }, body: receiver })
    });
    // The caller may act on the answer at once: by then nothing of the statement is left.
    drop(connection);
    let _ = head.send(outcome);
}

fn stream(mut connection: Connection, request: &Request, head: Waiting) {
    let format = request.format.as_deref().unwrap_or_default();
    let (body, receiver) = mpsc::channel(2);
    let mut waiting = Some((head, receiver));
    let mut joined = Joined::default();
    connection.stream(&request.statement, format, &request.parameters, |block| {
        // The head waits for the first block, so that a statement that fails at once has a status of its own.
        match (waiting.take(), block) {
            (Some((head, _)), Err(text)) => {
                let _ = head.send(Err(refusal(text)));
                false
            }
            (None, Err(text)) => {
                let _ = body.blocking_send(Err(text));
                false
            }
            (first, Ok(block)) => {
                if let Some((head, body)) = first {
                    let _ = head.send(Ok(Reply { head: Head::default(), body }));
                }
                body.blocking_send(Ok(Bytes::copy_from_slice(joined.next(format, block)))).is_ok()
            }
        }
    });
    if let Some((head, body)) = waiting {
        let _ = head.send(Ok(Reply { head: Head::default(), body }));
    }
}
