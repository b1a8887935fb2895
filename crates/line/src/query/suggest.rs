//! Finds what a misspelled word was meant to be.

use super::literal::Span;
use super::when::EXAMPLES;

/// `, did you mean …?` for the nearest of the known words, or nothing if none is near.
pub(crate) fn suggest(word: &str, known: &[&str]) -> String {
    let word = word.to_lowercase();
    let nearest = known
        .iter()
        .map(|known| (distance(&word, known), known))
        .min();
    match nearest {
        Some((distance, known)) if distance <= 2 && distance < known.len() => {
            format!(", did you mean `{known}`?")
        }
        _ => String::new(),
    }
}

/// The message for a text that names no level.
pub(crate) fn unknown_level(text: &str) -> String {
    let names = ["trace", "debug", "info", "warn", "error", "fatal"];
    format!("unknown level `{text}`{}", suggest(text, &names))
}

/// The message for signs that are no operator.
pub(crate) fn unknown_operator(sign: &str) -> String {
    let meant = match sign {
        "==" | "===" | "::" | ":=" => "=",
        "=~" | "~=" | "~~" | ":~" | "=~=" => "~",
        "<>" | "=!" | "!" | "!==" | "!:" => "!=",
        "=>" | ":>=" | ">>" => ">=",
        "=<" | ":<=" | "<<" => "<=",
        ":>" => ">",
        ":<" => "<",
        "~!" | "!=~" => "!~",
        _ => return format!("unknown operator `{sign}`; there are = != < <= > >= ~ !~"),
    };
    format!("unknown operator `{sign}`, did you mean `{meant}`?")
}

/// The message for a text that is no time.
pub(crate) fn unknown_time(text: &str) -> String {
    let meant = suggest(text, &["now", "today", "yesterday"]);
    if meant.is_empty() && Span::parse(text).is_some() {
        format!("unknown time `{text}`, did you mean `-{text}`?")
    } else if meant.is_empty() {
        format!("unknown time `{text}`; write {EXAMPLES}")
    } else {
        format!("unknown time `{text}`{meant}")
    }
}

/// How many characters have to be put in, taken out, replaced, or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::suggest;

    #[test]
    fn a_near_word_is_suggested_and_a_far_one_is_not() {
        let known = ["count", "rate", "top"];
        assert_eq!(suggest("coutn", &known), ", did you mean `count`?");
        assert_eq!(suggest("Rat", &known), ", did you mean `rate`?");
        assert_eq!(suggest("支付", &known), "");
        assert_eq!(suggest("", &["x"]), "");
    }
}
