//! Who may sign a receiver's certificate, beside whom the system trusts: an operator's own authority.

use std::fs;

use reqwest::Certificate;

/// Certificates out of a file of the settings.
#[derive(Debug, Clone, Default)]
pub struct Authorities(pub Vec<Certificate>);

impl Authorities {
    /// Reads the certificates in the file at `path`. `None`: it cannot be read, or there are none.
    pub fn in_file(path: &str) -> Option<Self> {
        let certificates = Certificate::from_pem_bundle(&fs::read(path).ok()?).ok()?;
        (!certificates.is_empty()).then_some(Self(certificates))
    }
}
