//! Uploads in parts: each part is a file until the upload is completed, and then they are joined.

use std::{
    io::{Read as _, Write as _},
    path::PathBuf,
};

use s3s::{
    S3Error, S3ErrorCode, S3Result,
    crypto::{Checksum as _, Md5},
    dto::{
        AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput, CompleteMultipartUploadOutput,
        CreateMultipartUploadInput, CreateMultipartUploadOutput, ETag, UploadPartInput, UploadPartOutput,
    },
    s3_error,
};
use uuid::Uuid;

use super::{Bucket, check_key, condition, hex};
use crate::{
    ObjectError,
    embedded::{
        files,
        index::{Index, Upload, Written},
    },
};

impl Bucket {
    fn part_path(&self, upload: &str, part: i32) -> PathBuf {
        self.index.files.incoming().with_file_name(format!("{upload}.{part}"))
    }

    async fn upload(&self, id: String) -> S3Result<Upload> {
        self.run(move |index| Ok(index.upload(&id)?)).await?.ok_or_else(|| s3_error!(NoSuchUpload))
    }

    pub(super) async fn create_upload(&self, input: CreateMultipartUploadInput) -> S3Result<CreateMultipartUploadOutput> {
        self.check(&input.bucket)?;
        check_key(&input.key)?;
        let id = Uuid::new_v4().simple().to_string();
        let upload =
            Upload { key: input.key.clone(), content_type: input.content_type, metadata: input.metadata.into_iter().flatten().collect() };
        let named = id.clone();
        self.run(move |index| Ok(index.begin_upload(&named, &upload)?)).await?;
        Ok(CreateMultipartUploadOutput { bucket: Some(input.bucket), key: Some(input.key), upload_id: Some(id), ..Default::default() })
    }

    pub(super) async fn take_part(&self, input: UploadPartInput) -> S3Result<UploadPartOutput> {
        self.check(&input.bucket)?;
        if !(1..=10_000).contains(&input.part_number) {
            return Err(s3_error!(InvalidArgument, "a part has a number from 1 to 10000"));
        }
        self.upload(input.upload_id.clone()).await?;
        let body = input.body.ok_or_else(|| s3_error!(IncompleteBody))?;
        let (file, _, md5) = self.take(body, input.content_md5).await?;
        let part = self.part_path(&input.upload_id, input.part_number);
        tokio::fs::rename(&file, &part).await.map_err(|e| S3Error::with_message(S3ErrorCode::InternalError, e.to_string()))?;
        Ok(UploadPartOutput { e_tag: Some(ETag::Strong(hex(&md5))), ..Default::default() })
    }

    pub(super) async fn complete_upload(&self, input: CompleteMultipartUploadInput) -> S3Result<CompleteMultipartUploadOutput> {
        self.check(&input.bucket)?;
        let upload = self.upload(input.upload_id.clone()).await?;
        if upload.key != input.key {
            return Err(s3_error!(NoSuchUpload));
        }
        let condition = condition(input.if_match.as_ref(), input.if_none_match.as_ref())?;
        let mut parts = Vec::new();
        for part in input.multipart_upload.and_then(|u| u.parts).into_iter().flatten() {
            let number = part.part_number.ok_or_else(|| s3_error!(InvalidPart))?;
            if parts.last().is_some_and(|(last, _)| *last >= number) {
                return Err(s3_error!(InvalidPartOrder));
            }
            parts.push((number, self.part_path(&input.upload_id, number)));
        }
        if parts.is_empty() {
            return Err(s3_error!(InvalidPart, "an upload has at least one part"));
        }
        let paths: Vec<PathBuf> = parts.into_iter().map(|(_, path)| path).collect();
        let joined = paths.clone();
        let (file, size, etag) = self.run(move |index| join(index, &joined)).await?;
        let written = Written { file, size, etag, content_type: upload.content_type, metadata: upload.metadata };
        let entry = self.stand(upload.key, condition, written).await?;
        let id = input.upload_id;
        self.run(move |index| {
            paths.iter().for_each(|path| drop(std::fs::remove_file(path)));
            Ok(index.end_upload(&id)?)
        })
        .await?;
        Ok(CompleteMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(entry.key),
            e_tag: Some(ETag::Strong(entry.etag)),
            ..Default::default()
        })
    }

    pub(super) async fn abort_upload(&self, input: AbortMultipartUploadInput) -> S3Result<AbortMultipartUploadOutput> {
        self.check(&input.bucket)?;
        let id = input.upload_id;
        self.upload(id.clone()).await?;
        let prefix = format!("{id}.");
        self.run(move |index| {
            let folder = index.files.incoming().with_file_name("");
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                if entry.file_name().to_string_lossy().starts_with(&prefix) {
                    drop(std::fs::remove_file(entry.path()));
                }
            }
            Ok(index.end_upload(&id)?)
        })
        .await?;
        Ok(AbortMultipartUploadOutput::default())
    }
}

/// Parts one after the other into a new file, synced. The `ETag` is S3's: the MD5 of the parts' MD5s, and their number.
fn join(index: &Index, parts: &[PathBuf]) -> Result<(PathBuf, u64, String), ObjectError> {
    let path = index.files.incoming();
    let failed = |e: std::io::Error| ObjectError::from(clickstream_sqlite::Failure::of_io("an upload", &e));
    let mut file = files::create(&path).map_err(failed)?;
    let mut all = Md5::new();
    let mut size = 0;
    let mut buffer = vec![0; 256 << 10];
    for part in parts {
        let mut source = std::fs::File::open(part).map_err(|_| ObjectError::Refused("a part that was not uploaded".to_owned()))?;
        let mut md5 = Md5::new();
        loop {
            let read = source.read(&mut buffer).map_err(failed)?;
            if read == 0 {
                break;
            }
            md5.update(&buffer[..read]);
            file.write_all(&buffer[..read]).map_err(failed)?;
            size += read as u64;
        }
        all.update(&md5.finalize());
    }
    file.sync_all().map_err(failed)?;
    Ok((path, size, format!("{}-{}", hex(&all.finalize()), parts.len())))
}
