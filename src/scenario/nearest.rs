//! The nearest word that exists, for "did you mean …?".

/// A longer word is no slip of the finger.
const LONGEST: usize = 200;

/// The candidate that a misspelt word most likely stands for; None where nothing is near.
///
/// Small and capital letters count as the same. Up to a third of the letters may be wrong; failing
/// that, a candidate that begins or ends with the word (`queuePrefetch` for `prefetch`) is near,
/// too.
pub fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str> + Clone,
) -> Option<&'a str> {
    if word.len() > LONGEST {
        return None;
    }
    let wanted = word.to_lowercase();
    let allowed = (wanted.chars().count() / 3).max(1);
    let distances = candidates.clone().into_iter().filter_map(|candidate| {
        let distance = distance(&wanted, &candidate.to_lowercase(), allowed)?;
        Some((distance, candidate))
    });
    distances
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
        .or_else(|| {
            let is_part = |candidate: &&str| {
                let candidate = candidate.to_lowercase();
                wanted.len() >= 4
                    && (candidate.ends_with(&wanted) || candidate.starts_with(&wanted))
            };
            candidates.into_iter().find(is_part)
        })
}

/// How many letters must be added, dropped, replaced or swapped with their neighbour; None if more
/// than `limit`.
fn distance(a: &str, b: &str, limit: usize) -> Option<usize> {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > limit || a.len() > 100 {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    Some(last[b.len()]).filter(|distance| *distance <= limit)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    const KEYS: [&str; 4] = ["prefetchSize", "processing", "queuePrefetch", "stop"];

    #[test]
    fn a_slip_of_the_finger_is_near() {
        assert_eq!(nearest("prefetchsize", KEYS), Some("prefetchSize"));
        assert_eq!(nearest("porcessing", KEYS), Some("processing"));
        assert_eq!(nearest("stpo", KEYS), Some("stop"));
    }

    #[test]
    fn the_beginning_or_end_of_a_word_is_near() {
        assert_eq!(nearest("prefetch", KEYS), Some("prefetchSize"));
        assert_eq!(
            nearest("prefetch", ["stop", "queuePrefetch"]),
            Some("queuePrefetch")
        );
    }

    #[test]
    fn another_word_is_not() {
        assert_eq!(nearest("colour", KEYS), None);
        assert_eq!(nearest("", KEYS), None);
    }
}
