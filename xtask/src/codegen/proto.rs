//! Generates the modules of `etcd-proto` from the vendored protos, without protoc.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use prost_build::{Config, Module};
use protox::{
    Compiler,
    file::{ChainFileResolver, File, FileResolver, GoogleFileResolver, IncludeFileResolver},
    prost_reflect::prost_types::{DescriptorProto, FileDescriptorProto},
};

use super::annotations;

const PROTOS: [&str; 6] = [
    "etcd/api/authpb/auth.proto",
    "etcd/api/etcdserverpb/rpc.proto",
    "etcd/api/mvccpb/kv.proto",
    "etcd/server/etcdserver/api/v3election/v3electionpb/v3election.proto",
    "etcd/server/etcdserver/api/v3lock/v3lockpb/v3lock.proto",
    "grpc/health/v1/health.proto",
];

/// Messages with a secret or a stored value, which a derived `Debug` would print. `etcd-proto/src/redacted_debug.rs`
/// implements `Debug` for them.
const REDACTED: [&str; 11] = [
    ".authpb.User",
    ".etcdserverpb.AuthUserAddRequest",
    ".etcdserverpb.AuthUserChangePasswordRequest",
    ".etcdserverpb.AuthenticateRequest",
    ".etcdserverpb.AuthenticateResponse",
    ".etcdserverpb.Compare",
    ".etcdserverpb.PutRequest",
    ".etcdserverpb.SnapshotResponse",
    ".mvccpb.KeyValue",
    ".v3electionpb.CampaignRequest",
    ".v3electionpb.ProclaimRequest",
];

/// Enums nested in these messages that get a derived `Debug`. Skipping it for a message skips it for nested types too.
const SHOWN_ENUMS: [&str; 2] = [".etcdserverpb.Compare.CompareResult", ".etcdserverpb.Compare.CompareTarget"];

/// `bytes` fields that are neither a secret nor a stored value, so that `Debug` shows them.
const SHOWN_BYTES: [&str; 4] = ["key", "keys", "name", "range_end"];

/// Lints that the style of the generator violates.
const ALLOWED: &str = "#![allow(
    missing_docs,
    elided_lifetimes_in_paths,
    missing_debug_implementations,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::restriction,
    rustdoc::all
)]";

/// Generates one file for each package of the protos below `directory`, and the `mod.rs` that declares them.
///
/// # Errors
///
/// Returns an error if a proto is missing or invalid, or if a message with a secret is missing from `REDACTED`.
pub(super) fn generate(directory: &Path) -> Result<BTreeMap<String, String>> {
    let files = compile(directory)?;
    ensure_redacted(&files)?;
    let mut sources: BTreeMap<String, (String, Vec<String>)> = BTreeMap::new();
    for file in &files {
        let (_, protos) =
            sources.entry(module_name(file)).or_insert_with(|| (file.package().to_owned(), Vec::new()));
        protos.push(file.name().to_owned());
    }
    let requests = files.into_iter().map(|file| (Module::from_parts([module_name(&file)]), file)).collect();
    let generated = config().generate(requests).context("generating Rust from the protos")?;

    let mut outputs = BTreeMap::new();
    for (module, code) in generated {
        let name = module.parts().collect::<String>();
        let (package, protos) = sources.get(&name).context("every module has a source")?;
        outputs.insert(format!("{name}.rs"), stamp(package, protos, &code));
    }
    outputs.insert("mod.rs".to_owned(), declarations(sources.keys()));
    Ok(outputs)
}

/// Parses the protos without annotations, resolves their types and sorts the files by name.
fn compile(directory: &Path) -> Result<Vec<FileDescriptorProto>> {
    let mut resolver = ChainFileResolver::new();
    resolver.add(Vendored { files: IncludeFileResolver::new(PathBuf::from(directory)) });
    resolver.add(GoogleFileResolver::new());
    let mut compiler = Compiler::with_file_resolver(resolver);
    compiler.include_source_info(true);
    for proto in PROTOS {
        compiler.open_file(proto).with_context(|| format!("compiling {proto}"))?;
    }
    let mut files = compiler.file_descriptor_set().file;
    files.sort_by(|a, b| a.name().cmp(b.name()));
    Ok(files)
}

fn config() -> Config {
    let services = tonic_prost_build::configure()
        .build_transport(false)
        .client_mod_attribute(".", "#[cfg(feature = \"client\")]")
        .server_mod_attribute(".", "#[cfg(feature = \"server\")]")
        .service_generator();
    let mut config = Config::new();
    config.bytes(["."]).skip_debug(REDACTED).service_generator(services);
    for path in SHOWN_ENUMS {
        config.enum_attribute(path, "#[derive(Debug)]");
    }
    config
}

/// Returns an error for a message with a secret or a stored value that is missing from `REDACTED`, so that an update of
/// a proto cannot add one unnoticed.
fn ensure_redacted(files: &[FileDescriptorProto]) -> Result<()> {
    let mut found = BTreeSet::new();
    for file in files {
        for message in &file.message_type {
            find_secrets(&format!(".{}", file.package()), message, &mut found);
        }
    }
    let expected: BTreeSet<String> = REDACTED.iter().map(ToString::to_string).collect();
    ensure!(
        found == expected,
        "messages with secrets or values and the list REDACTED differ in {:?}: update the list and {}",
        found.symmetric_difference(&expected).collect::<Vec<_>>(),
        "etcd-proto/src/redacted_debug.rs"
    );
    Ok(())
}

fn find_secrets(parent: &str, message: &DescriptorProto, found: &mut BTreeSet<String>) {
    let path = format!("{parent}.{}", message.name());
    if message.field.iter().any(|field| is_secret(field.name(), field.r#type() as i32)) {
        found.insert(path.clone());
    }
    message.nested_type.iter().for_each(|nested| find_secrets(&path, nested, found));
}

fn is_secret(name: &str, kind: i32) -> bool {
    use protox::prost_reflect::prost_types::field_descriptor_proto::Type;
    let lower = name.to_lowercase();
    let suspicious = ["password", "token", "secret"].iter().any(|word| lower.contains(word));
    (kind == Type::Bytes as i32 && !SHOWN_BYTES.contains(&name))
        || (kind == Type::String as i32 && suspicious)
}

fn module_name(file: &FileDescriptorProto) -> String {
    file.package().replace('.', "_")
}

fn stamp(package: &str, protos: &[String], code: &str) -> String {
    format!(
        "//! The protobuf package `{package}`.\n\
         // @generated by `cargo xtask codegen` from {}. Do not edit.\n{ALLOWED}\n\n{code}",
        protos.join(", ")
    )
}

fn declarations<'a>(modules: impl Iterator<Item = &'a String>) -> String {
    let mut text = String::from(
        "//! Declares the generated modules, one a protobuf package.\n\
         // @generated by `cargo xtask codegen`. Do not edit.\n\n",
    );
    for module in modules {
        text.push_str(&format!("pub mod {module};\n"));
    }
    text
}

/// Reads vendored files and removes their annotations.
struct Vendored {
    files: IncludeFileResolver,
}

impl FileResolver for Vendored {
    fn resolve_path(&self, path: &Path) -> Option<String> {
        self.files.resolve_path(path)
    }

    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        let file = self.files.open_file(name)?;
        Ok(File::from_file_descriptor_proto(annotations::strip(file.into())))
    }
}

#[cfg(test)]
mod tests;
