//! Which orders this runner has taken, on disk: an order is run once, whatever happens to the runner.
//!
//! Owns: `state.json` and `orders/<id>/` in the workdir. Does not: know how a process is ended.
//!
//! `orders/<id>/` is there from the moment an order is taken until its end is reported. A folder found at the
//! start belongs to a runner that was killed. `state.json` remembers the numbers of finished orders.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use crate::order::Order;
use crate::process::Identity;

/// Numbers of ended orders that are remembered. An order is offered again only while it shows no sign of life, so a few would do.
const REMEMBERED_MAX: usize = 10_000;

/// The record of an order whose end is not reported yet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Taken {
    /// The order, with its token.
    pub order: Order,
    /// The id that the process sends in `X-Gastown-Process-Id`.
    pub process_id: String,
    /// The process, once there is one.
    pub process: Option<Identity>,
    /// How it ended, once it has.
    pub end: Option<End>,
}

/// How an order ended, as it is reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Exit code 0.
    pub completed: bool,
    /// The reason of a failure.
    pub reason: Option<String>,
}

/// The orders of a workdir.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    /// Held as long as this runner lives.
    _lock: File,
    over: Mutex<BTreeSet<u64>>,
}

/// Why a workdir cannot be used.
#[derive(Debug)]
pub enum Unusable {
    /// Another runner is there.
    InUse,
    /// The disk's words.
    Broken(String),
}

impl Store {
    /// Opens the workdir, makes it if it is not there, and keeps other runners out.
    pub fn open(dir: &Path) -> Result<Self, Unusable> {
        let broken = |error: std::io::Error| Unusable::Broken(format!("{}: {error}", dir.display()));
        private_dir(&dir.join("orders")).map_err(broken)?;
        let lock = File::create(dir.join("runner.lock")).map_err(broken)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(Unusable::InUse),
            Err(fs::TryLockError::Error(error)) => return Err(broken(error)),
        }
        let over = match fs::read(dir.join("state.json")) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|error| Unusable::Broken(format!("{}/state.json: {error}", dir.display())))?
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeSet::new(),
            Err(error) => return Err(broken(error)),
        };
        Ok(Self { dir: dir.to_owned(), _lock: lock, over: Mutex::new(over) })
    }

    /// Takes an order, on disk before anything is done about it. False: it was taken before.
    pub fn take(&self, order: &Order, process_id: &str) -> Result<bool, String> {
        let is_over = self.over.lock().is_ok_and(|over| over.contains(&order.order));
        if is_over || self.folder(order.order).exists() {
            return Ok(false);
        }
        let taken = Taken { order: order.clone(), process_id: process_id.to_owned(), process: None, end: None };
        self.write(&taken)?;
        Ok(true)
    }

    /// Writes the record of an order.
    pub fn write(&self, taken: &Taken) -> Result<(), String> {
        let folder = self.folder(taken.order.order);
        let text = serde_json::to_vec(taken).map_err(|error| error.to_string())?;
        private_dir(&folder)
            .and_then(|()| write_private(&folder.join("order.json"), &text))
            .map_err(|error| format!("{}: {error}", folder.display()))
    }

    /// Orders that are not reported yet: those that a killed runner left.
    pub fn left(&self) -> Vec<Taken> {
        let entries = fs::read_dir(self.dir.join("orders")).into_iter().flatten().flatten();
        let mut left: Vec<Taken> = entries
            .filter_map(|entry| {
                let read = fs::read(entry.path().join("order.json")).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
                if read.is_none() {
                    // Killed between making the folder and its file: nothing was done about the order.
                    let _ = fs::remove_dir_all(entry.path());
                }
                read
            })
            .collect();
        left.sort_by_key(|taken| taken.order.order);
        left
    }

    /// The order is over and reported: it will not be run again, and its token is gone from the disk.
    pub fn finish(&self, order: u64) -> Result<(), String> {
        if let Ok(mut over) = self.over.lock() {
            over.insert(order);
            while over.len() > REMEMBERED_MAX {
                over.pop_first();
            }
            let text = serde_json::to_vec(&*over).map_err(|error| error.to_string())?;
            write_private(&self.dir.join("state.json"), &text).map_err(|error| format!("state.json: {error}"))?;
        }
        fs::remove_dir_all(self.folder(order)).map_err(|error| format!("orders/{order}: {error}"))
    }

    /// The folder for files of this order that only the runner's user may read.
    #[must_use]
    pub fn folder(&self, order: u64) -> PathBuf {
        self.dir.join("orders").join(order.to_string())
    }

    /// The workdir of the runner.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

fn private_dir(path: &Path) -> std::io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a file that only its owner may read, whole or not at all.
pub fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let partial = path.with_extension("partial");
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&partial, path)
}
