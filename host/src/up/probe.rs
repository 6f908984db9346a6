//! Objects that `clickstream doctor` writes to see them announced.

use std::sync::{Mutex, PoisonError};

use clickstream_objects::Notification;

/// Where it writes them. No function waits for them.
pub const PREFIX: &str = "raw/doctor/";

/// The newest of them that was announced to this process.
#[derive(Debug, Default)]
pub struct Probe {
    newest: Mutex<Option<String>>,
}

impl Probe {
    /// Remembers the announcements of probes and leaves the others.
    pub fn sort_out(&self, mut announced: Vec<Notification>) -> Vec<Notification> {
        for probe in announced.extract_if(.., |notification| notification.key.starts_with(PREFIX)) {
            *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(probe.key);
        }
        announced
    }

    /// Its key.
    pub fn newest(&self) -> Option<String> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_are_remembered_and_not_handed_on() {
        let announced = |key: &str| Notification { bucket: "b".to_owned(), key: key.to_owned(), etag: String::new(), size: 1 };
        let probe = Probe::default();
        let others = probe.sort_out(["raw/events/x", "raw/doctor/1", "inbox/raw/doctor/2"].map(announced).to_vec());
        assert_eq!(others, ["raw/events/x", "inbox/raw/doctor/2"].map(announced));
        assert_eq!(probe.newest().as_deref(), Some("raw/doctor/1"));
    }
}
