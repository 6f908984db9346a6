//! Topics: how they are made, how they grow, and what happens when they are gone; and which log this is.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use crate::kafka::{self, DEADLINE, TOPIC, at_once, commit, everything, full, log, next, private, record, shared, show_logs};
use bytes::Bytes;
use clickstream_log::{EVENTS, INBOUND, Log, LogError, MAX_RECORD_BYTES, REJECTED, Record, kafka::KafkaLog, partition_for};
use rdkafka::{
    admin::{AdminOptions, NewTopic, ResourceSpecifier, TopicReplication},
    message::{Header, OwnedHeaders},
    producer::{BaseProducer, BaseRecord, Producer as _},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn topics_are_made_with_the_settings_that_the_promises_need() {
    let url = private(&shared(), "replication=1&partitions=5");
    let log = KafkaLog::open(&url).unwrap();
    log.set_up().await.unwrap();
    for (topic, partitions, retention) in [(EVENTS, 5, "604800000"), (INBOUND, 2, "604800000"), (REJECTED, 1, "2592000000")] {
        assert_eq!(log.extents(topic).await.unwrap().len(), partitions);
        let settings = settings(&url, topic).await;
        let is = |name: &str| settings(name);
        assert_eq!(is("cleanup.policy"), "delete");
        assert_eq!(is("retention.ms"), retention);
        assert_eq!(is("message.timestamp.type"), "LogAppendTime");
        assert_eq!(is("max.message.bytes"), "1048588");
        assert_eq!(is("unclean.leader.election.enable"), "false");
        assert_eq!(is("min.insync.replicas"), "1");
    }
    assert_eq!(settings(&url, "clickstream-log").await("cleanup.policy"), "compact");
    // Once more, with other numbers: nothing is lowered.
    let again = KafkaLog::open(&url.replace("partitions=5", "partitions=3")).unwrap();
    assert_eq!(again.set_up().await.unwrap(), log.log_id().await.unwrap());
    assert_eq!(log.extents(EVENTS).await.unwrap().len(), 5);
    // More copies than brokers.
    let greedy = KafkaLog::open(&private(&shared(), "replication=100")).unwrap();
    let error = greedy.create_topic(EVENTS, 1).await.unwrap_err().to_string();
    assert!(error.contains("set the option replication"), "{error}");
    kafka::tidy(&url).await;
}

/// The settings of a topic, by name.
async fn settings(url: &str, topic: &str) -> impl Fn(&str) -> String {
    let topic = full(url, topic);
    let of = [ResourceSpecifier::Topic(&topic)];
    let told = kafka::admin(url).describe_configs(&of, &AdminOptions::new()).await.unwrap().pop().unwrap().unwrap();
    move |name| told.get(name).unwrap().value.clone().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_that_set_up_at_once_agree_on_one_identity_and_on_each_new_epoch() {
    let url = private(&shared(), "replication=1");
    let unmade = KafkaLog::open(&url).unwrap().log_id().await.unwrap_err().to_string();
    assert!(unmade.contains("setup"), "{unmade}");
    let at_once = async |new_epoch: bool| {
        let mut hosts = tokio::task::JoinSet::new();
        for _ in 0..6 {
            let log = KafkaLog::open(&url).unwrap();
            hosts.spawn(async move { if new_epoch { log.new_epoch().await } else { log.set_up().await }.unwrap() });
        }
        hosts.join_all().await.into_iter().collect::<BTreeSet<String>>()
    };
    let first = at_once(false).await;
    assert_eq!(first.len(), 1);
    assert_eq!(at_once(false).await, first);
    let log = KafkaLog::open(&url).unwrap();
    assert_eq!(log.log_id().await.unwrap(), *first.first().unwrap());
    let epoch = log.new_epoch().await.unwrap();
    assert_ne!(epoch, *first.first().unwrap());
    assert_eq!(KafkaLog::open(&url).unwrap().log_id().await.unwrap(), epoch);
    assert_eq!(at_once(false).await.into_iter().collect::<Vec<_>>(), std::slice::from_ref(&epoch));
    let newest = at_once(true).await.into_iter().collect::<Vec<_>>();
    let now = KafkaLog::open(&url).unwrap().log_id().await.unwrap();
    assert!(newest.contains(&now) && now != epoch);
    kafka::tidy(&url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_was_made_on_another_cluster_is_refused_until_a_new_epoch() {
    let url = private(&shared(), "replication=1");
    let log = KafkaLog::open(&url).unwrap();
    // As a topic looks that was mirrored from another cluster.
    log.create_topic("clickstream-log", 1).await.unwrap();
    let claim = r#"{"epoch":3,"log_id":"old","cluster_id":"elsewhere","made_at":"2026-11-24T12:00:00.000000Z"}"#;
    log.append("clickstream-log", vec![record("old", claim)]).await.unwrap();
    for error in [log.log_id().await.unwrap_err(), log.set_up().await.unwrap_err()] {
        let text = error.to_string();
        assert!(text.contains("elsewhere") && text.contains("setup --new-log"), "{text}");
    }
    let epoch = log.new_epoch().await.unwrap();
    assert_eq!(log.set_up().await.unwrap(), epoch);
    log.append("clickstream-log", vec![record("odd", "no claim")]).await.unwrap();
    let error = KafkaLog::open(&url).unwrap().log_id().await.unwrap_err();
    assert!(matches!(&error, LogError::Corrupt(text) if text.contains("offset 2")), "{error}");
    kafka::tidy(&url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_keys_and_those_of_other_clients_meet_in_one_partition() {
    let (log, url) = log(&shared(), 1).await;
    let keys: Vec<Bytes> =
        (0..300_u32).map(|i| (0..i % 23).map(|n| (i.wrapping_mul(n + 7) >> 3) as u8).collect::<Vec<_>>().into()).collect();
    for partitions in [1, 2, 3, 7, 12] {
        log.create_topic(TOPIC, partitions).await.unwrap();
        let sent = keys.iter().map(|key| Record { key: Some(key.clone()), ..record("", "ours") }).collect();
        for (position, key) in log.append(TOPIC, sent).await.unwrap().iter().zip(&keys) {
            assert_eq!(position.partition, partition_for(key, partitions), "{key:?} of {partitions}");
        }
        // Kafka's own default, as librdkafka has it.
        let (producer, topic) = (producer(&url), full(&url, TOPIC));
        for key in &keys {
            let theirs = BaseRecord::<[u8], str>::to(&topic).key(&key[..]).payload("theirs");
            producer.send(theirs).map_err(|(e, _)| e).unwrap();
        }
        producer.flush(DEADLINE).unwrap();
        for partition in 0..partitions {
            for read in everything(&log, TOPIC, partition).await.into_iter().filter(|r| r.record.value == "theirs") {
                let key = read.record.key.unwrap();
                assert!(keys.contains(&key));
                assert_eq!(partition_for(&key, partitions), partition, "{key:?} of {partitions}");
            }
        }
        for extent in log.extents(TOPIC).await.unwrap() {
            log.expire(TOPIC, extent.partition, extent.end).await.unwrap();
        }
    }
    kafka::tidy(&url).await;
}

/// A producer that is not ours.
fn producer(url: &str) -> BaseProducer {
    let brokers = url.strip_prefix("kafka://").unwrap().split('?').next().unwrap();
    rdkafka::ClientConfig::new().set("bootstrap.servers", brokers).set("partitioner", "murmur2_random").create().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_at_the_limit_is_taken_whatever_it_is_made_of_and_one_over_it_is_not() {
    show_logs();
    let (log, url) = log(&shared(), 1).await;
    // Bytes that no compression makes smaller.
    let noise = |count: usize| -> Bytes {
        (0..count as u64)
            .map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17).wrapping_mul(i | 1) >> 56) as u8)
            .collect::<Vec<_>>()
            .into()
    };
    let headers: Vec<(String, Bytes)> = (0..50).map(|i| (format!("name{i:02}"), Bytes::from_static(b"four"))).collect();
    let plain = Record { key: None, value: noise(MAX_RECORD_BYTES), headers: Vec::new() };
    let keyed = Record { key: Some(noise(1_000)), value: noise(MAX_RECORD_BYTES - 1_000), headers: Vec::new() };
    let with_headers = Record { key: None, value: noise(MAX_RECORD_BYTES - 50 * (6 + 4 + 8)), headers };
    let largest = [plain.clone(), keyed.clone(), with_headers.clone()];
    // Together in one call and so in one request, where there is room.
    log.append(TOPIC, [&largest[..], &[record("k", "small")]].concat()).await.unwrap();
    let read = everything(&log, TOPIC, 0).await;
    assert!(read.iter().map(|r| &r.record).eq(largest.iter().chain([&record("k", "small")])));
    let mut consumer = log.subscribe("group", &[TOPIC], at_once(1)).await.unwrap();
    for sent in &largest {
        let batch = next(&mut consumer).await;
        assert_eq!(batch.records[0].record, *sent);
        commit(&mut consumer, &batch).await.unwrap();
    }
    for over in largest {
        let over = Record { value: [&over.value[..], b"!"].concat().into(), ..over };
        let error = log.append(TOPIC, vec![record("k", "small"), over]).await.unwrap_err();
        assert!(matches!(error, LogError::TooLarge { size, limit } if size == limit + 1 && limit == MAX_RECORD_BYTES), "{error}");
    }
    assert_eq!(log.extents(TOPIC).await.unwrap()[0].end, 4, "nothing of a refused append stands");
    kafka::tidy(&url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_that_takes_less_than_kafka_does_by_default_is_an_operators_fault_and_not_the_records() {
    let url = private(&shared(), "replication=1");
    let small = full(&url, TOPIC);
    let topic = NewTopic::new(&small, 1, TopicReplication::Fixed(1)).set("max.message.bytes", "10000");
    kafka::admin(&url).create_topics([&topic], &AdminOptions::new().operation_timeout(Some(DEADLINE))).await.unwrap();
    let log = KafkaLog::open(&url).unwrap();
    log.create_topic(TOPIC, 1).await.unwrap();
    let error = log.append(TOPIC, vec![record("k", kafka::text(20_000))]).await.unwrap_err();
    assert!(matches!(&error, LogError::Unavailable(text) if text.contains("max.message.bytes")), "{error}");
    log.append(TOPIC, vec![record("k", "v")]).await.unwrap();
    kafka::tidy(&url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partitions_that_another_host_adds_are_consumed_and_written_within_seconds() {
    show_logs();
    let (log, url) = log(&shared(), 1).await;
    let mut consumer = log.subscribe("group", &[TOPIC], at_once(1_000)).await.unwrap();
    log.append(TOPIC, vec![record("k", "v")]).await.unwrap();
    let batch = next(&mut consumer).await;
    commit(&mut consumer, &batch).await.unwrap();
    let other = KafkaLog::open(&url).unwrap();
    other.create_topic(TOPIC, 4).await.unwrap();
    let grown = Instant::now();
    let mut seen = BTreeSet::new();
    while seen.len() < 4 {
        let sent = (0..40).map(|i| record(&format!("{i}"), "v")).collect();
        log.append(TOPIC, sent).await.unwrap();
        let batch = next(&mut consumer).await;
        seen.insert(batch.partition);
        commit(&mut consumer, &batch).await.unwrap();
        assert!(grown.elapsed() < DEADLINE);
    }
    println!("new partitions were written and consumed {:?} after they were made", grown.elapsed());
    kafka::tidy(&url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_deleted_under_its_consumer_is_named_and_one_made_again_is_consumed_from_its_start() {
    show_logs();
    let (log, url) = log(&shared(), 2).await;
    let sent = |round: u32| (0..40).map(|i| record(&format!("{i}"), format!("{round}"))).collect::<Vec<_>>();
    log.append(TOPIC, sent(1)).await.unwrap();
    let mut consumer = log.subscribe("group", &[TOPIC], at_once(10)).await.unwrap();
    let batch = next(&mut consumer).await;
    commit(&mut consumer, &batch).await.unwrap();
    kafka::delete(&kafka::admin(&url), &[&full(&url, TOPIC)]).await;
    let deleted = Instant::now();
    let error = loop {
        match tokio::time::timeout(DEADLINE, consumer.next()).await.expect("an error in time") {
            Ok(batch) => drop(commit(&mut consumer, &batch).await),
            Err(error @ LogError::UnknownTopic(_)) => break error,
            Err(error) => println!("{error}"),
        }
    };
    println!("told {:?} after it was deleted: {error}", deleted.elapsed());
    let error = log.append(TOPIC, sent(2)).await.unwrap_err();
    println!("an append says: {error}");
    assert!(matches!(error, LogError::UnknownTopic(_) | LogError::Unavailable(_)), "{error}");
    let error = log.append(TOPIC, sent(2)).await.unwrap_err();
    assert!(matches!(error, LogError::UnknownTopic(_)), "{error}");
    log.create_topic(TOPIC, 2).await.unwrap();
    let made = Instant::now();
    while let Err(error) = log.append(TOPIC, sent(3)).await {
        println!("not yet: {error}");
        assert!(made.elapsed() < DEADLINE);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let mut seen = 0;
    while seen < 40 {
        match tokio::time::timeout(DEADLINE, consumer.next()).await.expect("a batch in time") {
            Ok(batch) => {
                assert!(batch.records.iter().all(|r| r.record.value == "3"), "of the new topic only");
                seen += batch.records.len();
                commit(&mut consumer, &batch).await.unwrap();
            }
            Err(error) => println!("{error}"),
        }
    }
    println!("the new topic was consumed {:?} after it was made", made.elapsed());
    kafka::tidy(&url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_other_systems_write_is_read_whatever_headers_it_has() {
    let (log, url) = log(&shared(), 1).await;
    let producer = producer(&url);
    let name = full(&url, TOPIC);
    let headers = || {
        OwnedHeaders::new()
            .insert(Header { key: "traceparent", value: Some("00-1") })
            .insert(Header { key: "traceparent", value: None::<&str> })
    };
    let whole: BaseRecord<'_, str, str> = BaseRecord::to(&name).payload("whole").headers(headers());
    producer.send(whole).map_err(|(e, _)| e).unwrap();
    producer.send(BaseRecord::<str, str>::to(&name).key("tombstone")).map_err(|(e, _)| e).unwrap();
    // A name in Latin-1: to Kafka it is bytes, and the producer passes them on unread.
    let latin = b"caf\xe9".to_vec();
    #[expect(unsafe_code, reason = "no safe call makes what other systems send")]
    let latin = unsafe { std::str::from_utf8_unchecked(&latin) };
    let odd = headers().insert(Header { key: latin, value: Some("x") });
    producer.send(BaseRecord::<str, str>::to(&name).payload("odd").headers(odd)).map_err(|(e, _)| e).unwrap();
    producer.flush(DEADLINE).unwrap();
    let read = everything(&log, TOPIC, 0).await;
    let header = |value: &'static str| ("traceparent".to_owned(), Bytes::from_static(value.as_bytes()));
    assert_eq!(read[0].record.headers, [header("00-1"), header("")]);
    assert_eq!((read[1].record.key.as_deref(), &read[1].record.value[..]), (Some(&b"tombstone"[..]), &b""[..]));
    assert_eq!((&read[2].record.value[..], read[2].record.headers.len()), (&b"odd"[..], 0), "readable without its headers");
    kafka::tidy(&url).await;
}
