//! Where a stream of renewals is: a connection, and the endpoint that it leads to.

/// One connection of one endpoint. An endpoint may hide several members (a gateway, a load balancer, a name that moved), so that
/// another connection to it can be the way out where there is no other endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The endpoint, by its number in the pool.
    pub(crate) endpoint: usize,
    /// The connection, by a number that is never used again.
    pub(crate) connection: usize,
}

impl Place {
    /// Whether it is on the endpoint of one of these.
    pub(super) fn is_near(self, places: &[Self]) -> bool {
        places.iter().any(|place| place.endpoint == self.endpoint)
    }
}
