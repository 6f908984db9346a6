//! Offsets of a partition that were taken: an offset that comes again in another object is the same record.

/// A set of offsets from one on, a bit each.
#[derive(Debug)]
pub struct Offsets {
    from: u64,
    bits: Vec<u64>,
}

impl Offsets {
    /// None yet; all that come are at or past `from`.
    pub fn from(from: u64) -> Self {
        Self { from, bits: Vec::new() }
    }

    /// Takes an offset; false if it was taken before or lies before the first.
    pub fn take(&mut self, offset: u64) -> bool {
        let Some(place) = offset.checked_sub(self.from) else { return false };
        let (word, bit) = ((place / 64) as usize, 1 << (place % 64));
        if word >= self.bits.len() {
            self.bits.resize(word + 1, 0);
        }
        let new = self.bits[word] & bit == 0;
        self.bits[word] |= bit;
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_taken_once() {
        let mut offsets = Offsets::from(7);
        assert_eq!([7, 70, 7, 71, 70, 6].map(|offset| offsets.take(offset)), [true, true, false, true, false, false]);
    }
}
