//! The place of a stream: a connection, and the endpoint that it leads to.

/// A connection of an endpoint. One endpoint may lead to several members (a gateway, a load balancer, a host name
/// that moved), so another connection to it can help if there is no other endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The index of the endpoint in the pool.
    pub(crate) endpoint: usize,
    /// The id of the connection, which is never reused.
    pub(crate) connection: usize,
}

impl Place {
    /// Returns true if one of the places has the same endpoint.
    pub(crate) fn is_near(self, places: &[Self]) -> bool {
        places.iter().any(|place| place.endpoint == self.endpoint)
    }
}
