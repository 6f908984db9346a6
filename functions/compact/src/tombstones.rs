//! Tombstones of the bucket as compaction asks for them.

use std::sync::Arc;

use async_trait::async_trait;
use clickstream_erasure::{Erased, Tombstones, Whose};

use crate::{Forgets, ForgetsError, Forgotten, Who};

impl Forgotten for Erased {
    fn concerns(&self, site_id: &str) -> bool {
        Self::concerns(self, site_id)
    }

    fn drops(&self, who: &Who<'_>) -> bool {
        self.erases_what(&Whose {
            site: who.site_id,
            user: who.user_id,
            anonymous: who.anonymous_id,
            received_at: who.received_at,
            original_at: who.original_at,
        })
    }
}

#[async_trait]
impl Forgets for Tombstones {
    async fn current(&self) -> Result<Arc<dyn Forgotten>, ForgetsError> {
        Ok(self.fresh().await?)
    }
}
