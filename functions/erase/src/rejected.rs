//! Whether a rejected record is of the person.

use std::sync::Arc;

use clickstream_erasure::{Erased, Named, names_in, text_names};
use clickstream_event::Rejection;
use clickstream_store::Which;

use crate::Erasure;

/// Says of rejections whether they are meant: by the ids that parsers read in the original, and where they read none, by
/// its text.
pub(crate) fn which(erasure: &Erasure, erased: Arc<Erased>) -> Which {
    let (until, site) = (erasure.erased_at, erasure.site_id.clone());
    let ids: Vec<String> = erasure.persons.iter().map(|person| person.id().to_owned()).collect();
    Arc::new(move |rejection: &Rejection| {
        if rejection.received_at > until || rejection.site_id.as_ref().is_some_and(|of| *of != site) {
            return false;
        }
        if erased.erases_rejection(rejection) {
            return true;
        }
        let unread = names_in(&rejection.original, rejection.shape) == Named::default();
        unread && ids.iter().any(|id| text_names(rejection.original.as_bytes(), id))
    })
}
