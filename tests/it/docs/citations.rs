//! Whatever a comment, a test or a document cites is in a document of this repository: sections of the contract, requirement
//! ids, truth rules, and links.
//!
//! Owns how citations are written, and where they resolve.

use super::files::{ends_in, read, root, written};
use std::collections::{BTreeMap, BTreeSet};

const CONTRACT: &str = "docs/contract.md";
const REQUIREMENTS: &str = "docs/requirements.md";

/// A text without the marks and line breaks of comments, so that a citation may be broken over two lines.
fn flowing(text: &str) -> String {
    let unmarked = |line: &str| line.trim().trim_start_matches("///").trim_start_matches("//!").trim_start_matches("//").trim().to_owned();
    text.lines().map(unmarked).collect::<Vec<_>>().join(" ")
}

/// A section number (`5`, `5.2`) at the beginning of a text, and what follows it.
fn number(text: &str) -> Option<(&str, &str)> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(text);
    let part = text[whole..].strip_prefix('.').map_or(0, digits);
    let end = if part == 0 { whole } else { whole + 1 + part };
    (whole > 0).then(|| text.split_at(end))
}

/// Numbers in a row: `4.5, 6`, `8 and 10`, `2.1 to 2.6`. A point of a section follows it: `5.2 points 2 to 5`.
fn numbers(text: &str) -> Vec<(String, Vec<usize>)> {
    let mut found: Vec<(String, Vec<usize>)> = Vec::new();
    let mut rest = text;
    while let Some((section, after)) = number(rest) {
        let (points, after) = points(after);
        found.push((section.to_owned(), points));
        let Some(next) = [", ", " and ", " to "].iter().find_map(|between| after.strip_prefix(between)) else { break };
        rest = next;
    }
    found
}

/// The points of a section that are meant, if any are.
fn points(after: &str) -> (Vec<usize>, &str) {
    let Some(rest) = after.strip_prefix(" points ").or_else(|| after.strip_prefix(" point ")) else { return (Vec::new(), after) };
    let Some((first, after)) = number(rest) else { return (Vec::new(), after) };
    let first: usize = first.parse().unwrap();
    match after.strip_prefix(" to ").and_then(number) {
        Some((last, after)) => ((first..=last.parse().unwrap()).collect(), after),
        None => (vec![first], after),
    }
}

/// The sections of the contract that a text cites, each with the points that are meant.
fn contract_citations(text: &str) -> Vec<(String, Vec<usize>)> {
    let text = flowing(text);
    let mut found = Vec::new();
    for (at, _) in text.to_ascii_lowercase().match_indices("contract") {
        let after = &text[at + "contract".len()..];
        let direct = after.strip_prefix(',').unwrap_or(after).trim_start();
        let direct = direct.strip_prefix("sections ").or_else(|| direct.strip_prefix("section ")).unwrap_or(direct);
        found.extend(numbers(direct));
        // As in "the contract's methods (2.1 to 2.6)".
        let near = after.char_indices().nth(40).map_or(after, |(end, _)| &after[..end]);
        if let Some((words, _)) = near.split_once('(') {
            let inside = &after[words.len() + 1..];
            let is_section = number(inside).is_some_and(|(section, _)| section.contains('.'));
            if is_section && !words.contains(['.', ';', ':']) {
                found.extend(numbers(inside));
            }
        }
        // As in "section 3 of the contract".
        let before = text[..at].trim_end_matches("the ").trim_end_matches("of ").trim_end();
        if let Some((_, section)) = before.rsplit_once("section ") {
            found.extend(numbers(section).into_iter().filter(|(number, _)| section == number));
        }
    }
    found
}

/// The sections of the contract by number, each with its text.
fn contract_sections() -> BTreeMap<String, String> {
    let mut sections: BTreeMap<String, String> = BTreeMap::new();
    let mut open = String::new();
    for line in read(CONTRACT).lines() {
        if let Some(heading) = line.strip_prefix("## ").or_else(|| line.strip_prefix("### ")) {
            let (section, _) = number(heading).unwrap_or_else(|| panic!("a heading without a number: {heading}"));
            section.clone_into(&mut open);
            assert!(sections.insert(open.clone(), String::new()).is_none(), "two sections {open}");
        } else if let Some(text) = sections.get_mut(&open) {
            text.push_str(line);
            text.push('\n');
        }
    }
    sections
}

#[test]
fn every_cited_section_of_the_contract_is_in_the_document() {
    let sections = contract_sections();
    let mut cited = 0;
    let mut dangling = Vec::new();
    for (name, text) in written() {
        for (section, points) in contract_citations(&text) {
            cited += 1;
            let found = sections.get(&section);
            let has = |point: &usize| found.is_some_and(|text| text.lines().any(|line| line.starts_with(&format!("{point}. "))));
            if found.is_none() || !points.iter().all(has) {
                dangling.push(format!("{name}: {section} {points:?}"));
            }
        }
    }
    assert!(dangling.is_empty(), "not in {CONTRACT}:\n{}", dangling.join("\n"));
    assert!(cited > 150, "{cited} citations: they are written in another way");
}

#[test]
fn citations_of_the_contract_are_read_however_they_are_written() {
    let read = |text: &str| contract_citations(text).into_iter().map(|(section, _)| section).collect::<Vec<_>>();
    assert_eq!(read("/// Gastown contract 2.5 and 4.2."), ["2.5", "4.2"]);
    assert_eq!(read("//! (Gastown contract,\n//! sections 8 and 10)."), ["8", "10"]);
    assert_eq!(read("/// Contract 3.11. Embedded: 4 fields."), ["3.11"]);
    assert_eq!(read("the contract's methods (2.1 to 2.6), each"), ["2.1", "2.6"]);
    assert_eq!(read("section 3 of the contract describes each"), ["3"]);
    assert_eq!(read("contract 4.5, 6): what"), ["4.5", "6"]);
    assert_eq!(read("in the contract's envelope; 404 (4 MiB)"), [""; 0]);
    assert_eq!(contract_citations("contract 5.2 points 2 to 5."), [("5.2".to_owned(), vec![2, 3, 4, 5])]);
}

/// The requirement ids in a text (`S3-13`, `S3-17b`), and those between the two ends of a range (`S1-18 to S1-20`).
fn requirement_ids(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let words: Vec<&str> = text.split(|next: char| !(next.is_ascii_alphanumeric() || next == '-' || next == '…')).collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    for (index, word) in words.iter().enumerate() {
        let Some((series, first)) = requirement(word) else { continue };
        found.insert((*word).to_owned());
        let is_range = matches!(words.get(index + 1), Some(&("to" | "…")));
        if let Some((_, last)) = words.get(index + 2).and_then(|word| requirement(word)).filter(|(to, _)| is_range && *to == series) {
            found.extend((first..=last).map(|number| format!("S{series}-{number:02}")));
        }
    }
    found
}

/// The series and the number of a requirement id.
fn requirement(word: &str) -> Option<(u32, u32)> {
    let (series, number) = word.strip_prefix('S')?.split_once('-')?;
    let number = number.strip_suffix(|next: char| next.is_ascii_lowercase()).unwrap_or(number);
    let is_id = series.len() == 1 && number.len() == 2;
    Some((series.parse().ok().filter(|_| is_id)?, number.parse().ok()?))
}

/// The truth rules in a text: `Truth rule 2`, `Truth rules 1 and 2`.
fn truth_rules(text: &str) -> BTreeSet<String> {
    let text = flowing(text);
    let cited = text.match_indices("ruth rule").flat_map(|(at, words)| {
        let after = text[at + words.len()..].trim_start_matches('s').trim_start();
        numbers(after).into_iter().map(|(rule, _)| rule)
    });
    cited.collect()
}

/// The first cells of a document's rows.
fn rows(document: &str) -> Vec<String> {
    let rows = document.lines().filter_map(|line| line.strip_prefix("| "));
    rows.filter_map(|row| row.split(" |").next()).map(str::to_owned).collect()
}

#[test]
fn every_cited_requirement_is_in_the_catalogue_and_every_row_is_cited() {
    let catalogue = read(REQUIREMENTS);
    let (mut ids, mut rules) = (BTreeSet::new(), BTreeSet::new());
    for (name, text) in written().iter().filter(|(name, _)| name != REQUIREMENTS && !name.starts_with("tests/it/docs/")) {
        assert!(!text.contains("truth rule ") || !truth_rules(text).is_empty(), "{name}");
        ids.extend(requirement_ids(text));
        rules.extend(truth_rules(text));
    }
    let known = rows(&catalogue);
    let (known_ids, other): (Vec<String>, Vec<String>) = known.into_iter().partition(|row| requirement(row).is_some());
    assert_eq!(known_ids.iter().collect::<BTreeSet<_>>().len(), known_ids.len(), "an id has two rows");
    assert_eq!(known_ids.into_iter().collect::<BTreeSet<_>>(), ids);
    let known_rules: BTreeSet<String> = other.into_iter().filter(|row| row.bytes().all(|byte| byte.is_ascii_digit())).collect();
    assert_eq!(known_rules, rules);
}

#[test]
fn requirement_ids_are_read_one_by_one_and_as_ranges() {
    let read = |text: &str| requirement_ids(text).into_iter().collect::<Vec<_>>();
    assert_eq!(read("// S3-13, S3-15, S3-17b."), ["S3-13", "S3-15", "S3-17b"]);
    assert_eq!(read("S1-18 to S1-20, S0-48 … S0-50"), ["S0-48", "S0-49", "S0-50", "S1-18", "S1-19", "S1-20"]);
    assert_eq!(read("S3 and S33-1 and AES-256"), [""; 0]);
    assert_eq!(truth_rules("Truth rules 1 and 2: 13 beads"), BTreeSet::from(["1".to_owned(), "2".to_owned()]));
}

/// A heading as the anchor that GitHub makes of it.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase().chars().filter(|next| next.is_alphanumeric() || [' ', '-', '_'].contains(next)).collect::<String>();
    kept.replace(' ', "-")
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let mut links = 0;
    // A skill's links are addresses of what is served beside it.
    let ours = |name: &str| ends_in(name, "md") && (name.starts_with("docs/") || !name.contains('/'));
    for (name, text) in written().iter().filter(|(name, _)| ours(name)) {
        let folder = root().join(name).parent().unwrap().to_path_buf();
        for (at, _) in text.match_indices("](") {
            let target = text[at + 2..].split(')').next().unwrap();
            if target.contains("://") {
                continue;
            }
            links += 1;
            let (path, fragment) = target.split_once('#').unwrap_or((target, ""));
            let file = if path.is_empty() { root().join(name) } else { folder.join(path) };
            assert!(file.exists(), "{name} links to {target}");
            let headings = |text: String| {
                text.lines()
                    .filter(|line| line.starts_with('#'))
                    .map(|line| anchor(line.trim_start_matches('#').trim()))
                    .collect::<Vec<_>>()
            };
            let leads = fragment.is_empty() || headings(std::fs::read_to_string(&file).unwrap()).iter().any(|anchor| anchor == fragment);
            assert!(leads, "{name} links to {target}: no such heading");
        }
    }
    assert!(links > 40, "{links}");
}
