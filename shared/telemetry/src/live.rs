//! Events as they arrive, for whoever watches.

use std::sync::Arc;

use clickstream_event::{Event, Micros, Rejection};
use serde::Serialize;
use tokio::sync::broadcast;
use utoipa::ToSchema;
use uuid::Uuid;

/// Events that a slow watcher may lag behind before it skips some.
const BACKLOG: usize = 1_024;

/// What a watcher sees of an event. No address, no properties.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LiveEvent {
    /// Its id, where it has one.
    pub event_id: Option<Uuid>,
    /// Its site.
    pub site_id: Option<String>,
    /// valid, suspicious or rejected.
    pub verdict: &'static str,
    /// What was done.
    pub action: Option<&'static str>,
    /// The event's name.
    pub name: Option<String>,
    /// Who acted: user id, else anonymous id, else session.
    pub person: Option<String>,
    /// The element seen or clicked.
    pub element_id: Option<String>,
    /// The page's path.
    pub path: Option<String>,
    /// When it was taken.
    pub received_at: Micros,
    /// Codes of warnings or rejections.
    pub reasons: Vec<String>,
}

impl From<&Event> for LiveEvent {
    fn from(event: &Event) -> Self {
        Self {
            event_id: Some(event.event_id),
            site_id: Some(event.site_id.clone()),
            verdict: event.verdict.as_str(),
            action: Some(event.action.as_str()),
            name: event.name.clone(),
            person: event.person().map(str::to_owned),
            element_id: event.element_id.clone(),
            path: event.path.clone(),
            received_at: event.received_at,
            reasons: event.warnings.clone(),
        }
    }
}

impl From<&Rejection> for LiveEvent {
    fn from(rejection: &Rejection) -> Self {
        Self {
            event_id: rejection.event_id,
            site_id: rejection.site_id.clone(),
            verdict: "rejected",
            action: None,
            name: None,
            person: None,
            element_id: None,
            path: None,
            received_at: rejection.received_at,
            reasons: rejection.reasons.iter().map(|r| r.code.as_str().to_owned()).collect(),
        }
    }
}

/// The feed: costs next to nothing while nobody watches.
#[derive(Clone, Debug)]
pub struct LiveFeed(broadcast::Sender<Arc<LiveEvent>>);

impl Default for LiveFeed {
    fn default() -> Self {
        Self(broadcast::channel(BACKLOG).0)
    }
}

impl LiveFeed {
    /// Shows an event or a rejection to whoever watches.
    pub fn show<'a, T>(&self, of: &'a T)
    where
        LiveEvent: From<&'a T>,
    {
        if self.0.receiver_count() > 0 {
            // No receiver is left: nobody watches any more.
            let _ = self.0.send(Arc::new(LiveEvent::from(of)));
        }
    }

    /// Watches from now on.
    pub fn watch(&self) -> broadcast::Receiver<Arc<LiveEvent>> {
        self.0.subscribe()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use clickstream_event::{Reason, ReasonCode, Shape, Source};

    use super::*;

    #[test]
    fn a_watcher_sees_what_happens_from_then_on_and_no_address() {
        let feed = LiveFeed::default();
        let rejection = |site: &str| Rejection {
            site_id: Some(site.to_owned()),
            event_id: None,
            message_id: None,
            received_at: Micros(0),
            source: Source::Http,
            shape: Shape::Segment,
            reasons: vec![Reason::new(ReasonCode::ActionUnknown, "type", "none")],
            original: r#"{"ip":"8.8.8.8"}"#.to_owned(),
        };
        feed.show(&rejection("unseen"));
        let mut watcher = feed.watch();
        feed.show(&rejection("shop"));
        let seen = watcher.try_recv().unwrap();
        assert_eq!((seen.site_id.as_deref(), seen.verdict), (Some("shop"), "rejected"));
        assert_eq!(seen.reasons, ["action_unknown"]);
        assert!(!serde_json::to_string(&*seen).unwrap().contains("8.8.8.8"));
        assert!(watcher.try_recv().is_err());
    }
}
