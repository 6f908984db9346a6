//! Topics of Kafka: whether they stand as `setup` makes them.

use clickstream_log::{
    LogError,
    kafka::{FoundTopic, InspectedTopic, Setting},
};

use super::{Finding, State, log::PART};

/// Copies that must be in sync before a record is acknowledged, so that one broker's loss loses none.
const IN_SYNC: &str = "min.insync.replicas";

/// Judges topics of the cluster behind `brokers`: a line for each, one for each setting that is wrong, one for copies.
pub fn judge(topics: &[InspectedTopic], brokers: &str) -> Vec<Finding> {
    let mut findings: Vec<_> = topics.iter().flat_map(|topic| of_topic(topic, brokers)).collect();
    findings.extend(copies(topics, brokers));
    findings
}

fn of_topic(topic: &InspectedTopic, brokers: &str) -> Vec<Finding> {
    let check = format!("topic {}", topic.name);
    let setup = "`clickstream setup` makes it; if it was there and was lost, `clickstream setup --new-log`";
    let found = match &topic.found {
        Ok(found) => found,
        Err(LogError::UnknownTopic(_)) => return vec![Finding::broken(PART, check, "it is not there", setup)],
        Err(error) => return vec![Finding::broken(PART, check, error.to_string(), "see the line `reachable`, and the rights of its user")],
    };
    let FoundTopic { partitions, leaderless, behind, settings, .. } = found;
    let mut findings = Vec::new();
    if *leaderless > 0 {
        let text = format!("{leaderless} of {partitions} partitions have no leader");
        findings.push(Finding::broken(PART, &*check, text, "start the brokers that hold them (kafka-topics.sh --describe names them)"));
    }
    if *behind > 0 {
        let text = format!("copies of {behind} of {partitions} partitions are not in sync");
        findings.push(Finding::warning(PART, &*check, text, "start the brokers that hold them (kafka-topics.sh --describe names them)"));
    }
    if *partitions < topic.wanted_partitions {
        let text = format!("{partitions} partitions of {}", topic.wanted_partitions);
        findings.push(Finding::warning(PART, &*check, text, "`clickstream setup` adds partitions"));
    }
    for setting in settings {
        if let Some((state, text)) = wrong(setting, found.copies) {
            let mend = alter(brokers, &topic.name, setting.name, &setting.wanted);
            findings.push(Finding { part: PART, check: check.clone(), state, found: text, mend: Some(mend) });
        }
    }
    if findings.is_empty() {
        findings.push(Finding::ok(PART, check, as_it_is(found)));
    }
    findings
}

/// What is wrong with a setting of a topic with so many copies.
fn wrong(setting: &Setting, copies: u32) -> Option<(State, String)> {
    let Setting { name, wanted, found } = setting;
    let found = found.as_deref()?;
    let number = |text: &str| text.parse::<i64>().unwrap_or(0);
    let differs = format!("{name} is {found}");
    match *name {
        // Compaction takes records out of the middle, and raw objects must have no gaps; or it never ends the identity.
        "cleanup.policy" if found != wanted => Some((State::Broken, format!("{differs}, not {wanted}"))),
        "retention.ms" if number(found) >= 0 && number(found) < number(wanted) => {
            let text = format!("records end after {}, not {}", days(number(found)), days(number(wanted)));
            Some((State::Warning, text + ": what no group has read by then is lost"))
        }
        "retention.bytes" if number(found) >= 0 => {
            Some((State::Warning, format!("{differs}: records end by size, whether or not they were read")))
        }
        "max.message.bytes" if number(found) < number(wanted) => {
            Some((State::Broken, format!("{differs}: records that we take are refused")))
        }
        "message.timestamp.type" if found != wanted => Some((State::Warning, format!("{differs}: lags are told by senders' clocks"))),
        "unclean.leader.election.enable" if found != wanted => {
            Some((State::Warning, format!("{differs}: a copy that lacks records may become the leader")))
        }
        IN_SYNC if number(found) > i64::from(copies) => {
            Some((State::Broken, format!("{differs}, and there are {copies} copies: nothing can be written")))
        }
        _ => None,
    }
}

/// Copies, of all topics together: as a rule they have the same.
fn copies(topics: &[InspectedTopic], brokers: &str) -> Option<Finding> {
    let in_sync = |found: &FoundTopic| {
        let setting = found.settings.iter().find(|setting| setting.name == IN_SYNC);
        setting.and_then(|setting| setting.found.as_ref()).and_then(|value| value.parse().ok()).unwrap_or(1)
    };
    let there = topics.iter().filter_map(|topic| Some((topic.name.as_str(), topic.found.as_ref().ok()?)));
    let (names, few): (Vec<&str>, Vec<(u32, u32)>) =
        there.clone().map(|(name, found)| (name, (found.copies, in_sync(found)))).filter(|(_, (_, in_sync))| *in_sync < 2).unzip();
    let Some((copies, in_sync)) = few.iter().copied().min() else {
        return there
            .map(|(_, found)| found.copies)
            .min()
            .map(|least| Finding::ok(PART, "copies", format!("{least} or more, two in sync")));
    };
    let found =
        format!("{copies} of each partition and {IN_SYNC}={in_sync} ({}): a broker that is lost takes records with it", names.join(", "));
    let mend = match copies {
        3.. => alter(brokers, names.first().copied().unwrap_or_default(), IN_SYNC, "2") + ", and so for each",
        _ => format!("with three brokers or more, give each topic three copies (kafka-reassign-partitions.sh) and {IN_SYNC}=2"),
    };
    Some(Finding::warning(PART, "copies", found, mend))
}

fn alter(brokers: &str, topic: &str, setting: &str, value: &str) -> String {
    format!(
        "kafka-configs.sh --bootstrap-server {brokers} --alter --entity-type topics --entity-name {topic} --add-config {setting}={value}"
    )
}

/// A topic with which nothing is wrong.
fn as_it_is(found: &FoundTopic) -> String {
    let partitions = if found.partitions == 1 { "1 partition".to_owned() } else { format!("{} partitions", found.partitions) };
    let kept = found.settings.iter().find(|setting| setting.name == "retention.ms");
    match kept.and_then(|setting| setting.found.as_ref()?.parse::<i64>().ok()) {
        Some(..0) => format!("{partitions}, kept for ever"),
        Some(ms) => format!("{partitions}, kept {}", days(ms)),
        None => format!("{partitions}, the newest record of each key is kept"),
    }
}

fn days(ms: i64) -> String {
    let (second, hour, day) = (1_000, 3_600_000, 86_400_000);
    match ms {
        _ if ms == day => "1 day".to_owned(),
        _ if ms >= day && ms % day == 0 => format!("{} days", ms / day),
        _ if ms >= 2 * hour => format!("{:.1} hours", ms as f64 / hour as f64),
        _ => format!("{} s", ms / second),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(name: &'static str, wanted: &str, found: &str) -> Setting {
        Setting { name, wanted: wanted.to_owned(), found: Some(found.to_owned()) }
    }

    fn events(copies: u32, settings: Vec<Setting>) -> InspectedTopic {
        let found = FoundTopic { partitions: 4, copies, leaderless: 0, behind: 0, settings };
        InspectedTopic { name: "shop.events".to_owned(), wanted_partitions: 4, found: Ok(found) }
    }

    fn judged(topic: InspectedTopic) -> Vec<(State, String, String)> {
        judge(&[topic], "k:9092").into_iter().map(|f| (f.state, f.found, f.mend.unwrap_or_default())).collect()
    }

    #[test]
    fn a_topic_as_setup_makes_it_is_well() {
        let settings = vec![
            setting("cleanup.policy", "delete", "delete"),
            setting("retention.ms", "604800000", "604800000"),
            setting(IN_SYNC, "2", "2"),
        ];
        let [(State::Ok, topic, _), (State::Ok, copies, _)] = &judged(events(3, settings))[..] else { panic!() };
        assert_eq!((topic.as_str(), copies.as_str()), ("4 partitions, kept 7 days", "3 or more, two in sync"));
    }

    #[test]
    fn what_loses_records_is_named_with_the_command_that_mends_it() {
        let found = judged(events(1, vec![setting("retention.ms", "604800000", "7200000"), setting(IN_SYNC, "1", "1")]));
        let [(State::Warning, retention, mend), (State::Warning, copies, more)] = &found[..] else { panic!("{found:?}") };
        assert!(retention.starts_with("records end after 2.0 hours, not 7 days"), "{retention}");
        let command = "kafka-configs.sh --bootstrap-server k:9092 --alter --entity-type topics --entity-name shop.events --add-config";
        assert_eq!(*mend, format!("{command} retention.ms=604800000"));
        assert!(
            copies.starts_with("1 of each partition and min.insync.replicas=1 (shop.events)") && more.contains("three"),
            "{copies} {more}"
        );
        let found = judged(events(3, vec![setting(IN_SYNC, "2", "1")]));
        assert_eq!(found[1].2, format!("{command} min.insync.replicas=2, and so for each"));
    }

    #[test]
    fn what_stops_the_service_is_broken() {
        for (name, wanted, found) in
            [("cleanup.policy", "delete", "compact"), ("max.message.bytes", "1048588", "1000"), (IN_SYNC, "2", "4")]
        {
            assert_eq!(judged(events(3, vec![setting(name, wanted, found)]))[0].0, State::Broken, "{name}");
        }
        for fine in [setting("retention.ms", "1", "-1"), setting("retention.ms", "1", "2"), setting("max.message.bytes", "1", "2")] {
            assert_eq!(wrong(&fine, 3), None, "{fine:?}");
        }
        let missing = InspectedTopic { found: Err(LogError::UnknownTopic("events".to_owned())), ..events(1, Vec::new()) };
        let [(State::Broken, _, mend)] = &judged(missing)[..] else { panic!() };
        assert!(mend.contains("clickstream setup"), "{mend}");
    }
}
