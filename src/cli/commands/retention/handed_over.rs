//! How far events were handed over to somebody, by what was typed.

use std::path::Path;

use crate::cli::ui::Failure;
use crate::export::{Bookmark, HandedOver};

/// To whom, and how far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Receiver {
    /// As it was typed.
    pub(super) name: String,
    /// The last batch that was handed over.
    pub(super) batch_no: i64,
}

/// Reads each of the bookmarks and tables.
pub(super) async fn ask(
    names: &[String],
    storage: &[String],
    installation: &str,
) -> Result<Vec<Receiver>, Failure> {
    let mut receivers = Vec::new();
    for name in names {
        let path = Path::new(name);
        let is_table = name.contains("://") || path.is_dir();
        let HandedOver { installation: of, left_out, batch_no } = match is_table {
            true => of_table(name, storage).await?,
            false => Bookmark::handed_over(path)?,
        };
        if of != installation {
            return Err(Failure::usage(format!(
                "--after {name}: it is of the installation {of}, and this one is {installation}"
            )));
        }
        if !left_out.is_empty() {
            return Err(Failure::usage(format!(
                "--after {name}: not all events are handed over there, because of {}",
                left_out.join(" ")
            ))
            .with_hint(
                "name an export without selectors; --even-if-not-exported drops them in any case",
            ));
        }
        receivers.push(Receiver { name: name.clone(), batch_no });
    }
    Ok(receivers)
}

#[cfg(feature = "lake")]
async fn of_table(url: &str, storage: &[String]) -> Result<HandedOver, Failure> {
    use crate::export::LakeTable;

    let option = |text: &String| match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.to_owned()))
        }
        _ => Err(Failure::usage(
            "--storage: an option is KEY=VALUE, such as AWS_REGION=eu-central-1",
        )),
    };
    let options = storage.iter().map(option).collect::<Result<Vec<_>, _>>()?;
    let location = lake::delta::Location::parse(url, &options)
        .map_err(|error| Failure::usage(format!("--after: {error}")))?;
    Ok(LakeTable::handed_over(location).await?)
}

#[cfg(not(feature = "lake"))]
#[expect(clippy::unused_async, reason = "as the one above, which waits for the table")]
async fn of_table(_: &str, _: &[String]) -> Result<HandedOver, Failure> {
    Err(crate::export::Error::NotBuilt("Delta Lake").into())
}
