//! Server-streaming calls: one request, many messages, a status.

use std::sync::{Arc, atomic::AtomicBool};

use etcd_errors::Error;

use crate::transport::{
    call::{call_state::CallState, channel::Channel, unary::Call},
    connection::message_stream::{MessageStream, open},
    grpc::{failure::Failure, frame, observation::Observation},
};

impl Channel {
    /// Sends `request` and waits for the response head, within the call's deadline. Retries as the call's class
    /// allows, while nothing of the response has arrived.
    ///
    /// # Cancel safety
    ///
    /// This method is cancel safe.
    pub(crate) async fn server_stream<Resp: prost::Message + Default>(
        &self,
        call: Call<'_>,
        request: &impl prost::Message,
    ) -> Result<MessageStream<Resp>, Error> {
        let mut progress = CallState::start(self, call)?;
        loop {
            let permit = progress.stream_connection(self).await?;
            let connection = Arc::clone(&permit.connection);
            let failure = match connection.stream_permit() {
                // Treated as a failed attempt, so that another connection or member is tried.
                None => {
                    drop(permit);
                    Failure::new(
                        Observation::NotSent,
                        "the limit of unread streams on the connection is reached",
                    )
                }
                Some(stream_permit) => {
                    let headers = progress.headers_without_timeout(self);
                    let frame = frame::encode(request);
                    let limit = self.max_receive_bytes();
                    let opened = open(
                        (permit, Some(stream_permit)),
                        call.method,
                        headers,
                        frame,
                        limit,
                        progress.deadline,
                    );
                    let begun = AtomicBool::new(false);
                    match progress.watchdog(self, &connection, &begun).wait(opened).await {
                        Ok(messages) => {
                            progress.finished(&connection);
                            return Ok(messages);
                        }
                        Err(failure) => failure,
                    }
                }
            };
            progress.record(self, &connection, &failure);
            progress.next(self, failure).await?;
        }
    }
}
