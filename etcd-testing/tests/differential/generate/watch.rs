//! The Watch service.

use etcd_proto::etcdserverpb::WatchCreateRequest;
use fastrand::Rng;

use super::{among, keys, one_in, weighted};
use crate::operation::{CURRENT, Op, Watch};

pub(super) fn any(rng: &mut Rng) -> Op {
    let slot = rng.u8(0..3);
    let id = weighted(rng, &[(10, 0), (10, 1), (8, 2), (5, 3), (5, 7), (1, -1), (1, 99)]);
    let watch = match weighted(rng, &[(60, 0), (18, 1), (10, 2), (4, 3)]) {
        0 => Watch::Create(create(rng)),
        1 => Watch::Cancel(id),
        2 => Watch::Progress,
        _ => Watch::Close,
    };
    Op::Watch(slot, watch)
}

fn create(rng: &mut Rng) -> WatchCreateRequest {
    let (key, range_end) = keys::range(rng);
    let start = weighted(rng, &[(55, 0), (25, 1), (12, 2), (8, 3)]);
    WatchCreateRequest {
        key,
        range_end,
        start_revision: match start {
            0 => 0,
            1 => keys::any_revision(rng),
            2 => CURRENT + rng.i64(1..5),
            _ => CURRENT - rng.i64(0..10),
        },
        progress_notify: one_in(rng, 4),
        filters: (0..among(rng, &[0, 0, 0, 1, 1, 2])).map(|_| among(rng, &[0, 1, 0, 1, 5])).collect(),
        prev_kv: one_in(rng, 3),
        watch_id: weighted(rng, &[(40, 0), (4, 1), (4, 2), (4, 7), (1, -1)]),
        fragment: one_in(rng, 3),
    }
}
