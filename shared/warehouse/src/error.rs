//! What can go wrong, by what the caller can do about it.

/// Why ClickHouse did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum WarehouseError {
    /// It does not answer, or is short of memory, disk or threads. The same call may be tried again.
    #[error("ClickHouse cannot do it now, try again: {0}")]
    Unavailable(String),
    /// It refused the request; the same request will be refused again. Codes are ClickHouse's own.
    #[error("ClickHouse refused it (code {code}): {message}")]
    Refused {
        /// ClickHouse's error code; 0 where the refusal is ours.
        code: u32,
        /// What it said.
        message: String,
    },
    /// Somebody has to look: the schema or the data is not what this program wrote, or the set-up is wrong.
    #[error("{0}")]
    Operator(String),
}

/// Codes of ClickHouse that pass by themselves: time-outs, connections, too many parts or queries, memory, disk space.
const PASSING: [u32; 11] = [159, 164, 202, 209, 210, 241, 242, 243, 252, 394, 425];
/// Codes that are about who may do what.
const CREDENTIALS: [u32; 5] = [192, 193, 194, 497, 516];

impl WarehouseError {
    /// A refusal of our own.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::Refused { code: 0, message: message.into() }
    }

    /// Reads ClickHouse's own text: `Code: 60. DB::Exception: …`.
    pub(crate) fn from_text(text: &str) -> Self {
        let message = text.trim().to_owned();
        match exception_code(&message) {
            Some(code) if PASSING.contains(&code) => Self::Unavailable(message),
            Some(code) if CREDENTIALS.contains(&code) => {
                Self::Operator(format!("ClickHouse does not take the user and password of WAREHOUSE_URL: {message}"))
            }
            Some(code) => Self::Refused { code, message },
            None => Self::Unavailable(message),
        }
    }
}

/// The number in `Code: 60. DB::Exception: …`.
pub(crate) fn exception_code(text: &str) -> Option<u32> {
    let digits = &text[text.find("Code: ")? + 6..];
    digits[..digits.find(|c: char| !c.is_ascii_digit())?].parse().ok()
}

impl From<clickhouse::error::Error> for WarehouseError {
    fn from(error: clickhouse::error::Error) -> Self {
        use clickhouse::error::Error;
        match error {
            Error::BadResponse(text) => Self::from_text(&text),
            Error::Network(cause) => Self::Unavailable(with_causes(cause.as_ref())),
            Error::TimedOut => Self::Unavailable("no answer in time".to_owned()),
            other => Self::Operator(format!("the answer of ClickHouse makes no sense: {other}")),
        }
    }
}

/// An error and its causes, on one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_says_whether_to_try_again() {
        assert_eq!(exception_code("Code: 60. DB::Exception: no table"), Some(60));
        assert_eq!(exception_code("502 Bad Gateway"), None);
        assert!(matches!(WarehouseError::from_text("Code: 241. DB::Exception: memory"), WarehouseError::Unavailable(_)));
        assert!(matches!(WarehouseError::from_text("Code: 62. DB::Exception: syntax"), WarehouseError::Refused { code: 62, .. }));
        assert!(matches!(WarehouseError::from_text("Code: 516. DB::Exception: auth"), WarehouseError::Operator(_)));
    }
}
