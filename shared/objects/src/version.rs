//! Versions of an object, where the bucket keeps them.

/// One version, or a marker that says the object was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The object's key.
    pub key: String,
    /// The version's name; `null` for an object of before the bucket kept versions.
    pub version_id: String,
    /// Bytes.
    pub size: u64,
    /// It is what stands under the key, or, as a marker, why nothing does.
    pub is_latest: bool,
    /// It has no bytes: the object was removed.
    pub is_marker: bool,
}

/// Where a page of versions ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionCursor {
    /// The key.
    pub key: String,
    /// The version of it.
    pub version_id: Option<String>,
}

/// Some versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VersionPage {
    /// In the order of their keys.
    pub versions: Vec<Version>,
    /// Where the next page begins; none at the end.
    pub next: Option<VersionCursor>,
}
