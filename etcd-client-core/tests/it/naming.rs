//! Endpoints of services on a real member, as in etcd's `naming` suite: `TestEndpointManager`, `..Atomicity`, `..CRUD`,
//! `TestEtcdEndpointManager`.

use std::time::Duration;

use etcd_client_core::{
    Code, Outcome,
    naming::{EndpointChange, EndpointUpdate, EndpointWatch, Endpoints, ServiceEndpoint},
};
use tokio::time::timeout;

use crate::servers::{PATIENCE, client, shared};

fn added(key: &str, addr: &str) -> EndpointChange {
    EndpointChange::Added { key: key.into(), endpoint: ServiceEndpoint::new(addr) }
}

fn deleted(key: &str) -> EndpointChange {
    EndpointChange::Deleted { key: key.into() }
}

async fn next(watch: &mut EndpointWatch) -> Vec<EndpointChange> {
    timeout(PATIENCE, watch.next()).await.expect("in time").expect("no end").expect("a batch")
}

#[tokio::test]
async fn watch_reports_additions_and_deletions() {
    let Some(cluster) = shared() else { return };
    let endpoints = Endpoints::new(&client(cluster.endpoints()), "naming/seen").expect("a target");
    let mut watch = endpoints.watch().await.expect("a watch");
    assert_eq!(next(&mut watch).await, []);
    endpoints.add("naming/seen/a1", ServiceEndpoint::new("127.0.0.1:2000"), None).await.expect("added");
    assert_eq!(next(&mut watch).await, [added("naming/seen/a1", "127.0.0.1:2000")]);
    endpoints.delete("naming/seen/a1").await.expect("deleted");
    assert_eq!(next(&mut watch).await, [deleted("naming/seen/a1")]);
}

#[tokio::test]
async fn an_update_is_one_batch() {
    let Some(cluster) = shared() else { return };
    let endpoints = Endpoints::new(&client(cluster.endpoints()), "naming/atomic").expect("a target");
    let update = |n: u8| {
        let key = format!("naming/atomic/{n}");
        EndpointUpdate::add(key, ServiceEndpoint::new(format!("10.0.0.{n}")))
    };
    endpoints.update([update(1), update(2)]).await.expect("added");
    let mut watch = endpoints.watch().await.expect("a watch");
    let both = [added("naming/atomic/1", "10.0.0.1"), added("naming/atomic/2", "10.0.0.2")];
    assert_eq!(next(&mut watch).await, both);
    let mixed = [EndpointUpdate::delete("naming/atomic/1"), update(3)];
    endpoints.update(mixed).await.expect("updated");
    assert_eq!(next(&mut watch).await, [deleted("naming/atomic/1"), added("naming/atomic/3", "10.0.0.3")]);
    // One of two that cannot be: neither is done.
    let unknown = etcd_client_core::LeaseId::new(0x5eed).expect("an id");
    let half = [EndpointUpdate::delete("naming/atomic/2"), update(4).lease(unknown)];
    let error = endpoints.update(half).await.expect_err("no such lease");
    assert_eq!((error.code(), error.outcome()), (Some(Code::LeaseNotFound), Outcome::NotApplied));
    let keys: Vec<_> = endpoints.list().await.expect("a list").into_keys().collect();
    assert_eq!(keys, ["naming/atomic/2", "naming/atomic/3"]);
}

#[tokio::test]
async fn a_registration_ends_with_its_lease() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let endpoints = Endpoints::new(&client, "naming/leased").expect("a target");
    let lease = client.lease().grant(Duration::from_secs(60)).await.expect("a lease").id;
    let endpoint = ServiceEndpoint::new("a:1").with_metadata(&("zone", 7)).expect("JSON");
    endpoints.add("naming/leased/1", endpoint.clone(), lease).await.expect("added");
    let listed = endpoints.list().await.expect("a list");
    assert_eq!(listed.get(&etcd_client_core::Key::from("naming/leased/1")), Some(&endpoint));
    let mut changes = endpoints.watch().await.expect("a watch").into_changes();
    let first = timeout(PATIENCE, changes.next()).await.expect("in time").expect("no end").expect("one");
    assert_eq!(first, EndpointChange::Added { key: "naming/leased/1".into(), endpoint });
    client.lease().revoke(lease).await.expect("revoked");
    let second = timeout(PATIENCE, changes.next()).await.expect("in time").expect("no end").expect("one");
    assert_eq!(second, deleted("naming/leased/1"));
}

#[tokio::test]
async fn services_with_a_common_name_prefix_are_separate() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let one = Endpoints::new(&client, "naming/foo").expect("a target");
    let other = Endpoints::new(&client, "naming/foo_other").expect("a target");
    let mut watch = one.watch().await.expect("a watch");
    assert_eq!(next(&mut watch).await, []);
    other.add("naming/foo_other/1", ServiceEndpoint::new("b:1"), None).await.expect("added");
    one.add("naming/foo/1", ServiceEndpoint::new("a:1"), None).await.expect("added");
    assert_eq!(next(&mut watch).await, [added("naming/foo/1", "a:1")]);
    assert_eq!(one.list().await.expect("a list").len(), 1);
    assert!(one.add("naming/foo_other/2", ServiceEndpoint::new("a:2"), None).await.is_err());
    // What somebody else put there is no endpoint, and disturbs nobody.
    client.put("naming/foo/2", "nonsense").await.expect("put");
    one.delete("naming/foo/1").await.expect("deleted");
    assert_eq!(next(&mut watch).await, [deleted("naming/foo/1")]);
    assert!(one.list().await.expect("a list").is_empty());
}

/// What the documentation of `naming::tower::discover` shows: tonic's own balancer, fed with the changes.
#[tokio::test]
async fn tonic_channels_follow_the_endpoints() {
    use etcd_proto::etcdserverpb::{RangeRequest, kv_client::KvClient};
    use tonic::transport::{Channel, Endpoint, channel::Change};

    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    let endpoints = Endpoints::new(&client, "naming/balanced").expect("a target");
    let mut changes = endpoints.watch().await.expect("a watch").into_changes();
    let (channel, sender) = Channel::balance_channel(16);
    let feeding = tokio::spawn(async move {
        while let Some(Ok(change)) = changes.next().await {
            let change = match change {
                EndpointChange::Added { key, endpoint } => {
                    let uri = format!("http://{}", endpoint.addr());
                    Change::Insert(key, Endpoint::from_shared(uri).expect("a URI"))
                }
                EndpointChange::Deleted { key } => Change::Remove(key),
                _ => continue,
            };
            if sender.send(change).await.is_err() {
                break;
            }
        }
    });
    // An instance keeps its registration alive for as long as it holds the lease.
    let lease = client.lease().grant(Duration::from_secs(2)).keep_alive().await.expect("granted");
    let addr = cluster.member(0).endpoint().trim_start_matches("http://");
    let me = EndpointUpdate::add("naming/balanced/1", ServiceEndpoint::new(addr)).lease(lease.id());
    endpoints.update([me]).await.expect("registered");
    let mut kv = KvClient::new(channel);
    let range = RangeRequest { key: "k".into(), ..RangeRequest::default() };
    timeout(PATIENCE, kv.range(range)).await.expect("in time").expect("the balancer has an endpoint");
    let first = lease.deadline();
    crate::servers::eventually("the lease outlives its first time", async || {
        tokio::time::Instant::now() > first
    })
    .await;
    assert_eq!(endpoints.list().await.expect("a list").len(), 1);
    feeding.abort();
}
