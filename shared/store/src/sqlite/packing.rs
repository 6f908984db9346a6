//! Compressed, checksummed blobs.

use clickstream_sqlite::Failure;
use zstd::bulk::{Compressor, decompress};

/// No blob holds more, bytes; protects a reader from a damaged length.
const MAX_BYTES: usize = 256 << 20;

/// A blob and the checksum that stands beside it.
#[derive(Debug)]
pub(super) struct Packed {
    pub checksum: u32,
    /// The length before compression (u32, little-endian) and a zstd frame.
    pub data: Vec<u8>,
}

/// Packs `bytes` for the row named `place`.
pub(super) fn pack(place: i64, bytes: &[u8], compressor: &mut Compressor<'_>) -> Result<Packed, Failure> {
    let frame = compressor.compress(bytes).map_err(|e| Failure::of_io("cannot compress", &e))?;
    let data = [&(bytes.len() as u32).to_le_bytes()[..], &frame].concat();
    Ok(Packed { checksum: checksum(place, &data), data })
}

/// The bytes that were packed for `place`, if nothing in them changed.
pub(super) fn unpack(place: i64, packed: &Packed) -> Result<Vec<u8>, Failure> {
    let damaged = |what: &str| Failure::Corrupt(format!("the data of row {place} is damaged: {what}"));
    if checksum(place, &packed.data) != packed.checksum {
        return Err(damaged("its checksum is wrong"));
    }
    let (length, frame) = packed.data.split_first_chunk::<4>().ok_or_else(|| damaged("it is cut"))?;
    let length = u32::from_le_bytes(*length) as usize;
    if length > MAX_BYTES {
        return Err(damaged("it is too long"));
    }
    decompress(frame, length).map_err(|e| damaged(&e.to_string()))
}

/// Covers the row too, so that a blob out of place is noticed.
fn checksum(place: i64, data: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&place.to_le_bytes());
    crc.update(data);
    crc.finalize()
}
