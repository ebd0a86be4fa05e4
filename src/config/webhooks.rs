//! The settings of webhooks, and of what is kept of events.

use ipnet::IpNet;

use super::vars::{Vars, networks, or_off, within};
use super::{NETWORKS, RETENTION};
use crate::encryption::EncryptionKeys;
use crate::webhooks::authorities::Authorities;

const AUTHORITIES: &str = "the path of a file with certificates in PEM that can be read";
const KEYS: &str = "keys of 32 bytes in base64, separated by commas (openssl rand -base64 32)";

/// Where webhooks may go, and what is kept of them.
#[derive(Debug, Clone)]
pub struct WebhookConfig {
    /// Whether events are sent to `http://` addresses too.
    pub allow_http: bool,
    /// Networks that events are sent to although they are not public.
    pub allow_networks: Vec<IpNet>,
    /// Who may sign receivers' certificates, beside whom the system trusts.
    pub authorities: Authorities,
    /// What secrets are encrypted with; the first encrypts, all decrypt.
    pub keys: EncryptionKeys,
    /// Days after which it is forgotten what became of an event; `None`: never.
    pub delivery_retention_days: Option<u32>,
    /// Days after which an event is forgotten; `None`: never.
    pub event_retention_days: Option<u32>,
}

impl WebhookConfig {
    pub(super) fn take(vars: &mut Vars) -> Result<Self, String> {
        let days = || or_off(within(1..=36_500));
        Ok(Self {
            allow_http: vars.switch("HANDBILL_WEBHOOKS_ALLOW_HTTP")?,
            allow_networks: vars
                .take("HANDBILL_WEBHOOKS_ALLOW_NETWORKS", NETWORKS, networks)?
                .unwrap_or_default(),
            authorities: vars
                .take(
                    "HANDBILL_WEBHOOKS_CA_FILE",
                    AUTHORITIES,
                    Authorities::in_file,
                )?
                .unwrap_or_default(),
            keys: vars
                .take("HANDBILL_ENCRYPTION_KEYS", KEYS, EncryptionKeys::parse)?
                .unwrap_or_default(),
            delivery_retention_days: vars
                .take("HANDBILL_DELIVERY_RETENTION_DAYS", RETENTION, days())?
                .unwrap_or(Some(30)),
            event_retention_days: vars
                .take("HANDBILL_EVENT_RETENTION_DAYS", RETENTION, days())?
                .unwrap_or(None),
        })
    }
}
