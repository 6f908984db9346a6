//! A lake on whose writes something happens just before: another writer comes first, or the process dies.

use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use clickstream_lake::Lake;
use futures::{future::BoxFuture, stream::BoxStream};
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result, memory::InMemory, path::Path,
};

/// What happens before the next commit is written; false ends it there.
pub type Interlude = BoxFuture<'static, bool>;

/// A bucket that lets something happen before the next commit.
pub struct Between {
    inner: Arc<dyn ObjectStore>,
    then: Mutex<Option<Interlude>>,
    /// Commits are written twice, as by a client that got no answer to the first.
    pub repeats: AtomicBool,
}

impl Between {
    /// A lake in memory, seen through a bucket that lets things happen, and directly.
    pub async fn lakes() -> (Arc<Self>, Arc<Lake>, Arc<Lake>) {
        let inner: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let between = Arc::new(Self { inner: Arc::clone(&inner), then: Mutex::new(None), repeats: AtomicBool::new(false) });
        let direct = Lake::open_on(inner, "b").await.unwrap();
        let through = Lake::open_on(Arc::clone(&between) as Arc<dyn ObjectStore>, "b").await.unwrap();
        (between, Arc::new(through), Arc::new(direct))
    }

    /// Lets this happen before the next commit.
    pub fn before_commit(&self, happens: impl Future<Output = bool> + Send + 'static) {
        *self.then.lock().unwrap() = Some(Box::pin(happens));
    }
}

impl fmt::Debug for Between {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Between")
    }
}

impl fmt::Display for Between {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Between")
    }
}

#[async_trait]
impl ObjectStore for Between {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        if location.extension() != Some("json") {
            return self.inner.put_opts(location, payload, opts).await;
        }
        let then = self.then.lock().unwrap().take();
        if let Some(then) = then
            && !then.await
        {
            return Err(object_store::Error::Generic { store: "Between", source: "the process died".into() });
        }
        if self.repeats.load(Ordering::SeqCst) {
            self.inner.put_opts(location, payload.clone(), opts.clone()).await?;
        }
        self.inner.put_opts(location, payload, opts).await
    }

    async fn put_multipart_opts(&self, location: &Path, opts: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, opts).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
