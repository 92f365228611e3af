//! Certificates that are replaced on disk while a client runs.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use etcd_client_core::{Client, Error, Tls};
use etcd_testkit::{Certificates, Cluster, Identity};
use tokio::task::JoinSet;

use super::{
    client,
    front::{Front, Speaks, certificates},
};
use crate::servers::eventually;

const CALLERS: usize = 16;

/// The files that a client was told of; what is in them changes.
struct Files {
    dir: PathBuf,
}

impl Files {
    fn beside(certificates: &Certificates) -> Self {
        let files = Self { dir: certificates.dir().join("in-use") };
        fs::create_dir(&files.dir).expect("a new directory");
        files.trust(&[certificates]);
        files.identify(&certificates.client);
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    fn tls(&self) -> Tls {
        Tls::from_pem_files(self.path("ca.pem"), self.path("me.pem"), self.path("me.key"))
    }

    fn trust(&self, authorities: &[&Certificates]) {
        self.write("ca.pem", &bundle(authorities));
    }

    fn identify(&self, identity: &Identity) {
        self.write("me.pem", &fs::read(&identity.cert).expect("written"));
        self.write("me.key", &fs::read(&identity.key).expect("written"));
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).expect("written");
    }
}

fn bundle(authorities: &[&Certificates]) -> Vec<u8> {
    authorities.iter().flat_map(|certificates| fs::read(&certificates.ca).expect("written")).collect()
}

fn der(path: &Path) -> Option<Vec<u8>> {
    Some(certificates(path)[0].to_vec())
}

/// Callers that read without a pause.
struct Load {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
    callers: JoinSet<Result<(), Error>>,
}

impl Load {
    fn start(client: &Client) -> Self {
        let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let mut callers = JoinSet::new();
        for caller in 0..CALLERS {
            let (client, stop, done) = (client.clone(), Arc::clone(&stop), Arc::clone(&done));
            callers.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    client.get(format!("caller-{caller}")).await?;
                    done.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            });
        }
        Self { stop, done, callers }
    }

    /// Waits until many more calls have succeeded.
    async fn goes_on(&self) {
        let enough = self.done.load(Ordering::Relaxed) + 10 * CALLERS;
        eventually("calls go on", async || self.done.load(Ordering::Relaxed) >= enough).await;
    }

    /// How many calls succeeded. None failed.
    async fn end(mut self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.callers.join_next().await {
            ended.expect("no panic").unwrap_or_else(|error| panic!("a call failed: {}", error.report()));
        }
        self.done.load(Ordering::Relaxed)
    }
}

/// Drops the connections of each front in turn and waits until it was connected to again.
async fn reconnect(fronts: &[Front; 2], load: &Load) {
    for front in fronts {
        let before = front.shown().len();
        front.drop_connections();
        eventually("there is a new handshake", async || front.shown().len() > before).await;
        load.goes_on().await;
    }
}

#[tokio::test]
async fn authority_server_and_client_change_under_load_and_no_call_fails() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let old = Certificates::without_cluster("old").expect("written");
    let new = Certificates::without_cluster("new").expect("written");
    let files = Files::beside(&old);
    let front = async || {
        let config = Speaks::with(&old.server).asking(&old).config();
        Front::start(Some(&cluster.endpoints()[0]), config).await
    };
    let fronts = [front().await, front().await];
    let client = client(fronts.each_ref().map(Front::endpoint), files.tls());
    let load = Load::start(&client);
    load.goes_on().await;

    // The client comes to trust both authorities, then members and client change sides.
    files.trust(&[&old, &new]);
    for front in &fronts {
        front.reconfigure(Speaks::with(&new.server).asking(&old).config());
    }
    reconnect(&fronts, &load).await;
    for front in &fronts {
        assert_eq!(front.shown().last().expect("one").certificate, der(&old.client.cert));
        front.reconfigure(Speaks::with(&new.server).asking(&new).config());
    }
    files.identify(&new.client);
    files.trust(&[&new]);
    reconnect(&fronts, &load).await;
    for front in &fronts {
        assert_eq!(front.shown().last().expect("one").certificate, der(&new.client.cert));
    }
    let calls = load.end().await;
    assert!(calls > 0);

    // What is no longer trusted is refused.
    for front in &fronts {
        front.reconfigure(Speaks::with(&old.server).asking(&new).config());
        front.drop_connections();
    }
    eventually("no member is trusted any more", async || {
        let error = client.wait_ready(std::time::Duration::from_millis(100)).await.err();
        error.is_some_and(|error| error.report().to_string().contains("not signed by a trusted authority"))
    })
    .await;
}

#[tokio::test]
async fn invalid_files_keep_the_last_valid_certificate() {
    let Some(cluster) = Cluster::builder().start_or_skip().await else { return };
    let certificates = Certificates::without_cluster("first").expect("written");
    let second = certificates.issue_client("second").expect("written");
    let files = Files::beside(&certificates);
    let config = Speaks::with(&certificates.server).asking(&certificates).config();
    let front = Front::start(Some(&cluster.endpoints()[0]), config).await;
    let client = client([front.endpoint()], files.tls());
    client.ready().await.expect("ready");
    client.reload_tls().await.expect("nothing has changed");

    let old_key = fs::read(&certificates.client.key).expect("written");
    for (file, content, field) in [
        ("ca.pem", &b"nothing"[..], "tls.ca"),
        ("me.pem", b"-----BEGIN CERTIFICATE-----\n", "tls.cert"),
        ("me.key", b"", "tls.key"),
        // Half of a replacement: the certificate is there, its key not yet.
        ("me.pem", &fs::read(&second.cert).expect("written"), "tls.key"),
    ] {
        files.write(file, content);
        let error = client.reload_tls().await.expect_err("the file is broken");
        assert_eq!(error.field(), Some(field), "{}", error.report());
        assert!(error.to_string().contains(&file[..2]), "{}", error.report());
        let before = front.shown().len();
        front.drop_connections();
        eventually("it connects all the same", async || front.shown().len() > before).await;
        client.get("k").await.unwrap_or_else(|error| panic!("{}", error.report()));
        let shown = front.shown().last().cloned().expect("one");
        assert_eq!(shown.certificate, der(&certificates.client.cert), "{file}");
        files.trust(&[&certificates]);
        files.identify(&certificates.client);
        files.write("me.key", &old_key);
        client.reload_tls().await.expect("it is whole again");
    }
    fs::remove_file(files.path("me.key")).expect("removed");
    let error = client.reload_tls().await.expect_err("a file is missing");
    assert!(error.to_string().contains("me.key"), "{error}");

    files.identify(&second);
    client.reload_tls().await.expect("it is whole again");
    let before = front.shown().len();
    front.drop_connections();
    eventually("there is a new handshake", async || front.shown().len() > before).await;
    assert_eq!(front.shown().last().expect("one").certificate, der(&second.cert));
}

#[tokio::test]
async fn a_rolling_restart_of_real_members_with_new_certificates() {
    let cluster = Cluster::builder().members(3).mutual_tls("old");
    let Some(cluster) = cluster.start_or_skip().await else { return };
    let old = cluster.certificates().expect("TLS");
    let new = Certificates::without_cluster("new").expect("written");
    let files = Files::beside(old);
    let client = client(cluster.endpoints(), files.tls());
    let load = Load::start(&client);
    load.goes_on().await;

    // Trust both, change the client and then the members, trust the new one only.
    let old_authority = fs::read(&old.ca).expect("written");
    let both = [old_authority, fs::read(&new.ca).expect("written")].concat();
    files.trust(&[old, &new]);
    fs::write(&old.ca, both).expect("written");
    rolling_restart(&cluster, &load).await;
    files.identify(&new.client);
    fs::copy(&new.server.cert, &old.server.cert).expect("written");
    fs::copy(&new.server.key, &old.server.key).expect("written");
    files.trust(&[&new]);
    fs::copy(&new.ca, &old.ca).expect("written");
    rolling_restart(&cluster, &load).await;
    load.end().await;
    // Each member has been restarted, so that each connection there is was made with the new certificates.
    client.put("k", "v").await.unwrap_or_else(|error| panic!("{}", error.report()));
}

async fn rolling_restart(cluster: &Cluster, load: &Load) {
    for member in cluster.members() {
        member.stop().await.expect("stopped");
        member.restart().await.expect("healthy");
        load.goes_on().await;
    }
}
