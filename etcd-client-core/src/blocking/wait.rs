//! Blocking execution of a request.

use etcd_errors::Error;

use crate::blocking::runtime::block_on;

/// Executes a request or a future and blocks the thread until it ends.
///
/// It is implemented for everything that can be awaited and returns a `Result` with an [`Error`], or with an error that can hold one,
/// such as that of `etcd-concurrency`.
///
/// # Examples
///
/// ```no_run
/// # fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
/// use std::time::Duration;
/// use etcd_client_core::blocking::Wait;
///
/// client.put("greeting", "hello").timeout(Duration::from_secs(1)).wait()?;
/// // Several steps as one future, for functions that need a runtime:
/// async { client.update("greeting", |_| "hello again").await }.wait()?;
/// # Ok(())
/// # }
/// ```
pub trait Wait: IntoFuture + Sized {
    /// Executes the request and blocks the thread until it ends.
    ///
    /// # Errors
    ///
    /// Those of the request. [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if it is called from async code: nothing was sent.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn example(client: etcd_client_core::Client) -> Result<(), etcd_client_core::Error> {
    /// use etcd_client_core::blocking::Wait;
    ///
    /// println!("{} keys", client.get("config/").prefix().wait()?.count);
    /// # Ok(())
    /// # }
    /// ```
    fn wait(self) -> Self::Output;
}

impl<F, T, E> Wait for F
where
    F: IntoFuture<Output = Result<T, E>>,
    E: From<Error>,
{
    fn wait(self) -> Result<T, E> {
        // Converted inside: the conversion may send the request, and needs the runtime.
        block_on(async move { self.into_future().await })?
    }
}
