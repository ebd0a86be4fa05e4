//! The `handbill` program. Everything is in the library; `handbill::cli` decides what was asked for.

use std::process::ExitCode;

/// Requests and rows are many small allocations on several threads; docs/benchmarks.md has what this saves.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    handbill::cli::run(std::env::args_os())
}
