//! The threads of a log's members: each polls one consumer for as long as its member lives.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{JoinHandle, Thread},
    time::Duration,
};

use tokio::sync::oneshot;

use super::failure::closed;
use crate::LogError;

/// Longest wait for members to leave their groups, and for other clients to end, when the log is closed; the brokers
/// notice the others by their missing heartbeats.
pub(super) const LEFT_WITHIN: Duration = Duration::from_secs(5);

/// Runs `end`, which ends clients and may wait long for a broker that stands still, on a thread of its own; the receiver
/// hears when it is done. Not on a thread of the runtime: that would wait for it when it ends itself.
pub(super) fn aside(end: impl FnOnce() + Send + 'static) -> oneshot::Receiver<()> {
    let (done, ended) = oneshot::channel();
    let run = move || {
        end();
        // Who waits no longer needs no word.
        let _ = done.send(());
    };
    if let Err(error) = std::thread::Builder::new().name("kafka-end".to_owned()).spawn(run) {
        tracing::error!(%error, "no thread to end clients on");
    }
    ended
}

/// Ends and wakes one thread.
#[derive(Clone)]
pub(super) struct Handle {
    stop: Arc<AtomicBool>,
    thread: Thread,
}

impl Handle {
    pub(super) fn wake(&self) {
        self.thread.unpark();
    }

    /// The thread ends soon.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        self.wake();
    }
}

#[derive(Default)]
pub(super) struct Threads(Mutex<State>);

#[derive(Default)]
struct State {
    ended: bool,
    running: Vec<(Handle, JoinHandle<()>)>,
}

impl Threads {
    /// Starts `run`, which has to end soon after the flag it is given is set; whoever sets it wakes the thread.
    pub(super) fn start(&self, run: impl FnOnce(Arc<AtomicBool>) + Send + 'static) -> Result<Handle, LogError> {
        let mut state = self.lock();
        if state.ended {
            return Err(closed());
        }
        state.running.retain(|(_, thread)| !thread.is_finished());
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name("kafka-member".to_owned()).spawn(move || run(flag));
        let thread = thread.map_err(|e| LogError::Unavailable(format!("no thread for a consumer: {e}")))?;
        let handle = Handle { stop, thread: thread.thread().clone() };
        state.running.push((handle.clone(), thread));
        Ok(handle)
    }

    pub(super) fn ended(&self) -> bool {
        self.lock().ended
    }

    /// Ends all threads and waits for them.
    pub(super) async fn end(&self) {
        let running = {
            let mut state = self.lock();
            state.ended = true;
            std::mem::take(&mut state.running)
        };
        for (handle, _) in &running {
            handle.stop();
        }
        let all = aside(move || {
            for (_, thread) in running {
                if thread.join().is_err() {
                    tracing::error!("the thread of a consumer panicked");
                }
            }
        });
        if tokio::time::timeout(LEFT_WITHIN, all).await.is_err() {
            tracing::warn!("not every consumer left its group within {LEFT_WITHIN:?}; the brokers will notice");
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
