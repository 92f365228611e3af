//! What the compiler knows of the client.

use std::time::Duration;

use etcd_client_core::{
    CallOptions, Client, Compare, Error, Get, LeaseId, Put, Txn,
    kv::{Compact, GetResponse, Page},
    txn::{TxnResponse, execute},
};

fn assert_send<T: Send>(it: T) -> T {
    it
}

fn assert_shared<T: Send + Sync + Clone + 'static>() {}

#[test]
fn the_client_and_its_answers_cross_threads() {
    assert_shared::<Client>();
    assert_shared::<Get>();
    assert_shared::<Txn>();
    assert_shared::<GetResponse>();
    assert_shared::<TxnResponse>();
    assert_shared::<Page>();
    fn assert_error<T: std::error::Error + Send + Sync + 'static>() {}
    assert_error::<Error>();
}

#[test]
fn error_is_one_pointer_in_size() {
    assert_eq!(size_of::<Error>(), size_of::<usize>());
    assert_eq!(size_of::<Result<(), Error>>(), size_of::<usize>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_operation_can_be_spawned() {
    let client = Client::builder(["http://127.0.0.1:1"]).build().expect("built");
    let id = LeaseId::new(1).expect("not zero");
    drop(assert_send(client.get("k").into_future()));
    drop(assert_send(client.put("k", "v").into_future()));
    drop(assert_send(client.delete("k").into_future()));
    drop(assert_send(client.txn().when(Compare::exists("k")).then(Put::new("k", "v")).into_future()));
    drop(assert_send(client.compact(1).into_future()));
    drop(assert_send(Compact::new(1).bind(client.kv()).into_future()));
    drop(assert_send(client.lease().grant(Duration::from_secs(1)).into_future()));
    drop(assert_send(client.lease().revoke(id).into_future()));
    drop(assert_send(client.lease().time_to_live(id).into_future()));
    drop(assert_send(client.lease().list().into_future()));
    drop(assert_send(client.execute(Get::new("k"))));
    drop(assert_send(execute(client.kv(), Get::new("k"), CallOptions::default())));
    drop(assert_send(client.ready()));
    drop(assert_send(client.close()));
    let mut pages = client.get("k").prefix().pages();
    drop(assert_send(pages.next()));
    let task = tokio::spawn({
        let client = client.clone();
        async move { client.put("", "v").await }
    });
    task.await.expect("no panic").expect_err("an empty key");
}
