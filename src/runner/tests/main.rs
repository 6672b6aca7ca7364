//! The runner as a program: the built binary, real processes, real git, over HTTP against a server that speaks the orders' wire contract.

#[cfg(test)]
mod support;

#[cfg(test)]
mod ending;
#[cfg(test)]
mod orders;
#[cfg(test)]
mod worktrees;
