//! ClickHouse in this process: libchdb on a folder, behind ClickHouse's HTTP interface.
//!
//! One folder per process at a time: the engine is one, whoever connects to it.

mod blocks;
mod engine;
mod http;
mod library;
mod memory;
mod request;

use std::{
    fs::{File, TryLockError},
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{net::TcpListener, sync::Mutex, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::{engine::Engine, http::Service, library::Connection};

/// The environment variable that names another libchdb.so.
pub const LIBRARY_VARIABLE: &str = "CHDB_LIB";
/// The user of the HTTP interface.
const USER: &str = "default";
/// How long `shutdown` waits for statements that still run.
const PATIENCE: Duration = Duration::from_secs(20);

static RUNNING: AtomicBool = AtomicBool::new(false);

/// Why ClickHouse does not start.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// The library is not where it should be.
    #[error(
        "{path} is missing: `make deps` fetches ClickHouse as a library (`make run` does it too); or name another libchdb.so in {LIBRARY_VARIABLE}"
    )]
    LibraryMissing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file is no libchdb of the right interface and machine.
    #[error("{path} does not load as libchdb 26.7 or newer for this machine: {cause}")]
    LibraryWrong {
        /// The file.
        path: PathBuf,
        /// What the loader said.
        cause: String,
    },
    /// Another process works on the folder.
    #[error("{folder} is in use by another process: stop that one, or name another data folder")]
    FolderInUse {
        /// The folder.
        folder: PathBuf,
    },
    /// This process has one already.
    #[error("ClickHouse runs in this process already; it serves one folder per process")]
    AlreadyRunning,
    /// The folder or the port cannot be had.
    #[error("{what}: {cause}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        cause: std::io::Error,
    },
    /// The engine refuses the folder.
    #[error(
        "ClickHouse does not start on {folder}; what it said stands on stderr. Was the folder written by a newer version, or is it damaged? It can be rebuilt from the lake"
    )]
    Engine {
        /// The folder.
        folder: PathBuf,
    },
}

/// ClickHouse in this process; [`EmbeddedClickHouse::shutdown`] stops it.
pub struct EmbeddedClickHouse {
    url: String,
    service: Arc<Service>,
    stop: CancellationToken,
    /// What ends with the engine: the server, the connection that keeps the engine up, the folder's lock.
    held: Mutex<Option<(JoinHandle<()>, Connection, File)>>,
}

impl EmbeddedClickHouse {
    /// Starts on `data_dir`, which is made if it is missing, with the library that `CHDB_LIB` names, else `lib`, for this
    /// process alone: on a random loopback port with a password of this start.
    /// A folder left by a killed process is taken up as it is.
    pub async fn start(data_dir: &Path, lib: &Path) -> Result<Self, EmbeddedError> {
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        Self::serve(data_dir, lib, any_port, Uuid::new_v4().simple().to_string()).await
    }

    /// As [`EmbeddedClickHouse::start`], for other processes: at `listen`, with the given password of the user `default`.
    /// What goes over the wire is not encrypted.
    pub async fn serve(data_dir: &Path, lib: &Path, listen: SocketAddr, password: String) -> Result<Self, EmbeddedError> {
        let path = std::env::var_os(LIBRARY_VARIABLE).map_or_else(|| lib.to_path_buf(), PathBuf::from);
        if !path.is_file() {
            return Err(EmbeddedError::LibraryMissing { path });
        }
        if RUNNING.swap(true, Ordering::SeqCst) {
            return Err(EmbeddedError::AlreadyRunning);
        }
        let started = Self::serve_on(data_dir, &path, listen, password).await;
        if started.is_err() {
            RUNNING.store(false, Ordering::SeqCst);
        }
        started
    }

    async fn serve_on(folder: &Path, library: &Path, listen: SocketAddr, password: String) -> Result<Self, EmbeddedError> {
        let lock = lock(folder)?;
        let no_port = |cause| io(&format!("cannot listen on {listen}"), cause);
        // Before the engine is up, so that a port in use is told at once.
        let listener = TcpListener::bind(listen).await.map_err(no_port)?;
        let address = listener.local_addr().map_err(no_port)?;
        let (keeper, arguments) = boot(folder.to_path_buf(), library.to_path_buf()).await?;
        let url =
            format!("http://{USER}:{}@{address}", percent_encoding::utf8_percent_encode(&password, percent_encoding::NON_ALPHANUMERIC));
        let service = Arc::new(Service { engine: Engine::new(arguments), user: USER.to_owned(), password });
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let router = http::router(Arc::clone(&service));
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stopped).await {
                tracing::error!(%error, "the server of ClickHouse in process ended");
            }
        });
        tracing::info!(folder = %folder.display(), %address, "ClickHouse runs in this process");
        Ok(Self { url, service, stop, held: Mutex::new(Some((server, keeper, lock))) })
    }

    /// Where it answers, with its credentials: `http://user:password@127.0.0.1:port`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Ends the running statements, then the engine. Another folder may be started afterwards.
    pub async fn shutdown(&self) {
        let Some((server, keeper, lock)) = self.held.lock().await.take() else { return };
        self.stop.cancel();
        if tokio::time::timeout(PATIENCE, self.service.engine.close()).await.is_err() {
            tracing::warn!("statements still run on ClickHouse; it is stopped all the same");
        }
        server.abort();
        // Closing the last connection joins the engine's threads.
        let _ = tokio::task::spawn_blocking(move || drop(keeper)).await;
        // Closing alone is not enough: a child that is being started has the file open until it becomes another program.
        if let Err(error) = lock.unlock() {
            tracing::warn!(%error, "could not give ClickHouse's folder up");
        }
        drop(lock);
        RUNNING.store(false, Ordering::SeqCst);
    }
}

fn io(what: &str, cause: std::io::Error) -> EmbeddedError {
    EmbeddedError::Io { what: what.to_owned(), cause }
}

/// Makes the folder and takes its lock, which ends with the process however it ends.
fn lock(folder: &Path) -> Result<File, EmbeddedError> {
    let cannot = |cause| io(&format!("{} cannot be used", folder.display()), cause);
    std::fs::create_dir_all(folder).map_err(cannot)?;
    let file = File::options().create(true).truncate(false).write(true).open(folder.join("in-use.lock")).map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(EmbeddedError::FolderInUse { folder: folder.to_path_buf() }),
        Err(TryLockError::Error(cause)) => Err(cannot(cause)),
    }
}

/// Loads the library and opens the connection that keeps the engine up; gives the arguments of all others too.
async fn boot(folder: PathBuf, library: PathBuf) -> Result<(Connection, Vec<String>), EmbeddedError> {
    let work = move || {
        let folder = std::path::absolute(&folder).map_err(|cause| io("the data folder has no path", cause))?;
        library::load(&library).map_err(|cause| EmbeddedError::LibraryWrong { path: library, cause })?;
        let arguments = memory::arguments(&folder);
        match Connection::open(&arguments) {
            Some(keeper) => Ok((keeper, arguments)),
            None => Err(EmbeddedError::Engine { folder }),
        }
    };
    tokio::task::spawn_blocking(work).await.map_err(|e| io("the start was interrupted", std::io::Error::other(e)))?
}
