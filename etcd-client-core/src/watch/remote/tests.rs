//! Tests of stream tasks and watches without a member: decisions before or after any message.

use std::sync::{Arc, atomic::Ordering};

use etcd_errors::{Error, ErrorKind};
use tokio::sync::oneshot;

use crate::{
    client::Client,
    request::CallOptions,
    transport::connection::history::History,
    types::{ResponseHeader, Revision},
    watch::{
        Watch,
        remote::{
            commands::{Command, CommandQueue},
            hub::{Hub, MOST_WATCHES, StreamKey},
            resync::{Listing, not_older},
            shared::{Reader, Shared},
            stream_task::StreamTask,
            subscription::Subscription,
        },
        state::{Ticket, position::Position},
    },
};

/// Returns a client of an endpoint where nothing listens. None of its tasks runs before the first await.
fn client() -> Client {
    Client::builder(["http://127.0.0.1:1"]).build().expect("valid")
}

fn entry() -> (Arc<Shared>, Subscription, oneshot::Receiver<Result<(), Error>>) {
    let spec = Watch::new("k");
    let shared = Arc::new(Shared::new(Ticket(1), spec, Arc::new(CommandQueue::default())));
    let (creation, created) = oneshot::channel();
    (Arc::clone(&shared), Subscription::new(shared, creation, &History::default()), created)
}

#[tokio::test]
async fn streams_take_at_most_5000_watches() {
    let client = client();
    let channel = client.channel();
    let hub = Hub::new(&channel);
    let start = || hub.start(&channel, Watch::new("k"), &CallOptions::default());
    for _ in 0..MOST_WATCHES {
        drop(start());
    }
    assert_eq!(hub.watches_of_tasks(), [5_000]);
    let more = start();
    assert_eq!(hub.watches_of_tasks(), [5_000, 1]);
    drop(more);
}

#[tokio::test]
async fn handle_dropped_before_it_is_added_leaves_nothing() {
    let client = client();
    let channel = client.channel();
    let hub = Hub::new(&channel);
    let spec = Watch::new("k");
    let key = StreamKey::of(&spec, &CallOptions::default());
    let commands = Arc::new(CommandQueue::default());
    let mut task = StreamTask::new(hub, &channel, key, Arc::clone(&commands));
    let (shared, entry, _created) = entry();
    // It is on its way from another stream task, which is the one that receives the drop.
    commands.watches.fetch_add(1, Ordering::Relaxed);
    assert!(commands.push(Command::Add(Box::new(entry))).is_none());
    drop(Reader(shared));
    task.handle_commands(None);
    assert!(task.entries.is_empty(), "nobody would ever remove it");
    assert_eq!(task.machine.position(Ticket(1)), None);
    assert_eq!(commands.watches.load(Ordering::Relaxed), 0, "its place is free");
}

#[test]
fn creation_resets_the_count_of_token_renewals() {
    let (_shared, mut entry, _created) = entry();
    entry.renewals = 8;
    let endpoint = "http://127.0.0.1:1".parse().expect("valid");
    entry.created(ResponseHeader::default(), &endpoint);
    assert_eq!(entry.renewals, 0);
}

#[test]
fn listings_older_than_the_watch_are_rejected() {
    let listing = |revision| {
        let header = ResponseHeader { revision: Revision::new(revision), ..ResponseHeader::default() };
        Listing::new(header, Vec::new())
    };
    let mut position = Position::after(10);
    let error = not_older(position, listing(9)).expect_err("it would undo what was delivered");
    assert_eq!(error.kind(), ErrorKind::RevisionRegressed);
    assert!(not_older(position, listing(10)).is_ok());
    // A header revision that was seen counts as much as an event.
    assert!(position.progressed(20));
    assert!(not_older(position, listing(19)).is_err());
    assert!(not_older(position, listing(20)).is_ok());
}
