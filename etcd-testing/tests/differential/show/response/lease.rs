//! Responses of the Lease service as text. Remaining times are compared roughly, because the clocks differ.

use etcd_proto::etcdserverpb::{
    LeaseGrantResponse, LeaseKeepAliveResponse, LeaseLeasesResponse, LeaseRevokeResponse,
    LeaseTimeToLiveResponse, ResponseHeader,
};

use super::{Fields, Frame, Response, bytes, lease_id};

/// A sequence takes less time than this, in seconds. The shortest lease that a sequence keeps lives longer.
const LONGEST_SEQUENCE: i64 = 200;

impl Response for LeaseGrantResponse {
    fn header(&self) -> Option<&ResponseHeader> {
        self.header.as_ref()
    }

    fn text(&self, frame: Frame) -> String {
        let Self { header, id, ttl, error } = self;
        Fields::of("granted")
            .word(&lease_id(*id))
            .word(&frame.header(header.as_ref()))
            .number("ttl", *ttl)
            .text("error", error)
            .end()
    }
}

impl Response for LeaseRevokeResponse {
    fn header(&self) -> Option<&ResponseHeader> {
        self.header.as_ref()
    }

    fn text(&self, frame: Frame) -> String {
        let Self { header } = self;
        format!("revoked {}", frame.header(header.as_ref()))
    }
}

impl Response for LeaseKeepAliveResponse {
    fn header(&self) -> Option<&ResponseHeader> {
        self.header.as_ref()
    }

    fn text(&self, frame: Frame) -> String {
        let Self { header, id, ttl } = self;
        Fields::of("renewed")
            .word(&lease_id(*id))
            .word(&frame.header(header.as_ref()))
            .number("ttl", *ttl)
            .end()
    }
}

impl Response for LeaseTimeToLiveResponse {
    fn header(&self) -> Option<&ResponseHeader> {
        self.header.as_ref()
    }

    fn text(&self, frame: Frame) -> String {
        let Self { header, id, ttl, granted_ttl, keys } = self;
        let mut keys: Vec<String> = keys.iter().map(|key| bytes(key)).collect();
        // etcd keeps them in a map.
        keys.sort_unstable();
        let elapsed = granted_ttl - ttl;
        let remaining = if (0..LONGEST_SEQUENCE).contains(&elapsed) && *ttl > 0 {
            "about all".to_owned()
        } else {
            ttl.to_string()
        };
        Fields::of("lease")
            .word(&lease_id(*id))
            .word(&frame.header(header.as_ref()))
            .word(&format!("ttl={remaining}"))
            .number("granted", *granted_ttl)
            .list("keys", keys)
            .end()
    }
}

impl Response for LeaseLeasesResponse {
    fn header(&self) -> Option<&ResponseHeader> {
        self.header.as_ref()
    }

    fn text(&self, frame: Frame) -> String {
        let Self { header, leases } = self;
        Fields::of("leases")
            .word(&frame.header(header.as_ref()))
            .list("ids", leases.iter().map(|lease| lease_id(lease.id)))
            .end()
    }
}
