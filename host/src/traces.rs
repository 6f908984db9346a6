//! Traces to a collector of OpenTelemetry, by its standard variables; off where none names a collector.
//!
//! <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/> lists them. The exporter itself reads
//! those about its queue, time-outs and headers (`OTEL_BSP_*`, `OTEL_EXPORTER_OTLP_*`).

use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use clickstream_telemetry::trace::{self, KeyValue};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::{Resource, propagation::TraceContextPropagator, trace::SdkTracerProvider};
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::config::{ConfigError, without_password};

/// Where a collector is by default.
const USUAL: &str = "http://localhost:4318";
/// What is left of the spans at the end is sent within this time.
const LAST: Duration = Duration::from_secs(5);
/// For how long a collector may hold an answer back, as OpenTelemetry says.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which traces are taken, and where they go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceSettings {
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`, or the one for traces.
    endpoint: String,
    /// `OTEL_SERVICE_NAME`.
    service: String,
    /// `OTEL_TRACES_SAMPLER` and its argument.
    sampler: String,
    /// `OTEL_EXPORTER_OTLP_TIMEOUT`, or the one for traces. The exporter looks at it between tries alone.
    patience: Duration,
}

impl TraceSettings {
    /// From the environment; none: no traces.
    pub fn from_env() -> Result<Option<Self>, ConfigError> {
        Self::from(&|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    fn from(given: &dyn Fn(&'static str) -> Option<String>) -> Result<Option<Self>, ConfigError> {
        let wrong = |name, value: &str, right| Err(ConfigError::Wrong { name, value: value.to_owned(), right });
        let exporter = given("OTEL_TRACES_EXPORTER");
        match exporter.as_deref() {
            None | Some("otlp" | "none") => {}
            Some(other) => return wrong("OTEL_TRACES_EXPORTER", other, "otlp or none"),
        }
        // What is said of traces goes before what is said of all signals.
        let first = |names: [&'static str; 2]| names.into_iter().find_map(|name| Some((name, given(name)?)));
        let named = first(["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"]);
        let off = given("OTEL_SDK_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true"));
        let endpoint = match (named, exporter.as_deref()) {
            _ if off => return Ok(None),
            (_, Some("none")) | (None, None) => return Ok(None),
            (None, Some(_)) => USUAL.to_owned(),
            (Some((name, url)), _) => match url::Url::parse(&url) {
                Ok(parsed) if matches!(parsed.scheme(), "http" | "https") && parsed.has_host() => without_password(&url),
                _ => {
                    return wrong(
                        name,
                        &without_password(&url),
                        "http://HOST:4318 or https://HOST names a collector that takes OTLP over HTTP",
                    );
                }
            },
        };
        for name in ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"] {
            if let Some(protocol) = given(name).filter(|protocol| protocol != "http/protobuf") {
                return wrong(name, &protocol, "http/protobuf, which collectors take on port 4318; gRPC and JSON are not spoken");
            }
        }
        let service = given("OTEL_SERVICE_NAME").or_else(|| service_in(&given("OTEL_RESOURCE_ATTRIBUTES")?));
        let service = service.unwrap_or_else(|| "clickstream".to_owned());
        let patience = match first(["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"]) {
            None => PATIENCE,
            Some((name, ms)) => match ms.parse() {
                Ok(ms @ 1..) => Duration::from_millis(ms),
                _ => return wrong(name, &ms, "a whole number of milliseconds from 1 on"),
            },
        };
        Ok(Some(Self { endpoint, service, sampler: sampler(given)?, patience }))
    }

    /// The variables as a person reads them.
    pub fn describe(settings: Option<&Self>) -> [(&'static str, String); 3] {
        let shown = |what: fn(&Self) -> &String| settings.map(|settings| what(settings).clone()).unwrap_or_default();
        let endpoint = settings.map_or_else(|| "(not set: no traces)".to_owned(), |settings| settings.endpoint.clone());
        [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
            ("OTEL_SERVICE_NAME", shown(|settings| &settings.service)),
            ("OTEL_TRACES_SAMPLER", shown(|settings| &settings.sampler)),
        ]
    }
}

/// `service.name` of `OTEL_RESOURCE_ATTRIBUTES`.
fn service_in(attributes: &str) -> Option<String> {
    attributes.split(',').find_map(|pair| Some(pair.trim().strip_prefix("service.name=")?.to_owned())).filter(|name| !name.is_empty())
}

/// The sampler, which the SDK would replace by one that takes everything if it did not know it.
fn sampler(given: &dyn Fn(&'static str) -> Option<String>) -> Result<String, ConfigError> {
    const RIGHT: &str = "always_on, always_off, traceidratio, or one of them after parentbased_";
    let (name, usual) = ("OTEL_TRACES_SAMPLER", "parentbased_always_on".to_owned());
    let Some(sampler) = given(name) else { return Ok(usual) };
    match sampler.strip_prefix("parentbased_").unwrap_or(&sampler) {
        "always_on" | "always_off" => Ok(sampler),
        "traceidratio" => {
            let name = "OTEL_TRACES_SAMPLER_ARG";
            let share = given(name).unwrap_or_default();
            match share.parse::<f64>() {
                Ok(ratio) if (0.0..=1.0).contains(&ratio) => Ok(format!("{sampler} {ratio}")),
                _ => Err(ConfigError::Wrong { name, value: share, right: "the share of traces to take, from 0 to 1, such as 0.01" }),
            }
        }
        _ => Err(ConfigError::Wrong { name, value: sampler, right: RIGHT }),
    }
}

/// Traces that are taken.
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Takes traces from now on. A collector that does not answer holds nothing up: spans that it does not take are lost.
    ///
    /// # Errors
    /// Those of the exporter's own settings.
    pub fn start(settings: &TraceSettings) -> anyhow::Result<Self> {
        let sender = Sender { client: reqwest::Client::builder().timeout(settings.patience).build()?, runtime: Handle::current() };
        let exporter = SpanExporter::builder().with_http().with_http_client(sender).build();
        let exporter = exporter.context("the exporter of traces cannot be made: look at OTEL_EXPORTER_OTLP_*")?;
        let resource = Resource::builder()
            .with_service_name(settings.service.clone())
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .with_attribute(KeyValue::new("service.instance.id", Uuid::new_v4().to_string()))
            .build();
        let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
        opentelemetry::global::set_tracer_provider(provider.clone());
        opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
        trace::switch_on();
        tracing::info!(endpoint = settings.endpoint, service = settings.service, sampler = settings.sampler, "traces are taken");
        Ok(Self(provider))
    }

    /// Sends what has ended, and takes no more.
    pub async fn stop(self) {
        // It waits for the exporter, which sends on this runtime.
        let sent = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(LAST)).await;
        if let Ok(Err(error)) = sent {
            tracing::warn!(%error, "the last spans were not sent");
        }
    }
}

/// Sends spans by the client that the rest of the host has. The exporter runs on a thread without a runtime.
#[derive(Debug)]
struct Sender {
    client: reqwest::Client,
    runtime: Handle,
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sent = self.runtime.spawn(async move {
            let answer = client.execute(request.try_into()?).await?;
            let (status, headers) = (answer.status(), answer.headers().clone());
            let mut response = Response::new(answer.bytes().await?);
            *response.status_mut() = status;
            *response.headers_mut() = headers;
            Ok::<_, reqwest::Error>(response)
        });
        Ok(sent.await??)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Option<TraceSettings>, ConfigError> {
        TraceSettings::from(&|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn nothing_is_traced_unless_a_collector_is_named() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");
        assert_eq!(of(&[]).unwrap(), None);
        assert_eq!(of(&[endpoint, ("OTEL_TRACES_EXPORTER", "none")]).unwrap(), None);
        assert_eq!(of(&[endpoint, ("OTEL_SDK_DISABLED", "true")]).unwrap(), None);
        let settings = of(&[endpoint]).unwrap().unwrap();
        assert_eq!((&*settings.service, &*settings.sampler), ("clickstream", "parentbased_always_on"));
        assert_eq!(of(&[("OTEL_TRACES_EXPORTER", "otlp")]).unwrap().unwrap().endpoint, USUAL);
        let named = of(&[endpoint, ("OTEL_RESOURCE_ATTRIBUTES", "a=b,service.name=shop")]).unwrap().unwrap();
        assert_eq!(named.service, "shop");
    }

    #[test]
    fn a_wrong_value_names_its_variable_and_what_would_be_right() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318");
        for (variables, name, right) in [
            (vec![("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318")], "OTEL_EXPORTER_OTLP_ENDPOINT", "http://HOST:4318"),
            (vec![endpoint, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")], "OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            (vec![endpoint, ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s")], "OTEL_EXPORTER_OTLP_TIMEOUT", "milliseconds"),
            (vec![endpoint, ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "0")], "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "milliseconds"),
            (vec![("OTEL_TRACES_EXPORTER", "jaeger")], "OTEL_TRACES_EXPORTER", "otlp or none"),
            (vec![endpoint, ("OTEL_TRACES_SAMPLER", "xray")], "OTEL_TRACES_SAMPLER", "always_on"),
            (vec![endpoint, ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")], "OTEL_TRACES_SAMPLER_ARG", "from 0 to 1"),
            (
                vec![endpoint, ("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "2")],
                "OTEL_TRACES_SAMPLER_ARG=\"2\"",
                "from 0 to 1",
            ),
        ] {
            let error = of(&variables).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(right), "{error}");
        }
        let error = of(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://u:secret@h")]).unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}
