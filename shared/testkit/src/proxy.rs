//! A network between a function and a server: it can be slow, it can end what is connected, and it can lose it without a word.

#![allow(clippy::missing_panics_doc, clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

/// Hands connections on to a server.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// `HOST:PORT`; nothing is connected before it is there.
    target: Mutex<Option<String>>,
    live: Mutex<Vec<Connection>>,
    taken: AtomicUsize,
    /// ms before each answer is handed on.
    delay: AtomicU64,
}

/// What is connected.
struct Connection {
    ends: [TcpStream; 2],
    lost: Arc<AtomicBool>,
}

impl Proxy {
    /// A way to `target`, `HOST:PORT`.
    pub fn to(target: &str) -> Self {
        let proxy = Self::listen();
        proxy.aim(target);
        proxy
    }

    /// A way to a server that starts later, and has to know the address by which it is reached.
    pub fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self { address: listener.local_addr().unwrap(), shared: Arc::default() };
        let shared = Arc::clone(&proxy.shared);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Some(target) = shared.target.lock().unwrap().clone() else { continue };
                let Ok(server) = TcpStream::connect(&target) else { continue };
                shared.taken.fetch_add(1, Ordering::Relaxed);
                let both = || (client.try_clone().unwrap(), server.try_clone().unwrap());
                let (lost, (a, b)) = (Arc::new(AtomicBool::new(false)), both());
                shared.live.lock().unwrap().push(Connection { ends: [a, b], lost: Arc::clone(&lost) });
                let ((a, b), without) = (both(), Arc::clone(&lost));
                thread::spawn(move || hand_on(a, b, &AtomicU64::new(0), &without));
                let ((a, b), shared) = (both(), Arc::clone(&shared));
                thread::spawn(move || hand_on(b, a, &shared.delay, &lost));
            }
        });
        proxy
    }

    /// Says where the server is, `HOST:PORT`.
    pub fn aim(&self, target: &str) {
        *self.shared.target.lock().unwrap() = Some(target.to_owned());
    }

    /// Where it listens, `HOST:PORT`.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Ends all connections, as servers and networks do with those that are idle for long.
    pub fn cut(&self) {
        for end in self.shared.live.lock().unwrap().drain(..).flat_map(|connection| connection.ends) {
            let _ = end.shutdown(Shutdown::Both);
        }
    }

    /// Forgets all connections, as a NAT gateway does with those that are idle for minutes: what is sent through them arrives
    /// nowhere, and neither side is told. New ones are as ever.
    pub fn forget(&self) {
        self.shared.live.lock().unwrap().iter().for_each(|connection| connection.lost.store(true, Ordering::Relaxed));
    }

    /// How many connections were made so far.
    pub fn taken(&self) -> usize {
        self.shared.taken.load(Ordering::Relaxed)
    }

    /// From now on each answer takes so much longer.
    pub fn slow(&self, delay: Duration) {
        self.shared.delay.store(delay.as_millis() as u64, Ordering::Relaxed);
    }
}

fn hand_on(mut from: TcpStream, mut to: TcpStream, delay: &AtomicU64, lost: &AtomicBool) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read) = from.read(&mut buffer) {
        let delay = delay.load(Ordering::Relaxed);
        if delay > 0 {
            thread::sleep(Duration::from_millis(delay));
        }
        if read > 0 && lost.load(Ordering::Relaxed) {
            continue;
        }
        if read == 0 || to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    if !lost.load(Ordering::Relaxed) {
        let _ = to.shutdown(Shutdown::Write);
    }
}
