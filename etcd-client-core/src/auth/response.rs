//! The responses that contain only a header.

/// Defines the response type of an operation whose response contains only a header.
macro_rules! header_response {
    ($op:ident => $name:ident) => {
        #[doc = concat!("The response to [`", stringify!($op), "`].")]
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct $name {
            /// The header of the response, with the revision of the store. Changes to auth do not advance it.
            pub header: $crate::types::ResponseHeader,
        }

        impl $name {
            /// Creates a response.
            pub fn new(header: $crate::types::ResponseHeader) -> Self {
                Self { header }
            }
        }
    };
}

pub(crate) use header_response;
