//! What a caller can do about an error of the driver.

use scylla::errors::{
    ConnectionError, ConnectionPoolError, ConnectionSetupRequestErrorKind, DbError, ExecutionError, MetadataError, NewSessionError,
    PrepareError, RequestAttemptError,
};

use crate::StoreError;

/// What Cassandra and `ScyllaDB` say when they refuse writes because a disk fills up.
const DISK_FULL: [&str; 2] = ["disk usage exceeds", "critical disk utilization"];

impl From<ExecutionError> for StoreError {
    fn from(error: ExecutionError) -> Self {
        match error {
            ExecutionError::LastAttemptError(error) => of_attempt(error),
            ExecutionError::PrepareError(error) => error.into(),
            ExecutionError::BadQuery(error) => Self::Corrupt(error.to_string()),
            error => Self::Unavailable(error.to_string()),
        }
    }
}

impl From<PrepareError> for StoreError {
    fn from(error: PrepareError) -> Self {
        match error {
            PrepareError::AllAttemptsFailed { first_attempt } => of_attempt(first_attempt),
            error => Self::Unavailable(error.to_string()),
        }
    }
}

impl From<NewSessionError> for StoreError {
    fn from(error: NewSessionError) -> Self {
        if let NewSessionError::MetadataError(MetadataError::ConnectionPoolError(error)) = &error
            && let Some(error) = refused_user(error)
        {
            return error;
        }
        Self::Unavailable(format!("no node of STORE_URL answers as it should: {error}"))
    }
}

/// The error of a user that the node does not let in.
fn refused_user(error: &ConnectionPoolError) -> Option<StoreError> {
    let ConnectionPoolError::Broken { last_connection_error: ConnectionError::ConnectionSetupRequestError(error) } = error else {
        return None;
    };
    match &error.error {
        ConnectionSetupRequestErrorKind::DbError(error @ DbError::AuthenticationError, text) => Some(of_database(error, text)),
        ConnectionSetupRequestErrorKind::MissingAuthentication => Some(StoreError::Setting(
            "the event store wants a user: set SCYLLA_USERNAME and SCYLLA_PASSWORD to one that may log in".to_owned(),
        )),
        _ => None,
    }
}

fn of_attempt(error: RequestAttemptError) -> StoreError {
    match error {
        RequestAttemptError::DbError(error, text) => of_database(&error, &text),
        RequestAttemptError::SerializationError(error) => StoreError::Corrupt(error.to_string()),
        RequestAttemptError::CqlRequestSerialization(error) => StoreError::Corrupt(error.to_string()),
        error => StoreError::Unavailable(error.to_string()),
    }
}

/// What no repetition changes is told from what passes.
fn of_database(error: &DbError, text: &str) -> StoreError {
    if DISK_FULL.iter().any(|told| text.to_lowercase().contains(told)) {
        return StoreError::Full;
    }
    match error {
        DbError::AuthenticationError => StoreError::Setting(format!(
            "the event store refuses the user: {text}; set SCYLLA_USERNAME and SCYLLA_PASSWORD to a user that may log in"
        )),
        DbError::Unauthorized => StoreError::Setting(format!(
            "the event store's user may not do this: {text}; grant it SELECT and MODIFY on the keyspace of STORE_URL, for its setup CREATE too"
        )),
        DbError::SyntaxError
        | DbError::Invalid
        | DbError::AlreadyExists { .. }
        | DbError::ConfigError
        | DbError::FunctionFailure { .. }
        | DbError::ProtocolError => StoreError::Setting(format!("the event store refuses a statement: {text}")),
        error => StoreError::Unavailable(format!("{error}: {text}")),
    }
}
