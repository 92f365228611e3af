//! The Lease service.

use etcd_proto::etcdserverpb::{LeaseKeepAliveRequest, LeaseLeasesRequest, LeaseRevokeRequest};
use futures_util::stream;

use super::Endpoint;
use crate::{
    operation::{Lease, Who},
    show::status,
};

impl Endpoint {
    pub(super) async fn lease(&mut self, who: Who, lease: Lease) -> String {
        let mut client = self.leases();
        match lease {
            Lease::Grant(request) => {
                let result = client.lease_grant(self.request(who, request)).await;
                self.read(result)
            }
            Lease::GrantAndRevoke(request) => {
                let granted = client.lease_grant(self.request(who, request)).await;
                let id = granted.as_ref().map(|granted| granted.get_ref().id).unwrap_or_default();
                // On a machine that stops for seconds, the lease may have expired before.
                let revoke = LeaseRevokeRequest { id };
                let _ = client.lease_revoke(self.request(self.runner(), revoke)).await;
                self.read(granted)
            }
            Lease::Revoke(request) => {
                let result = client.lease_revoke(self.request(who, request)).await;
                self.read(result)
            }
            Lease::KeepAlive(ids) => self.keep_alive(who, ids).await,
            Lease::TimeToLive(request) => {
                let result = client.lease_time_to_live(self.request(who, request)).await;
                self.read(result)
            }
            Lease::List => {
                let result = client.lease_leases(self.request(who, LeaseLeasesRequest {})).await;
                self.read(result)
            }
        }
    }

    async fn keep_alive(&mut self, who: Who, ids: Vec<i64>) -> String {
        let requests = stream::iter(ids.into_iter().map(|id| LeaseKeepAliveRequest { id }));
        let mut responses = match self.leases().lease_keep_alive(self.request(who, requests)).await {
            Ok(response) => response.into_inner(),
            Err(error) => return status(&error),
        };
        let mut answers = Vec::new();
        loop {
            match responses.message().await {
                Ok(Some(response)) => answers.push(self.note(&response)),
                Ok(None) => return answers.join(", "),
                Err(error) => {
                    answers.push(status(&error));
                    return answers.join(", ");
                }
            }
        }
    }
}
