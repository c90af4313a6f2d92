//! Compiles the contracts in `proto/` with protox, so that no `protoc` is needed.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message;

const FILES: [&str; 23] = [
    "posko/common/v1/common.proto",
    "posko/federation/v1/session.proto",
    "posko/federation/v1/node.proto",
    "posko/blob/v1/blob.proto",
    "posko/blob/v1/service.proto",
    "posko/incident/v1/event.proto",
    "posko/incident/v1/need.proto",
    "posko/incident/v1/emergency.proto",
    "posko/incident/v1/assessment.proto",
    "posko/incident/v1/timeline.proto",
    "posko/incident/v1/service.proto",
    "posko/warning/v1/event.proto",
    "posko/warning/v1/feed.proto",
    "posko/warning/v1/service.proto",
    "posko/account/v1/event.proto",
    "posko/account/v1/service.proto",
    "posko/directive/v1/event.proto",
    "posko/directive/v1/service.proto",
    "posko/log/v1/event.proto",
    "posko/log/v1/service.proto",
    "posko/site/v1/event.proto",
    "posko/site/v1/service.proto",
    "posko/ims/v1/service.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo::rerun-if-changed={}", root.display());
    let files = protox::compile(FILES, [&root])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptor.bin"), files.encode_to_vec())?;
    let rpc = env::var_os("CARGO_FEATURE_RPC").is_some();
    tonic_prost_build::configure()
        .build_client(rpc)
        .build_server(rpc)
        .bytes(".posko.federation.v1.Batch.body")
        .compile_fds(files)?;
    Ok(())
}
