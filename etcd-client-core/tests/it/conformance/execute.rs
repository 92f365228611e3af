//! Operations whose kind is known only at run time.

use etcd_client_core::{
    CallOptions, Code, Delete, Get, Put, Txn,
    txn::{Op, OpResponse, execute},
};

use super::Subject;

pub(crate) async fn each_kind_answers_in_kind(subject: &Subject<'_>) {
    let run = async |op: Op| execute(subject.kv, op, CallOptions::default()).await.expect("executed");
    let key = || subject.key("k");
    let OpResponse::Put(put) = run(Put::new(key(), "v").into()).await else { panic!("no put") };
    let OpResponse::Get(got) = run(Get::new(key()).into()).await else { panic!("no get") };
    assert_eq!((&got.kvs[0].value[..], got.kvs[0].mod_revision), (&b"v"[..], put.header.revision));
    let txn = Txn::new().then((Get::new(key()), Put::new(key(), "w").prev_kv()));
    let OpResponse::Txn(txn) = run(txn.into()).await else { panic!("no txn") };
    assert_eq!(
        txn.responses()[1].as_put().expect("a put").prev_kv.as_ref().expect("it was there").value,
        "v"
    );
    let OpResponse::Delete(deleted) = run(Delete::new(key()).prev_kv().into()).await else {
        panic!("no delete")
    };
    assert_eq!((deleted.deleted, &deleted.prev_kvs[0].value[..]), (1, &b"w"[..]));
    let error = execute(subject.kv, Get::new(""), CallOptions::default()).await.expect_err("empty");
    assert_eq!((error.code(), error.field()), (Some(Code::EmptyKey), Some("key")));
}
