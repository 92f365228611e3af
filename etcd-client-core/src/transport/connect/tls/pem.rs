//! PEM from files and memory. Reading leaves no copies of private keys behind.

use std::{fmt, fs::File, io::Read as _, path::PathBuf, sync::Arc};

use etcd_errors::Error;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use zeroize::Zeroizing;

/// The maximum size of a PEM file. The root certificates of an operating system take a quarter of a megabyte.
const MOST_BYTES: u64 = 4 << 20;

/// A source of PEM. Memory is read once, a file at each handshake.
#[derive(Clone)]
pub(crate) enum Source {
    File(PathBuf),
    Memory(Arc<Zeroizing<Vec<u8>>>),
}

/// The contents of a source at the time of reading.
pub(crate) struct Pem {
    field: &'static str,
    name: String,
    bytes: Arc<Zeroizing<Vec<u8>>>,
}

impl Source {
    pub(crate) fn memory(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Memory(Arc::new(Zeroizing::new(bytes.into())))
    }

    pub(crate) fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }

    /// Reads the source. `field` is the setting that errors refer to.
    pub(crate) fn read(&self, field: &'static str) -> Result<Pem, Error> {
        let bytes = match self {
            Self::Memory(bytes) => Arc::clone(bytes),
            Self::File(path) => Arc::new(read(path).map_err(|error| {
                let text = format!("cannot read {}", path.display());
                Error::invalid_config(field, text).with_source(error)
            })?),
        };
        Ok(Pem { field, name: self.to_string(), bytes })
    }
}

fn read(path: &PathBuf) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    // Checked before reading, so that a wrong path does not read a huge file.
    if length > MOST_BYTES {
        return Err(std::io::Error::other(format!(
            "the file has {length} bytes; PEM files are limited to {MOST_BYTES}"
        )));
    }
    // Allocated at full size, because a growing buffer leaves parts of a key in freed memory. The extra byte
    // lets the final, empty read happen without growing.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(length).unwrap_or_default() + 1));
    file.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Memory(_) => f.write_str("the in-memory PEM"),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Pem {
    /// Returns all certificates. There is at least one.
    pub(crate) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, Error> {
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.bytes).collect();
        match read {
            Ok(certificates) if certificates.is_empty() => {
                Err(self.wrong("contains no certificate (-----BEGIN CERTIFICATE-----)"))
            }
            Ok(certificates) => Ok(certificates),
            Err(_) => {
                Err(self.wrong("is not valid PEM: a section has no end line, or its base64 is invalid"))
            }
        }
    }

    /// Returns the first private key, in PKCS #8, SEC1 or PKCS #1 form.
    pub(crate) fn private_key(&self) -> Result<PrivateKeyDer<'static>, Error> {
        PrivateKeyDer::from_pem_slice(&self.bytes).map_err(|error| match error {
            rustls::pki_types::pem::Error::NoItemsFound if self.holds(b"BEGIN ENCRYPTED PRIVATE KEY") => {
                self.wrong("contains an encrypted private key: decrypt it first")
            }
            rustls::pki_types::pem::Error::NoItemsFound => {
                self.wrong("contains no private key (PKCS #8, SEC1 or PKCS #1)")
            }
            _ => self.wrong("is not valid PEM: a section has no end line, or its base64 is invalid"),
        })
    }

    /// Returns an error about this source. `what` completes a sentence that begins with its name.
    pub(crate) fn wrong(&self, what: &str) -> Error {
        Error::invalid_config(self.field, format!("{} {what}", self.name))
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn holds(&self, text: &[u8]) -> bool {
        self.bytes.windows(text.len()).any(|window| window == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_private_key_is_found_among_other_things() {
        let read = |label: &str| {
            let other = "Bag Attributes\n-----BEGIN EC PARAMETERS-----\nAAAA\n-----END EC PARAMETERS-----\n";
            let pem = format!("{other}-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
            Source::memory(pem).read("tls.key").and_then(|pem| pem.private_key())
        };
        assert!(matches!(read("PRIVATE KEY"), Ok(PrivateKeyDer::Pkcs8(_))));
        assert!(matches!(read("EC PRIVATE KEY"), Ok(PrivateKeyDer::Sec1(_))));
        assert!(matches!(read("RSA PRIVATE KEY"), Ok(PrivateKeyDer::Pkcs1(_))));
        assert!(read("PUBLIC KEY").expect_err("public").message().contains("no private key"));
    }

    #[test]
    fn a_file_that_is_no_pem_is_not_read_to_its_end() {
        let name = format!("etcd-client-large-{}-{}.pem", std::process::id(), fastrand::u64(..));
        let path = std::env::temp_dir().join(name);
        let file = File::create_new(&path).expect("created");
        file.set_len(MOST_BYTES + 1).expect("a hole");
        let error = Source::File(path.clone()).read("tls.ca").err().expect("too large");
        std::fs::remove_file(path).expect("removed");
        assert_eq!(error.field(), Some("tls.ca"));
        assert!(error.report().to_string().contains("limited to 4194304"), "{}", error.report());
    }
}
