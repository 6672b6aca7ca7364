//! A town with one rig and an isolate in front of it: where most tests begin.
//!
//! Owns how it is put together. What a test needs there besides is a struct of its own, whose fields are read as the world's.

use super::Town;
use super::edge::Isolate;
use super::town::Rig;
use std::ops::Deref;

pub struct World<T = ()> {
    pub town: Town,
    pub rig: Rig,
    pub at: Isolate,
    besides: T,
}

impl World {
    pub fn new() -> Self {
        Self::holding(|_, _| ())
    }
}

impl<T> World<T> {
    /// A new one, with what `fill` puts there.
    pub fn holding(fill: impl FnOnce(&Town, &Rig) -> T) -> Self {
        let (town, rig) = Town::with_rig();
        let besides = fill(&town, &rig);
        Self { at: Isolate::new(&town.fleet), town, rig, besides }
    }
}

impl<T> Deref for World<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.besides
    }
}
