//! HTTP as bytes on a connection, for what no well-behaved client sends.

use std::time::Duration;

use clickstream_e2e::Service;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// A service that is asked something says something within this time.
const PATIENCE: Duration = Duration::from_secs(90);

/// A connection to the service.
pub struct Wire(TcpStream);

/// What came back before the connection was closed.
#[derive(Debug)]
pub struct Reply {
    /// The status; none if the connection was closed without a word.
    pub status: Option<u16>,
    /// The header lines.
    pub head: String,
    /// Everything after the headers.
    pub body: String,
}

impl Reply {
    /// The value of the header `name`, which is lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let named = |line: &&str| line.split_once(':').is_some_and(|(known, _)| known.eq_ignore_ascii_case(name));
        Some(self.head.lines().find(named)?.split_once(':')?.1.trim())
    }
}

impl Wire {
    /// Connects.
    pub async fn to(service: &Service) -> Self {
        let address = service.url.strip_prefix("http://").expect("an HTTP address");
        Self(TcpStream::connect(address).await.expect("the service accepts"))
    }

    /// Sends as much as is taken; true if all was.
    pub async fn say(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).await.is_ok()
    }

    /// Ends its own half and reads the answer.
    pub async fn end(mut self) -> Reply {
        let _ = self.0.shutdown().await;
        self.reply().await
    }

    /// Reads until the service closes.
    pub async fn reply(mut self) -> Reply {
        let mut bytes = Vec::new();
        // A reset after the answer takes nothing from it.
        let read = timeout(PATIENCE, self.0.read_to_end(&mut bytes)).await;
        assert!(read.is_ok(), "the service keeps a hopeless connection open: {}", String::from_utf8_lossy(&bytes));
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let status = text.strip_prefix("HTTP/1.1 ").and_then(|t| t.get(..3)).and_then(|s| s.parse().ok());
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        Reply { status, head: head.to_owned(), body: body.to_owned() }
    }
}
