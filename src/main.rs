//! The `handbill` program. Everything is in the library; `handbill::cli` decides what was asked for.

use std::process::ExitCode;

fn main() -> ExitCode {
    handbill::cli::run(std::env::args_os())
}
