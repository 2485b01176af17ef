//! A minimal payment service: authorizes or declines what orders ask for, captures and refunds.

mod payments;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use simkit::args::ServiceArgs;
use simkit::program::{Ended, exit_code, log_to_stderr};
use simkit::service::ServiceError;
use simkit::{Definition, EventSchemas, Faults, Service};

use crate::payments::{Payments, SERVICE};

mod embedded {
    refinery::embed_migrations!("../sql/payment_db");
}

/// A minimal payment service. It answers order events until it is stopped (SIGTERM or SIGINT: exit
/// code 0).
#[derive(Debug, Parser)]
#[command(version)]
struct PaymentSimArgs {
    /// Share of the orders whose payment is declined
    #[arg(long, default_value = "0.2", value_name = "0..1", value_parser = simkit::faults::share)]
    decline_rate: f64,
    #[command(flatten)]
    service: ServiceArgs,
    #[command(flatten)]
    faults: Faults,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = PaymentSimArgs::parse();
    args.service.require_registry(PaymentSimArgs::command());
    log_to_stderr();
    exit_code(run(args).await)
}

async fn run(args: PaymentSimArgs) -> Result<Ended, ServiceError> {
    let PaymentSimArgs { service, decline_rate, faults } = args;
    let definition = Definition {
        name: SERVICE,
        publishes: service.payments_topic.clone(),
        consumes: service.orders_topic.clone(),
        schemas: EventSchemas::Payments,
        migrations: embedded::migrations::runner(),
    };
    let service = Service::start(definition, service, faults.clone()).await?;
    let pool = service.pool().clone();
    let (totals, _) =
        service.run(Payments { decline_rate, faults }, std::future::pending()).await?;
    let summary = format!("{}; {totals}", payments::summary(&pool).await?);
    // It is done when it is stopped.
    Ok(Ended { summary, is_interrupted: false })
}
