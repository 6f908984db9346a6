//! Refusals as RFC 9457 problems.

use reqwest::{Response, StatusCode};
use serde_json::Value;

/// Shortest sentence that says what is wrong and what would be right, bytes.
const SENTENCE: usize = 16;

/// Checks that `answer` is a problem of `status`; answers its code.
pub async fn problem(answer: Response, status: u16, about: &str) -> String {
    assert_eq!(answer.status(), StatusCode::from_u16(status).expect("a status"), "{about}: {answer:?}");
    let kind = answer.headers().get("content-type").and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let text = answer.text().await.expect("the answer is whole");
    assert_eq!(kind, "application/problem+json", "{about}: {text}");
    told(&text, status, about)
}

/// Checks the body of a problem; answers its code.
pub fn told(text: &str, status: u16, about: &str) -> String {
    let problem: Value = serde_json::from_str(text).unwrap_or_else(|e| panic!("{about}: no JSON ({e}): {text}"));
    assert_eq!(problem["status"], status, "{about}");
    let detail = problem["detail"].as_str().unwrap_or_default();
    assert!(detail.len() >= SENTENCE, "{about}: {problem}");
    problem["code"].as_str().unwrap_or_else(|| panic!("{about}: {problem}")).to_owned()
}
