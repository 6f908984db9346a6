//! A network between a function and a server: it can be slow, and it can end what is connected.

#![allow(clippy::missing_panics_doc, clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
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
    /// Both ends of what is connected.
    live: Mutex<Vec<TcpStream>>,
    taken: AtomicUsize,
    /// ms before each answer is handed on.
    delay: AtomicU64,
}

impl Proxy {
    /// A way to `target`, `HOST:PORT`.
    pub fn to(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self { address: listener.local_addr().unwrap(), shared: Arc::default() };
        let (shared, target) = (Arc::clone(&proxy.shared), target.to_owned());
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(&target) else { continue };
                shared.taken.fetch_add(1, Ordering::Relaxed);
                let both = || (client.try_clone().unwrap(), server.try_clone().unwrap());
                let (a, b) = both();
                shared.live.lock().unwrap().extend([a, b]);
                let (a, b) = both();
                thread::spawn(move || hand_on(a, b, &AtomicU64::new(0)));
                let ((a, b), shared) = (both(), Arc::clone(&shared));
                thread::spawn(move || hand_on(b, a, &shared.delay));
            }
        });
        proxy
    }

    /// Where it listens, `HOST:PORT`.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Ends all connections, as servers and networks do with those that are idle for long.
    pub fn cut(&self) {
        for stream in self.shared.live.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
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

fn hand_on(mut from: TcpStream, mut to: TcpStream, delay: &AtomicU64) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read) = from.read(&mut buffer) {
        let delay = delay.load(Ordering::Relaxed);
        if delay > 0 {
            thread::sleep(Duration::from_millis(delay));
        }
        if read == 0 || to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
