//! Watches of users: what they may see, and tokens that expire.

use etcd_client_core::{Client, watch::WatchStream};
use etcd_testkit::{Cluster, Line};

use super::rig::events;
use crate::servers::PATIENCE;

const ROOT: &str = "secret";

async fn cluster(ttl: Option<&str>) -> Option<Cluster> {
    let builder = Cluster::builder().auth(ROOT);
    match ttl {
        Some(seconds) => builder.arg("--auth-token-ttl", seconds).start_or_skip().await,
        None => builder.start_or_skip().await,
    }
}

fn user(cluster: &Cluster, name: &str, password: &str) -> Client {
    Client::builder(cluster.endpoints()).password(name, password).build().expect("valid")
}

async fn add_app(root: &Client) {
    use etcd_client_core::auth::Permission;
    root.auth().role_add("app").await.expect("role");
    root.auth().role_grant_permission("app", Permission::read_write("app/").prefix()).await.expect("grant");
    root.auth().user_add("app", "pw").await.expect("user");
    root.auth().user_grant_role("app", "app").await.expect("grant");
}

async fn sees(client: &Client, watch: &mut WatchStream, value: &str) {
    client.put("app/k", value).timeout(PATIENCE).await.expect("put");
    assert_eq!(events(watch, 1).await[0].kv.value, value);
}

#[tokio::test]
async fn denied_watch_does_not_affect_others() {
    let Some(cluster) = cluster(None).await else { return };
    let root = user(&cluster, "root", ROOT);
    add_app(&root).await;
    let app = user(&cluster, "app", "pw");
    let mut allowed = app.watch("app/k").await.expect("watch");
    for _ in 0..3 {
        let error = app.watch("other").await.expect_err("denied");
        assert!(error.is_permission_denied(), "{}", error.report());
        // 3.4 takes the range from a key on for that key (etcd's e2e test `TestWatchWithLowPermissionUser`).
        if cluster.version().line() >= Line::V3_5 {
            let error = app.watch("app/").from_key().await.expect_err("denied");
            assert!(error.is_permission_denied(), "{}", error.report());
        }
        sees(&app, &mut allowed, "v").await;
    }
    assert_eq!(allowed.counters().resumed, 0);
}

#[tokio::test]
async fn an_expired_token_is_replaced() {
    let Some(cluster) = cluster(Some("1")).await else { return };
    let root = user(&cluster, "root", ROOT);
    add_app(&root).await;
    let proxied = cluster.proxied().expect("proxies");
    let app = Client::builder(proxied.endpoints()).password("app", "pw").build().expect("valid");
    let mut watch = app.watch("app/k").await.expect("watch");
    for round in 0..3 {
        // Longer than a token lives: what is measured is time.
        tokio::time::sleep(std::time::Duration::from_millis(2_500)).await;
        let mut another = app.watch("app/k").await.expect("a watch with an expired token");
        if round == 1 {
            proxied.proxy(0).reset();
        }
        sees(&root, &mut watch, "v").await;
        assert_eq!(events(&mut another, 1).await[0].kv.value, "v");
    }
}
