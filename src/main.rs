//! The `handbill` program. Everything is in the library; `handbill::cli` decides what was asked for.

use std::process::ExitCode;

use tikv_jemallocator::Jemalloc;

/// For what SQLite and libpq allocate too. docs/benchmarks.md says what it is measured against.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    handbill::cli::run(std::env::args_os())
}
