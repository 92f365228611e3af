//! A program without a runtime in its manifest and without an `async` function, which uses the client and the recipes.

use std::time::Duration;

use etcd_client_core::{
    Client, Compare, Put,
    blocking::{Wait as _, WaitEach as _},
};
use etcd_concurrency::{Error, Mutex, Session, run_with_lock};

/// Uses keys, a transaction, a lease, a lock and a watch. Returns the values that the watch delivered.
///
/// # Errors
///
/// Returns the first error of a call.
pub fn program(endpoints: Vec<String>) -> Result<Vec<String>, Error> {
    let client = Client::builder(endpoints).build_blocking()?;
    let first = client.put("program", "1").wait()?.header.revision;
    let txn = client.txn().when(Compare::value("program").equal("1")).then(Put::new("program", "2"));
    assert!(txn.wait()?.succeeded());

    let lease = client.lease().grant(Duration::from_secs(60)).keep_alive().wait()?;
    client.put("leased", "v").lease(lease.id()).wait()?;
    lease.revoke().wait()?;
    assert_eq!(client.get("leased").wait()?.count, 0);

    let session = Session::builder(&client).ttl(Duration::from_secs(60)).wait()?;
    let mutex = Mutex::new(&session, "lock");
    let guard = mutex.lock().wait()?;
    assert!(matches!(mutex.try_lock().wait(), Err(Error::Locked)));
    let guarded = client.txn().when(guard.owned()).then(Put::new("program", "3"));
    assert!(guarded.wait()?.succeeded());
    guard.unlock().wait()?;
    // Released by its destructor, which has no runtime on this thread either.
    drop(mutex.lock().wait()?);
    let put = run_with_lock(&mutex, |_| client.put("program", "4").into_future());
    put.wait()??;
    session.close().wait()?;

    let watch = client.watch("program").start_revision(first).wait()?;
    let values = watch.events().wait_each().take(4);
    let values = values.map(|event| Ok(String::from_utf8_lossy(&event?.kv.value).into_owned()));
    values.collect::<Result<_, etcd_client_core::Error>>().map_err(Error::from)
}
