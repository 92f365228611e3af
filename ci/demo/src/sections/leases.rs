//! Grants a lease, attaches a key to it, reads its remaining time, and revokes it.

use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::stage::Stage;

const TTL: Duration = Duration::from_secs(60);

pub(super) async fn show(stage: &mut Stage) -> Result<()> {
    let (client, key, id) = (stage.client.clone(), stage.key("alive"), stage.choose_lease());
    let transcript = &mut stage.transcript;
    transcript.code("let lease = client.lease().grant(Duration::from_secs(60)).id(chosen).await?;");
    let lease = client.lease().grant(TTL).id(id).await?;
    transcript.result(format!("lease {}, time to live {} s", lease.id, lease.ttl.as_secs()));
    transcript.check("it has the requested id and time to live", (lease.id, lease.ttl), (id, TTL));
    transcript.code("client.put(\"alive\", \"yes\").lease(lease.id).await?");
    client.put(&key, "yes").lease(lease.id).await?;
    let got = client.get(&key).await?;
    let attached = got.first().context("the key is missing")?.lease;
    transcript
        .result(format!("the key has lease {}", attached.map_or_else(String::new, |id| id.to_string())));
    transcript.check("the key is attached to the lease", attached, Some(id));
    transcript.code("client.lease().time_to_live(lease.id).keys().await?");
    let asked = client.lease().time_to_live(lease.id).keys().await?;
    let ttl = asked.ttl.context("the lease does not exist")?;
    let granted = asked.granted_ttl;
    transcript.result(format!(
        "{} s of {} s left, {} key attached",
        ttl.as_secs(),
        granted.as_secs(),
        asked.keys.len()
    ));
    transcript.holds("the remaining time is plausible", ttl > TTL / 2 && ttl <= TTL && granted == TTL);
    transcript.check("the lease lists the key", asked.keys, [key.clone()]);
    transcript.code("client.lease().revoke(lease.id).await?");
    client.lease().revoke(lease.id).await?;
    let found = client.get(&key).await?.kvs.len();
    let ttl = client.lease().time_to_live(lease.id).await?.ttl;
    transcript.result(format!("{found} keys left, the lease {}", ttl.map_or("does not exist", |_| "exists")));
    transcript.check("the key is deleted with the lease", found, 0);
    transcript.check("the lease does not exist", ttl, None);
    Ok(())
}
