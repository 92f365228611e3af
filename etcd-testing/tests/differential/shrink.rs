//! Makes a sequence smaller while its answers still differ: without steps, then with simpler ones.

use etcd_proto::etcdserverpb::{RangeRequest, RequestOp, TxnRequest, request_op::Request};

use crate::{
    arena::Arena,
    operation::{Op, Step, Watch, Who},
    runner::Difference,
};

/// The most attempts for one difference.
const ATTEMPTS: usize = 400;

pub(crate) async fn shrink(arena: &mut Arena, found: Difference) -> Difference {
    let mut shrinking = Shrinking { arena, smallest: found, attempts: 0 };
    loop {
        let before = shrinking.smallest.steps.clone();
        shrinking.remove_steps().await;
        shrinking.simplify_steps().await;
        if shrinking.smallest.steps == before || shrinking.attempts >= ATTEMPTS {
            return shrinking.smallest;
        }
    }
}

struct Shrinking<'a> {
    arena: &'a mut Arena,
    smallest: Difference,
    attempts: usize,
}

impl Shrinking<'_> {
    async fn remove_steps(&mut self) {
        let mut chunk = self.smallest.steps.len().div_ceil(2);
        while chunk > 0 {
            let mut end = self.smallest.steps.len();
            while end > 0 {
                let start = end.saturating_sub(chunk);
                let mut steps = self.smallest.steps.clone();
                steps.drain(start..end.min(steps.len()));
                self.attempt(steps).await;
                end = start.min(self.smallest.steps.len());
            }
            chunk /= 2;
        }
    }

    async fn simplify_steps(&mut self) {
        let mut index = 0;
        while index < self.smallest.steps.len() {
            let mut simplified = false;
            for simpler in simpler(&self.smallest.steps[index]) {
                let mut steps = self.smallest.steps.clone();
                steps[index] = simpler;
                if self.attempt(steps).await {
                    simplified = true;
                    break;
                }
            }
            index += usize::from(!simplified);
        }
    }

    /// Keeps the steps if their answers differ.
    async fn attempt(&mut self, steps: Vec<Step>) -> bool {
        if self.attempts >= ATTEMPTS || steps.is_empty() {
            return false;
        }
        self.attempts += 1;
        let Err(difference) = self.arena.run_afresh(&steps).await else { return false };
        if difference.steps.is_empty() {
            return false;
        }
        self.smallest = difference;
        true
    }
}

/// Variants of a step that do less.
fn simpler(step: &Step) -> Vec<Step> {
    let mut variants: Vec<Step> =
        simpler_op(&step.op).into_iter().map(|op| Step { who: step.who, op }).collect();
    if step.who != Who::Nobody {
        variants.push(Step { who: Who::Nobody, op: step.op.clone() });
    }
    variants.retain(|variant| variant != step);
    variants
}

fn simpler_op(op: &Op) -> Vec<Op> {
    match op {
        Op::Txn(txn) => simpler_txn(txn).into_iter().map(Op::Txn).collect(),
        Op::Range(range) => simpler_range(range).into_iter().map(Op::Range).collect(),
        Op::Put(put) => {
            let mut variants = vec![put.clone(); 4];
            variants[0].lease = 0;
            variants[1].prev_kv = false;
            variants[2].ignore_lease = false;
            variants[3].ignore_value = false;
            variants.into_iter().map(Op::Put).collect()
        }
        Op::Watch(slot, Watch::Create(create)) => {
            let mut variants = vec![create.clone(); 5];
            variants[0].filters.clear();
            variants[1].prev_kv = false;
            variants[2].watch_id = 0;
            variants[3].start_revision = 0;
            variants[4].fragment = false;
            variants.into_iter().map(|create| Op::Watch(*slot, Watch::Create(create))).collect()
        }
        _ => Vec::new(),
    }
}

fn simpler_txn(txn: &TxnRequest) -> Vec<TxnRequest> {
    let mut variants = Vec::new();
    for index in 0..txn.compare.len() {
        let mut simpler = txn.clone();
        simpler.compare.remove(index);
        variants.push(simpler);
    }
    let branches: [fn(&mut TxnRequest) -> &mut Vec<RequestOp>; 2] = [success, failure];
    for branch in branches {
        let operations = branch(&mut txn.clone()).clone();
        for (index, operation) in operations.into_iter().enumerate() {
            let mut without = txn.clone();
            branch(&mut without).remove(index);
            variants.push(without);
            for simpler in simpler_operation(&operation) {
                let mut with = txn.clone();
                branch(&mut with)[index] = RequestOp { request: Some(simpler) };
                variants.push(with);
            }
        }
    }
    variants
}

fn success(txn: &mut TxnRequest) -> &mut Vec<RequestOp> {
    &mut txn.success
}

fn failure(txn: &mut TxnRequest) -> &mut Vec<RequestOp> {
    &mut txn.failure
}

fn simpler_operation(operation: &RequestOp) -> Vec<Request> {
    match &operation.request {
        Some(Request::RequestTxn(txn)) => simpler_txn(txn).into_iter().map(Request::RequestTxn).collect(),
        Some(Request::RequestRange(range)) => {
            simpler_range(range).into_iter().map(Request::RequestRange).collect()
        }
        _ => Vec::new(),
    }
}

fn simpler_range(range: &RangeRequest) -> Vec<RangeRequest> {
    let plain = RangeRequest {
        key: range.key.clone(),
        range_end: range.range_end.clone(),
        ..RangeRequest::default()
    };
    let mut variants = vec![plain];
    let mut without = |change: fn(&mut RangeRequest)| {
        let mut simpler = range.clone();
        change(&mut simpler);
        if simpler != *range {
            variants.push(simpler);
        }
    };
    without(|range| range.limit = 0);
    without(|range| range.revision = 0);
    without(|range| (range.sort_order, range.sort_target) = (0, 0));
    without(|range| range.serializable = false);
    without(|range| range.keys_only = false);
    without(|range| range.count_only = false);
    without(|range| range.min_mod_revision = 0);
    without(|range| range.max_mod_revision = 0);
    without(|range| range.min_create_revision = 0);
    without(|range| range.max_create_revision = 0);
    variants
}
