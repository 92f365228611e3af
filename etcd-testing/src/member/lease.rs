//! The Lease service of a member.

use etcd_proto::etcdserverpb::{
    LeaseGrantRequest, LeaseGrantResponse, LeaseKeepAliveRequest, LeaseKeepAliveResponse,
    LeaseLeasesResponse, LeaseRevokeRequest, LeaseRevokeResponse, LeaseStatus, LeaseTimeToLiveRequest,
    LeaseTimeToLiveResponse,
};

use super::{Caller, Member};
use crate::auth::Access;
use crate::rejection::Rejection;

impl Member {
    pub(crate) fn lease_grant(
        &mut self,
        caller: &Caller,
        request: &LeaseGrantRequest,
    ) -> Result<LeaseGrantResponse, Rejection> {
        self.require_token(caller)?;
        self.propose(request)?;
        self.check_space()?;
        let (id, ttl) = self.leases.grant(request.id, request.ttl, self.now)?;
        Ok(LeaseGrantResponse { header: Some(self.header()), id, ttl, error: String::new() })
    }

    pub(crate) fn lease_revoke(
        &mut self,
        caller: &Caller,
        request: &LeaseRevokeRequest,
    ) -> Result<LeaseRevokeResponse, Rejection> {
        let info = self.require_token(caller)?;
        self.propose(request)?;
        self.check_lease_keys(info.as_ref(), request.id, Access::Write)?;
        self.end_lease(request.id)?;
        Ok(LeaseRevokeResponse { header: Some(self.header()) })
    }

    /// Ends a lease and deletes its keys, at one revision.
    pub(super) fn end_lease(&mut self, id: i64) -> Result<(), Rejection> {
        let keys = self.leases.revoke(id)?;
        self.write(|write| write.delete_keys(keys));
        Ok(())
    }

    /// Renews a lease. A lease that does not exist gets a time to live of zero.
    pub(crate) fn lease_keep_alive(
        &mut self,
        caller: &Caller,
        request: &LeaseKeepAliveRequest,
    ) -> Result<LeaseKeepAliveResponse, Rejection> {
        let header = Some(self.header());
        let info = self.require_token(caller)?;
        self.check_lease_keys(info.as_ref(), request.id, Access::Write)?;
        let ttl = self.leases.renew(request.id, self.now).unwrap_or(0);
        Ok(LeaseKeepAliveResponse { header, id: request.id, ttl })
    }

    /// Returns the remaining time of a lease. A lease that does not exist gets a time to live of -1.
    pub(crate) fn lease_time_to_live(
        &mut self,
        caller: &Caller,
        request: &LeaseTimeToLiveRequest,
    ) -> Result<LeaseTimeToLiveResponse, Rejection> {
        let header = Some(self.header());
        let info = self.require_token(caller)?;
        if request.keys {
            self.check_lease_keys(info.as_ref(), request.id, Access::Read)?;
        }
        let Some(lease) = self.leases.get(request.id) else {
            return Ok(LeaseTimeToLiveResponse {
                header,
                id: request.id,
                ttl: -1,
                granted_ttl: 0,
                keys: Vec::new(),
            });
        };
        Ok(LeaseTimeToLiveResponse {
            header,
            id: request.id,
            ttl: lease.remaining(self.now),
            granted_ttl: lease.ttl,
            keys: if request.keys { lease.keys.iter().cloned().collect() } else { Vec::new() },
        })
    }

    pub(crate) fn lease_leases(&mut self, caller: &Caller) -> Result<LeaseLeasesResponse, Rejection> {
        let info = self.require_token(caller)?;
        for (id, _) in self.leases.iter() {
            self.check_lease_keys(info.as_ref(), id, Access::Read)?;
        }
        let leases = self.leases.ids().map(|id| LeaseStatus { id }).collect();
        Ok(LeaseLeasesResponse { header: Some(self.header()), leases })
    }
}
