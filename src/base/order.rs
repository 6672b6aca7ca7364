//! One sort for every list.
//!
//! Owns the order by a number, then a text. Each type that is sorted by itself is another few kilobytes in the Worker.

/// Puts entries in the order of a number, then of a text, then as they come (descending: all three the other way round).
pub fn sort<T>(entries: Vec<T>, descending: bool, key: impl Fn(&T) -> (i64, String)) -> Vec<T> {
    let mut keys: Vec<(i64, String, usize)> = Vec::with_capacity(entries.len());
    for (index, entry) in entries.iter().enumerate() {
        let (number, text) = key(entry);
        keys.push((number, text, index));
    }
    keys.sort_unstable();
    if descending {
        keys.reverse();
    }
    let mut entries: Vec<Option<T>> = entries.into_iter().map(Some).collect();
    keys.into_iter().filter_map(|(_, _, index)| entries.get_mut(index).and_then(Option::take)).collect()
}
