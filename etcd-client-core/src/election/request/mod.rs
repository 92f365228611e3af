//! etcd's own election service, in which one of the candidates for a name is the leader at any time.

pub(crate) mod campaign;
pub(crate) mod leader;
pub(crate) mod observe;
pub(crate) mod proclaim;
pub(crate) mod resign;
