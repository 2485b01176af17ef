//! Whether the ranges of a partition join up.

use super::Finding;

/// One range of a partition, as the ledger has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainLink {
    /// The batch that it belongs to.
    pub batch_no: i64,
    /// The first offset.
    pub first_offset: i64,
    /// One past the last offset.
    pub next_offset: i64,
    /// How many of them are rows.
    pub row_count: i64,
    /// Whether Kafka had deleted it before it was read.
    pub lost: bool,
}

/// What a partition's ranges add up to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chain {
    /// Offsets that are rows.
    pub rows: i64,
    /// Offsets that Kafka shows to no reader: transaction markers, aborted and compacted records.
    pub holes: i64,
    /// Offsets that Kafka had deleted before they were read.
    pub lost: i64,
}

/// Adds up the ranges of `partition` (its name), in the order of their first offsets, and finds
/// where they don't join up from offset 0 to `next_offset`, the end that the partition's own row
/// tells.
pub fn check_chain(
    partition: &str,
    links: &[ChainLink],
    next_offset: i64,
) -> (Chain, Vec<Finding>) {
    let mut chain = Chain::default();
    let mut findings = Vec::new();
    let mut expected = 0;
    for link in links {
        if link.first_offset > expected {
            findings.push(gap(partition, expected, link.first_offset));
        }
        if link.first_offset < expected {
            findings.push(Finding::altered(
                partition,
                format!(
                    "offsets from {} are in batch {} a second time",
                    link.first_offset, link.batch_no
                ),
            ));
        }
        if link.lost {
            chain.lost += link.next_offset - link.first_offset;
            findings.push(Finding::incomplete(
                partition,
                format!("offsets {} are declared lost", span(link.first_offset, link.next_offset)),
            ));
        } else {
            chain.rows += link.row_count;
            chain.holes += link.next_offset - link.first_offset - link.row_count;
        }
        expected = expected.max(link.next_offset);
    }
    if expected < next_offset {
        findings.push(gap(partition, expected, next_offset));
    }
    if expected > next_offset {
        findings.push(Finding::altered(
            partition,
            format!(
                "the ledger reaches offset {expected}, but recording would go on at {next_offset}"
            ),
        ));
    }
    (chain, findings)
}

fn gap(partition: &str, first: i64, next: i64) -> Finding {
    Finding::incomplete(partition, format!("offsets {} are in no batch", span(first, next)))
}

/// "5–9", or "5" where that is all.
fn span(first: i64, next: i64) -> String {
    if next - first == 1 { first.to_string() } else { format!("{first}–{}", next - 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(first_offset: i64, next_offset: i64, row_count: i64) -> ChainLink {
        ChainLink { batch_no: 1, first_offset, next_offset, row_count, lost: false }
    }

    fn texts(links: &[ChainLink], next_offset: i64) -> Vec<String> {
        check_chain("t [0]", links, next_offset).1.into_iter().map(|finding| finding.text).collect()
    }

    #[test]
    fn ranges_that_join_up_add_up() {
        let links = [link(0, 10, 10), link(10, 20, 7), ChainLink { lost: true, ..link(20, 25, 0) }];
        let (chain, findings) = check_chain("t [0]", &links, 25);
        assert_eq!(chain, Chain { rows: 17, holes: 3, lost: 5 });
        assert_eq!(findings, [Finding::incomplete("t [0]", "offsets 20–24 are declared lost")]);
    }

    #[test]
    fn a_gap_is_found_at_the_start_in_the_middle_and_at_the_end() {
        let found = texts(&[link(2, 10, 8), link(11, 20, 9)], 25);
        assert_eq!(
            found,
            [
                "offsets 0–1 are in no batch",
                "offsets 10 are in no batch",
                "offsets 20–24 are in no batch"
            ]
        );
    }

    #[test]
    fn what_is_claimed_twice_or_beyond_the_end_is_an_alteration() {
        let (_, findings) = check_chain("t [0]", &[link(0, 10, 10), link(5, 12, 7)], 11);
        assert!(findings.iter().all(|finding| finding.severity == super::super::Severity::Altered));
        assert_eq!(findings.len(), 2);
    }
}
