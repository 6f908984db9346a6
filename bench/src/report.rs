//! Rows of the table, and numbers as people read them.

use hdrhistogram::Histogram;

/// One row on standard output.
pub fn row(what: &str, figure: &str) {
    println!("| {what} | {figure} |");
}

/// `1234567` as `1,234,567`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let head = digits.len() % 3;
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && at % 3 == head {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Quantiles of a histogram of µs, in ms.
pub fn milliseconds(times: &Histogram<u64>, quantiles: &[f64]) -> String {
    let of = |micros: u64| format!("{:.1} ms", micros as f64 / 1e3);
    named(times, quantiles, of)
}

/// Quantiles of a histogram of µs, in s.
pub fn seconds(times: &Histogram<u64>, quantiles: &[f64]) -> String {
    let of = |micros: u64| format!("{:.2} s", micros as f64 / 1e6);
    named(times, quantiles, of)
}

fn named(times: &Histogram<u64>, quantiles: &[f64], of: impl Fn(u64) -> String) -> String {
    let mut parts: Vec<String> = quantiles.iter().map(|q| format!("p{} {}", q * 100.0, of(times.value_at_quantile(*q)))).collect();
    parts.push(format!("max {}", of(times.max())));
    parts.join(", ")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_cut_into_thousands() {
        let cut: Vec<String> = [0, 999, 1_000, 12_345, 1_234_567].into_iter().map(thousands).collect();
        assert_eq!(cut, ["0", "999", "1,000", "12,345", "1,234,567"]);
    }

    #[test]
    fn quantiles_are_named() {
        let mut times = Histogram::new(3).unwrap();
        (1..=1_000_u64).for_each(|ms| times.record(ms * 1_000).unwrap());
        let text = milliseconds(&times, &[0.5, 0.999]);
        assert!(text.starts_with("p50 500.") && text.contains(", p99.9 999.") && text.contains(", max 1000."), "{text}");
    }
}
