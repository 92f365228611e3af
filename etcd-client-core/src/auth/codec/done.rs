//! Responses that consist of a header alone.

/// Defines functions that convert a response that is nothing but a header. A missing header is a protocol error.
macro_rules! done {
    ($($name:ident: $message:ident => $response:ident),+ $(,)?) => {
        $(pub(crate) fn $name(response: pb::$message) -> Result<$response, Error> {
            Ok($response::new(required(response.header, Effect::Writes)?))
        })+
    };
}

pub(crate) use done;
