//! Migrations are files of statements, applied once and never changed afterwards.

use sha2::{Digest, Sha256};

/// SHA-256 of a file, hexadecimal: by it a file that was changed after it was applied is told. Line ends are made equal
/// first, so that a checkout on another system is the same.
pub fn checksum(text: &str) -> String {
    Sha256::digest(text.replace("\r\n", "\n")).iter().fold(String::with_capacity(64), |hex, byte| hex + &format!("{byte:02x}"))
}

/// The statements of a file: comment lines (`--`) left out, each ends with `;` at the end of a line.
pub fn statements(text: &str) -> Vec<String> {
    let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("--")).collect();
    code.join("\n").split(";\n").map(|s| s.trim().trim_end_matches(';').to_owned()).filter(|s| !s.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_end_with_their_line() {
        let text = "-- about\nCREATE TABLE a\n(b text);\n  -- more;\nSELECT ';';\nSELECT 2";
        assert_eq!(statements(text), ["CREATE TABLE a\n(b text)", "SELECT ';'", "SELECT 2"]);
        assert_eq!(statements("-- nothing\n\n"), [""; 0]);
    }

    #[test]
    fn a_checksum_is_that_of_sha256sum() {
        assert_eq!(checksum("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(checksum("a\r\nb\r\n"), checksum("a\nb\n"));
    }
}
