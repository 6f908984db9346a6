//! Consumer groups that are so far behind that the topic may lose what they have not done.

use std::time::Duration;

use clickstream_event::Micros;
use clickstream_log::{EVENTS, INBOUND, LogError, REJECTED};
use clickstream_telemetry::metric;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Reconcile;

/// How far one group is behind on one topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Lag {
    /// The consumer group.
    pub group: String,
    /// The topic.
    pub topic: String,
    /// Records that it has not done.
    pub records: u64,
    /// Age of the oldest of them, seconds.
    pub oldest_s: u64,
    /// True if that is over half of what the topic keeps records for: look after the group before records expire.
    pub late: bool,
    /// Records that expired before the group did them.
    pub lost: u64,
}

impl Lag {
    /// Raises the alarm if the group is late, or was too late.
    pub(crate) fn alarm(&self) {
        if self.late || self.lost > 0 {
            tracing::error!(
                group = self.group,
                topic = self.topic,
                records = self.records,
                oldest_s = self.oldest_s,
                lost = self.lost,
                "a consumer group is behind by more than half of what its topic keeps: records expire before they are done"
            );
        }
    }
}

impl Reconcile {
    /// Looks at every group, and shows how far it is behind as metrics. Cheap enough for every few seconds. Where the log
    /// does not say it, the metrics say that it is not known (NaN) and the rest is not looked at.
    pub async fn lags(&self) -> Result<Vec<Lag>, LogError> {
        let (groups, settings) = (&self.settings.groups, &self.settings);
        let all = [
            (&*groups.store, EVENTS, settings.retention),
            (&*groups.land, EVENTS, settings.retention),
            (&*groups.store_rejected, REJECTED, settings.rejected_retention),
            (&*groups.intake_topic, INBOUND, settings.retention),
        ];
        let mut lags = Vec::new();
        for (group, topic, retention) in all {
            let lag = self.lag(group, topic, retention).await;
            if matches!(lag, Err(LogError::UnknownTopic(_))) {
                continue;
            }
            show(group, topic, lag.as_ref().ok());
            lags.push(lag?);
        }
        Ok(lags)
    }

    async fn lag(&self, group: &str, topic: &str, retention: Duration) -> Result<Lag, LogError> {
        let log = &self.sources.log;
        let committed = log.committed(group, topic).await?;
        let (mut records, mut lost, mut oldest) = (0, 0, None::<i64>);
        for extent in log.extents(topic).await? {
            let next = committed.iter().find(|(p, _)| *p == extent.partition).and_then(|(_, next)| *next).unwrap_or(extent.start);
            lost += extent.start.saturating_sub(next);
            let next = next.max(extent.start);
            records += extent.end.saturating_sub(next);
            if next < extent.end
                && let Some(record) = log.read(topic, extent.partition, next, 1, 1).await?.first()
            {
                oldest = Some(oldest.map_or(record.appended_at, |at| at.min(record.appended_at)));
            }
        }
        let oldest_s = oldest.map_or(0, |at| ((Micros::now().0 - at).max(0) / Micros::SECOND) as u64);
        let late = oldest.is_some() && oldest_s > retention.as_secs() / 2;
        Ok(Lag { group: group.to_owned(), topic: topic.to_owned(), records, oldest_s, late, lost })
    }
}

fn show(group: &str, topic: &str, lag: Option<&Lag>) {
    let labels = [("group", group.to_owned()), ("topic", topic.to_owned())];
    let known = |value: fn(&Lag) -> f64| lag.map_or(f64::NAN, value);
    metrics::gauge!(metric::GROUP_LAG, &labels).set(known(|lag| lag.records as f64));
    metrics::gauge!(metric::GROUP_LAG_SECONDS, &labels).set(known(|lag| lag.oldest_s as f64));
    metrics::gauge!(metric::GROUP_LATE, &labels).set(known(|lag| f64::from(u8::from(lag.late))));
}
