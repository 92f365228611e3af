//! Certificates and keys as they were at one moment, all sources together.

use etcd_errors::Error;
use sha2::{Digest as _, Sha256};

use super::{pem::Pem, settings::Tls};

/// What the sources of a [`Tls`] held.
pub(super) struct Material {
    pub(super) authorities: Vec<Pem>,
    /// The certificate chain and its private key.
    pub(super) identity: Option<(Pem, Pem)>,
}

/// Tells one content of all sources from another without keeping it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Fingerprint([u8; 32]);

impl Material {
    pub(super) fn read(settings: &Tls) -> Result<Self, Error> {
        let authorities = settings.authorities.iter().map(|source| source.read("tls.ca"));
        let identity = match &settings.identity {
            Some((cert, key)) => Some((cert.read("tls.cert")?, key.read("tls.key")?)),
            None => None,
        };
        Ok(Self { authorities: authorities.collect::<Result<_, _>>()?, identity })
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        let identity = self.identity.iter().flat_map(|(cert, key)| [cert, key]);
        let mut digest = Sha256::new();
        for pem in self.authorities.iter().chain(identity) {
            digest.update((pem.bytes().len() as u64).to_le_bytes());
            digest.update(pem.bytes());
        }
        Fingerprint(digest.finalize().into())
    }
}
