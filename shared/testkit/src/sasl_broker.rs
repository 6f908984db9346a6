//! As much of a Kafka broker as it takes to be shown a token by SASL's `OAUTHBEARER`
//! (<https://kafka.apache.org/protocol.html>, RFC 7628).

#![allow(clippy::missing_panics_doc, clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::mpsc::{Receiver, Sender, channel},
    time::Duration,
};

/// API keys with the newest version that is spoken here: metadata, handshake, versions, authentication.
const SPOKEN: [(i16, i16); 4] = [(3, 4), (17, 1), (18, 3), (36, 1)];
/// The error code of a token that is refused.
const REFUSED: i16 = 58;

/// A broker that refuses every token it is shown.
pub struct SaslBroker {
    /// Its address.
    pub address: String,
    tokens: Receiver<String>,
}

impl SaslBroker {
    /// Starts it on a free port.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (shown, tokens) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shown = shown.clone();
                // A client that goes ends its thread.
                std::thread::spawn(move || drop(serve(stream, &shown)));
            }
        });
        Self { address, tokens }
    }

    /// The next token that a client shows.
    pub fn token(&self, within: Duration) -> String {
        self.tokens.recv_timeout(within).expect("no client shows a token")
    }
}

fn serve(mut stream: TcpStream, shown: &Sender<String>) -> std::io::Result<()> {
    loop {
        let mut length = [0; 4];
        stream.read_exact(&mut length)?;
        let mut request = vec![0; u32::from_be_bytes(length) as usize];
        stream.read_exact(&mut request)?;
        let key = i16::from_be_bytes([request[0], request[1]]);
        let mut answer = request[4..8].to_vec();
        match key {
            18 => {
                answer.extend(0_i16.to_be_bytes());
                answer.push(SPOKEN.len() as u8 + 1);
                for (key, newest) in SPOKEN {
                    answer.extend([key, 0, newest].map(i16::to_be_bytes).concat());
                    answer.push(0);
                }
                answer.extend(0_i32.to_be_bytes());
                answer.push(0);
            }
            17 => {
                answer.extend(0_i16.to_be_bytes());
                answer.extend(1_i32.to_be_bytes());
                answer.extend(text("OAUTHBEARER"));
            }
            36 => {
                let said = String::from_utf8_lossy(&request).into_owned();
                let token = said.split("auth=Bearer ").nth(1).and_then(|rest| rest.split('\u{1}').next()).unwrap_or_default();
                let _ = shown.send(token.to_owned());
                answer.extend(REFUSED.to_be_bytes());
                answer.extend(text("the token is refused"));
                answer.extend(0_i32.to_be_bytes());
                answer.extend(0_i64.to_be_bytes());
            }
            _ => return Ok(()),
        }
        stream.write_all(&[(answer.len() as u32).to_be_bytes().to_vec(), answer].concat())?;
    }
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as i16).to_be_bytes()[..], text.as_bytes()].concat()
}
