//! Single cases that random orders seldom reach, or whose exact messages matter.

use std::time::Duration;

use crate::{
    types::{ClusterId, Event, KeyValue, MemberId, ResponseHeader, Revision},
    watch::{
        Watch,
        codec::WatchMessage,
        state::{Action, End, Request, Ticket, filter::Filter, position::Position, stream::WatchStream},
    },
};

const A: Ticket = Ticket(1);
const B: Ticket = Ticket(2);

/// The ids that are chosen on a stream, in order.
const N: [i64; 3] = [1 << 32, (1 << 32) + 1, (1 << 32) + 2];

const fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn header(revision: i64) -> ResponseHeader {
    ResponseHeader::new(ClusterId::new(1), MemberId::new(1), Revision::new(revision), 1)
}

fn created(id: i64, revision: i64) -> WatchMessage {
    WatchMessage { header: header(revision), id, created: true, ..WatchMessage::default() }
}

fn denied(reason: &str) -> WatchMessage {
    let reason = reason.to_owned();
    WatchMessage { id: -1, created: true, canceled: true, reason, ..WatchMessage::default() }
}

fn canceled(id: i64) -> WatchMessage {
    WatchMessage { id, canceled: true, ..WatchMessage::default() }
}

fn progress(id: i64, revision: i64) -> WatchMessage {
    WatchMessage { header: header(revision), id, ..WatchMessage::default() }
}

fn events(id: i64, revisions: &[i64]) -> WatchMessage {
    let event = |revision: &i64| Event::put(KeyValue::new("k", "v").with_revisions(1, *revision));
    let events = revisions.iter().map(event).collect();
    WatchMessage { header: header(100), id, events, ..WatchMessage::default() }
}

fn actions(stream: &mut WatchStream) -> Vec<Action> {
    std::iter::from_fn(|| stream.next_action()).collect()
}

fn opened(watches: &[(Ticket, i64)]) -> WatchStream {
    let mut stream = WatchStream::default();
    for (ticket, start) in watches {
        let filter = Filter::of(&Watch::new("k"));
        stream.add(*ticket, filter, Position::new(*start), at(0));
    }
    stream.opened(at(0));
    stream
}

/// Like `opened`, with all create responses read and the resulting actions discarded.
fn live(watches: &[(Ticket, i64)]) -> WatchStream {
    let mut stream = opened(watches);
    for id in N.into_iter().take(watches.len()) {
        stream.receive(created(id, 10), at(0));
    }
    actions(&mut stream);
    stream
}

fn delivered(actions: &[Action]) -> Vec<(Ticket, Vec<i64>)> {
    let delivered = |action: &Action| match action {
        Action::Deliver { ticket, events, .. } => {
            Some((*ticket, events.iter().map(|event| event.revision().get()).collect()))
        }
        _ => None,
    };
    actions.iter().filter_map(delivered).collect()
}

fn start_of(ticket: Ticket, stream: &mut WatchStream) -> Option<i64> {
    stream.lost();
    stream.opened(at(1));
    actions(stream).into_iter().find_map(|action| match action {
        Action::Send(Request::Create { ticket: created, start, .. }) if created == ticket => Some(start),
        _ => None,
    })
}

#[test]
fn a_watch_from_now_on_begins_after_its_creation_and_resumes_there() {
    let mut stream = live(&[(A, 0)]);
    stream.receive(events(N[0], &[9, 10, 11]), at(0));
    assert_eq!(delivered(&actions(&mut stream)), [(A, vec![11])]);
    assert_eq!(stream.take_repeated(A), 2);
    let mut stream = live(&[(A, 0)]);
    assert_eq!(start_of(A, &mut stream), Some(11));
    // The create response of a resumed watch shows the member's revision, and says nothing about the watch.
    stream.receive(created(N[0], 50), at(1));
    assert_eq!(start_of(A, &mut stream), Some(11));
}

#[test]
fn before_its_first_creation_nothing_was_promised() {
    let mut stream = opened(&[(A, 0)]);
    assert_eq!(start_of(A, &mut stream), Some(0));
}

#[test]
fn a_denial_is_of_one_watch_only() {
    let mut stream = opened(&[(A, 0), (B, 0)]);
    actions(&mut stream);
    stream.receive(denied("rpc error: code = PermissionDenied desc = etcdserver: permission denied"), at(0));
    stream.receive(created(N[1], 10), at(0));
    let actions = actions(&mut stream);
    assert!(matches!(&actions[0], Action::Ended { ticket: A, end: End::Denied { .. }, .. }), "{actions:?}");
    assert!(matches!(&actions[2], Action::Created { ticket: B, .. }), "{actions:?}");
    assert!(stream.is_live(B) && stream.len() == 1);
}

#[test]
fn a_compaction_ends_a_watch_once_and_frees_its_number() {
    let mut stream = live(&[(A, 5), (B, 0)]);
    let gone = WatchMessage { compact_revision: 7, ..canceled(N[0]) };
    stream.receive(gone.clone(), at(0));
    let first = actions(&mut stream);
    assert_eq!(first[0], Action::Send(Request::Cancel(N[0])));
    assert!(matches!(&first[1], Action::Ended { ticket: A, end: End::Compacted { revision: 7 }, .. }));
    stream.receive(gone, at(0));
    stream.receive(canceled(N[0]), at(0));
    assert_eq!(actions(&mut stream), []);
}

#[test]
fn irrelevant_compaction_ends_a_watch_only_when_repeated() {
    let mut stream = live(&[(A, 0)]);
    stream.receive(WatchMessage { compact_revision: 11, ..canceled(N[0]) }, at(0));
    let again = Request::Create { ticket: A, start: 11, fragment: true, number: N[1] };
    assert_eq!(actions(&mut stream), [Request::Cancel(N[0]), again].map(Action::Send));
    stream.receive(created(N[1], 11), at(0));
    actions(&mut stream);
    stream.receive(WatchMessage { compact_revision: 11, ..canceled(N[1]) }, at(0));
    assert!(actions(&mut stream).iter().any(|action| matches!(action, Action::Ended { ticket: A, .. })));
}

#[test]
fn watch_can_be_dropped_in_every_state() {
    // Waiting for a stream.
    let mut stream = WatchStream::default();
    stream.add(A, Filter::of(&Watch::new("k")), Position::new(0), at(0));
    stream.remove(A);
    stream.opened(at(0));
    assert_eq!(actions(&mut stream), []);
    // Waiting for its creation: it is cancelled afterwards.
    let mut stream = opened(&[(A, 0)]);
    actions(&mut stream);
    stream.remove(A);
    assert!(!stream.is_quiet());
    stream.receive(created(N[0], 10), at(0));
    assert_eq!(actions(&mut stream), [Action::Send(Request::Cancel(N[0]))]);
    stream.receive(events(N[0], &[11]), at(0));
    stream.receive(canceled(N[0]), at(0));
    assert!(stream.is_quiet() && actions(&mut stream).is_empty());
    // Live, paused, and after the end of the stream.
    let mut stream = live(&[(A, 0), (B, 0)]);
    stream.park(B);
    stream.remove(A);
    stream.remove(B);
    assert_eq!(actions(&mut stream), [Request::Cancel(N[1]), Request::Cancel(N[0])].map(Action::Send));
    stream.lost();
    assert!(stream.is_quiet());
}

#[test]
fn an_unknown_number_is_cancelled_once() {
    let mut stream = live(&[(A, 0)]);
    stream.receive(events(7, &[11]), at(0));
    stream.receive(events(7, &[12]), at(0));
    assert_eq!(actions(&mut stream), [Action::Send(Request::Cancel(7))]);
}

#[test]
fn idle_stream_gets_an_echo_and_is_abandoned_without_answer() {
    let mut stream = live(&[(A, 0)]);
    assert_eq!(stream.tick(at(7)), Some(at(8)));
    assert_eq!(stream.tick(at(8)), Some(at(13)));
    assert_eq!(actions(&mut stream), [Action::Send(Request::Echo)]);
    stream.receive(denied("mvcc: watcher range is empty"), at(9));
    assert_eq!(actions(&mut stream), []);
    assert_eq!(stream.tick(at(9)), Some(at(17)));
    assert_eq!(stream.tick(at(17)), Some(at(22)));
    actions(&mut stream);
    assert_eq!(stream.tick(at(22)), None);
    assert!(matches!(actions(&mut stream)[..], [Action::Broken(_)]));
    assert_eq!(WatchStream::default().tick(at(99)), None);
}

#[test]
fn member_busy_with_history_gets_more_time_and_smaller_requests() {
    let mut stream = live(&[(A, 5), (B, 0)]);
    let silence = |stream: &mut WatchStream, from: u64, answer_timeout: u64| {
        assert_eq!(stream.tick(at(from)), Some(at(from + answer_timeout)));
        assert_eq!(stream.tick(at(from + answer_timeout)), None);
        stream.lost();
        stream.opened(at(100));
        // The first response shows that the others can be distinguished.
        stream.receive(created(N[0], 10), at(100));
        let asked = actions(stream).into_iter().filter_map(|action| match action {
            Action::Send(Request::Create { ticket, fragment, .. }) => Some((ticket, fragment)),
            _ => None,
        });
        asked.collect::<Vec<_>>()
    };
    assert_eq!(silence(&mut stream, 50, 5), [(A, false), (B, true)]);
    assert_eq!(
        silence(&mut stream, 100, 4),
        [(A, false), (B, true)],
        "a creation is awaited, and nothing came before"
    );
    stream.receive(created(N[1], 10), at(100));
    stream.receive(events(N[0], &[5, 10]), at(100));
    actions(&mut stream);
    assert_eq!(silence(&mut stream, 108, 5), [(A, true), (B, true)]);
}

#[test]
fn progress_counts_only_in_order() {
    let mut stream = live(&[(A, 0)]);
    stream.receive(progress(-1, 20), at(0));
    assert_eq!(actions(&mut stream), [], "nothing is known of the member");
    stream.set_ordered_progress(true);
    stream.receive(progress(-1, 20), at(0));
    assert_eq!(actions(&mut stream), [Action::Progress { ticket: A, header: header(20) }]);
    stream.receive(progress(N[0], 15), at(0));
    assert_eq!(actions(&mut stream), [], "more was delivered");
    stream.receive(progress(N[0], 30), at(0));
    assert_eq!(start_of(A, &mut stream), Some(31));
}

#[test]
fn lagging_member_is_distinguished_from_a_future_watch() {
    let said = |stream: &mut WatchStream| match &actions(stream)[..] {
        [.., Action::Created { behind, future, .. }] => (*behind, *future),
        other => panic!("{other:?}"),
    };
    let mut stream = opened(&[(A, 20)]);
    stream.receive(created(N[0], 10), at(0));
    assert_eq!(said(&mut stream), (false, true));
    let mut stream = live(&[(A, 0)]);
    start_of(A, &mut stream);
    stream.receive(created(N[0], 9), at(0));
    assert_eq!(said(&mut stream), (true, false));
    start_of(A, &mut stream);
    stream.receive(created(N[0], 10), at(0));
    assert_eq!(said(&mut stream), (false, false));
}

#[test]
fn unrequested_event_ends_one_watch() {
    let mut stream = live(&[(A, 0), (B, 0)]);
    let foreign = Event::put(KeyValue::new("other", "").with_revisions(11, 11));
    stream.receive(WatchMessage { events: vec![foreign], ..events(N[0], &[]) }, at(0));
    let flawed = WatchMessage { flaw: Some("neither"), ..events(N[1], &[]) };
    stream.receive(flawed, at(0));
    let ended: Vec<Ticket> = actions(&mut stream)
        .into_iter()
        .filter_map(|action| match action {
            Action::Ended { ticket, end: End::ProtocolViolation(_), .. } => Some(ticket),
            _ => None,
        })
        .collect();
    assert_eq!(ended, [A, B]);
}

fn creations(actions: &[Action]) -> Vec<Ticket> {
    let creation = |action: &Action| match action {
        Action::Send(Request::Create { ticket, .. }) => Some(*ticket),
        _ => None,
    };
    actions.iter().filter_map(creation).collect()
}

#[test]
fn creations_overlap_only_where_their_answers_name_them() {
    const C: Ticket = Ticket(3);
    let mut stream = opened(&[(A, 0), (B, 5), (C, 5)]);
    assert_eq!(creations(&actions(&mut stream)), [A]);
    stream.receive(created(N[0], 10), at(0));
    assert_eq!(creations(&actions(&mut stream)), [B, C]);
    assert!(!stream.is_proxied());
    // The next stream leads to a proxy, which chooses the ids itself.
    stream.lost();
    stream.opened(at(1));
    assert_eq!(creations(&actions(&mut stream)), [A]);
    for (id, next) in [(0, vec![B]), (1, vec![C]), (2, vec![])] {
        stream.receive(created(id, 10), at(1));
        assert_eq!(creations(&actions(&mut stream)), next);
    }
    assert!(stream.is_proxied());
    stream.receive(events(1, &[5]), at(1));
    assert_eq!(delivered(&actions(&mut stream)), [(B, vec![5])]);
}

#[test]
fn invented_proxy_response_does_not_affect_the_store_revision() {
    let mut stream = opened(&[(A, 20)]);
    actions(&mut stream);
    let made_up = WatchMessage {
        header: ResponseHeader { revision: Revision::new(20), ..ResponseHeader::default() },
        ..created(0, 20)
    };
    stream.receive(made_up, at(0));
    // If this were trusted, a member at revision 19 would count as one that has lost history.
    assert_eq!(start_of(A, &mut stream), Some(20));
    stream.receive(created(0, 19), at(1));
    let created = actions(&mut stream);
    assert!(matches!(created[..], [Action::Created { behind: false, future: false, .. }]), "{created:?}");
    stream.receive(WatchMessage { header: ResponseHeader::default(), ..progress(0, 30) }, at(1));
    assert_eq!(actions(&mut stream), [], "a sign of life, and no progress");
}

#[test]
fn watch_cancelled_by_a_proxy_is_cancelled_by_the_client_too() {
    let mut stream = opened(&[(A, 0)]);
    stream.receive(created(0, 10), at(0));
    actions(&mut stream);
    stream.receive(canceled(0), at(0));
    let ended = actions(&mut stream);
    assert_eq!(ended[0], Action::Send(Request::Cancel(0)));
    assert!(matches!(&ended[1], Action::Ended { ticket: A, end: End::Canceled { .. }, .. }));
}

#[test]
fn nonsense_breaks_the_stream_and_nothing_else() {
    for message in [created(5, 10), events(-1, &[11]), progress(-1, 0)] {
        let mut stream = live(&[(A, 0)]);
        stream.receive(message, at(0));
        assert!(matches!(actions(&mut stream)[..], [Action::Broken(_)]));
    }
    for message in [created(-1, 10), created(N[0], 0)] {
        let mut stream = opened(&[(A, 0)]);
        actions(&mut stream);
        stream.receive(message, at(0));
        assert!(matches!(actions(&mut stream)[..], [Action::Broken(_)]));
    }
}
