//! The command line of the runner.
//!
//! Owns: its options, their defaults and the messages about mistakes. Does not: check ids and tokens, which only the Worker knows.

use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::{Long, Short, ValueExt};

/// The text of `--help`.
pub const HELP: &str = "\
Usage: npm run runner -- --town ID --rig ID --command 'COMMAND' [options]

Follows the dispatch orders of a rig and runs COMMAND (by sh -c) for each of them, in a git worktree of its own on
the order's branch. What the process is given, and two agent CLIs' command lines: docs/runner.md.

  --town ID               the town's id
  --rig ID                the rig's id
  --command COMMAND       what runs for an order
  --refinery-command COMMAND
                          what runs for an order of the refinery (default: the same command)
  --role ROLE             polecat (default), refinery or both: which orders are taken; unless it is polecat, the rig
                          is given a refinery if it has none
  --max N                 processes at a time, 1 to 50 (default 3)
  --url URL               the Worker's address (default http://127.0.0.1:8787)
  --token TOKEN           the town's container token; better in GASTOWN_CONTAINER_TOKEN, where no process list shows it
  --name NAME             this runner's name, the same after a restart (default: the host's name, and the role)
  --workdir DIR           where repository, worktrees and state are (default: below ~/.local/state/gastown-runner)
  --repo PATH|URL         the repository, instead of the order's git_url
  --heartbeat SECONDS     time between heartbeats, 1 to 30 (default 15)
  --grace SECONDS         time between SIGTERM and SIGKILL (default 10)
  --keep N                worktrees of failed orders that are kept (default 5); of all orders with --keep-all
  --attached              also stop when stdin is closed: whoever started it is gone
  --json                  one JSON object a line
  -h, --help              this text

Exit codes: 0 told to stop, and everything has ended; 1 a failure; 2 a mistake in the options; 3 the Worker refused
the token, the town or the rig; 4 another runner uses the workdir.
";

/// The longest time between heartbeats that the Worker allows, in seconds.
const HEARTBEAT_SECONDS_MAX: u64 = 30;
const PROCESSES_MAX: u64 = 50;
const RUNNER_NAME_CHARS_MAX: usize = 64;

/// Which orders are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Those of polecats.
    Polecat,
    /// Those of the refinery.
    Refinery,
    /// Orders of polecats and of the refinery.
    Both,
}

impl Role {
    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Polecat => "polecat",
            Self::Refinery => "refinery",
            Self::Both => "both",
        }
    }

    /// Whether orders of agents with this role are taken.
    #[must_use]
    pub fn takes(self, role: &str) -> bool {
        self == Self::Both || self.name() == role
    }
}

/// The parsed command line.
#[derive(Debug, Clone)]
pub struct Options {
    /// Town id.
    pub town: String,
    /// Rig id.
    pub rig: String,
    /// The command that a polecat's process runs.
    pub command: String,
    /// For the refinery.
    pub refinery_command: String,
    /// The orders that this runner takes.
    pub role: Role,
    /// Processes at a time.
    pub max: u64,
    /// The Worker's address, without a slash at the end.
    pub url: String,
    /// The container token.
    pub token: String,
    /// This runner's name.
    pub name: String,
    /// Where everything is kept.
    pub workdir: PathBuf,
    /// Instead of the orders' `git_url`.
    pub repo: Option<String>,
    /// The time between two heartbeats.
    pub heartbeat: Duration,
    /// Between SIGTERM and SIGKILL.
    pub grace: Duration,
    /// Worktrees that are kept after a failure.
    pub keep: usize,
    /// Worktrees of all orders are kept.
    pub keep_all: bool,
    /// Stops when stdin is closed.
    pub attached: bool,
    /// Lines as JSON.
    pub json: bool,
}

/// The action that the command line asks for.
#[derive(Debug)]
pub enum CommandLine {
    /// The help text.
    Help,
    /// Run with these options.
    Run(Box<Options>),
}

/// The part of the environment that the runner reads: the token, the host's name and the home folder.
#[derive(Debug, Default, Clone)]
pub struct Surroundings {
    /// `GASTOWN_CONTAINER_TOKEN`.
    pub token: Option<String>,
    /// The host's name.
    pub host: String,
    /// Where programs keep their state.
    pub state: PathBuf,
}

/// Reads the arguments (without the program's name). The error is one line.
pub fn parse(arguments: impl IntoIterator<Item = std::ffi::OsString>, around: Surroundings) -> Result<CommandLine, String> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let (mut town, mut rig, mut command, mut refinery_command, mut name, mut workdir, mut repo) =
        (None, None, None, None, None, None, None);
    let (mut role, mut max, mut url, mut token) = (Role::Polecat, 3, "http://127.0.0.1:8787".to_owned(), around.token.clone());
    let (mut heartbeat, mut grace, mut keep, mut keep_all, mut attached, mut json) = (15, 10, 5, false, false, false);
    let text = |error: lexopt::Error| error.to_string();
    while let Some(argument) = parser.next().map_err(text)? {
        let option = match argument {
            Short('h') => return Ok(CommandLine::Help),
            Long(name) => name.to_owned(),
            other => return Err(other.unexpected().to_string()),
        };
        let mut value = || parser.value().and_then(ValueExt::string).map_err(text);
        match option.as_str() {
            "help" => return Ok(CommandLine::Help),
            "town" => town = Some(value()?),
            "rig" => rig = Some(value()?),
            "command" => command = Some(value()?),
            "refinery-command" => refinery_command = Some(value()?),
            "role" => role = read_role(&value()?)?,
            "max" => max = number("--max", &value()?, 1, PROCESSES_MAX)?,
            "url" => url = read_url(&value()?)?,
            "token" => token = Some(value()?),
            "name" => name = Some(value()?),
            "workdir" => workdir = Some(PathBuf::from(value()?)),
            "repo" => repo = Some(value()?),
            "heartbeat" => heartbeat = number("--heartbeat", &value()?, 1, HEARTBEAT_SECONDS_MAX)?,
            "grace" => grace = number("--grace", &value()?, 0, 3_600)?,
            "keep" => keep = number("--keep", &value()?, 0, 1_000)?,
            "keep-all" => keep_all = true,
            "attached" => attached = true,
            "json" => json = true,
            _ => return Err(format!("there is no option --{option}")),
        }
    }
    let command = required("--command", command)?;
    let (town, rig) = (required("--town", town)?, required("--rig", rig)?);
    let name = name.unwrap_or_else(|| format!("{}-{}", around.host, role.name()));
    if name.is_empty()
        || name.chars().count() > RUNNER_NAME_CHARS_MAX
        || !name.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter))
    {
        return Err(format!("--name takes 1 to {RUNNER_NAME_CHARS_MAX} letters, digits, '-', '_' and '.', not \"{name}\""));
    }
    Ok(CommandLine::Run(Box::new(Options {
        refinery_command: refinery_command.unwrap_or_else(|| command.clone()),
        workdir: workdir.unwrap_or_else(|| around.state.join("gastown-runner").join(format!("{rig}-{name}"))),
        token: token
            .filter(|token| !token.is_empty())
            .ok_or("there is no token: set GASTOWN_CONTAINER_TOKEN to the town's container token")?,
        heartbeat: Duration::from_secs(heartbeat),
        grace: Duration::from_secs(grace),
        keep: usize::try_from(keep).unwrap_or(usize::MAX),
        town,
        rig,
        command,
        role,
        max,
        url,
        name,
        repo,
        keep_all,
        attached,
        json,
    })))
}

fn required(option: &str, value: Option<String>) -> Result<String, String> {
    value.filter(|value| !value.trim().is_empty()).ok_or_else(|| format!("{option} is missing"))
}

fn read_role(text: &str) -> Result<Role, String> {
    [Role::Polecat, Role::Refinery, Role::Both]
        .into_iter()
        .find(|role| role.name() == text)
        .ok_or_else(|| format!("--role takes polecat, refinery or both, not \"{text}\""))
}

fn read_url(text: &str) -> Result<String, String> {
    let url = text.trim_end_matches('/');
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    match rest {
        Some(rest) if !rest.is_empty() && !rest.contains(char::is_whitespace) => Ok(url.to_owned()),
        _ => Err(format!("--url takes an address such as https://gastown.example.com, not \"{text}\"")),
    }
}

fn number(option: &str, text: &str, least: u64, most: u64) -> Result<u64, String> {
    text.parse()
        .ok()
        .filter(|value| (least..=most).contains(value))
        .ok_or_else(|| format!("{option} takes a number from {least} to {most}, not \"{text}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str], token: Option<&str>) -> Result<CommandLine, String> {
        let around = Surroundings { token: token.map(str::to_owned), host: "host".to_owned(), state: PathBuf::from("/state") };
        parse(arguments.iter().map(Into::into), around)
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        let Ok(CommandLine::Run(options)) =
            read(&["--town", "t", "--rig=r", "--command", "true", "--url", "https://x.example/"], Some("secret"))
        else {
            panic!("refused")
        };
        assert_eq!((options.url.as_str(), options.max, options.role), ("https://x.example", 3, Role::Polecat));
        assert_eq!((options.name.as_str(), options.token.as_str()), ("host-polecat", "secret"));
        assert_eq!(options.workdir, PathBuf::from("/state/gastown-runner/r-host-polecat"));
        assert_eq!(options.refinery_command, "true");
    }

    #[test]
    fn a_mistake_is_one_line_that_says_what_is_allowed() {
        let good = ["--town", "t", "--rig", "r", "--command", "true"];
        for (more, wanted) in [
            (&["--max", "0"][..], "--max takes a number from 1 to 50"),
            (&["--role", "mayor"], "--role takes polecat, refinery or both"),
            (&["--url", "x.example"], "--url takes an address"),
            (&["--name", "a/b"], "--name takes"),
            (&["--heartbeat", "31"], "--heartbeat takes a number from 1 to 30"),
            (&["--colour", "red"], "there is no option --colour"),
            (&["more"], "unexpected argument"),
        ] {
            let error = read(&[&good, more].concat(), Some("secret")).unwrap_err();
            assert!(error.contains(wanted) && !error.contains('\n'), "{error}");
        }
        assert!(read(&good, None).unwrap_err().contains("GASTOWN_CONTAINER_TOKEN"));
        assert!(read(&good[..4], Some("secret")).unwrap_err().contains("--command is missing"));
    }
}
