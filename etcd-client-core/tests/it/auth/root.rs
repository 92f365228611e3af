//! Administration of users through raw stubs, as the user root.

use etcd_client_core::{Client, stub::Channel};
use etcd_proto::{
    authpb,
    etcdserverpb::{self as pb, auth_client::AuthClient},
};
use etcd_testkit::{Builder, Cluster};
use tonic::{Response, Status};

use crate::servers::metric;

pub(crate) const PASSWORD: &str = "root's password";

/// How often a call is repeated whose token was rejected: what the tests do to tokens, they do to this one as well.
const TRIES: usize = 50;

/// The administrator.
pub(crate) struct Root(Client);

impl Root {
    pub(crate) fn of(cluster: &Cluster) -> Self {
        Self(client(cluster))
    }

    pub(crate) async fn add_user(&self, name: &str, password: &str) {
        let add = pb::AuthUserAddRequest {
            name: name.to_owned(),
            password: password.to_owned(),
            options: Some(authpb::UserAddOptions { no_password: false }),
            ..pb::AuthUserAddRequest::default()
        };
        self.run(async |auth| auth.user_add(add.clone()).await).await;
        let grant = pb::AuthUserGrantRoleRequest { user: name.to_owned(), role: "root".to_owned() };
        self.run(async |auth| auth.user_grant_role(grant.clone()).await).await;
    }

    pub(crate) async fn remove_user(&self, name: &str) {
        let delete = pb::AuthUserDeleteRequest { name: name.to_owned() };
        self.run(async |auth| auth.user_delete(delete.clone()).await).await;
    }

    pub(crate) async fn switch(&self, on: bool) {
        if on {
            self.run(async |auth| auth.auth_enable(pb::AuthEnableRequest {}).await).await;
        } else {
            self.run(async |auth| auth.auth_disable(pb::AuthDisableRequest {}).await).await;
        }
    }

    async fn run<T>(&self, call: impl AsyncFn(&mut AuthClient<Channel>) -> Result<Response<T>, Status>) {
        let mut auth = AuthClient::new(self.0.channel());
        for _ in 0..TRIES {
            match call(&mut auth).await {
                Ok(_done) => return,
                Err(status) if is_rejection(&status) => {}
                Err(status) => panic!("administration fails: {status}"),
            }
        }
        panic!("each of {TRIES} tokens was rejected");
    }
}

fn is_rejection(status: &Status) -> bool {
    ["invalid auth token", "revision of auth store is old", "user name is empty"]
        .iter()
        .any(|text| status.message().contains(text))
}

/// Three members with auth. Their hashes are cheap: a member starts an Authenticate anew whenever users changed while it was
/// hashing, so that on a busy machine the tests' own changes would keep it from ever ending.
pub(crate) fn cluster() -> Builder {
    Cluster::builder().members(3).auth(PASSWORD).arg("--bcrypt-cost", "4")
}

/// A client of all members as root.
pub(crate) fn client(cluster: &Cluster) -> Client {
    Client::builder(cluster.endpoints()).password("root", PASSWORD).build().expect("valid")
}

/// How many Authenticate calls the members answered, with success or without.
pub(crate) async fn authenticates(cluster: &Cluster, success: bool) -> f64 {
    let mut sum = 0.0;
    for member in cluster.members() {
        let all = metric(member, "grpc_server_handled_total", &["grpc_method=\"Authenticate\""]).await;
        let good = metric(
            member,
            "grpc_server_handled_total",
            &["grpc_method=\"Authenticate\"", "grpc_code=\"OK\""],
        )
        .await;
        sum += if success { good } else { all - good };
    }
    sum
}

/// How many calls to KV the members refused with this gRPC code, as Go writes it.
pub(crate) async fn refused(cluster: &Cluster, code: &str) -> f64 {
    let mut sum = 0.0;
    for member in cluster.members() {
        let labels = [&*format!("grpc_code=\"{code}\""), "grpc_service=\"etcdserverpb.KV\""];
        sum += metric(member, "grpc_server_handled_total", &labels).await;
    }
    sum
}
