//! An error of the client: its fields for programs, and its report for people.

use anyhow::{Context as _, Result};
use etcd_client_core::{Code, ErrorKind, Outcome};

use crate::stage::Stage;

pub(super) async fn show(stage: &mut Stage) -> Result<()> {
    let client = stage.client.clone();
    let transcript = &mut stage.transcript;
    transcript.code("client.put(\"\", \"v\").await");
    let error = client.put("", "v").await.err().context("a put without a key was accepted")?;
    transcript.result(format!("kind     {:?}", error.kind()));
    transcript.result(format!("code     {}", error.code().map_or("none", Code::name)));
    transcript.result(format!("field    {}", error.field().unwrap_or("none")));
    transcript.result(format!("outcome  {}", error.outcome()));
    transcript.check("the kind shows that the request was not sent", error.kind(), ErrorKind::InvalidRequest);
    transcript.check("the code is the one that etcd returns", error.code(), Some(Code::EmptyKey));
    transcript.check("the field is named", error.field(), Some("key"));
    transcript.check("nothing was written", error.outcome(), Outcome::NotApplied);
    transcript.code("println!(\"{}\", error.report())");
    let report = error.report().to_string();
    transcript.result(&report);
    transcript.holds(
        "the report names the operation and the field",
        report.contains("put") && report.contains("key"),
    );
    Ok(())
}
