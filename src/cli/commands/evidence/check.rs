//! `audit evidence check`: whether a proof proves that a row is what was recorded.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::cli::settings::ArgumentSettings;
use crate::cli::shared::{Context, FormatArgs, Run, VerifierKeyArg, input_name, read_input};
use crate::cli::ui::{Exit, Failure};
use crate::evidence::proof::{InclusionProof, ProofError, Proven};
use crate::output;
use crate::output::{Column, Emphasis, Format};
use crate::time::Timestamp;
use crate::value::Value;

/// Check a proof that a row is what was recorded, with the verifier key alone
///
/// Asks neither the database nor Kafka, and heeds no settings. Shows what is proven: which event
/// was recorded as which row, when, and from which record of Kafka; and the checkpoint that says
/// so. Exits with 5 where the row or its batch is not what was recorded, and with 1 where the proof
/// is none, or its checkpoint was signed with another key.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  audit evidence check proof.json --vkey audit.vkey
  audit evidence check proof.json --vkey audit.vkey -o json | \\
    jq -r .recorded_at")]
pub(crate) struct CheckArgs {
    /// The proof that `audit evidence prove` wrote; - is stdin
    #[arg(value_name = "PROOF", value_hint = ValueHint::FilePath)]
    proof: PathBuf,
    #[command(flatten)]
    key: VerifierKeyArg,
    #[command(flatten)]
    format: FormatArgs,
}

impl Run for CheckArgs {
    fn heeds_settings(&self) -> bool {
        false
    }

    fn apply_settings(&mut self, _: &ArgumentSettings<'_>) {}

    fn exit_without_reader(&self) -> Option<Exit> {
        None
    }

    async fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let key = self.key.key()?;
        let name = input_name(&self.proof);
        let json = read_input(&self.proof, "name a file that `audit evidence prove` wrote")?;
        let refused = |error: ProofError| Failure::from(error).in_file(name.as_ref());
        let proof = InclusionProof::read(&json).map_err(refused)?;
        let proven = proof.check(&key).map_err(refused)?;
        self.show(&facts(&proof, &proven), context)?;
        context.ui.status(&format!(
            "proven: row {} is what was recorded, as the checkpoint of {} leaves shows",
            proof.row.id, proven.checkpoint.size
        ));
        Ok(Exit::Done)
    }
}

impl CheckArgs {
    /// In a table a line for each fact; else one row, which is one object in JSON.
    fn show(&self, facts: &Facts<'_>, context: &Context<'_>) -> Result<(), Failure> {
        let style = self.format.style(context.ui);
        let stdout = &mut context.ui.stdout();
        let format = match self.format.format() {
            Format::Table => {
                let columns = [Column::new("proven"), Column::new("value")];
                let rows = facts.iter().map(|(name, value)| {
                    // As text: numbers would stand at the other side of the column, and ids would
                    // be shortened.
                    let value = match value {
                        Value::Integer(number) => number.to_string().into(),
                        Value::Uuid(id) => id.to_string().into(),
                        other => other.clone(),
                    };
                    (vec![Value::from(*name), value], Emphasis::None)
                });
                output::render(Format::Table, style, &columns, rows, stdout)?;
                return Ok(());
            }
            Format::Json => Format::Ndjson,
            other => other,
        };
        let (names, cells): (Vec<_>, Vec<_>) =
            facts.iter().map(|(name, value)| (Column::new(*name), value.clone())).unzip();
        output::render(format, style, &names, [(cells, Emphasis::None)], stdout)?;
        Ok(())
    }
}

/// By their names.
type Facts<'a> = [(&'static str, Value<'a>); 15];

fn facts<'a>(proof: &'a InclusionProof, proven: &Proven<'a>) -> Facts<'a> {
    let InclusionProof { row, batch, .. } = proof;
    let adoption = batch.adoption.as_ref();
    let adopted_at = adoption.map(|adoption| Timestamp::with_zone(adoption.adopted_at));
    [
        ("id", row.id.into()),
        ("event_id", row.event_id.into()),
        ("event_type", row.event_type.as_str().into()),
        ("aggregate_id", row.aggregate_id.into()),
        ("created_at", Timestamp::without_zone(row.created_at).into()),
        ("batch_no", batch.batch_no.into()),
        ("recorded_at", Timestamp::with_zone(batch.recorded_at).into()),
        ("adopted_at", adopted_at.into()),
        ("cluster_id", proven.range.cluster_id.as_str().into()),
        ("topic", proven.range.topic.as_str().into()),
        ("partition", proven.range.partition.into()),
        ("kafka_offset", row.kafka_offset.into()),
        ("origin", proven.checkpoint.origin.to_string().into()),
        ("leaf_index", count(proof.leaf_index)),
        ("log_size", count(proven.checkpoint.size)),
    ]
}

/// No log has more leaves than BIGINT counts.
fn count(number: u64) -> Value<'static> {
    Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}
