//! Encrypted connections. Certificates are always verified.

use std::{path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};

use super::config::Tls;
use crate::StoreError;

/// The client's side; none where connections are not encrypted.
pub(super) fn client(tls: &Tls) -> Result<Option<Arc<ClientConfig>>, StoreError> {
    let roots = match tls {
        Tls::Off => return Ok(None),
        Tls::System => system()?,
        Tls::Authority(path) => authority(path)?,
    };
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| StoreError::Setting(format!("TLS cannot be set up: {e}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Some(Arc::new(config)))
}

fn system() -> Result<RootCertStore, StoreError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(StoreError::Setting(
            "STORE_URL says tls=system and the operating system trusts no authority: install ca-certificates, or name a PEM file by tls=/PATH"
                .to_owned(),
        ));
    }
    Ok(roots)
}

fn authority(path: &Path) -> Result<RootCertStore, StoreError> {
    let unusable =
        |why: String| StoreError::Setting(format!("STORE_URL says tls={} and that is no certificate in PEM: {why}", path.display()));
    let certificates = CertificateDer::pem_file_iter(path).map_err(|e| unusable(e.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add(certificate.map_err(|e| unusable(e.to_string()))?).map_err(|e| unusable(e.to_string()))?;
    }
    if roots.is_empty() {
        return Err(unusable("it has none".to_owned()));
    }
    Ok(roots)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificate_is_named() {
        assert!(client(&Tls::Off).unwrap().is_none());
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty.pem");
        std::fs::write(&empty, "no certificate").unwrap();
        for path in [empty, folder.path().join("missing.pem")] {
            let StoreError::Setting(text) = client(&Tls::Authority(path.clone())).unwrap_err() else { panic!() };
            assert!(text.contains("STORE_URL") && text.contains(&path.display().to_string()), "{text}");
        }
    }
}
