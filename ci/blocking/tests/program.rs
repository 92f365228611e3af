//! The program on a real etcd.
#![cfg(unix)]

use etcd_blocking_program::program;
use etcd_client_core::{Error, blocking::Wait as _};
use etcd_testkit::Cluster;

#[test]
fn program_without_a_runtime_works() {
    let start = async { Ok::<_, Error>(Cluster::builder().start_or_skip().await) };
    let Some(cluster) = start.wait().expect("outside of a runtime") else { return };
    let values = program(cluster.endpoints()).expect("it works");
    assert_eq!(values, ["1", "2", "3", "4"]);
}
