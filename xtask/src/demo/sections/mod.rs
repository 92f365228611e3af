//! The sections of the demo, in the order of reading. A new one is a file here and a line in [`ALL`].

mod connect;
mod dead_endpoint;
mod deletes;
mod empty_key;
mod keys;
mod leases;
mod load;
mod member_killed;
mod pages;
mod txns;

use std::pin::Pin;

use anyhow::{Result, anyhow};

use super::stage::Stage;

type Shown<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// One part of the client, shown on a stage.
struct Section {
    title: &'static str,
    /// Whether it harms the cluster, and therefore needs one of the demo's own.
    harms: bool,
    show: for<'a> fn(&'a mut Stage) -> Shown<'a>,
}

const ALL: &[Section] = &[
    section("Connect", |stage| Box::pin(connect::show(stage))),
    section("Put, get, and get by prefix", |stage| Box::pin(keys::show(stage))),
    section("Delete", |stage| Box::pin(deletes::show(stage))),
    section("A transaction that wins, and one that loses", |stage| Box::pin(txns::show(stage))),
    section("A lease", |stage| Box::pin(leases::show(stage))),
    section("10,000 keys, page by page, while another client writes", |stage| Box::pin(pages::show(stage))),
    section("An error has a type", |stage| Box::pin(empty_key::show(stage))),
    section("An endpoint where nobody listens", |stage| Box::pin(dead_endpoint::show(stage))),
    harmful("A member is killed under load", |stage| Box::pin(member_killed::show(stage))),
];

const fn section(title: &'static str, show: for<'a> fn(&'a mut Stage) -> Shown<'a>) -> Section {
    Section { title, harms: false, show }
}

const fn harmful(title: &'static str, show: for<'a> fn(&'a mut Stage) -> Shown<'a>) -> Section {
    Section { title, harms: true, show }
}

/// Shows every section. A check that fails is counted, an error ends the walk.
///
/// # Errors
///
/// When a section ended early; why is printed.
pub(super) async fn play(stage: &mut Stage) -> Result<()> {
    for section in ALL {
        stage.transcript.heading(section.title);
        if section.harms && stage.cluster.is_none() {
            stage
                .transcript
                .note("Skipped: it harms the cluster, and this one is yours. Leave --endpoints out.");
            continue;
        }
        if let Err(error) = (section.show)(stage).await {
            stage.explain(&error);
            return Err(anyhow!("{:?} ended early, see above", section.title));
        }
    }
    Ok(())
}
