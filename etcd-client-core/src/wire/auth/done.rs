//! The answers that only say that it was done.

/// Reads an answer that is nothing but a header, which it must have.
macro_rules! done {
    ($($name:ident: $message:ident => $response:ident),+ $(,)?) => {
        $(pub(crate) fn $name(response: pb::$message) -> Result<$response, Error> {
            Ok($response::new(required(response.header, Effect::Writes)?))
        })+
    };
}

pub(super) use done;
