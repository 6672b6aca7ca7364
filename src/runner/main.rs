//! The program: command line in, exit code out.
//!
//! Owns: arguments, environment and signals of the process. Does not: run orders (`fleet` does).

use std::path::PathBuf;
use std::process::ExitCode;

use gastown_runner::fleet;
use gastown_runner::options::{self, CommandLine, Surroundings};

const USAGE: u8 = 2;

fn main() -> ExitCode {
    let around = Surroundings {
        token: std::env::var("GASTOWN_CONTAINER_TOKEN").ok(),
        host: host(),
        state: folder("XDG_STATE_HOME")
            .or_else(|| folder("HOME").map(|home| home.join(".local").join("state")))
            .unwrap_or_else(std::env::temp_dir),
    };
    match options::parse(std::env::args_os().skip(1), around) {
        Ok(CommandLine::Help) => {
            print!("{}", options::HELP);
            ExitCode::SUCCESS
        }
        Ok(CommandLine::Run(options)) => ExitCode::from(fleet::run(*options) as u8),
        Err(mistake) => {
            eprintln!("gastown-runner: {mistake}; --help lists the options");
            ExitCode::from(USAGE)
        }
    }
}

fn folder(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())
}

/// The host's name in the letters that a runner's name may have.
fn host() -> String {
    let name = rustix::system::uname();
    let name: String = name
        .nodename()
        .to_string_lossy()
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(*letter))
        .take(48)
        .collect();
    if name.is_empty() { "runner".to_owned() } else { name }
}
