//! When an event happened.

use serde_json::Value;

use super::{Arrival, draft::Draft, read::Remarks, time::parse_time};
use crate::{Micros, ReasonCode, Site, Source};

/// The times of an event.
pub struct Moments {
    pub original_at: Micros,
    pub occurred_at: Micros,
    pub sent_at: Option<Micros>,
}

/// The client's time, and when it was by our clock: `received_at` − (`sent_at` − original), never later than `received_at`.
///
/// Only HTTP says when it was sent; a file or a topic may have lain for days, so its times stand as they are.
pub fn moments(draft: &Draft<'_>, site: &Site, arrival: &Arrival<'_>, wrong: &mut Remarks, remarks: &mut Remarks) -> Option<Moments> {
    let received = arrival.received_at;
    let sent_at = match draft.sent_at {
        Some(field) => {
            let parsed = parse_time(field.value);
            if parsed.is_none() {
                remarks.add(ReasonCode::FieldInvalid, field.name, "left out: wanted a time such as 2026-11-24T12:00:00.000Z");
            }
            parsed
        }
        None => arrival.sent_at.and_then(|t| parse_time(&Value::String(t.to_owned()))),
    };
    let Some(field) = draft.original_at else {
        if arrival.source != Source::Http {
            wrong.add(ReasonCode::TimeInvalid, draft.time_field, "wanted a time such as 2026-11-24T12:00:00.000Z");
            return None;
        }
        remarks.add(ReasonCode::TimeAssigned, draft.time_field, "no time was sent; the time of arrival was taken");
        return Some(Moments { original_at: received, occurred_at: received, sent_at });
    };
    let Some(original_at) = parse_time(field.value) else {
        wrong.add(ReasonCode::TimeInvalid, field.name, "wanted a time of the years 1970 to 2199 such as 2026-11-24T12:00:00.000Z");
        return None;
    };
    let skew = match sent_at {
        Some(sent) if arrival.source == Source::Http => received.0 - sent.0,
        _ => 0,
    };
    let corrected = original_at.plus(skew);
    if corrected.0 > received.0 + Micros::DAY {
        wrong.add(ReasonCode::TimeInFuture, field.name, "more than 24 hours ahead of the service's clock");
        return None;
    }
    let oldest = received.plus(-i64::from(site.max_age_days) * Micros::DAY);
    if arrival.source == Source::Http && corrected < oldest {
        wrong.add(
            ReasonCode::TooOld,
            field.name,
            format!("older than the {} days that this site takes over HTTP: import it as a file", site.max_age_days),
        );
        return None;
    }
    let limit = i64::from(site.max_skew_seconds) * Micros::SECOND;
    if skew.abs() > limit || corrected.0 - received.0 > limit {
        remarks.add(
            ReasonCode::ClockSkew,
            field.name,
            format!("the client's clock differs by more than {} s; the time was corrected", site.max_skew_seconds),
        );
    }
    Some(Moments { original_at, occurred_at: corrected.min(received), sent_at })
}
