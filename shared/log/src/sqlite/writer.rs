//! The one thread that writes: it gathers whatever waits, commits it in one transaction, and begins
//! again. While a commit is on its way to the disk the next turn gathers by itself, so batches grow
//! with the load and an idle log answers at once.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, TryRecvError},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use clickstream_sqlite::{Checkpointer, Failure, Folder};
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::oneshot;
use zstd::bulk::Compressor;

use super::{
    Shared,
    append::{Append, Progress, Turn},
    expiry::Expiry,
    topics::{Partition, Topic},
};

/// Payload that one transaction gathers before it commits, bytes.
const TURN_BYTES: usize = 8 << 20;

/// What callers ask of the writer.
#[derive(Debug)]
pub(super) enum Command {
    Append(Append),
    Progress(Progress),
    CreateTopic { name: String, partitions: u32, reply: oneshot::Sender<Result<(), Failure>> },
    Expire { partition: Arc<Partition>, offset: u64, reply: oneshot::Sender<Result<(), Failure>> },
}

/// All that the thread owns. It ends when every sender of `commands` is gone and all that was
/// queued is answered; the folder is free again then.
pub(super) struct Writer {
    pub shared: Arc<Shared>,
    pub commands: Receiver<Command>,
    pub connection: Connection,
    pub checkpointer: Checkpointer,
    pub expiry: Expiry,
    pub folder: Folder,
    pub pace: Pace,
}

/// Keeps commits apart by a few milliseconds where one follows the other, because each costs the
/// same whether it carries one record or thousands. An idle log commits at once.
#[derive(Debug)]
pub(super) struct Pace {
    interval: Duration,
    last: Option<Instant>,
}

impl Pace {
    pub(super) fn new(interval: Duration) -> Self {
        Self { interval, last: None }
    }

    /// How long the next commit is still to wait.
    fn left(&self) -> Duration {
        self.last.map_or(Duration::ZERO, |last| self.interval.saturating_sub(last.elapsed()))
    }
}

impl Writer {
    pub(super) fn spawn(self) -> Result<JoinHandle<()>, Failure> {
        let compressor = Compressor::new(1).map_err(|e| Failure::of_io("cannot set up zstd", &e))?;
        std::thread::Builder::new()
            .name("log-writer".to_owned())
            .spawn(move || self.run(compressor))
            .map_err(|e| Failure::of_io("cannot start the log's writer", &e))
    }

    fn run(mut self, mut compressor: Compressor<'static>) {
        loop {
            let first = if self.expiry.is_due() {
                match self.commands.try_recv() {
                    Ok(command) => Some(command),
                    Err(TryRecvError::Empty) => None,
                    Err(TryRecvError::Disconnected) => break,
                }
            } else {
                match self.commands.recv() {
                    Ok(command) => Some(command),
                    Err(_) => break,
                }
            };
            if let Some(first) = first {
                self.turn(first, &mut compressor);
            }
            if self.expiry.is_due() {
                self.expiry.step(&self.connection);
                self.checkpointer.wrote(&self.connection, 1 << 20);
            }
        }
        self.end();
    }

    /// Gathers what waits, beginning with `first`, and writes it.
    fn turn(&mut self, first: Command, compressor: &mut Compressor<'_>) {
        let mut turn = Turn::default();
        let mut next = Some(first);
        while let Some(command) = next {
            match command {
                Command::Append(append) => {
                    turn.bytes += append.bytes;
                    turn.appends.push(append);
                }
                Command::Progress(progress) => turn.progress.push(progress),
                Command::CreateTopic { name, partitions, reply } => {
                    drop(reply.send(self.create_topic(&name, partitions)));
                }
                Command::Expire { partition, offset, reply } => {
                    self.expiry.begin(&self.connection, &partition, offset, reply);
                }
            }
            next = if turn.bytes < TURN_BYTES { self.next_of_turn() } else { None };
        }
        if !turn.appends.is_empty() || !turn.progress.is_empty() {
            self.pace.last = Some(Instant::now());
            let bytes = turn.run(&self.shared, &mut self.connection, compressor);
            self.checkpointer.wrote(&self.connection, bytes);
        }
    }

    /// What waits already, or comes while the pace has this turn wait anyway.
    fn next_of_turn(&self) -> Option<Command> {
        match self.commands.try_recv() {
            Ok(command) => Some(command),
            Err(TryRecvError::Empty) if !self.pace.left().is_zero() => self.commands.recv_timeout(self.pace.left()).ok(),
            Err(_) => None,
        }
    }

    fn create_topic(&mut self, name: &str, partitions: u32) -> Result<(), Failure> {
        let known = self.shared.topics.find(name);
        let mut all = known.as_ref().map_or_else(Vec::new, |t| t.partitions().to_vec());
        if all.len() >= partitions as usize {
            return Ok(());
        }
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let topic_id = if let Some(topic) = &known {
            topic.id
        } else {
            tx.execute("INSERT INTO topics (name) VALUES (?1)", [name])?;
            tx.last_insert_rowid()
        };
        for number in all.len() as u32..partitions {
            tx.execute("INSERT INTO partitions (topic_id, number) VALUES (?1, ?2)", (topic_id, number))?;
            all.push(Partition::new(tx.last_insert_rowid(), number, 0, 0));
        }
        tx.commit()?;
        match known {
            Some(topic) => topic.grow(all),
            None => self.shared.topics.insert(Topic::new(topic_id, name, all)),
        }
        Ok(())
    }

    /// Leaves one tidy file; the folder's lock goes last.
    fn end(self) {
        let Self { connection, checkpointer, folder, .. } = self;
        drop(checkpointer);
        // Closing the last connection checkpoints; an error here loses nothing, the WAL stays.
        if let Err((_, error)) = connection.close() {
            tracing::warn!(%error, "the log's file could not be closed tidily");
        }
        drop(folder);
    }
}
