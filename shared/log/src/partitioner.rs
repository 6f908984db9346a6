//! Which partition a key belongs to, as Kafka's own clients compute it.

/// The partition of `key` among `partitions`: murmur2 with Kafka's seed, the sign cleared, modulo.
/// librdkafka calls it `murmur2_random`, the Java client uses it by default; a producer on Kafka
/// therefore puts the same key into the same partition.
///
/// # Panics
/// If `partitions` is 0.
pub fn partition_for(key: &[u8], partitions: u32) -> u32 {
    (murmur2(key) & 0x7fff_ffff) % partitions
}

/// 32-bit `MurmurHash2` by Austin Appleby (public domain), with the seed that Kafka uses.
fn murmur2(data: &[u8]) -> u32 {
    const SEED: u32 = 0x9747_b28c;
    const M: u32 = 0x5bd1_e995;

    let mut hash = SEED ^ (data.len() as u32);
    let (words, rest) = data.as_chunks::<4>();
    for word in words {
        let mut k = u32::from_le_bytes(*word).wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    if !rest.is_empty() {
        let mut last = [0; 4];
        last[..rest.len()].copy_from_slice(rest);
        hash = (hash ^ u32::from_le_bytes(last)).wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values that Kafka's own tests hold (`UtilsTest.testMurmur2`).
    #[test]
    fn murmur2_gives_the_values_that_kafka_publishes() {
        let known = [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ];
        for (key, hash) in known {
            assert_eq!(murmur2(key.as_bytes()).cast_signed(), hash, "{key}");
        }
    }

    #[test]
    fn keys_spread_evenly_and_stay_in_range() {
        let mut counts = [0_u32; 7];
        for i in 0..7_000 {
            counts[partition_for(format!("demo:{i}").as_bytes(), 7) as usize] += 1;
        }
        assert!(counts.iter().all(|c| (850..1150).contains(c)), "{counts:?}");
        assert!(partition_for(b"", 3) < 3);
    }
}
