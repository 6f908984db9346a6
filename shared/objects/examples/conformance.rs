//! Holds a bucket to what this service needs of one: `OBJECTS_URL='s3://BUCKET?endpoint=http://HOST:PORT' conformance`.
//! The bucket is made if it is missing; what the suite writes is under `check/`. It panics at the first thing that is amiss.

use clickstream_objects::{
    conformance,
    s3::{S3Config, S3Objects},
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::var("OBJECTS_URL").map_err(|_| "OBJECTS_URL is not set: s3://BUCKET?endpoint=http://HOST:PORT names the bucket")?;
    let objects = S3Objects::connect(&S3Config::from_url(&url)?).await;
    objects.make_bucket().await?;
    conformance::all(&objects).await;
    println!("{url} does what this service needs of a bucket");
    Ok(())
}
