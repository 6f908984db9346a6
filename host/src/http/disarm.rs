//! CSV that no spreadsheet runs: a text that would be taken for a formula gets a quote before it.

/// Reads ClickHouse's CSV, where every text stands in double quotes, piece by piece.
#[derive(Default)]
pub struct Disarm(At);

/// Where in a cell the next byte stands.
#[derive(Clone, Copy, Default)]
enum At {
    #[default]
    Begin,
    /// After the quote that opens a text.
    Opened,
    Text,
    /// After a quote within a text: its end, or the first half of a quote.
    Quote,
    /// In a number.
    Plain,
}

impl Disarm {
    /// The next piece, disarmed.
    pub fn next(&mut self, piece: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(piece.len() + 64);
        for &byte in piece {
            self.0 = match (self.0, byte) {
                (At::Begin, b'"') => At::Opened,
                (At::Opened | At::Text, b'"') => At::Quote,
                (At::Quote, b'"') | (At::Text, _) => At::Text,
                (At::Opened, _) => {
                    if matches!(byte, b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r') {
                        out.push(b'\'');
                    }
                    At::Text
                }
                (_, b',' | b'\n') => At::Begin,
                (At::Begin | At::Quote | At::Plain, _) => At::Plain,
            };
            out.push(byte);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_disarmed_however_the_rows_are_cut() {
        let rows = b"\"a\",\"n\"\n\"=1+1\",-5\n\"\"\"=1\",\\N\n\"a,\n\"\"=\",\"\"\n\"@x\",1.5\n";
        let wanted = "\"a\",\"n\"\n\"'=1+1\",-5\n\"\"\"=1\",\\N\n\"a,\n\"\"=\",\"\"\n\"'@x\",1.5\n";
        for cut in 0..rows.len() {
            let mut csv = Disarm::default();
            let out = [csv.next(&rows[..cut]), csv.next(&rows[cut..])].concat();
            assert_eq!(String::from_utf8_lossy(&out), wanted, "cut at {cut}");
        }
    }
}
