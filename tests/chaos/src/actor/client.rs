//! A client, and the collector that it reaches: it sends each request until it is answered.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use clickstream_collect::{Collector, Limits};
use http::StatusCode;
use serde_json::Value;
use uuid::Uuid;

use super::{Actor, Run};
use crate::{
    fault::{Boundary, Fault},
    life::Life,
    port::{log::LogPort, objects::ObjectsPort},
    traffic::Request,
    world::{World, sites},
};

/// A client with a host of its own.
pub struct Client {
    number: usize,
    waiting: Arc<Mutex<VecDeque<Request>>>,
    collector: Option<Arc<Collector>>,
    /// The host's last answer was a spilled one: its log rests for a second that never passes here.
    rests: Arc<Mutex<bool>>,
}

impl Client {
    pub fn new(number: usize, requests: Vec<Request>) -> Self {
        Self { number, waiting: Arc::new(Mutex::new(requests.into())), collector: None, rests: Arc::default() }
    }

    fn collector(&mut self, world: &World, life: &Arc<Life>) -> Arc<Collector> {
        let rested = std::mem::take(&mut *self.rests.lock().unwrap_or_else(PoisonError::into_inner));
        if rested && life.sim.random(|r| rand::RngExt::random_bool(r, 0.5)) {
            self.collector = None;
        }
        let made = || {
            let log = Arc::new(LogPort::new(&world.log, life));
            let bucket = Arc::new(ObjectsPort::new(&world.bucket, life));
            Arc::new(Collector::new(log, sites(), Limits::default()).with_spill(bucket))
        };
        Arc::clone(self.collector.get_or_insert_with(made))
    }
}

impl Actor for Client {
    fn name(&self) -> String {
        format!("client-{}", self.number)
    }

    fn wants(&self, _: &World) -> bool {
        !self.waiting.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn run(&mut self, world: &Arc<World>, life: &Arc<Life>) -> Run {
        let (collector, world, life) = (self.collector(world, life), Arc::clone(world), Arc::clone(life));
        let (waiting, rests) = (Arc::clone(&self.waiting), Arc::clone(&self.rests));
        Box::pin(async move {
            let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).front().cloned();
            let Some(request) = next else { return Ok(()) };
            world.told().sent.extend(request.identities());
            world.told().later_valid.extend(request.later_valid());
            request.senders().for_each(|(id, sender)| world.told().senders.entry(id).or_default().push(sender));
            let lost = |_| "the request was lost".to_owned();
            let times = Arc::new(Mutex::new(0));
            let count = Arc::clone(&times);
            life.perform(Boundary::Request, &[Fault::NotDone, Fault::Twice], move |_| {
                *count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
            })
            .await
            .map_err(lost)?;
            let times = *times.lock().unwrap_or_else(PoisonError::into_inner);
            let mut answer = post(&collector, &request).await;
            for _ in 1..times {
                answer = post(&collector, &request).await;
            }
            *rests.lock().unwrap_or_else(PoisonError::into_inner) = answer.0 != StatusCode::OK || answer.2;
            life.perform(Boundary::Request, &[Fault::NotDone], |_| ()).await.map_err(|_| "the answer was lost".to_owned())?;
            match answer.0 {
                StatusCode::OK => {
                    note(&world, &request, &answer.1);
                    waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                    Ok(())
                }
                StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => Err(format!("answered {}", answer.0)),
                other => {
                    world.told().lies.push(format!("a request was answered {other}: {}", answer.1));
                    waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                    Ok(())
                }
            }
        })
    }

    fn restarted(&mut self, _: &World, _: &Life) {
        self.collector = None;
        *self.rests.lock().unwrap_or_else(PoisonError::into_inner) = false;
    }

    fn is_client(&self) -> bool {
        true
    }
}

/// Status, body, and whether records were spilled.
async fn post(collector: &Collector, request: &Request) -> (StatusCode, Value, bool) {
    let http = http::Request::post("/v1/batch").header("content-type", "application/json");
    let Ok(http) = http.body(Bytes::from(request.body.to_string())) else { return (StatusCode::BAD_REQUEST, Value::Null, false) };
    let response = collector.handle(http, None).await;
    let spilled = response.headers().contains_key("x-clickstream-spilled");
    (response.status(), serde_json::from_slice(response.body()).unwrap_or_default(), spilled)
}

/// What the client knows from now on.
fn note(world: &World, request: &Request, answer: &Value) {
    let mut told = world.told();
    let results = answer["results"].as_array().cloned().unwrap_or_default();
    if results.len() != request.ids.len() {
        told.lies.push(format!("{} events were answered with {} fates", request.ids.len(), results.len()));
    }
    for (id, result) in request.ids.iter().zip(&results) {
        let Some(id) = id else {
            if result["result"] != "rejected" {
                told.lies.push(format!("what is no event was answered {result}"));
            }
            continue;
        };
        match result["result"].as_str() {
            Some("accepted" | "suspicious") => {
                let known = result["event_id"].as_str().and_then(|text| text.parse::<Uuid>().ok());
                if known != Some(*id) {
                    told.lies.push(format!("{id} was answered by another id: {result}"));
                }
                *told.accepted.entry((request.site.to_owned(), *id)).or_default() += 1;
            }
            Some("rejected") => drop(told.rejected.insert(*id)),
            _ => told.lies.push(format!("{id} was answered without a fate: {result}")),
        }
    }
}
