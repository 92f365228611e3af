//! Every member is restarted in an orderly way, one after the other, as an upgrade does it.

use etcd_testkit::{Cluster, Line};
use tokio::time::Instant;

use crate::rig::{Clients, ENOUGH, Rig, plain};
#[cfg(feature = "tls")]
use crate::{history::print, secured};

/// Leadership moves between `fault` and `settled` at the most: only writes in flight then may fail, in doubt.
async fn restarts_cost_only_what_is_in_flight_while_leadership_moves(
    name: &str,
    builder: etcd_testkit::Builder,
    clients: Clients,
) {
    let Some(rig) = Rig::with(builder, clients, false).await else { return };
    let mut moves = Vec::new();
    let mut faults = Vec::new();
    let mut members: Vec<usize> = (0..rig.cluster.members().len()).collect();
    // The leader last: otherwise leadership may move to a member that is yet to be restarted.
    let leader = rig.leader().await;
    members.sort_by_key(|member| *member == leader);
    for index in members {
        let member = rig.cluster.member(index);
        let led = rig.leader().await == index;
        let fault = Instant::now();
        member.terminate().expect("terminated");
        if led {
            rig.leader_besides(Some(index)).await;
            moves.push((fault, Instant::now()));
        }
        member.wait_exit().await.expect("it ends");
        if rig.cluster.version().line() < Line::V3_5 {
            // 3.4 ends connections without a warning.
            moves.push((fault, Instant::now()));
        }
        member.restart().await.expect("restarted");
        rig.used_again(index, Instant::now()).await;
        rig.load.answered(ENOUGH).await;
        faults.push(fault);
    }
    let leader = rig.leader().await;
    let history = rig.finish(leader, faults[0]).await;
    assert!(history.moves() > 0, "leadership never moved");
    history.assert_writes_fail_only(faults[0], "in flight while leadership moved", |call| {
        moves.iter().any(|(fault, moved)| call.start <= *moved && call.end >= *fault)
    });
    history.print(name, &faults);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_plain_members() {
    restarts_cost_only_what_is_in_flight_while_leadership_moves("rolling restart", Cluster::builder(), plain)
        .await;
}

#[cfg(feature = "tls")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_members_with_tls() {
    restarts_cost_only_what_is_in_flight_while_leadership_moves(
        "rolling restart with TLS",
        Cluster::builder().tls(),
        secured::tls,
    )
    .await;
}

#[cfg(feature = "tls")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_members_with_tls_and_users() {
    restarts_cost_only_what_is_in_flight_while_leadership_moves(
        "rolling restart with TLS and users",
        Cluster::builder().tls().auth(secured::ROOT_PASSWORD).arg("--bcrypt-cost", "4"),
        secured::tls_and_password,
    )
    .await;
    // The client gets one, and another one for each restarted member that has forgotten it, which 64 callers share. Such a member
    // knows the new one when it has applied the entry that made it: where it is asked before, there is one more. The client that
    // looks at the end gets one too.
    let authentications = secured::AUTHENTICATIONS.count();
    print(format_args!("rolling restart with TLS and users: {authentications} authentications in all"));
    assert!((1..=1 + 2 * 3 + 1).contains(&authentications), "{authentications} authentications");
}
