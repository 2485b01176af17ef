//! `audit show`: one event in full.

mod details;
mod json;
mod text;

use std::io::Write as _;

use clap::{Args, ValueEnum};

use self::details::EventDetails;
use crate::cli::settings::connection_args::ConnectionArgs;
use crate::cli::shared::suggestions::ambiguous;
use crate::cli::ui::failure::{Exit, Failure};
use crate::cli::ui::pager::PagedOutput;
use crate::cli::ui::terminal::{self, ColorChoice};
use crate::store::{self, EventLookup, ReadMode};

/// Show one event in full
///
/// With its payload, where it came from, what caused it and what it caused, its other deliveries,
/// and what became of it as a dead letter. Exits with 3 where nothing has the id.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit show 019aa4c5-7d1e-7c3a-9b0e-3f6f1d2c4b5a
  audit show 019aa4c5…4b5a               # an id as tables show it on a terminal
  audit show 4711                        # a row id
  audit show 4711 --diff                 # what changed since the aggregate's event before")]
pub(crate) struct ShowArgs {
    /// Event id, its beginning, its short form, or a row id
    id: String,
    /// Also show what changed in the payload since the aggregate's event before
    #[arg(long)]
    diff: bool,
    /// Format of the output
    #[arg(short, long, alias = "format", value_name = "FORMAT", default_value = "text")]
    output: ShowFormat,
    /// When to colour
    #[arg(long, value_name = "WHEN", default_value = "auto", hide_possible_values = true)]
    color: ColorChoice,
    /// Don't page the text on a terminal [env: PAGER]
    #[arg(long)]
    no_pager: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ShowFormat {
    /// For people
    Text,
    /// One object
    Json,
}

pub(crate) async fn run(args: &ShowArgs, connection: &ConnectionArgs) -> Result<Exit, Failure> {
    let mut session = connection.session("audit show").await?;
    let reading = session.read(ReadMode::Page).await?;
    let details = match store::find_event(&reading, &args.id).await? {
        EventLookup::Nothing => {
            return Err(Failure::new(format!("no event has the id '{}'", args.id))
                .with_hint("`audit trace` takes the id of an aggregate or a correlation, too")
                .with_exit(Exit::NothingMatched));
        }
        EventLookup::Ambiguous(candidates) => return Err(ambiguous(&args.id, &candidates)?),
        EventLookup::Event { deliveries, row_id } => {
            EventDetails::read(&reading, deliveries, row_id, args.diff).await?
        }
    };
    reading.finish().await?;
    let mut screen = PagedOutput::open(args.output == ShowFormat::Text, args.no_pager);
    match args.output {
        ShowFormat::Text => {
            let color = args.color.wanted(terminal::stdout_is_terminal());
            screen.write_all(details.text(color)?.as_bytes())?;
        }
        ShowFormat::Json => screen.write_all(&details.json()?)?,
    }
    screen.close()?;
    Ok(Exit::Done)
}
