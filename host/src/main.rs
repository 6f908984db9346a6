//! `clickstream`: every function in one process, and the commands around it.

mod cli;
mod client;
mod commands;
mod config;
mod descriptors;
mod doctor;
mod http;
mod memory;
mod priority;
mod process;
mod servers;
mod traces;
mod up;

use clap::Parser;
use cli::{Cli, Command};

fn main() -> std::process::ExitCode {
    memory::share_arenas();
    descriptors::open_many();
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().on_thread_start(priority::step_back).build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("clickstream: no runtime: {error}");
            return std::process::ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(cli)) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("clickstream: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    match &cli.command {
        Command::Up(options) => up::up(config::Config::from_env(&cli.data, options)?).await,
        Command::Config(options) => {
            print!("{}", config::Config::from_env(&cli.data, options)?.describe());
            Ok(())
        }
        Command::Setup(options) => commands::setup::run(options).await,
        Command::Doctor(options) => commands::doctor::run(&cli, *options).await,
        Command::Clickhouse(options) => commands::clickhouse::run(&cli.data, options).await,
        Command::Openapi => {
            print!("{}", http::openapi_text()?);
            Ok(())
        }
        Command::Demo(options) => commands::demo::run(&client::Service::find(&cli)?, options).await,
        Command::Import(options) => commands::import::run(&client::Service::find(&cli)?, options).await,
        Command::Export(options) => commands::export::run(&client::Service::find(&cli)?, options).await,
        Command::Trace(options) => commands::trace::run(&client::Service::find(&cli)?, options).await,
        Command::Report(options) => commands::report::run(&client::Service::find(&cli)?, options).await,
        Command::Status(options) => commands::status::run(&client::Service::find(&cli)?, *options).await,
        Command::Ledger(options) => commands::ledger::run(&client::Service::find(&cli)?, options).await,
        Command::Reconcile(options) => commands::reconcile::reconcile(&client::Service::find(&cli)?, options).await,
        Command::Rebuild(options) => commands::reconcile::rebuild(&client::Service::find(&cli)?, options).await,
        Command::Retention(options) => commands::retention::run(&client::Service::find(&cli)?, options).await,
        Command::Ready => client::Service::find(&cli)?.ready().await,
        Command::Erase(options) => commands::erase::run(&client::Service::find(&cli)?, options).await,
        Command::Replay(options) => commands::replay::run(&client::Service::find(&cli)?, options).await,
    }
}
