//! Throw-away certificates: one authority, the servers' certificate for localhost, client certificates by name.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use tempfile::TempDir;

/// The files of a TLS set-up, in PEM; they vanish with the cluster, or with this where there is none.
pub struct Certificates {
    /// The authority's certificate, which clients must trust.
    pub ca: PathBuf,
    /// The certificate of the members, valid for `localhost`, `127.0.0.1` and `::1`.
    pub server: Identity,
    /// The certificate of a client. Its common name is `root` unless
    /// [`Builder::mutual_tls`](crate::Builder::mutual_tls) set another one.
    pub client: Identity,
    dir: PathBuf,
    /// Removes the directory where no cluster does.
    _own_dir: Option<TempDir>,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its private key, in PEM.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Identity {
    /// The certificate.
    pub cert: PathBuf,
    /// The private key, in PKCS #8.
    pub key: PathBuf,
}

impl Certificates {
    /// Creates an authority and the certificates of a server and of a client, without a cluster.
    ///
    /// # Errors
    ///
    /// Returns an error if the files cannot be written.
    pub fn without_cluster(common_name: &str) -> anyhow::Result<Self> {
        let own_dir = tempfile::tempdir().context("creating the directory of certificates")?;
        let created = Self::create(own_dir.path(), common_name)?;
        Ok(Self { _own_dir: Some(own_dir), ..created })
    }

    pub(super) fn create(dir: &Path, common_name: &str) -> anyhow::Result<Self> {
        fs::create_dir_all(dir).context("creating the directory of certificates")?;
        let issuer = authority()?;
        let ca = dir.join("ca.pem");
        fs::write(&ca, issuer.pem()).context("writing ca.pem")?;
        let server = issue(&issuer, server_params()?, dir, "server")?;
        let client = issue(&issuer, client_params(common_name), dir, "client")?;
        Ok(Self { ca, server, client, dir: dir.to_path_buf(), _own_dir: None, issuer })
    }

    /// Issues another client certificate, whose common name is the user it stands for where auth is on.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn issue_client(&self, common_name: &str) -> anyhow::Result<Identity> {
        issue(&self.issuer, client_params(common_name), &self.dir, &format!("client-{common_name}"))
    }

    /// Issues a server's certificate for exactly these names and addresses; `file` names its files.
    ///
    /// # Errors
    /// When a name is none, or the files cannot be written.
    pub fn issue_server(&self, file: &str, names: &[&str]) -> anyhow::Result<Identity> {
        issue(&self.issuer, named_params(names)?, &self.dir, file)
    }

    /// Issues a server's certificate for `localhost` and the loopback addresses that was valid in 2000 only.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn issue_expired_server(&self, file: &str) -> anyhow::Result<Identity> {
        let mut params = server_params()?;
        params.not_before = rcgen::date_time_ymd(2000, 1, 1);
        params.not_after = rcgen::date_time_ymd(2000, 12, 31);
        issue(&self.issuer, params, &self.dir, file)
    }

    /// The directory of all files.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Replaces the certificate and the key of the members in place. etcd reads them at each handshake.
    ///
    /// # Errors
    ///
    /// Returns an error if the files cannot be written.
    pub fn renew_server(&self) -> anyhow::Result<Identity> {
        issue(&self.issuer, server_params()?, &self.dir, "server")
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").field("dir", &self.dir).finish_non_exhaustive()
    }
}

fn authority() -> anyhow::Result<CertifiedIssuer<'static, KeyPair>> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "etcd testkit authority");
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    let key = KeyPair::generate().context("making the authority's key")?;
    CertifiedIssuer::self_signed(params, key).context("signing the authority's certificate")
}

fn server_params() -> anyhow::Result<CertificateParams> {
    named_params(&["localhost", "127.0.0.1", "::1"])
}

fn named_params(names: &[&str]) -> anyhow::Result<CertificateParams> {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).context("naming the server's certificate")?;
    // etcd's JSON gateway is a client of the same server and presents this certificate.
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    // A name here would be taken for the gateway's user.
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "etcd testkit");
    Ok(params)
}

fn client_params(common_name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

fn issue(
    issuer: &CertifiedIssuer<'static, KeyPair>,
    params: CertificateParams,
    dir: &Path,
    name: &str,
) -> anyhow::Result<Identity> {
    let key = KeyPair::generate().with_context(|| format!("making the key of {name}"))?;
    let cert = params.signed_by(&key, issuer).with_context(|| format!("signing {name}"))?;
    let identity = Identity { cert: dir.join(format!("{name}.pem")), key: dir.join(format!("{name}.key")) };
    fs::write(&identity.cert, cert.pem()).with_context(|| format!("writing {name}.pem"))?;
    fs::write(&identity.key, key.serialize_pem()).with_context(|| format!("writing {name}.key"))?;
    Ok(identity)
}
