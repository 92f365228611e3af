//! TLS and authentication: creates users, one of them read-only, and shows the errors of each failure.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, Result};
use etcd_client_core::{Client, Code, Error, ErrorKind, Outcome, Tls, auth::Permission};
use etcd_testkit::{Certificates, Cluster};
use tokio::time::Instant;

use crate::{show, stage::Stage, transcript::Transcript};

const ROOT_PASSWORD: &str = "the root password";
const PASSWORD: &str = "open sesame";
const WRONG_PASSWORD: &str = "open rye";
const OTHER_NAME: &str = "etcd-7.example";
/// The time limit for a handshake on a busy machine.
const HANDSHAKE: Duration = Duration::from_secs(2);

pub(super) async fn show(stage: &mut Stage) -> Result<()> {
    let binaries = stage.own_cluster()?.binaries().clone();
    let transcript = &mut stage.transcript;
    transcript.note("Starting another cluster: three members that accept TLS only.");
    let started = Cluster::builder().members(3).tls().binaries(binaries).start();
    let secured = Secured { cluster: transcript.during("waiting until it is healthy", started).await? };
    let shown = show_all(&secured, transcript).await;
    transcript.during("stopping the other cluster", secured.cluster.stop()).await?;
    shown
}

async fn show_all(secured: &Secured, transcript: &mut Transcript) -> Result<()> {
    set_up(secured, transcript).await?;
    let root = secured.login("root", ROOT_PASSWORD)?;
    as_root(&root, transcript).await?;
    as_reader(secured, &root, transcript).await?;
    wrong_password(secured, transcript).await?;
    other_name(secured, &root, transcript).await?;
    root.close().await;
    Ok(())
}

/// The cluster with TLS.
struct Secured {
    cluster: Cluster,
}

impl Secured {
    fn certificates(&self) -> Result<&Certificates> {
        self.cluster.certificates().context("the cluster has no certificates")
    }

    fn without_user(&self) -> Result<Client> {
        Ok(Client::builder(self.cluster.endpoints()).tls(self.tls()?).build()?)
    }

    fn login(&self, user: &str, password: &str) -> Result<Client> {
        let builder = Client::builder(self.cluster.endpoints()).tls(self.tls()?);
        Ok(builder.password(user, password).build()?)
    }

    fn tls(&self) -> Result<Tls> {
        let ca: &Path = &self.certificates()?.ca;
        Ok(Tls::new().ca_pem_file(ca))
    }
}

async fn set_up(secured: &Secured, transcript: &mut Transcript) -> Result<()> {
    let endpoints = secured.cluster.endpoints().iter().map(|it| format!("{it:?}")).collect::<Vec<_>>();
    transcript.code(&format!("let client = Client::builder([{}])", endpoints.join(", ")));
    transcript.code("    .tls(Tls::new().ca_pem_file(\"ca.pem\")).build()?;");
    let client = secured.without_user()?;
    transcript.during("connecting", client.ready()).await?;
    let auth = client.auth();
    transcript.code("let auth = client.auth();");
    transcript.code("auth.user_add(\"root\", password).await?");
    auth.user_add("root", ROOT_PASSWORD).await?;
    transcript.code("auth.role_add(\"root\").await?");
    auth.role_add("root").await?;
    transcript.code("auth.user_grant_role(\"root\", \"root\").await?");
    auth.user_grant_role("root", "root").await?;
    transcript.code("auth.role_add(\"config-reader\").await?");
    auth.role_add("config-reader").await?;
    transcript.code("let only_read = Permission::read(\"config/\").prefix();");
    transcript.code("auth.role_grant_permission(\"config-reader\", only_read).await?");
    auth.role_grant_permission("config-reader", Permission::read("config/").prefix()).await?;
    transcript.code("auth.user_add(\"reader\", password).await?");
    auth.user_add("reader", PASSWORD).await?;
    transcript.code("auth.user_grant_role(\"reader\", \"config-reader\").await?");
    auth.user_grant_role("reader", "config-reader").await?;
    transcript.code("auth.enable().await?");
    auth.enable().await?;
    transcript.code("client.get(\"config/limit\").await   // the same client, without a user");
    let error = refused(client.get("config/limit").await, "a get without a user")?;
    transcript.result(&error);
    transcript.check("reading requires a user", error.code(), Some(Code::UserEmpty));
    client.close().await;
    Ok(())
}

async fn as_root(root: &Client, transcript: &mut Transcript) -> Result<()> {
    transcript.code("let root = Client::builder(..).tls(..).password(\"root\", password).build()?;");
    transcript.code("root.auth().status().await?");
    match root.auth().status().await {
        Ok(status) => {
            let state = if status.enabled { "on" } else { "off" };
            transcript.result(format!("authentication is {state}, auth revision {}", status.auth_revision));
            transcript.holds("authentication is on", status.enabled);
        }
        // etcd 3.4 has no such RPC.
        Err(error) if error.kind() == ErrorKind::Unsupported => transcript.result(&error),
        Err(error) => return Err(error.into()),
    }
    transcript.code("root.auth().user_list().await?");
    let users = root.auth().user_list().await?.users;
    transcript.result(users.join(", "));
    transcript.check("both users exist", users, ["reader", "root"]);
    transcript.code("root.auth().role_get(\"config-reader\").await?");
    let permissions = root.auth().role_get("config-reader").await?.permissions;
    for permission in &permissions {
        let (from, to) = permission.range.bounds();
        let (from, to) = (String::from_utf8_lossy(&from), String::from_utf8_lossy(&to));
        transcript.result(format!("{} from {from:?} up to {to:?}", permission.access));
    }
    transcript.check(
        "the role may read that prefix only",
        permissions,
        [Permission::read("config/").prefix()],
    );
    transcript.code("root.put(\"config/limit\", \"10\").await?");
    root.put("config/limit", "10").await?;
    transcript.code("root.put(\"secret/key\", \"42\").await?");
    root.put("secret/key", "42").await?;
    Ok(())
}

async fn as_reader(secured: &Secured, root: &Client, transcript: &mut Transcript) -> Result<()> {
    transcript.code("let reader = Client::builder(..).tls(..).password(\"reader\", password).build()?;");
    let reader = secured.login("reader", PASSWORD)?;
    transcript.code("reader.get(\"config/\").prefix().await?");
    let got = reader.get("config/").prefix().await?;
    let value = got.first().context("the key is missing")?.value_str()?;
    transcript.result(format!("{} key, its value is {value:?}", got.count));
    transcript.check("the reader may read keys under its prefix", value, "10");
    transcript.code("reader.get(\"secret/key\").await");
    let error = refused(reader.get("secret/key").await, "a get of the secret")?;
    transcript.result(&error);
    transcript.check("the reader may not read other keys", error.code(), Some(Code::PermissionDenied));
    transcript.code("reader.put(\"config/limit\", \"20\").await");
    let error = refused(reader.put("config/limit", "20").await, "a put by the reader")?;
    transcript.result(error.report());
    transcript.check("the reader may not write", error.code(), Some(Code::PermissionDenied));
    transcript.check("nothing was written", error.outcome(), Outcome::NotApplied);
    let now = root.get("config/limit").await?;
    transcript.check("the value is unchanged", now.first().context("the key is missing")?.value_str()?, "10");
    reader.close().await;
    Ok(())
}

async fn wrong_password(secured: &Secured, transcript: &mut Transcript) -> Result<()> {
    transcript
        .code(&format!("Client::builder(..).tls(..).password(\"reader\", {WRONG_PASSWORD:?}).build()?"));
    transcript.code("    .get(\"config/limit\").await");
    let client = secured.login("reader", WRONG_PASSWORD)?;
    let error = refused(client.get("config/limit").await, "a wrong password")?;
    client.close().await;
    let report = error.report().to_string();
    transcript.result(&report);
    transcript.check("the code shows that the login failed", error.code(), Some(Code::AuthFailed));
    transcript.holds("the report shows no password", !report.contains(WRONG_PASSWORD));
    Ok(())
}

async fn other_name(secured: &Secured, root: &Client, transcript: &mut Transcript) -> Result<()> {
    let certificates = secured.certificates()?;
    transcript.note(&format!(
        "Replacing the members' certificate by one for {OTHER_NAME}. etcd reads it for each handshake."
    ));
    certificates.issue_server("server", &[OTHER_NAME])?;
    let client = secured.login("reader", PASSWORD)?;
    transcript.code("client.ready().await   // a new client with the same endpoints");
    let waited = transcript.during("connecting", client.wait_ready(HANDSHAKE)).await;
    let error = refused(waited, "a certificate for another name")?;
    let report = error.report().to_string();
    transcript.result(&report);
    transcript.check("no member can be used", error.kind(), ErrorKind::Unavailable);
    transcript.holds("the report has the name in the certificate", report.contains(OTHER_NAME));
    transcript.holds("no request was sent", error.attempts().iter().all(|attempt| !attempt.sent()));
    transcript.code("root.get(\"config/limit\").await?   // over existing connections");
    let got = root.get("config/limit").await?;
    transcript.result(format!("{} key", got.count));
    transcript.check("existing connections still work", got.count, 1);
    transcript.note("Restoring the correct certificate.");
    certificates.renew_server()?;
    transcript.code("client.ready().await?   // the client that failed before");
    let begun = Instant::now();
    transcript.during("connecting", client.ready()).await?;
    transcript.result(format!("ready after {}", show::duration(begun.elapsed())));
    transcript.code("client.get(\"config/limit\").await?");
    let got = client.get("config/limit").await?;
    transcript.result(format!("{} key", got.count));
    transcript.check("the client connects once the certificate is correct", got.count, 1);
    client.close().await;
    Ok(())
}

fn refused<T>(answer: Result<T, Error>, what: &str) -> Result<Error> {
    answer.err().with_context(|| format!("{what} was accepted"))
}
