//! Connections that read beside the writer.

use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use crate::{Database, Failure};

/// A small pool of reading connections, opened when first needed.
#[derive(Debug)]
pub struct Readers {
    database: Database,
    /// `None` once closed.
    idle: std::sync::Arc<Mutex<Option<Vec<Connection>>>>,
    permits: Semaphore,
}

impl Readers {
    /// Up to `size` readers of `database` at once.
    pub fn new(database: Database, size: usize) -> Self {
        Self { database, idle: std::sync::Arc::new(Mutex::new(Some(Vec::new()))), permits: Semaphore::new(size) }
    }

    /// Runs `work` with a connection on a thread that may block.
    ///
    /// # Errors
    /// Those of `work`; [`Failure::Unavailable`] once closed.
    pub async fn run<T, E, W>(&self, work: W) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Failure> + Send + 'static,
        W: FnOnce(&mut Connection) -> Result<T, E> + Send + 'static,
    {
        let closed = || E::from(Failure::Unavailable("the database is closed".to_owned()));
        let _permit = self.permits.acquire().await.map_err(|_| closed())?;
        let idle = std::sync::Arc::clone(&self.idle);
        let taken = match &mut *idle.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(connections) => connections.pop(),
            None => return Err(closed()),
        };
        let database = self.database.clone();
        tokio::task::spawn_blocking(move || {
            let mut connection = match taken {
                Some(connection) => connection,
                None => database.reader().map_err(E::from)?,
            };
            let result = work(&mut connection);
            if let Some(connections) = &mut *idle.lock().unwrap_or_else(PoisonError::into_inner) {
                connections.push(connection);
            }
            result
        })
        .await
        .unwrap_or_else(|e| Err(E::from(Failure::Unavailable(format!("a read was cut off: {e}")))))
    }

    /// Closes all connections; those at work close when they are done.
    pub fn close(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
