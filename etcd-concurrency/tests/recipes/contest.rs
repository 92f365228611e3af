//! The common interface of the mutex and the election, whose waiting is the same.

use std::time::Duration;

use etcd_client_core::{Compare, Revision};
use etcd_concurrency::{Election, Error, Guard, Mutex, Session, election::Leadership};

pub(crate) const TTL: Duration = Duration::from_secs(10);
pub(crate) const HOUR: Duration = Duration::from_secs(3_600);
pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// The name of the lock or election.
pub(crate) const NAME: &str = "lock";

/// A recipe with one holder at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Recipe {
    Mutex,
    Election,
}

impl Recipe {
    pub(crate) const ALL: [Self; 2] = [Self::Mutex, Self::Election];

    pub(crate) async fn enter(self, session: &Session) -> Result<Held, Error> {
        match self {
            Self::Mutex => Mutex::new(session, NAME).lock().await.map(Held::Lock),
            Self::Election => Election::new(session, NAME).campaign("me").await.map(Held::Office),
        }
    }

    /// Waits in a new task.
    pub(crate) fn spawn(self, session: &Session) -> tokio::task::JoinHandle<Result<Held, Error>> {
        let session = session.clone();
        tokio::spawn(async move { self.enter(&session).await })
    }
}

/// A held lock or leadership.
#[derive(Debug)]
pub(crate) enum Held {
    Lock(Guard),
    Office(Leadership),
}

impl Held {
    pub(crate) fn fence(&self) -> Revision {
        match self {
            Self::Lock(guard) => guard.fence(),
            Self::Office(leadership) => leadership.fence(),
        }
    }

    pub(crate) fn owned(&self) -> Compare {
        match self {
            Self::Lock(guard) => guard.owned(),
            Self::Office(leadership) => leadership.owned(),
        }
    }

    pub(crate) fn lost(&self) -> impl Future<Output = Error> + Send + 'static + use<> {
        match self {
            Self::Lock(guard) => futures_util::future::Either::Left(guard.lost()),
            Self::Office(leadership) => futures_util::future::Either::Right(leadership.lost()),
        }
    }

    pub(crate) async fn scope<F: Future>(&self, future: F) -> Result<F::Output, Error> {
        match self {
            Self::Lock(guard) => guard.scope(future).await,
            Self::Office(leadership) => leadership.scope(future).await,
        }
    }

    pub(crate) async fn leave(self) -> Result<(), Error> {
        match self {
            Self::Lock(guard) => guard.unlock().await,
            Self::Office(leadership) => leadership.resign().await,
        }
    }
}
