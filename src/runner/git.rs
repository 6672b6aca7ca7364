//! The repository that a rig's processes share, and their worktrees.
//!
//! Owns: every git command that the runner itself runs, one at a time. Does not: run those of the agents, or merge anything.
//!
//! The repository is bare, in the workdir; a worktree is a folder beside it. An existing branch, remote or local, is
//! continued: the commits of an earlier attempt are kept.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use crate::order::Order;

/// Again after another git command held a lock: agents push and fetch in the same repository.
const TRIES: u32 = 5;
const BETWEEN_TRIES: Duration = Duration::from_millis(300);
/// Transports that a repository's address may name; others run commands of their own.
const TRANSPORTS: &str = "file:git:http:https:ssh";

/// The shared repository of a workdir.
#[derive(Debug)]
pub struct Repository {
    dir: PathBuf,
    trees: PathBuf,
    /// git's own locks make the second of two commands fail; this one makes it wait.
    turn: Mutex<()>,
}

impl Repository {
    /// Below a workdir; nothing is made yet.
    #[must_use]
    pub fn new(workdir: &Path) -> Self {
        Self { dir: workdir.join("repository.git"), trees: workdir.join("worktrees"), turn: Mutex::new(()) }
    }

    /// Where it is.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Makes the worktree of an order: a polecat's is on the order's branch, a refinery's is detached at the target.
    /// `remote` is where the repository is.
    pub fn worktree(&self, order: &Order, remote: &str) -> Result<PathBuf, String> {
        let _turn = self.turn.lock().map_err(|_| "the repository is in an unknown state".to_owned())?;
        for branch in [&order.branch, &order.base_branch, &order.default_branch] {
            Self::git_anywhere(&["check-ref-format", &format!("refs/heads/{branch}")])
                .map_err(|_| format!("\"{branch}\" is no name for a branch"))?;
        }
        self.open(remote)?;
        self.git(&["fetch", "--quiet", "--prune", "origin"])?;
        self.base(order)?;
        let tree = self.trees.join(order.slug());
        let path = text(&tree)?;
        // Left by a runner that was killed between making and using it.
        if tree.exists() {
            self.drop_tree(&tree);
        }
        if order.is_refinery() {
            self.git(&["worktree", "add", "--quiet", "--force", "--detach", path, &format!("refs/remotes/origin/{}", order.base_branch)])?;
        } else {
            self.leave(&order.branch)?;
            let start = self.start(order);
            self.git(&["worktree", "add", "--quiet", "--force", "--no-track", "-B", &order.branch, path, &start])?;
        }
        Ok(tree)
    }

    /// Removes the worktree of an order, and its branch when the remote has all of it.
    pub fn remove(&self, order: &Order) {
        let Ok(_turn) = self.turn.lock() else { return };
        self.drop_tree(&self.trees.join(order.slug()));
        let (local, remote) = (format!("refs/heads/{}", order.branch), format!("refs/remotes/origin/{}", order.branch));
        if !order.is_refinery() && self.git(&["merge-base", "--is-ancestor", &local, &remote]).is_ok() {
            let _ = self.git(&["branch", "--quiet", "-D", "--", &order.branch]);
        }
    }

    /// Removes worktrees of orders that are not in `used`, all but the newest `keep`.
    pub fn keep_newest(&self, keep: usize, used: &[u64]) {
        let Ok(_turn) = self.turn.lock() else { return };
        let number = |path: &Path| path.file_name()?.to_str()?.split('-').next()?.parse::<u64>().ok();
        let mut trees: Vec<(u64, PathBuf)> = std::fs::read_dir(&self.trees)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| Some((number(&entry.path())?, entry.path())))
            .filter(|(order, _)| !used.contains(order))
            .collect();
        trees.sort();
        let excess = trees.len().saturating_sub(keep);
        for (_, tree) in trees.iter().take(excess) {
            self.drop_tree(tree);
        }
    }

    fn open(&self, remote: &str) -> Result<(), String> {
        if !self.dir.join("HEAD").exists() {
            std::fs::create_dir_all(&self.trees).map_err(|error| format!("{}: {error}", self.trees.display()))?;
            Self::git_anywhere(&["init", "--quiet", "--bare", text(&self.dir)?])?;
            // Nothing is swept up while an agent works.
            self.git(&["config", "gc.auto", "0"])?;
            self.git(&["config", "maintenance.auto", "false"])?;
        }
        self.git(&["config", "remote.origin.url", remote])?;
        self.git(&["config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"]).map(drop)
    }

    /// Makes sure that the base branch is on the remote. The first order that needs a convoy's feature branch creates it from the default branch.
    fn base(&self, order: &Order) -> Result<(), String> {
        let base = format!("refs/remotes/origin/{}", order.base_branch);
        if self.has(&base) {
            return Ok(());
        }
        let from = format!("refs/remotes/origin/{}", order.default_branch);
        if !self.has(&from) {
            return Err(format!("the repository has no branch {}", order.default_branch));
        }
        // Empty expected value: it is made only if it is not there. Another runner may be quicker.
        let lease = format!("--force-with-lease=refs/heads/{}:", order.base_branch);
        let pushed = self.git(&["push", "--quiet", &lease, "origin", &format!("{from}:refs/heads/{}", order.base_branch)]);
        self.git(&["fetch", "--quiet", "origin"])?;
        if self.has(&base) {
            Ok(())
        } else {
            Err(pushed.err().unwrap_or_else(|| format!("{} cannot be made on the remote", order.base_branch)))
        }
    }

    /// The commit where work goes on: the local branch if it contains the remote one, else the remote branch, else the base.
    fn start(&self, order: &Order) -> String {
        let (local, remote) = (format!("refs/heads/{}", order.branch), format!("refs/remotes/origin/{}", order.branch));
        match (self.has(&local), self.has(&remote)) {
            (true, true) if self.git(&["merge-base", "--is-ancestor", &remote, &local]).is_err() => remote,
            (true, _) => local,
            (false, true) => remote,
            (false, false) => format!("refs/remotes/origin/{}", order.base_branch),
        }
    }

    /// A branch is checked out in one worktree at most: one that was kept after a failure gives it up, and keeps its files.
    fn leave(&self, branch: &str) -> Result<(), String> {
        let list = self.git(&["worktree", "list", "--porcelain"])?;
        let mut tree = None;
        for line in list.lines() {
            if let Some(path) = line.strip_prefix("worktree ") {
                tree = Some(path.to_owned());
            } else if line == format!("branch refs/heads/{branch}")
                && let Some(tree) = &tree
            {
                Self::run(Command::new("git").args(["-C", tree, "checkout", "--quiet", "--detach"]))?;
            }
        }
        Ok(())
    }

    fn drop_tree(&self, tree: &Path) {
        if let Ok(path) = text(tree)
            && self.git(&["worktree", "remove", "--force", "--force", path]).is_err()
        {
            let _ = std::fs::remove_dir_all(tree);
            let _ = self.git(&["worktree", "prune"]);
        }
    }

    fn has(&self, reference: &str) -> bool {
        self.git(&["rev-parse", "--quiet", "--verify", &format!("{reference}^{{commit}}")]).is_ok()
    }

    fn git(&self, arguments: &[&str]) -> Result<String, String> {
        let mut tries = 0;
        loop {
            tries += 1;
            match Self::run(Command::new("git").arg("--git-dir").arg(&self.dir).args(arguments)) {
                Err(error) if tries < TRIES && (error.contains(".lock'") || error.contains("cannot lock ref")) => {
                    std::thread::sleep(BETWEEN_TRIES * tries);
                }
                other => return other,
            }
        }
    }

    fn git_anywhere(arguments: &[&str]) -> Result<String, String> {
        Self::run(Command::new("git").args(arguments))
    }

    /// Nothing of the runner's own surroundings says which repository is meant.
    fn run(command: &mut Command) -> Result<String, String> {
        let out = command
            .env_remove("GIT_DIR")
            .env_remove("GIT_WORK_TREE")
            .env_remove("GIT_INDEX_FILE")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ALLOW_PROTOCOL", TRANSPORTS)
            .env("LC_ALL", "C")
            .stdin(std::process::Stdio::null())
            .output()
            .map_err(|error| format!("git cannot be run: {error}"))?;
        if out.status.success() {
            return Ok(String::from_utf8_lossy(&out.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&out.stderr);
        let words = command.get_args().filter_map(|word| word.to_str()).find(|word| !word.starts_with('-') && !word.contains('/'));
        Err(format!("git {}: {}", words.unwrap_or_default(), said.trim()))
    }
}

fn text(path: &Path) -> Result<&str, String> {
    path.to_str().ok_or_else(|| format!("{} is not UTF-8", path.display()))
}
