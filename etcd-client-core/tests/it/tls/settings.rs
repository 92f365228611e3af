//! What `build` refuses about TLS, and what it takes.

use std::{fs, path::PathBuf};

use etcd_client_core::{Client, Error, ErrorKind, Tls, transport::TlsVersion};
use etcd_testkit::Certificates;

const SECURE: [&str; 1] = ["https://127.0.0.1:1"];

/// A client certificate of X.509 version 1, made with `openssl x509 -req` without extensions. Nothing trusts it.
const VERSION_1: &str = "\
-----BEGIN CERTIFICATE-----
MIIBFTCBvQIUEYCBa2lVx1X9TNtWW/b4icK6HQUwCgYIKoZIzj0EAwIwDTELMAkG
A1UEAwwCdjEwIBcNMjYxMTI5MjEyOTUxWhgPMjEyNjExMDUyMTI5NTFaMA0xCzAJ
BgNVBAMMAnYxMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqWfJGHCc85ot18W+
A4CtyfgZlCi5laCqoc+uk0zou+EemupaNOZFrJSIPaNrjDVmBQi8UAFN0SNN9DJ4
bL9D6TAKBggqhkjOPQQDAgNHADBEAiAm5a7M3hVzWaXvrw/YI8WVipHyFdplr885
l1BFD8PEFAIgQuKoDMJ8W9gPkDeTIJL2E23tcjcEJqZIdxWComzAUuo=
-----END CERTIFICATE-----
";

fn built(endpoints: &[&str], tls: Tls) -> Result<(), Error> {
    Client::builder(endpoints).tls(tls).build().map(drop)
}

fn certificates() -> Certificates {
    Certificates::without_cluster("root").expect("written")
}

#[tokio::test]
async fn wrong_files_are_named_with_their_setting() {
    let certificates = certificates();
    let file = |name: &str, content: &str| {
        let path = certificates.dir().join(name);
        fs::write(&path, content).expect("written");
        path
    };
    let good_ca = certificates.ca.clone();
    let (good_cert, good_key) = (certificates.client.cert.clone(), certificates.client.key.clone());
    let missing = certificates.dir().join("missing.pem");
    let empty = file("empty.pem", "");
    let cut = file("cut.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n");
    let noise = file("noise.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let bad_key = file("bad.key", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n");
    let locked = file(
        "locked.key",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
    );
    let version_1 = file("v1.pem", VERSION_1);
    type Row<'a> = (&'a PathBuf, &'a PathBuf, &'a PathBuf, &'a str, &'a str, &'a str);
    let rows: [Row<'_>; 13] = [
        (&missing, &good_cert, &good_key, "tls.ca", "missing.pem", "cannot read"),
        (&empty, &good_cert, &good_key, "tls.ca", "empty.pem", "no certificate"),
        (&cut, &good_cert, &good_key, "tls.ca", "cut.pem", "not valid PEM"),
        (&noise, &good_cert, &good_key, "tls.ca", "noise.pem", "cannot be used as an authority"),
        (&good_ca, &missing, &good_key, "tls.cert", "missing.pem", "cannot read"),
        (&good_ca, &good_key, &good_key, "tls.cert", "client.key", "no certificate"),
        (&good_ca, &noise, &good_key, "tls.cert", "noise.pem", "cannot be parsed"),
        (&good_ca, &version_1, &good_key, "tls.cert", "v1.pem", "version 1"),
        (&good_ca, &good_cert, &missing, "tls.key", "missing.pem", "cannot read"),
        (&good_ca, &good_cert, &good_cert, "tls.key", "client.pem", "no private key"),
        (&good_ca, &good_cert, &bad_key, "tls.key", "bad.key", "cannot be used"),
        (&good_ca, &good_cert, &locked, "tls.key", "locked.key", "encrypted"),
        (&good_ca, &good_cert, &certificates.server.key, "tls.key", "server.key", "client.pem"),
    ];
    for (ca, cert, key, field, name, why) in rows {
        let error = built(&SECURE, Tls::from_pem_files(ca, cert, key)).expect_err(why);
        let text = error.to_string();
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidConfig, Some(field)), "{text}");
        assert!(text.contains(name) && text.contains(why), "{name}, {why}: {text}");
    }
    let error = built(&SECURE, Tls::new().ca_pem("x")).expect_err("no PEM");
    assert!(error.to_string().contains("in-memory"), "{error}");
    built(&SECURE, Tls::from_pem_files(good_ca, good_cert, good_key)).expect("the good ones");
}

#[tokio::test]
async fn settings_that_contradict_each_other() {
    let certificates = certificates();
    let good = super::trusting(&certificates);
    for (tls, field) in [
        (good.clone().min_version(TlsVersion::Tls13).max_version(TlsVersion::Tls12), "tls.min_version"),
        (good.clone().danger_accept_invalid_certs(true), "tls.ca"),
        (good.clone().server_name("a b"), "tls.server_name"),
        (good.clone().server_name_for("https://a:1", ""), "tls.server_name"),
        (good.clone().server_name_for("a,b", "c"), "endpoint"),
        #[cfg(feature = "tls-native-roots")]
        (good.clone().native_roots(), "tls.ca"),
        #[cfg(not(feature = "tls-native-roots"))]
        (Tls::new(), "tls.ca"),
    ] {
        let shown = format!("{tls:?}");
        let error = built(&SECURE, tls).expect_err(&shown);
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidConfig, Some(field)), "{error}");
    }
}

#[tokio::test]
async fn endpoints_in_the_clear_beside_tls() {
    let certificates = certificates();
    let tls = super::trusting(&certificates);
    for (endpoints, taken) in [
        (&["https://a:1", "b:1", "unixs:///s", "unix:///s"][..], true),
        (&["https://a:1", "http://b:1"], false),
        (&["http://a:1"], false),
    ] {
        let strict = built(endpoints, tls.clone());
        assert_eq!(strict.is_ok(), taken, "{endpoints:?}");
        if let Err(error) = strict {
            assert_eq!(
                (error.kind(), error.field()),
                (ErrorKind::InvalidConfig, Some("endpoint")),
                "{error}"
            );
            assert!(
                error.to_string().contains("http://") && error.to_string().contains("https://"),
                "{error}"
            );
        }
        built(endpoints, tls.clone().allow_plaintext_endpoints()).expect("allowed");
    }
}

#[tokio::test]
async fn tls_endpoint_without_trust_settings_is_rejected() {
    for endpoint in ["https://a:1", "unixs:///s"] {
        let built = Client::builder([endpoint]).build();
        if cfg!(feature = "tls-native-roots") {
            built.expect("the authorities of the system");
            continue;
        }
        let error = built.expect_err("nobody to trust");
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidConfig, Some("endpoint")), "{error}");
        let text = error.to_string();
        for part in [endpoint, "ca_pem_file", "tls-native-roots"] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }
    Client::builder(["a:1"]).build().expect("without a scheme and without TLS it is plain");
}

#[tokio::test]
async fn an_authority_that_is_none() {
    for authority in ["", "a b", "https://a", "user@a"] {
        let error = Client::builder(["http://a:1"]).authority(authority).build().expect_err(authority);
        assert_eq!(error.field(), Some("authority"), "{authority:?}: {error}");
    }
}

#[tokio::test]
async fn no_key_is_ever_shown() {
    let certificates = certificates();
    let read = |path: &PathBuf| fs::read_to_string(path).expect("written");
    let (cert, key) = (read(&certificates.client.cert), read(&certificates.client.key));
    let canary = key.lines().nth(1).expect("a line of base64").to_owned();
    let bytes = format!("{:?}", key.as_bytes());
    let inner = &bytes[1..40];
    let files = super::mutual(&certificates);
    let shown = format!("{files:?}");
    assert!(shown.contains("client.key") && shown.contains("ca.pem"), "{shown}");
    let memory = super::trusting(&certificates).identity_pem(cert.clone(), key.clone());
    for tls in [files, memory] {
        let builder = Client::builder(SECURE).tls(tls.clone());
        let mut texts = vec![format!("{tls:?} {tls:#?}"), format!("{builder:?}")];
        texts.push(format!("{:?}", builder.build().expect("valid")));
        for text in texts {
            assert!(!text.contains(&canary) && !text.contains(inner), "{text}");
        }
    }
    // The pieces in the wrong places: errors must not quote them.
    let swapped =
        built(&SECURE, super::trusting(&certificates).identity_pem(key, cert)).expect_err("swapped");
    assert!(!format!("{swapped} {swapped:?} {}", swapped.report()).contains(&canary));
}
