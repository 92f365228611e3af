//! Advice for errors that members give for the state that they are in.

use etcd_client_core::{
    Code, Error, ErrorKind,
    maintenance::AlarmType,
    watch::{Backpressure, WatchStatus},
};
use etcd_proto::etcdserverpb::{
    self as pb, AuthenticateRequest, auth_client::AuthClient, maintenance_client::MaintenanceClient,
};
use etcd_testkit::Cluster;

use super::advises;
use crate::{
    servers::{client, eventually, shared},
    watch::rig::{events, item},
};

/// Raises an alarm for a member, as etcd's check for corruption does.
async fn raise(client: &etcd_client_core::Client, member: u64, alarm: pb::AlarmType) {
    let action = pb::alarm_request::AlarmAction::Activate.into();
    let request = pb::AlarmRequest { action, member_id: member, alarm: alarm.into() };
    MaintenanceClient::new(client.channel()).alarm(request).await.expect("raised");
}

#[tokio::test]
async fn of_corruption() {
    // A member is replaced at once, without the 5 s that strict checks want.
    let builder = Cluster::builder().members(3).arg("--strict-reconfig-check", "false");
    let Some(mut cluster) = builder.start_or_skip().await else { return };
    let client = client([cluster.member(0).endpoint(), cluster.member(1).endpoint()]);
    client.put("k", "v").await.expect("put");
    let listed = client.cluster().member_list().await.expect("listed").members;
    let bad = listed.iter().find(|member| member.name == cluster.member(2).name()).expect("listed").id;
    raise(&client, bad.get(), pb::AlarmType::Corrupt).await;

    let error = client.put("k", "w").await.expect_err("refused while the alarm stands");
    assert_eq!(error.code(), Some(Code::Corrupt), "{}", error.report());
    advises(&error, "compare hash_kv of all members, remove the one that differs, disarm the CORRUPT alarm");
    let whole = self::client(cluster.endpoints());
    for endpoint in cluster.endpoints() {
        let answer = whole.maintenance().hash_kv(&endpoint, 0).await;
        answer.unwrap_or_else(|error| panic!("comparing works under the alarm: {}", error.report()));
    }
    cluster.remove_member(2).await.expect("removed");
    let alarms = client.maintenance().alarm_list().await.expect("listed").alarms;
    assert_eq!((alarms[0].member, alarms[0].kind), (bad, AlarmType::Corrupt));
    client.maintenance().alarm_disarm(bad, AlarmType::Corrupt).await.expect("disarmed");
    client.put("k", "w").await.expect("writable again");
    cluster.add_member(false).await.expect("a member in its place");
    client.put("k", "x").await.expect("writable with the new member");
}

#[tokio::test]
async fn of_members_that_were_never_started() {
    let Some(mut cluster) = Cluster::builder().start_or_skip().await else { return };
    let client = client([cluster.member(0).endpoint()]);
    let peer = cluster.prepare_member().expect("a port");
    client.cluster().member_add([peer]).await.expect("the first is added to a cluster of one");
    let add =
        async || -> Result<(), Error> { client.cluster().member_add(["http://127.0.0.1:1"]).await.map(drop) };
    let error = add().await.expect_err("one of two is started");
    assert_eq!(error.code(), Some(Code::MemberNotEnoughStarted), "{}", error.report());
    advises(&error, "start every member that was added");
    cluster.member(1).restart().await.expect("started");
    // Its name has to reach the member that is asked, which then wants it to have been connected for a while.
    eventually("a third is added", async || match add().await {
        Ok(()) => true,
        Err(error) if error.code() == Some(Code::Unhealthy) => {
            advises(&error, "bring every member up, wait 5 s, then change membership");
            false
        }
        // An attempt before this one was applied.
        Err(error) if error.code() == Some(Code::PeerURLExist) => true,
        Err(error) => {
            let expected = matches!(error.code(), Some(Code::MemberNotEnoughStarted) | None)
                || error.kind() == ErrorKind::Timeout
                || error.outcome_unknown();
            assert!(expected, "{}", error.report());
            false
        }
    })
    .await;
}

#[tokio::test]
async fn of_auth_that_is_off() {
    const PASSWORD: &str = "root's password";
    let Some(cluster) = Cluster::builder().arg("--bcrypt-cost", "4").start_or_skip().await else { return };
    let client = client(cluster.endpoints());
    let token = async || {
        let request = AuthenticateRequest { name: "root".into(), password: PASSWORD.into() };
        AuthClient::new(client.channel()).authenticate(request).await.map(drop).map_err(Error::from)
    };
    let error = token().await.expect_err("it is off");
    assert_eq!(error.code(), Some(Code::AuthNotEnabled), "{}", error.report());
    advises(&error, "enable authentication first, or connect without a user and a password");
    client.put("k", "v").await.expect("without a user and a password");
    client.auth().user_add("root", PASSWORD).await.expect("added");
    client.auth().role_add("root").await.expect("added");
    client.auth().user_grant_role("root", "root").await.expect("granted");
    client.auth().enable().await.expect("enabled");
    token().await.expect("enabled");
}

#[tokio::test]
async fn of_slow_readers() {
    const COUNT: usize = 200;
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints()).with_namespace("hints/slow/");
    let failing = || client.watch("k").backpressure(Backpressure::Fail);
    let mut small = failing().buffer_bytes(1_000).await.expect("watch");
    let mut large = failing().buffer_bytes(1 << 20).await.expect("watch");
    let mut pausing = client.watch("k").buffer_bytes(1_000).await.expect("watch");
    let mut coalescing =
        client.watch("k").buffer_bytes(1_000).backpressure(Backpressure::Coalesce).await.expect("watch");
    for n in 0..COUNT {
        client.put("k", format!("{n:0100}")).await.expect("put");
    }
    eventually("the reader is too slow", async || matches!(small.status(), WatchStatus::Ended { .. })).await;
    let error = loop {
        if let Err(error) = item(&mut small).await.expect("an error is to come") {
            break error;
        }
    };
    assert_eq!(error.kind(), ErrorKind::Lagged, "{}", error.report());
    advises(&error, "read faster, raise buffer_bytes, or let the watch pause or coalesce instead of failing");
    assert_eq!(events(&mut large, COUNT).await.len(), COUNT, "a larger buffer");
    assert_eq!(events(&mut pausing, COUNT).await.len(), COUNT, "it pauses");
    let last = loop {
        let next = item(&mut coalescing).await.expect("it goes on").expect("it does not fail");
        if let Some(event) = next.events.iter().find(|event| event.kv.version == COUNT as i64) {
            break event.kv.value.clone();
        }
    };
    assert_eq!(last, format!("{:0100}", COUNT - 1), "it coalesces");
}

#[tokio::test]
async fn of_bytes_that_are_no_text() {
    let Some(cluster) = shared() else { return };
    let client = client(cluster.endpoints());
    client.put("hints/bytes", [0xff, 0xfe]).await.expect("put");
    let kv = client.get("hints/bytes").await.expect("get").kvs.swap_remove(0);
    let error = Error::from(kv.value_str().expect_err("no text"));
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    advises(&error, "read the key or the value as bytes instead of text");
    assert_eq!(kv.value, [0xff, 0xfe][..]);
}
