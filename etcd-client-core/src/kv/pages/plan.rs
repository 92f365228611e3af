//! The number of keys to request in the next page of a long range.

/// The target size of a page: large enough that the round trip does not matter, small enough that memory use stays
/// flat.
const TARGET_BYTES: usize = 1 << 20;

/// The size of the first page, before the size of the values is known. A page of ten 1 MiB values stays below 16 MiB
/// (etcd's default limit for a request is 1.5 MiB).
const FIRST: u32 = 10;

/// The maximum number of keys per page, even if they are small.
const MOST: u32 = 10_000;

/// The size of the next page, derived from the previous pages.
#[derive(Clone, Debug)]
pub(crate) struct PagePlan {
    next: u32,
    fixed: bool,
}

impl PagePlan {
    /// Creates a plan whose pages adapt to the size of the pairs.
    pub(crate) fn adaptive() -> Self {
        Self { next: FIRST, fixed: false }
    }

    /// Creates a plan with pages of `keys` keys each.
    pub(crate) fn fixed(keys: u32) -> Self {
        Self { next: keys, fixed: true }
    }

    /// Returns the number of keys to request if at most `remaining` are wanted.
    pub(crate) fn limit(&self, remaining: Option<u64>) -> u32 {
        let remaining = remaining.and_then(|n| u32::try_from(n).ok()).unwrap_or(u32::MAX);
        self.next.min(remaining)
    }

    /// Learns from a page with `keys` keys and `bytes` bytes. The size doubles at most, because the next values may
    /// be larger.
    pub(crate) fn observe(&mut self, keys: usize, bytes: usize) {
        if self.fixed || keys == 0 {
            return;
        }
        // The average of the last page predicts the next one, because neighbouring keys tend to hold similar
        // values.
        let per_key = bytes.div_ceil(keys).max(1);
        let fitting = u32::try_from(TARGET_BYTES / per_key).unwrap_or(u32::MAX);
        self.next = fitting.clamp(1, self.next.saturating_mul(2).min(MOST));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_values_grow_to_the_most() {
        let mut plan = PagePlan::adaptive();
        let mut limits = Vec::new();
        for _ in 0..12 {
            limits.push(plan.limit(None));
            plan.observe(plan.limit(None) as usize, plan.limit(None) as usize * 64);
        }
        assert_eq!(limits, [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10_000, 10_000]);
    }

    #[test]
    fn large_values_shrink_to_one_at_once() {
        let mut plan = PagePlan::adaptive();
        plan.observe(10, 10 << 20);
        assert_eq!(plan.limit(None), 1);
        plan.observe(1, 100);
        assert_eq!(plan.limit(None), 2);
    }

    #[test]
    fn the_wanted_total_and_a_fixed_size_hold() {
        assert_eq!(PagePlan::adaptive().limit(Some(3)), 3);
        let mut plan = PagePlan::fixed(500);
        plan.observe(500, 500 << 20);
        assert_eq!(plan.limit(None), 500);
        assert_eq!(plan.limit(Some(u64::MAX)), 500);
    }
}
