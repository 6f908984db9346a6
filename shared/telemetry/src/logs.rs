//! Structured logs on standard error.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    io::IsTerminal as _,
};

use tracing_subscriber::{EnvFilter, fmt, prelude::*};

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object a line, with the fields of the span that it belongs to under `span`.
    Json,
}

impl LogFormat {
    /// Text on a terminal, JSON elsewhere.
    pub fn from_terminal() -> Self {
        if std::io::stderr().is_terminal() { Self::Text } else { Self::Json }
    }
}

/// What is logged where `RUST_LOG` does not say: info, and warnings of libraries. Delta's kernel logs what it returns as
/// an error, such as that a table is not there yet, before it returns it.
const USUAL: &str = "warn,buoyant_kernel=off,clickstream=info";

/// Target of the lines of panics.
const PANICS: &str = "clickstream::panic";

/// Starts logging; `RUST_LOG` chooses what. Panics are logged too, where and with what they said. A second call changes
/// nothing.
pub fn init(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(USUAL));
    let registry = tracing_subscriber::registry().with(filter);
    let lines = fmt::layer().with_writer(std::io::stderr).with_target(true);
    let started = match format {
        LogFormat::Text => registry.with(lines.compact()).try_init(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true).with_current_span(true).with_span_list(false)).try_init(),
    };
    if started.is_err() {
        return tracing::debug!("logging was started before");
    }
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !tracing::enabled!(target: PANICS, tracing::Level::ERROR) {
            return usual(panic);
        }
        let place = panic.location().map(ToString::to_string);
        let said = panic.payload_as_str().unwrap_or("a panic without a word");
        // Empty unless RUST_BACKTRACE asks for it.
        let backtrace = Backtrace::capture();
        let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
        tracing::error!(target: PANICS, place, backtrace, "{said}");
    }));
}
