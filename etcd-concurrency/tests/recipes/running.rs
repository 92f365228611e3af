//! `run_with_lock` and `run_as_leader`: the work ends before its lease does, and the lock is released after it.

use std::{
    sync::{Arc, Mutex as Shared},
    task::{Context, Poll, Waker},
    time::Duration,
};

use etcd_client_core::{Put, Txn, kv::KvService};
use etcd_concurrency::{
    Election, Error, Mutex, Session,
    run::Leading,
    run_as_leader, run_with_lock,
    session::{SessionEnd, Tokens},
};
use tokio::time::{Instant, advance, sleep, timeout};

use crate::{
    contest::{HOUR, NAME, Recipe, SECOND, TTL},
    model::Model,
};

/// The time of each step of the work.
#[derive(Clone, Default)]
struct Steps(Arc<Shared<Vec<Instant>>>);

impl Steps {
    fn record(&self) {
        self.0.lock().expect("no panic").push(Instant::now());
    }

    fn len(&self) -> usize {
        self.0.lock().expect("no panic").len()
    }

    fn last(&self) -> Instant {
        *self.0.lock().expect("no panic").last().expect("a step")
    }

    /// Works in short steps and never ends.
    async fn work(self) {
        loop {
            self.record();
            sleep(Duration::from_millis(7)).await;
        }
    }
}

async fn run(recipe: Recipe, session: &Session, steps: Steps) -> Result<(), Error> {
    match recipe {
        Recipe::Mutex => run_with_lock(&Mutex::new(session, NAME), |_| steps.work()).await,
        Recipe::Election => run_as_leader(&Election::new(session, NAME), "me", |_| steps.work()).await,
    }
}

/// The renewals fail from a different moment on in each run.
#[tokio::test(start_paused = true)]
async fn work_ends_before_a_lease_that_cannot_be_renewed() {
    for recipe in Recipe::ALL {
        for run_number in 0..50 {
            let model = Model::default();
            let session = model.session(TTL);
            let steps = Steps::default();
            let work = tokio::spawn({
                let (session, steps) = (session.clone(), steps.clone());
                async move { run(recipe, &session, steps).await }
            });
            sleep(run_number * TTL / 25 + SECOND / 10).await;
            let deadline = session.deadline().expect("alive");
            model.freeze(session.lease());
            let reported = work.await.expect("no panic");
            assert!(matches!(reported, Err(Error::NotRenewed)), "{reported:?} in run {run_number}");
            assert!(Instant::now() < deadline, "{recipe:?}, run {run_number}");
            assert!(steps.last() < deadline, "{recipe:?}, run {run_number}");
            assert_eq!(model.live_leases(), 1, "the lease has not expired yet");
            assert!(steps.len() > 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn work_continues_while_the_lease_is_renewed() {
    for recipe in Recipe::ALL {
        let model = Model::default();
        let (session, steps) = (model.session(TTL), Steps::default());
        let running = timeout(20 * TTL, run(recipe, &session, steps.clone())).await;
        assert!(running.is_err(), "{running:?}");
        assert!(Instant::now() - steps.last() < SECOND);
        sleep(SECOND).await;
        assert_eq!(model.keys("lock/").len(), 0, "the dropped future has released the lock");
    }
}

#[tokio::test(start_paused = true)]
async fn work_is_not_polled_after_a_pause() {
    for recipe in Recipe::ALL {
        let model = Model::default();
        let (session, steps) = (model.session(TTL), Steps::default());
        let mut running = Box::pin(run(recipe, &session, steps.clone()));
        let started = async {
            while steps.len() == 0 {
                sleep(SECOND / 100).await;
            }
        };
        tokio::select! {
            ended = &mut running => panic!("{ended:?}"),
            () = started => {}
        }
        let before = steps.len();
        // The process does not run while the clock advances.
        model.freeze(session.lease());
        advance(TTL).await;
        let mut cx = Context::from_waker(Waker::noop());
        let Poll::Ready(Err(error)) = running.as_mut().poll(&mut cx) else { panic!("it continues") };
        assert!(error.is_lost(), "{error}");
        assert_eq!(steps.len(), before, "{recipe:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn work_ends_with_its_key_and_its_session() {
    for recipe in Recipe::ALL {
        let model = Model::default();
        let session = model.session(TTL);
        let spawn = |steps: Steps| {
            let session = session.clone();
            tokio::spawn(async move { run(recipe, &session, steps).await })
        };
        let work = spawn(Steps::default());
        sleep(SECOND).await;
        model.delete(model.keys("lock/")[0].clone());
        let reported = timeout(SECOND / 100, work).await.expect("at once").expect("no panic");
        assert!(matches!(reported, Err(Error::LockLost)), "{reported:?}");

        let work = spawn(Steps::default());
        sleep(SECOND).await;
        session.clone().close().await.expect("no outage");
        let reported = timeout(SECOND / 100, work).await.expect("at once").expect("no panic");
        assert!(matches!(reported, Err(Error::SessionExpired(SessionEnd::Closed))), "{reported:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn entry_lease_that_is_not_renewed_ends_the_work() {
    let model = Model::default();
    let session = Session::builder(model.store()).tokens(Tokens::lease_per_entry()).start(model.keep(HOUR));
    let work = tokio::spawn({
        let session = session.clone();
        async move { run(Recipe::Mutex, &session, Steps::default()).await }
    });
    sleep(SECOND).await;
    model.freeze(model.queue("lock/")[0].lease.expect("a lease"));
    let began = Instant::now();
    let reported = work.await.expect("no panic");
    assert!(matches!(reported, Err(Error::NotRenewed)), "{reported:?}");
    assert!(began.elapsed() < HOUR);
}

#[tokio::test(start_paused = true)]
async fn lock_is_free_when_the_work_has_ended() {
    let model = Model::default();
    let session = model.session(TTL);
    let mutex = Mutex::new(&session, NAME);
    for count in 0..3 {
        assert_eq!(run_with_lock(&mutex, |_| async move { count }).await.expect("done"), count);
        assert_eq!(model.keys("lock/").len(), 0);
    }
    let election = Election::new(&session, NAME);
    let proclaimed = run_as_leader(&election, "me", |leading| async move {
        leading.proclaim("ready").await.expect("leading");
        leading
    });
    let leading: Leading = proclaimed.await.expect("done");
    assert_eq!(model.keys("lock/").len(), 0);
    assert!(matches!(leading.proclaim("late").await, Err(Error::NotOwner)));
}

#[tokio::test(start_paused = true)]
async fn fencing_is_at_hand() {
    let model = Model::default();
    let session = model.session(TTL);
    let kv: Arc<dyn KvService> = Arc::new(model.clone());
    let work_kv = Arc::clone(&kv);
    let mutex = Mutex::new(&session, NAME);
    let holder = run_with_lock(&mutex, |holder| async move {
        let guarded = Txn::new().when(holder.owned()).then(Put::new("result", "42"));
        assert!(guarded.bind(&*work_kv).await.expect("no outage").succeeded());
        holder
    });
    let holder = holder.await.expect("done");
    assert!(holder.fence() > 0 && holder.key().as_bytes().starts_with(b"lock/"));
    let late = Txn::new().when(holder.owned()).then(Put::new("result", "late"));
    assert!(!late.bind(&*kv).await.expect("no outage").succeeded(), "the lock is free");
}

#[tokio::test]
async fn futures_can_be_spawned() {
    fn is_send(_: impl Send) {}
    let model = Model::default();
    let session = model.session(HOUR);
    let mutex = Mutex::new(&session, NAME);
    is_send(run_with_lock(&mutex, |holder| async move { holder.fence() }));
    let election = Election::new(&session, NAME);
    is_send(run_as_leader(&election, "me", |leading| async move { leading.proclaim("ready").await }));
}
