//! The common part of `Key` and `Value`: a newtype over `Bytes` and its conversions.

/// Implements accessors and conversions for a newtype over `Bytes`.
macro_rules! byte_string {
    ($name:ident) => {
        impl $name {
            /// Creates an empty byte string.
            pub const fn new() -> Self {
                Self(bytes::Bytes::new())
            }

            /// Creates a byte string from `'static` bytes without a copy.
            pub const fn from_static(bytes: &'static [u8]) -> Self {
                Self(bytes::Bytes::from_static(bytes))
            }

            /// Returns the bytes.
            pub fn as_bytes(&self) -> &[u8] {
                &self.0
            }

            /// Returns the number of bytes.
            pub fn len(&self) -> usize {
                self.0.len()
            }

            /// Returns whether there are no bytes.
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }

            /// Returns the bytes as text.
            ///
            /// # Errors
            /// Returns an error if the bytes are not valid UTF-8.
            pub fn to_str(&self) -> Result<&str, std::str::Utf8Error> {
                std::str::from_utf8(&self.0)
            }

            /// Returns the shared buffer itself, without a copy.
            pub fn into_bytes(self) -> bytes::Bytes {
                self.0
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        impl std::borrow::Borrow<[u8]> for $name {
            fn borrow(&self) -> &[u8] {
                &self.0
            }
        }

        impl From<bytes::Bytes> for $name {
            fn from(bytes: bytes::Bytes) -> Self {
                Self(bytes)
            }
        }

        impl From<&bytes::Bytes> for $name {
            fn from(bytes: &bytes::Bytes) -> Self {
                Self(bytes.clone())
            }
        }

        impl From<$name> for bytes::Bytes {
            fn from(it: $name) -> Self {
                it.0
            }
        }

        impl From<&$name> for $name {
            fn from(it: &$name) -> Self {
                it.clone()
            }
        }

        impl From<Vec<u8>> for $name {
            fn from(bytes: Vec<u8>) -> Self {
                Self(bytes.into())
            }
        }

        impl From<&Vec<u8>> for $name {
            fn from(bytes: &Vec<u8>) -> Self {
                bytes.as_slice().into()
            }
        }

        impl From<&[u8]> for $name {
            fn from(bytes: &[u8]) -> Self {
                Self(bytes::Bytes::copy_from_slice(bytes))
            }
        }

        impl<const N: usize> From<[u8; N]> for $name {
            fn from(bytes: [u8; N]) -> Self {
                bytes.as_slice().into()
            }
        }

        impl<const N: usize> From<&[u8; N]> for $name {
            fn from(bytes: &[u8; N]) -> Self {
                bytes.as_slice().into()
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                text.into_bytes().into()
            }
        }

        impl From<&String> for $name {
            fn from(text: &String) -> Self {
                text.as_bytes().into()
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                text.as_bytes().into()
            }
        }

        impl PartialEq<[u8]> for $name {
            fn eq(&self, other: &[u8]) -> bool {
                *self.0 == *other
            }
        }

        impl PartialEq<&[u8]> for $name {
            fn eq(&self, other: &&[u8]) -> bool {
                *self.0 == **other
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                *self.0 == *other.as_bytes()
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                *self.0 == *other.as_bytes()
            }
        }
    };
}

pub(crate) use byte_string;
