//! The S3 server in this process: S3's protocol by s3s, objects as files of a folder, an index in SQLite.
//!
//! An object stands if and only if the index has its row. A PUT writes the bytes to a new file, syncs it, and then
//! commits the row and the notification in one transaction: conditions are checked in that transaction, so of racing
//! writers one wins, and a crash leaves either the old object or the new one with its notification.

mod files;
mod index;
mod outbox;
mod protocol;
mod queue;

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use hyper::server::conn::http1::Builder;
use hyper_util::{rt::TokioIo, server::graceful::GracefulShutdown};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use uuid::Uuid;

use crate::{Notifications, ObjectError, s3::S3Config};
use index::Index;
use outbox::Outbox;
use protocol::Bucket;

pub(crate) use outbox::ANNOUNCED;
pub use queue::NotificationQueue;

/// The server, reached with credentials made for this start.
pub struct EmbeddedS3 {
    config: S3Config,
    notifications: Arc<Outbox>,
    running: Mutex<Option<(oneshot::Sender<()>, JoinHandle<()>)>>,
}

impl EmbeddedS3 {
    /// Starts on the folder `dir` with one bucket, on any free port of loopback.
    pub async fn start(dir: &Path, bucket: &str) -> Result<Self, ObjectError> {
        let (folder, name) = (dir.to_owned(), bucket.to_owned());
        let index = tokio::task::spawn_blocking(move || Index::open(&folder, &name))
            .await
            .map_err(|e| ObjectError::Unavailable(e.to_string()))??;
        let index = Arc::new(index);
        let notifications = Arc::new(Outbox::new(Arc::clone(&index), bucket));
        let config = S3Config {
            bucket: bucket.to_owned(),
            endpoint: None,
            region: "us-east-1".to_owned(),
            access_key: Some(Uuid::new_v4().simple().to_string()),
            secret_key: Some(Uuid::new_v4().simple().to_string()),
        };
        let mut service = S3ServiceBuilder::new(Bucket::new(index, Arc::clone(&notifications), bucket));
        if let (Some(key), Some(secret)) = (&config.access_key, &config.secret_key) {
            service.set_auth(SimpleAuth::from_single(key.clone(), secret.clone()));
        }
        let service = service.build();
        let no_port = |e: std::io::Error| ObjectError::Unavailable(format!("no loopback port: {e}"));
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(no_port)?;
        let config = S3Config { endpoint: Some(format!("http://{}", listener.local_addr().map_err(no_port)?)), ..config };
        let (stop, mut stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(async move {
            let http = Builder::new();
            let graceful = GracefulShutdown::new();
            loop {
                let socket = tokio::select! {
                    _ = &mut stopped => break,
                    accepted = listener.accept() => accepted,
                };
                match socket {
                    Ok((socket, _)) => {
                        let _ = socket.set_nodelay(true);
                        let connection = graceful.watch(http.serve_connection(TokioIo::new(socket), service.clone()));
                        tokio::spawn(async move {
                            if let Err(error) = connection.await {
                                tracing::debug!(%error, "S3 connection ended");
                            }
                        });
                    }
                    Err(error) => {
                        tracing::warn!(%error, "S3 server cannot accept a connection");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                }
            }
            let _ = tokio::time::timeout(Duration::from_secs(10), graceful.shutdown()).await;
        });
        Ok(Self { config, notifications, running: Mutex::new(Some((stop, running))) })
    }

    /// How to reach the bucket.
    pub fn config(&self) -> &S3Config {
        &self.config
    }

    /// What is written to the bucket.
    pub fn notifications(&self) -> Arc<dyn Notifications> {
        Arc::clone(&self.notifications) as Arc<dyn Notifications>
    }

    /// Finishes requests in hand and stops.
    pub async fn shutdown(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((stop, running)) = running {
            let _ = stop.send(());
            if let Err(error) = running.await {
                tracing::debug!(%error, "the S3 server ended");
            }
        }
    }
}
