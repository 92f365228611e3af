//! One instance of a service, and the JSON that stands for it.

use std::fmt;

use etcd_errors::{Error, ErrorKind};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// Where an instance of a service is: an address, and whatever else its callers should know.
///
/// ```
/// use etcd_client_core::naming::ServiceEndpoint;
///
/// let endpoint = ServiceEndpoint::new("10.0.0.7:8080").with_metadata(&("zone-a", 3))?;
/// assert_eq!(endpoint.to_json(), r#"{"Op":0,"Addr":"10.0.0.7:8080","Metadata":["zone-a",3]}"#);
/// assert_eq!(endpoint.metadata::<(String, u8)>()?, Some(("zone-a".to_owned(), 3)));
/// # Ok::<(), etcd_client_core::Error>(())
/// ```
#[derive(Clone, Default, PartialEq)]
pub struct ServiceEndpoint {
    addr: String,
    metadata: Value,
}

impl ServiceEndpoint {
    /// An instance at this address, in whatever form its callers expect.
    pub fn new(addr: impl Into<String>) -> Self {
        Self { addr: addr.into(), metadata: Value::Null }
    }

    /// Sets what else callers should know. Default: nothing.
    ///
    /// # Errors
    /// [`InvalidRequest`](ErrorKind::InvalidRequest) for what has no form in JSON.
    pub fn with_metadata(mut self, metadata: &(impl Serialize + ?Sized)) -> Result<Self, Error> {
        self.metadata = serde_json::to_value(metadata)
            .map_err(|error| Error::invalid_request("metadata", format!("metadata is no JSON: {error}")))?;
        Ok(self)
    }

    /// The address.
    pub fn addr(&self) -> &str {
        &self.addr
    }

    /// What else the instance says of itself; `None` where that is nothing.
    ///
    /// # Errors
    /// [`Protocol`](ErrorKind::Protocol) where it has another form than `T`.
    pub fn metadata<T: DeserializeOwned>(&self) -> Result<Option<T>, Error> {
        if self.metadata.is_null() {
            return Ok(None);
        }
        T::deserialize(&self.metadata).map(Some).map_err(|error| {
            Error::new(ErrorKind::Protocol, format!("the metadata has another form: {error}"))
        })
    }

    /// The value of its key: what Go's manager writes.
    pub fn to_json(&self) -> String {
        let wire = Written { op: 0, addr: &self.addr, metadata: &self.metadata };
        serde_json::to_string(&wire).expect("JSON holds every text and every JSON value")
    }

    /// The instance that the value of a key stands for.
    ///
    /// # Errors
    /// [`Protocol`](ErrorKind::Protocol) where it is not such a value.
    pub fn from_json(json: &[u8]) -> Result<Self, Error> {
        let fields: Map<String, Value> = serde_json::from_slice(json)
            .map_err(|error| Error::new(ErrorKind::Protocol, format!("the value is no endpoint: {error}")))?;
        let mut endpoint = Self::default();
        // What is left out or null is empty, and case does not matter, as for Go. The operation says nothing: a key that is there was
        // added.
        for (name, value) in fields {
            match value {
                Value::String(addr) if name.eq_ignore_ascii_case("addr") => endpoint.addr = addr,
                Value::Null => {}
                _ if name.eq_ignore_ascii_case("addr") => {
                    return Err(Error::new(ErrorKind::Protocol, "the endpoint's address is no text"));
                }
                metadata if name.eq_ignore_ascii_case("metadata") => endpoint.metadata = metadata,
                _ => {}
            }
        }
        Ok(endpoint)
    }
}

/// The metadata may be anything, and is not shown.
impl fmt::Debug for ServiceEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceEndpoint").field("addr", &self.addr).finish_non_exhaustive()
    }
}

/// `internal.Update` in client/v3/naming/endpoints/internal; an operation of zero adds.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(rename = "Op")]
    op: u8,
    #[serde(rename = "Addr")]
    addr: &'a str,
    #[serde(rename = "Metadata")]
    metadata: &'a Value,
}
