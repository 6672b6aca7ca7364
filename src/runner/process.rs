//! Process groups: starting a command as one, recognising it later, ending all of it.
//!
//! Owns: signals. Does not: know what the command is for.

use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use serde::{Deserialize, Serialize};

/// A process that can be told from a later one with the same number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Its number, which is its group's as well.
    pub pid: i32,
    /// The start time as the system prints it; `None` where the system does not tell.
    pub started: Option<String>,
}

/// Waits for a line before it becomes the command in `$0`, which has nothing on stdin. Without the line it ends: the runner that was to send it
/// is gone, and may not have recorded the process yet.
const GATE: &str = r#"read -r _ && exec sh -c "$0" </dev/null"#;

/// A shell command that begins once it is let go ([`let_go`]).
#[must_use]
pub fn gated(shell_command: &str) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(GATE).arg(shell_command);
    command
}

/// Lets a gated command begin.
pub fn let_go(child: &mut Child) {
    use std::io::Write;
    if let Some(mut gate) = child.stdin.take() {
        // A process that is gone already is noticed when it is waited for.
        let _ = gate.write_all(b"\n");
    }
}

/// Starts `command` as the leader of a group of its own, with its output to be read.
pub fn start(command: &mut Command) -> std::io::Result<(Child, Identity)> {
    use std::os::unix::process::CommandExt;
    let child = command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let pid = i32::try_from(child.id()).map_err(std::io::Error::other)?;
    Ok((child, Identity { pid, started: started(pid) }))
}

impl Identity {
    /// Whether anything of the group is there. Only as long as the leader has not been waited for, or for [`Self::is_same`].
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.group().is_some_and(|group| test_kill_process_group(group).is_ok())
    }

    /// Whether the process with this number is the one that was started, rather than a later one.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.is_there() && self.started.is_some() && started(self.pid) == self.started
    }

    /// Asks the whole group to end.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Ends the whole group.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group() {
            // An empty group is the goal.
            let _ = kill_process_group(group, signal);
        }
    }

    fn group(&self) -> Option<Pid> {
        // 0 and 1 would be everybody.
        if self.pid > 1 { Pid::from_raw(self.pid) } else { None }
    }
}

/// When the process with this number started: Linux says it in /proc, others by ps.
fn started(pid: i32) -> Option<String> {
    if let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) {
        // The 22nd field; the second, a name in parentheses, may have anything in it.
        return stat.rsplit_once(')')?.1.split_whitespace().nth(19).map(str::to_owned);
    }
    let answer = Command::new("ps").args(["-o", "lstart=", "-p", &pid.to_string()]).output().ok()?;
    let text = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
    (answer.status.success() && !text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_recognised_and_ends_whole() {
        let (mut child, identity) = start(Command::new("sh").args(["-c", "sleep 600 & sleep 600"])).unwrap();
        assert!(identity.is_same());
        let later = Identity { started: Some("another time".to_owned()), ..identity.clone() };
        assert!(later.is_there() && !later.is_same());
        identity.kill();
        child.wait().unwrap();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while identity.is_there() {
            assert!(std::time::Instant::now() < deadline, "its background process is left");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    #[test]
    fn a_gated_command_begins_when_it_is_let_go_and_never_without() {
        for (is_let_go, wanted) in [(true, "begun\n"), (false, "")] {
            let (mut child, _) = start(&mut gated("echo begun; cat")).unwrap();
            if is_let_go {
                let_go(&mut child);
            }
            let out = child.wait_with_output().unwrap();
            assert_eq!((String::from_utf8(out.stdout).unwrap().as_str(), out.status.success()), (wanted, is_let_go));
        }
    }

    #[test]
    fn nobody_is_everybody() {
        for pid in [-1, 0, 1] {
            let identity = Identity { pid, started: None };
            identity.terminate();
            assert!(!identity.is_there());
        }
    }
}
