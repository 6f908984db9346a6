//! What every invocation has in common: a span in the logs, a deadline, metrics.

use std::time::Duration;

use clickstream_telemetry::{Emf, LogFormat};
use lambda_runtime::{Context, LambdaEvent, run, service_fn};
use serde::{Serialize, de::DeserializeOwned};
use tracing::Instrument as _;

use crate::{Deadline, Error, TriggerError, given};

/// Seconds between two lines of metrics, at least; 0, as by default, prints one for each invocation. What an environment
/// counted after its last line goes with it.
const PAUSE: &str = "METRICS_SECONDS";
/// What the function is called where it is deployed, by which its metrics are told apart; Lambda sets it.
const DEPLOYED_AS: &str = "AWS_LAMBDA_FUNCTION_NAME";

/// A function that runs on Lambda.
pub struct Function {
    name: &'static str,
    metrics: Option<Emf>,
}

impl Function {
    /// Starts the logs and the metrics of the function `name`. The first thing that a program does.
    pub fn start(name: &'static str) -> Result<Self, TriggerError> {
        clickstream_telemetry::init(LogFormat::Json);
        let pause = given(PAUSE).unwrap_or_else(|| "0".to_owned());
        let wrong = || TriggerError::Wrong { name: PAUSE, value: pause.clone(), right: "seconds from 0 to 3600" };
        let seconds = pause.parse().ok().filter(|seconds| *seconds <= 3_600).ok_or_else(wrong)?;
        let deployed_as = given(DEPLOYED_AS).unwrap_or_else(|| name.to_owned());
        let metrics = clickstream_telemetry::emf(deployed_as, Duration::from_secs(seconds));
        if let Err(error) = &metrics {
            tracing::warn!(%error, "no metrics are printed");
        }
        Ok(Self { name, metrics: metrics.ok() })
    }

    /// Takes one invocation after the other, as long as Lambda lets the environment live: what `work` makes of the payload
    /// until the deadline.
    pub async fn serve<T, R>(self, work: impl AsyncFn(T, Deadline) -> Result<R, Error>) -> Result<(), Error>
    where
        T: DeserializeOwned,
        R: Serialize,
    {
        let (function, work) = (&self, &work);
        run(service_fn(move |event: LambdaEvent<T>| async move {
            let deadline = Deadline::of_epoch_ms(event.context.deadline);
            // Work may be large, and would make every future around it so.
            function.invocation(&event.context, deadline, Box::pin(work(event.payload, deadline))).await
        }))
        .await
    }

    /// One invocation, logged, stopped in time, counted.
    pub(crate) async fn invocation<R>(
        &self,
        context: &Context,
        deadline: Deadline,
        work: impl Future<Output = Result<R, Error>>,
    ) -> Result<R, Error> {
        // A span of this level is there whatever RUST_LOG lets through, so that every line names its invocation.
        let span = tracing::error_span!(
            "invocation",
            function = self.name,
            request_id = context.request_id,
            trace = context.xray_trace_id.as_deref()
        );
        let outcome = async {
            let outcome = tokio::time::timeout_at(deadline.stop(), work).await;
            let outcome = outcome.unwrap_or_else(|_| Err(deadline.stopped().into()));
            if let Err(error) = &outcome {
                tracing::error!(%error, "the invocation failed");
            }
            outcome
        };
        let outcome = outcome.instrument(span).await;
        if let Some(metrics) = &self.metrics {
            metrics.print(&context.request_id);
        }
        outcome
    }
}
