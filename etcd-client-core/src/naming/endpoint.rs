//! One instance of a service and its JSON representation.

use std::fmt;

use etcd_errors::{Error, ErrorKind};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// An instance of a service: its address, and optional metadata for its callers.
///
/// # Examples
///
/// ```
/// use etcd_client_core::naming::ServiceEndpoint;
///
/// let endpoint = ServiceEndpoint::new("10.0.0.7:8080").with_metadata(&("zone-a", 3))?;
/// assert_eq!(endpoint.to_json(), r#"{"Op":0,"Addr":"10.0.0.7:8080","Metadata":["zone-a",3]}"#);
/// assert_eq!(endpoint.metadata::<(String, u8)>()?, Some(("zone-a".to_owned(), 3)));
/// # Ok::<(), etcd_client_core::Error>(())
/// ```
#[doc(alias = "Endpoint")]
#[derive(Clone, Default, PartialEq)]
pub struct ServiceEndpoint {
    addr: String,
    metadata: Value,
}

impl ServiceEndpoint {
    /// Creates an instance with this address. The client does not interpret the address: any text is accepted.
    pub fn new(addr: impl Into<String>) -> Self {
        Self { addr: addr.into(), metadata: Value::Null }
    }

    /// Sets the metadata. Default: none.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`](ErrorKind::InvalidRequest) if the metadata cannot be represented in JSON.
    pub fn with_metadata(mut self, metadata: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        self.metadata = serde_json::to_value(metadata).map_err(|error| {
            Error::invalid_request("metadata", format!("metadata cannot be represented in JSON: {error}"))
        })?;
        Ok(self)
    }

    /// Returns the address.
    pub fn addr(&self) -> &str {
        &self.addr
    }

    /// Returns the metadata, or `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`Protocol`](ErrorKind::Protocol) if the metadata cannot be deserialized into `T`.
    pub fn metadata<T: DeserializeOwned>(&self) -> Result<Option<T>, Error> {
        if self.metadata.is_null() {
            return Ok(None);
        }
        T::deserialize(&self.metadata).map(Some).map_err(|error| {
            Error::new(
                ErrorKind::Protocol,
                format!("the metadata does not match the requested type: {error}"),
            )
        })
    }

    /// Returns the value to store in etcd, as Go's manager writes it.
    pub fn to_json(&self) -> String {
        let wire = Written { op: 0, addr: &self.addr, metadata: &self.metadata };
        serde_json::to_string(&wire).expect("JSON holds every text and every JSON value")
    }

    /// Parses the value of a key.
    ///
    /// # Errors
    ///
    /// [`Protocol`](ErrorKind::Protocol) if the value is not an endpoint.
    pub fn from_json(json: &[u8]) -> Result<Self, Error> {
        let fields: Map<String, Value> = serde_json::from_slice(json).map_err(|error| {
            Error::new(ErrorKind::Protocol, format!("the value is not an endpoint: {error}"))
        })?;
        let mut endpoint = Self::default();
        // As in Go, missing and null fields are empty, and field names are case-insensitive. `Op` is ignored, because a key that
        // exists was added.
        for (name, value) in fields {
            match value {
                Value::String(addr) if name.eq_ignore_ascii_case("addr") => endpoint.addr = addr,
                Value::Null => {}
                _ if name.eq_ignore_ascii_case("addr") => {
                    return Err(Error::new(ErrorKind::Protocol, "the endpoint's address is not a string"));
                }
                metadata if name.eq_ignore_ascii_case("metadata") => endpoint.metadata = metadata,
                _ => {}
            }
        }
        Ok(endpoint)
    }
}

/// Omits the metadata, which may contain secrets.
impl fmt::Debug for ServiceEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceEndpoint").field("addr", &self.addr).finish_non_exhaustive()
    }
}

/// The JSON of `internal.Update` in client/v3/naming/endpoints/internal. An `Op` of zero adds an endpoint.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(rename = "Op")]
    op: u8,
    #[serde(rename = "Addr")]
    addr: &'a str,
    #[serde(rename = "Metadata")]
    metadata: &'a Value,
}
