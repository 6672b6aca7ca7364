//! The tests' shared setting: a world with a server, a repository and a workdir, and the runner in it.

mod server;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

pub use server::Server;

/// Long enough to be taken for a token, and to be searched for.
pub const CONTAINER_TOKEN: &str = "container-token-0123456789";

/// A server, an origin with one commit on main, and a workdir.
pub struct World {
    pub server: Server,
    pub dir: TempDir,
}

impl World {
    pub fn new() -> Self {
        let world = Self { server: Server::start(), dir: TempDir::new().unwrap() };
        let origin = world.origin();
        git(world.dir.path(), &["init", "--quiet", "--bare", "--initial-branch=main", origin.to_str().unwrap()]);
        world.commit("main", "README.md", "hello\n");
        world
    }

    pub fn origin(&self) -> PathBuf {
        self.dir.path().join("origin.git")
    }

    pub fn workdir(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    /// Commits one file on a branch of the origin, as another contributor would.
    pub fn commit(&self, branch: &str, file: &str, text: &str) -> String {
        let clone = TempDir::new().unwrap();
        git(clone.path(), &["clone", "--quiet", self.origin().to_str().unwrap(), "."]);
        if self.has(branch) {
            git(clone.path(), &["checkout", "--quiet", branch]);
        } else {
            git(clone.path(), &["checkout", "--quiet", "-B", branch]);
        }
        fs::write(clone.path().join(file), text).unwrap();
        git(clone.path(), &["add", "."]);
        git(clone.path(), &["commit", "--quiet", "--message", file]);
        git(clone.path(), &["push", "--quiet", "origin", branch]);
        git(clone.path(), &["rev-parse", "HEAD"])
    }

    pub fn has(&self, branch: &str) -> bool {
        git(&self.origin(), &["branch", "--list", branch]).contains(branch)
    }

    /// A file as it is on a branch of the origin.
    pub fn shows(&self, branch: &str, file: &str) -> String {
        git(&self.origin(), &["show", &format!("{branch}:{file}")])
    }

    /// An order for this origin.
    pub fn order(&self, number: u64, branch: &str) -> Value {
        json!({
            "order": number, "attempt": 1, "branch": branch, "base_branch": "main", "default_branch": "main", "lease_seconds": 90,
            "agent": { "id": format!("agent-{number}"), "name": "Toast", "role": "polecat", "identity": "Toast-polecat-1@2" },
            "bead": { "bead_id": format!("bead-{number}"), "type": "issue", "title": "Say \"hello\"\nto $HOME" },
            "git_url": self.origin(), "rig": { "id": "r", "name": "web" }, "town": { "id": "t" }, "token": format!("order-token-{number}-0123456789"),
            "api": { "mcp_path": "/towns/t/mcp", "agent_path": format!("/api/towns/t/rigs/r/agents/agent-{number}") },
        })
    }

    /// Offers the order.
    pub fn offer(&self, number: u64, branch: &str) {
        self.server.offer(self.order(number, branch));
    }

    /// Starts the runner with this command.
    pub fn run(&self, command: &str, more: &[&str]) -> Runner {
        let log = self.dir.path().join("log");
        let out = fs::OpenOptions::new().append(true).create(true).open(&log).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_gastown-runner"))
            .args(["--town", "t", "--rig", "r", "--name", "one", "--heartbeat", "1", "--grace", "2", "--max", "9"])
            .args(["--url", &self.server.url, "--command", command, "--workdir"])
            .arg(self.workdir())
            .args(more)
            .env("GASTOWN_CONTAINER_TOKEN", CONTAINER_TOKEN)
            .stdin(Stdio::piped())
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .spawn()
            .unwrap();
        Runner { child, log }
    }

    /// The reports of an order's end, once there is one: status and reason.
    pub fn ended(&self, number: u64) -> (String, String) {
        let path = format!("agent-{number}/completed");
        until(&path, || !self.server.requests(&path).is_empty());
        let reports = self.server.requests(&path);
        assert_eq!(reports.len(), 1, "{path} is reported once");
        let text = |name: &str| reports[0].body[name].as_str().unwrap_or_default().to_owned();
        (text("status"), text("reason"))
    }

    /// Names of the worktrees that are there.
    pub fn worktrees(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.workdir().join("worktrees"))
            .map(|entries| entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
            .unwrap_or_default();
        names.sort();
        names
    }
}

/// A runner that ends with the test.
pub struct Runner {
    child: Child,
    log: PathBuf,
}

impl Runner {
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    pub fn signal(&self, signal: &str) {
        let done = Command::new("kill").args(["-s", signal, &self.child.id().to_string()]).status().unwrap();
        assert!(done.success());
    }

    /// Its exit code, once it has ended.
    pub fn code(&mut self) -> i32 {
        until("the runner ends", || self.child.try_wait().unwrap().is_some());
        self.child.wait().unwrap().code().unwrap_or(-1)
    }

    /// Asks it to end.
    pub fn stop(&mut self) -> i32 {
        self.signal("TERM");
        self.code()
    }

    /// Ends the runner's parent.
    pub fn let_go(&mut self) {
        drop(self.child.stdin.take());
    }

    /// It is gone at once.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.signal("TERM");
            let deadline = Instant::now() + Duration::from_secs(20);
            while self.child.try_wait().is_ok_and(|ended| ended.is_none()) && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(20));
            }
            let _ = self.child.kill();
        }
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
    }
}

/// Waits until it is so; the deadline is generous.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !is_so() {
        assert!(Instant::now() < deadline, "not within a minute: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether a process is there and is not a zombie.
pub fn lives(pid: &str) -> bool {
    let states = Command::new("ps").args(["-o", "stat=", "-p", pid]).output().unwrap();
    let text = String::from_utf8_lossy(&states.stdout).trim().to_owned();
    !text.is_empty() && !text.starts_with('Z')
}

pub fn git(dir: &Path, arguments: &[&str]) -> String {
    let out = Command::new("git")
        .current_dir(dir)
        .args(arguments)
        .env("GIT_AUTHOR_NAME", "Tester")
        .env("GIT_AUTHOR_EMAIL", "tester@example.com")
        .env("GIT_COMMITTER_NAME", "Tester")
        .env("GIT_COMMITTER_EMAIL", "tester@example.com")
        .output()
        .unwrap();
    assert!(out.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).trim().to_owned()
}
