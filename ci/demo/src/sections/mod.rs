//! The sections of the demo in their order. A new section is a module here and a line in [`ALL`].

mod connect;
mod dead_endpoint;
mod deletes;
mod empty_key;
mod full_database;
mod keys;
mod leases;
mod load;
mod lock;
mod member_frozen;
mod member_killed;
mod members;
mod pages;
mod snapshot;
mod survey;
mod tls_and_auth;
mod trial;
mod txns;
mod watch_killed;

use std::pin::Pin;

use anyhow::{Result, anyhow};

use super::stage::Stage;

type Shown<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// A section, which shows one part of the client.
struct Section {
    title: &'static str,
    /// Set if the section disturbs or starts clusters. It is skipped on a cluster of the user.
    own_cluster: bool,
    show: for<'a> fn(&'a mut Stage) -> Shown<'a>,
}

const ALL: &[Section] = &[
    section("Connect", |stage| Box::pin(connect::show(stage))),
    section("Put, get, and get by prefix", |stage| Box::pin(keys::show(stage))),
    section("Delete", |stage| Box::pin(deletes::show(stage))),
    section("A transaction that succeeds, and one that does not", |stage| Box::pin(txns::show(stage))),
    section("A lease", |stage| Box::pin(leases::show(stage))),
    section("10,000 keys, page by page, while another client writes", |stage| Box::pin(pages::show(stage))),
    section("Two processes contend for a lock, and one of them is killed", |stage| {
        Box::pin(lock::show(stage))
    }),
    section("A typed error", |stage| Box::pin(empty_key::show(stage))),
    section("A dead endpoint", |stage| Box::pin(dead_endpoint::show(stage))),
    section("Members and leader", |stage| Box::pin(members::show(stage))),
    on_own_cluster("A member is killed under load", |stage| Box::pin(member_killed::show(stage))),
    on_own_cluster("A member is frozen under load", |stage| Box::pin(member_frozen::show(stage))),
    on_own_cluster("A watch survives the loss of its member", |stage| Box::pin(watch_killed::show(stage))),
    on_own_cluster("A snapshot in a file", |stage| Box::pin(snapshot::show(stage))),
    on_own_cluster("TLS, users and permissions", |stage| Box::pin(tls_and_auth::show(stage))),
    on_own_cluster("A full database", |stage| Box::pin(full_database::show(stage))),
];

const fn section(title: &'static str, show: for<'a> fn(&'a mut Stage) -> Shown<'a>) -> Section {
    Section { title, own_cluster: false, show }
}

const fn on_own_cluster(title: &'static str, show: for<'a> fn(&'a mut Stage) -> Shown<'a>) -> Section {
    Section { title, own_cluster: true, show }
}

/// Shows every section. A failed check is counted, and an error ends the demo.
///
/// # Errors
///
/// Returns an error if a section ended early. The reason is printed.
pub(super) async fn play(stage: &mut Stage) -> Result<()> {
    for section in ALL {
        stage.transcript.heading(section.title);
        if section.own_cluster && stage.cluster.is_none() {
            stage
                .transcript
                .note("Skipped on your cluster. Omit --endpoints to run this section on a temporary one.");
            continue;
        }
        if let Err(error) = (section.show)(stage).await {
            stage.explain(&error);
            return Err(anyhow!("{:?} ended early, see above", section.title));
        }
    }
    Ok(())
}
