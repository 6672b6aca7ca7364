//! The output of a process: its lines, and when it last wrote one.
//!
//! Owns: reading a pipe as lines of bounded length, and how many lines wait to be sent. Does not: send them.

use std::io::{BufRead, BufReader, Read};
use std::sync::Mutex;

use crate::clock;

/// A longer line is cut: it is for people to follow.
pub const LINE_BYTES_MAX: usize = 2_000;
/// Lines sent per report; further lines are counted, not sent.
const WAITING_LINES_MAX: usize = 40;

/// The output since the last report.
#[derive(Debug, Default)]
pub struct Output {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    last_at: Option<i64>,
    waiting: Vec<String>,
    left_out: usize,
}

impl Output {
    /// A line was written just now.
    pub fn push(&self, line: &str) {
        if let Ok(mut state) = self.state.lock() {
            state.last_at = Some(clock::now_ms());
            if state.waiting.len() < WAITING_LINES_MAX {
                state.waiting.push(line.to_owned());
            } else {
                state.left_out += 1;
            }
        }
    }

    /// When the newest line came, in milliseconds since 1970.
    pub fn last_at(&self) -> Option<i64> {
        self.state.lock().ok()?.last_at
    }

    /// Takes the lines that wait, and how many were left out after them.
    pub fn take(&self) -> Option<(Vec<String>, usize)> {
        let mut state = self.state.lock().ok()?;
        if state.waiting.is_empty() {
            return None;
        }
        Some((std::mem::take(&mut state.waiting), std::mem::take(&mut state.left_out)))
    }
}

/// Reads a pipe to its end and gives each line that is not empty, cut to [`LINE_BYTES_MAX`], without control characters.
pub fn read_lines(pipe: impl Read, mut each: impl FnMut(&str)) {
    let mut reader = BufReader::new(pipe);
    let mut line = Vec::new();
    loop {
        let (taken, ended) = match reader.fill_buf() {
            Ok([]) | Err(_) => break,
            Ok(bytes) => {
                let end = bytes.iter().position(|byte| *byte == b'\n');
                let part = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
                let room = LINE_BYTES_MAX.saturating_sub(line.len());
                line.extend(part.iter().take(room));
                (part.len() + usize::from(end.is_some()), end.is_some())
            }
        };
        reader.consume(taken);
        if ended {
            give(&mut line, &mut each);
        }
    }
    give(&mut line, &mut each);
}

fn give(line: &mut Vec<u8>, each: &mut impl FnMut(&str)) {
    let bytes = std::mem::take(line);
    let text: String = String::from_utf8_lossy(&bytes).chars().filter(|letter| !letter.is_control() || *letter == '\t').collect();
    if !text.trim().is_empty() {
        each(text.trim_end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_and_the_last_needs_no_end() {
        let long = "x".repeat(LINE_BYTES_MAX * 3);
        let text = format!("one\r\n\n \x1b[1mtwo\n{long}\nthree");
        let mut lines = Vec::new();
        read_lines(text.as_bytes(), |line| lines.push(line.to_owned()));
        assert_eq!(lines, ["one", " [1mtwo", &long[..LINE_BYTES_MAX], "three"]);
    }

    #[test]
    fn what_comes_between_two_reports_is_bounded_and_counted() {
        let output = Output::default();
        assert_eq!((output.take(), output.last_at()), (None, None));
        (0..WAITING_LINES_MAX + 5).for_each(|line| output.push(&line.to_string()));
        let (lines, left_out) = output.take().unwrap();
        assert_eq!((lines.len(), left_out), (WAITING_LINES_MAX, 5));
        assert!(output.last_at().is_some() && output.take().is_none());
    }
}
