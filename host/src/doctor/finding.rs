//! What was found.

use serde::Serialize;

/// How a part stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it should be.
    Ok,
    /// It works, and may lose something or stop one day.
    Warning,
    /// The service does not work with it.
    Broken,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Of which part.
    pub part: &'static str,
    /// What was looked at.
    pub check: String,
    /// How it stands.
    pub state: State,
    /// What was found there.
    pub found: String,
    /// What would set it right.
    pub mend: Option<String>,
}

impl Finding {
    /// All is well.
    pub fn ok(part: &'static str, check: impl Into<String>, found: impl Into<String>) -> Self {
        Self { part, check: check.into(), state: State::Ok, found: found.into(), mend: None }
    }

    /// It works for now.
    pub fn warning(part: &'static str, check: impl Into<String>, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { part, check: check.into(), state: State::Warning, found: found.into(), mend: Some(mend.into()) }
    }

    /// It does not work.
    pub fn broken(part: &'static str, check: impl Into<String>, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { part, check: check.into(), state: State::Broken, found: found.into(), mend: Some(mend.into()) }
    }
}

impl State {
    /// One word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Broken => "BROKEN",
        }
    }
}

/// How many findings are bad, and whether any is broken.
pub fn summary(findings: &[Finding]) -> (String, bool) {
    let count = |state| findings.iter().filter(|finding| finding.state == state).count();
    let counted = |count: usize, one: &str, many: &str| if count == 1 { format!("1 {one}") } else { format!("{count} {many}") };
    let warnings = || counted(count(State::Warning), "warning", "warnings");
    match (count(State::Broken), count(State::Warning)) {
        (0, 0) => (format!("all {} checks are well", findings.len()), false),
        (0, _) => (format!("nothing is broken, {}", warnings()), false),
        (broken, 0) => (counted(broken, "check is broken", "checks are broken"), true),
        (broken, _) => (format!("{}, {}", counted(broken, "check is broken", "checks are broken"), warnings()), true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_counts_what_is_bad() {
        let (ok, warning, broken) = (Finding::ok("a", "b", "c"), Finding::warning("a", "b", "c", "d"), Finding::broken("a", "b", "c", "d"));
        let said = |findings: &[&Finding]| summary(&findings.iter().copied().cloned().collect::<Vec<_>>());
        assert_eq!(said(&[&ok, &ok]), ("all 2 checks are well".to_owned(), false));
        assert_eq!(said(&[&ok, &warning]), ("nothing is broken, 1 warning".to_owned(), false));
        assert_eq!(said(&[&broken]), ("1 check is broken".to_owned(), true));
        assert_eq!(said(&[&broken, &warning, &broken]), ("2 checks are broken, 1 warning".to_owned(), true));
    }
}
