//! One connection that is kept open, and what came back on it.

use anyhow::Context as _;
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;

use crate::batches::SITE;

/// A connection to the collector; after an error the next request opens another.
pub struct Connection {
    /// Host and port.
    host: String,
    path: String,
    answers: Answers,
    open: Option<SendRequest<Full<Bytes>>>,
}

/// What an answer says besides its status.
enum Answers {
    /// Each event's fate.
    Fates,
    /// Nothing: with status 200 so many events are kept.
    Nothing(u64),
}

/// What became of the events of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fates {
    /// Kept.
    pub kept: u64,
    /// Refused, each with reasons.
    pub rejected: u64,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    results: Vec<Fate<'a>>,
}

#[derive(Deserialize)]
struct Fate<'a> {
    result: &'a str,
}

impl Connection {
    /// A connection to the service at `url`; it is opened when first needed.
    pub fn to(url: &str) -> Self {
        Self { host: host(url), path: format!("/v1/batch?writeKey={SITE}"), answers: Answers::Fates, open: None }
    }

    /// A connection to a collector that takes batches of `size` events at `path` and answers by a status alone.
    pub fn to_collector(url: &str, path: &str, size: u64) -> Self {
        Self { host: host(url), path: path.to_owned(), answers: Answers::Nothing(size), open: None }
    }

    /// Sends a batch and reads the whole answer.
    pub async fn send(&mut self, body: Bytes) -> anyhow::Result<Fates> {
        let answer = self.exchange(body).await;
        if answer.is_err() {
            self.open = None;
        }
        let (status, bytes) = answer?;
        anyhow::ensure!(status == StatusCode::OK, "{status}: {}", String::from_utf8_lossy(&bytes));
        match self.answers {
            Answers::Fates => fates(&bytes),
            Answers::Nothing(kept) => Ok(Fates { kept, rejected: 0 }),
        }
    }

    async fn exchange(&mut self, body: Bytes) -> anyhow::Result<(StatusCode, Bytes)> {
        let mut sender = match self.open.take() {
            Some(sender) => sender,
            None => connect(&self.host).await?,
        };
        sender.ready().await?;
        let request = Request::post(&self.path)
            .header(header::HOST, &self.host)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))?;
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        let bytes = answer.into_body().collect().await?.to_bytes();
        self.open = Some(sender);
        Ok((status, bytes))
    }
}

fn host(url: &str) -> String {
    url.trim_start_matches("http://").trim_end_matches('/').to_owned()
}

async fn connect(host: &str) -> anyhow::Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(host).await.with_context(|| format!("nothing answers at {host}"))?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    // What ends it shows at its next request.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

fn fates(answer: &[u8]) -> anyhow::Result<Fates> {
    let Answer { results } = serde_json::from_slice(answer).context("the answer names no fates")?;
    let kept = results.iter().filter(|f| matches!(f.result, "accepted" | "suspicious")).count() as u64;
    Ok(Fates { kept, rejected: results.len() as u64 - kept })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn fates_are_counted() {
        let answer = br#"{"success":true,"results":[{"result":"accepted"},{"result":"suspicious"},{"result":"rejected","reasons":[]}]}"#;
        assert_eq!(fates(answer).unwrap(), Fates { kept: 2, rejected: 1 });
        assert!(fates(b"{}").is_err());
    }
}
