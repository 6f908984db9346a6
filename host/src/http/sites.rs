//! `/v1/sites`: which sites there are, and the sites file where it is an object of the bucket.

use std::collections::BTreeMap;

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use clickstream_objects::PutOptions;
use clickstream_sites::{MAX_FILE_BYTES, Place};
use http::{Request, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use super::{App, app::body_within, guard, inbox::object_problem, problem::problem};

/// The sites.
#[derive(Debug, Serialize, ToSchema)]
pub struct SitesList {
    /// Their ids.
    pub sites: Vec<String>,
    /// The IANA name of each one's time zone.
    pub timezones: BTreeMap<String, String>,
}

/// Every site.
pub fn list(app: &App) -> Response {
    let sites: Vec<_> = app.sites.sites().iter().collect();
    let list = SitesList {
        sites: sites.iter().map(|s| s.site_id.clone()).collect(),
        timezones: sites.iter().map(|s| (s.site_id.clone(), s.timezone.clone())).collect(),
    };
    axum::Json(list).into_response()
}

/// Puts the sites file into the bucket, if it is right, and takes it at once. Who may write is at stake: it needs the
/// token, also on loopback.
pub async fn put(app: &App, request: Request<Body>) -> Response {
    if app.token.is_none() {
        return problem(
            StatusCode::FORBIDDEN,
            "token_needed",
            "sites are changed with the admin token: start the service with ADMIN_TOKEN",
        );
    }
    if let Err(refusal) = guard::changer(request.headers(), app.token.as_deref()) {
        return *refusal;
    }
    let Some(Place::Object(key)) = app.sites.place() else {
        let detail =
            "the sites are named by SITES or by a file of the service's machine: change them there, or start with SITES_FILE=object:KEY";
        return problem(StatusCode::CONFLICT, "sites_elsewhere", detail);
    };
    let body = match body_within(request.into_body(), MAX_FILE_BYTES as usize).await {
        Ok(body) => body,
        Err(refusal) => return *refusal,
    };
    let Ok(text) = std::str::from_utf8(&body) else {
        return problem(StatusCode::BAD_REQUEST, "sites_wrong", "the sites file is TOML, and so UTF-8");
    };
    if let Err(why) = app.sites.understand(text) {
        return problem(StatusCode::BAD_REQUEST, "sites_wrong", why);
    }
    match app.parts.objects.put(key, body, PutOptions::default()).await {
        Ok(_) => {
            app.sites.look().await;
            list(app)
        }
        Err(error) => object_problem(&error),
    }
}
