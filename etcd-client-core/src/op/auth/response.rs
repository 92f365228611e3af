//! The answers that hold nothing but a header.

/// Makes the response type of an operation that only says that it was done.
macro_rules! header_response {
    ($op:ident => $name:ident) => {
        #[doc = concat!("The answer to [`", stringify!($op), "`]: it was done.")]
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct $name {
            /// Who answered. Its revision is that of the store, which auth has no part in.
            pub header: $crate::model::ResponseHeader,
        }

        impl $name {
            /// An answer.
            pub fn new(header: $crate::model::ResponseHeader) -> Self {
                Self { header }
            }
        }
    };
}

pub(super) use header_response;
