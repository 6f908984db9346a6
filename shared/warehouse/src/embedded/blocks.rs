//! Answers that come block by block: libchdb formats each block alone, so a format's header stands before every one.

/// Formats whose blocks may be strung together once repeated headers are cut.
pub const STREAMED: [&str; 9] = [
    "RowBinary",
    "RowBinaryWithNamesAndTypes",
    "JSONEachRow",
    "JSONCompactEachRow",
    "JSONCompactEachRowWithNamesAndTypes",
    "TabSeparated",
    "TabSeparatedWithNames",
    "CSV",
    "CSVWithNames",
];

/// How many bytes of a block are the header; none for formats without one.
fn header_length(format: &str, block: &[u8]) -> usize {
    let lines = |count: usize| block.iter().enumerate().filter(|(_, b)| **b == b'\n').nth(count - 1).map_or(block.len(), |(at, _)| at + 1);
    match format {
        "CSVWithNames" | "TabSeparatedWithNames" => lines(1),
        "JSONCompactEachRowWithNamesAndTypes" => lines(2),
        "RowBinaryWithNamesAndTypes" => names_and_types(block).unwrap_or(0),
        _ => 0,
    }
}

/// The header of `RowBinaryWithNamesAndTypes`: a count, then as many names, then as many types, each with its length.
fn names_and_types(block: &[u8]) -> Option<usize> {
    let mut at = 0;
    let columns = varint(block, &mut at)?;
    for _ in 0..columns * 2 {
        let length = varint(block, &mut at)?;
        at = at.checked_add(length)?;
    }
    (at <= block.len()).then_some(at)
}

/// An unsigned LEB128 number.
fn varint(bytes: &[u8], at: &mut usize) -> Option<usize> {
    let mut value = 0;
    for shift in (0..63).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at += 1;
        value |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Strings blocks together: the first keeps its header, the others lose theirs.
#[derive(Default)]
pub struct Joined {
    header: Option<usize>,
}

impl Joined {
    /// The bytes of the next block that belong to the answer.
    pub fn next<'b>(&mut self, format: &str, block: &'b [u8]) -> &'b [u8] {
        match self.header {
            None => {
                self.header = Some(header_length(format, block));
                block
            }
            Some(header) => &block[header.min(block.len())..],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_header_stays() {
        let mut joined = Joined::default();
        assert_eq!(joined.next("CSVWithNames", b"\"a\"\n1\n"), b"\"a\"\n1\n");
        assert_eq!(joined.next("CSVWithNames", b"\"a\"\n2\n"), b"2\n");
        let mut joined = Joined::default();
        let block = b"\x01\x01n\x05UInt8\x07";
        assert_eq!(joined.next("RowBinaryWithNamesAndTypes", block), block);
        assert_eq!(joined.next("RowBinaryWithNamesAndTypes", block), b"\x07");
        let mut joined = Joined::default();
        assert_eq!(joined.next("JSONEachRow", b"{}\n"), b"{}\n");
        assert_eq!(joined.next("JSONEachRow", b"{}\n"), b"{}\n");
    }

    #[test]
    fn a_broken_header_cuts_nothing() {
        assert_eq!(header_length("RowBinaryWithNamesAndTypes", b"\xff"), 0);
    }
}
