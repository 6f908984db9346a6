//! What one file may hold.

/// Limits of a file.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes decompressed.
    pub max_decompressed_bytes: u64,
    /// Times by which a file may grow when decompressed, past its first 64 MiB.
    pub max_ratio: u64,
    /// Rejected lines that the receipt itself lists; the rest go into a companion object.
    pub listed_lines: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_decompressed_bytes: 100 << 30, max_ratio: 200, listed_lines: 1_000 }
    }
}
