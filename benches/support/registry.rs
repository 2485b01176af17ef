//! Registers a schema.

use std::error::Error;

use serde::Deserialize;

#[derive(Deserialize)]
struct Registered {
    id: u32,
}

/// Registers a schema of Avro under a subject; gives its id.
pub(crate) fn register(registry: &str, subject: &str, schema: &str) -> Result<u32, Box<dyn Error>> {
    let url = format!("{registry}/subjects/{subject}/versions");
    let body = serde_json::json!({ "schema": schema }).to_string();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let answer = runtime.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let request = client.post(url).header("Content-Type", "application/json").body(body);
        request.send().await?.error_for_status()?.text().await
    })?;
    Ok(serde_json::from_str::<Registered>(&answer)?.id)
}
