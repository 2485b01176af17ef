//! A minimal order service: makes orders, and carries each on as the events of its payment arrive.

mod draft;
mod orders;
mod settlement;

use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory, Parser};
use simkit::args::ServiceArgs;
use simkit::program::{Ended, exit_code, log_to_stderr};
use simkit::service::ServiceError;
use simkit::totals::counted;
use simkit::{Definition, EventSchemas, Faults, Service};

use crate::draft::SERVICE;
use crate::orders::{Maker, Orders};
use crate::settlement::Settlement;

mod embedded {
    refinery::embed_migrations!("../sql/order_db");
}

/// A minimal order service. It makes orders and answers payment events until it is stopped (SIGTERM
/// or SIGINT: exit code 0), or until what --count and --until-settled ask for is done (stopped
/// before that: exit code 130).
#[derive(Debug, Parser)]
#[command(version)]
struct OrderSimArgs {
    /// Orders to make; then it ends, once their events are published. 0 makes none
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// Orders a second
    #[arg(long, default_value = "10", value_name = "N", value_parser = interval)]
    rate: Duration,
    /// With --count: goes on until every order in the database is in a final state or has an event
    /// in a dead-letter topic
    #[arg(long, requires = "count")]
    until_settled: bool,
    #[command(flatten)]
    service: ServiceArgs,
    #[command(flatten)]
    faults: Faults,
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = OrderSimArgs::parse();
    args.service.require_registry(OrderSimArgs::command());
    log_to_stderr();
    exit_code(run(args).await)
}

async fn run(args: OrderSimArgs) -> Result<Ended, ServiceError> {
    let OrderSimArgs { service, count, rate, until_settled, faults } = args;
    let definition = Definition {
        name: SERVICE,
        publishes: service.orders_topic.clone(),
        consumes: service.payments_topic.clone(),
        schemas: EventSchemas::Orders,
        migrations: embedded::migrations::runner(),
    };
    let settlement = until_settled.then(|| Settlement::new(&service));
    let service = Service::start(definition, service, faults.clone()).await?;
    let (pool, reader) = (service.pool().clone(), service.reader());
    let mut maker = Maker::new(pool.clone(), service.wake_relay(), faults.clone());
    let work = async {
        maker.make(count, rate).await?;
        match settlement {
            Some(settlement) => settlement.wait(&pool, &reader).await,
            None => Ok(()),
        }
    };
    let (totals, is_interrupted) = service.run(Orders { faults }, work).await?;
    let summary = format!(
        "{} made; {}; {totals}",
        counted(maker.made(), "order"),
        orders::summary(&pool).await?
    );
    // Without --count it is done when it is stopped.
    Ok(Ended { summary, is_interrupted: is_interrupted && count.is_some() })
}

/// The time between two orders, of a number of orders a second.
fn interval(text: &str) -> Result<Duration, String> {
    text.parse::<f64>()
        .ok()
        .filter(|rate| (0.001..=100_000.0).contains(rate))
        .map(|rate| Duration::from_secs_f64(1.0 / rate))
        .ok_or_else(|| "a number from 0.001 to 100000 is expected".to_owned())
}
