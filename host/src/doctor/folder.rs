//! The data folder, and the service that runs on it.

use std::{path::Path, time::Duration};

use super::Finding;
use crate::{client::Service, config, servers::Servers, up::disk_free};

/// The part.
pub const PART: &str = "data folder";

/// With less free, bytes, hours of events may fill the disk.
const LITTLE: u64 = 2 << 30;
/// With less free, bytes, the embedded parts soon take nothing.
const TOO_LITTLE: u64 = 256 << 20;
/// Longest wait for the running service.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Looks at the folder `data`.
pub async fn examine(data: &Path, servers: &Servers, service: &Service, findings: &mut Vec<Finding>) {
    findings.push(writable(data));
    findings.extend(disk_free(data).map(space));
    if servers.warehouse.is_none() {
        findings.push(libchdb());
    }
    findings.push(ready(service).await);
}

fn writable(data: &Path) -> Finding {
    let place = data.display();
    if !data.exists() {
        let mend = "`clickstream up` makes it; if it should be there, name it with --data or DATA";
        return Finding::warning(PART, "writable", format!("{place} is not there"), mend);
    }
    match tempfile::tempfile_in(data) {
        Ok(_) => Finding::ok(PART, "writable", place.to_string()),
        Err(error) => {
            let mend = "give the user that runs the service the right to write there, or name another folder with --data or DATA";
            Finding::broken(PART, "writable", format!("{place} cannot be written to: {error}"), mend)
        }
    }
}

fn space(free: u64) -> Finding {
    let found = format!("{:.1} GiB free", free as f64 / f64::from(1 << 30));
    let mend = "free space on its disk, or shorten LOG_RETENTION_DAYS, RAW_RETENTION_DAYS or EVENT_RETENTION_DAYS";
    match free {
        LITTLE.. => Finding::ok(PART, "space", found),
        TOO_LITTLE.. => Finding::warning(PART, "space", found, mend),
        _ => Finding::broken(PART, "space", found, mend),
    }
}

fn libchdb() -> Finding {
    let mend = "`make deps` installs it; or name libchdb.so by CHDB_LIB, or a ClickHouse server by WAREHOUSE_URL";
    match config::chdb_lib() {
        Ok(library) if library.is_file() => Finding::ok(PART, "libchdb", library.display().to_string()),
        Ok(library) => Finding::broken(PART, "libchdb", format!("{} is not there", library.display()), mend),
        Err(error) => Finding::broken(PART, "libchdb", error.to_string(), mend),
    }
}

async fn ready(service: &Service) -> Finding {
    match service.send(service.get("/ready").timeout(ANSWER_WITHIN)).await {
        Ok(_) => Finding::ok(PART, "service", format!("ready at {}", service.url)),
        Err(error) => {
            let mend = "`clickstream up` starts it; --url names one that runs elsewhere";
            Finding::warning(PART, "service", format!("{error:#}"), mend)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::State, *};

    #[test]
    fn a_full_disk_is_broken_before_it_is_full() {
        let states = [3 << 30, 1 << 30, 100 << 20].map(|free| space(free).state);
        assert_eq!(states, [State::Ok, State::Warning, State::Broken]);
        assert_eq!(space(5 << 29).found, "2.5 GiB free");
    }
}
