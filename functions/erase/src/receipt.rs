//! What was removed where, signed.

use std::collections::BTreeMap;

use clickstream_erasure::{ErasureError, ErasureKey, Kind};
use clickstream_event::Micros;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{EraseError, Erasure};

/// How much was removed of each store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Removed {
    /// Events of the event store.
    pub stored_events: u64,
    /// Rejected records of the event store.
    pub rejections: u64,
    /// Rows of raw objects, which are dead letters now.
    pub raw_rows: u64,
    /// Rows of the lake.
    pub lake_rows: u64,
    /// Events of ClickHouse that settling the lake's version did not take out already, such as fresh ones.
    pub warehouse_events: u64,
    /// Records that waited in `spill/`.
    pub spilled_records: u64,
    /// Files of the inbox and of the quarantine, whole.
    pub files: u64,
    /// Rejected lines that were listed in receipts of files.
    pub receipt_lines: u64,
    /// Older versions of objects.
    pub versions: u64,
}

/// An object that was left as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Left {
    /// Its key.
    pub key: String,
    /// Why.
    pub why: String,
}

/// Whom an erasure was about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Hashed {
    /// `user` or `anonymous`.
    pub kind: String,
    /// HMAC-SHA256 of the id with the erasure key.
    pub hash: String,
}

/// The receipt of an erasure. It names nobody: whoever has the key can tell whether an id is meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ErasureReceipt)]
pub struct Receipt {
    /// The erasure.
    pub erasure_id: Uuid,
    /// The site.
    pub site_id: String,
    /// What was received or happened until then is erased.
    pub erased_at: Micros,
    /// When the last store was gone through.
    pub finished_at: Micros,
    /// Who.
    pub persons: Vec<Hashed>,
    /// How much was removed of each store.
    pub removed: Removed,
    /// The lake's version without the rows.
    pub lake_version: u64,
    /// Objects that were written anew.
    pub rewritten: Vec<String>,
    /// Objects that were removed.
    pub deleted: Vec<String>,
    /// What could not be looked through or removed, and why.
    pub left: Vec<Left>,
    /// The days (UTC) by which the rest ends by itself: topics of the log.
    pub ends: BTreeMap<String, String>,
    /// How often a run was cut off within a step: where it was, `removed` may count less than went.
    pub cut_off: u32,
    /// The version of this program.
    pub program: String,
}

/// A receipt with its signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignedReceipt {
    /// The receipt.
    #[serde(flatten)]
    pub receipt: Receipt,
    /// HMAC-SHA256, hexadecimal, with the erasure key, of the receipt's JSON up to this field.
    pub signature: String,
}

/// What stands between the receipt and its signature.
const SIGNATURE: &str = ",\"signature\":\"";

impl Receipt {
    /// The receipt of an erasure whose every step is done.
    pub(crate) fn of(erasure: &Erasure, ends: BTreeMap<String, String>) -> Self {
        let kind = |kind: Kind| kind.as_str().to_owned();
        Self {
            erasure_id: erasure.erasure_id,
            site_id: erasure.site_id.clone(),
            erased_at: erasure.erased_at,
            finished_at: Micros::now(),
            persons: erasure.hashes().map(|(of, hash)| Hashed { kind: kind(of), hash: hash.to_owned() }).collect(),
            removed: erasure.removed.clone(),
            lake_version: erasure.lake_version,
            rewritten: erasure.rewritten.iter().cloned().collect(),
            deleted: erasure.deleted.iter().cloned().collect(),
            left: erasure.left.clone(),
            ends,
            cut_off: erasure.cut_off,
            program: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// The receipt's text: JSON on one line that ends in its signature.
    pub(crate) fn signed(&self, key: &ErasureKey) -> Result<String, EraseError> {
        let wrong = |e: serde_json::Error| ErasureError::Damaged { key: "receipt".to_owned(), why: e.to_string() };
        let body = serde_json::to_string(self).map_err(wrong)?;
        // The brace that closes it comes after the signature.
        let signed = &body[..body.len() - 1];
        Ok(format!("{signed}{SIGNATURE}{}\"}}", key.sign(signed.as_bytes())))
    }
}

impl SignedReceipt {
    /// True if `text` is a receipt as it was signed with `key`.
    pub fn verifies(text: &str, key: &ErasureKey) -> bool {
        let signature = text.trim().rsplit_once(SIGNATURE).and_then(|(signed, rest)| Some((signed, rest.strip_suffix("\"}")?)));
        signature.is_some_and(|(signed, signature)| key.verifies(signed.as_bytes(), signature))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_that_was_changed_does_not_verify() {
        let receipt = Receipt {
            erasure_id: Uuid::nil(),
            site_id: "shop".to_owned(),
            erased_at: Micros(1),
            finished_at: Micros(2),
            persons: vec![Hashed { kind: "user".to_owned(), hash: "00".to_owned() }],
            removed: Removed { raw_rows: 3, ..Removed::default() },
            lake_version: 7,
            rewritten: vec!["raw/a".to_owned()],
            deleted: Vec::new(),
            left: Vec::new(),
            ends: BTreeMap::new(),
            cut_off: 0,
            program: "0".to_owned(),
        };
        let (key, other) = (ErasureKey::new(b"one"), ErasureKey::new(b"two"));
        let text = receipt.signed(&key).unwrap();
        assert!(SignedReceipt::verifies(&format!("{text}\n"), &key) && !SignedReceipt::verifies(&text, &other));
        assert!(!SignedReceipt::verifies(&text.replace("\"raw_rows\":3", "\"raw_rows\":4"), &key));
        assert!(!SignedReceipt::verifies("{}", &key));
        assert_eq!(serde_json::from_str::<SignedReceipt>(&text).unwrap().receipt, receipt);
    }
}
