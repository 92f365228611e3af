//! Certificates and keys, read from all sources at one moment.

use etcd_errors::Error;
use sha2::{Digest as _, Sha256};

use crate::transport::connect::tls::{pem::Pem, settings::Tls};

/// The contents of the sources of a [`Tls`].
pub(crate) struct Material {
    pub(crate) authorities: Vec<Pem>,
    /// The certificate chain and its private key.
    pub(crate) identity: Option<(Pem, Pem)>,
}

/// A digest of all sources. It detects changes without keeping private keys in memory.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint([u8; 32]);

impl Material {
    pub(crate) fn read(settings: &Tls) -> Result<Self, Error> {
        let authorities = settings.authorities.iter().map(|source| source.read("tls.ca"));
        let identity = match &settings.identity {
            Some((cert, key)) => Some((cert.read("tls.cert")?, key.read("tls.key")?)),
            None => None,
        };
        Ok(Self { authorities: authorities.collect::<Result<_, _>>()?, identity })
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        let identity = self.identity.iter().flat_map(|(cert, key)| [cert, key]);
        let mut digest = Sha256::new();
        for pem in self.authorities.iter().chain(identity) {
            // The length prefix keeps bytes from moving between two files without changing the digest.
            digest.update((pem.bytes().len() as u64).to_le_bytes());
            digest.update(pem.bytes());
        }
        Fingerprint(digest.finalize().into())
    }
}
