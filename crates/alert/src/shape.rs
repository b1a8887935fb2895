//! Tells messages of one kind from their numbers and names: a message's template.

/// Appends a message with what varies replaced by `<*>`: words with a digit in them, and what
/// stands in quotes.
pub(crate) fn write(message: &str, out: &mut String) {
    let mut rest = message;
    while let Some(first) = rest.chars().next() {
        let (part, after) = if matches!(first, '"' | '\'') {
            quoted(rest, first)
        } else if is_word(first) {
            let end = rest.find(|char| !is_word(char)).unwrap_or(rest.len());
            rest.split_at(end)
        } else {
            rest.split_at(first.len_utf8())
        };
        let varies = part.contains(|char: char| char.is_ascii_digit())
            || (part.len() > 1 && matches!(first, '"' | '\''));
        match varies {
            // `1.2.3.4:80` is one thing.
            true if out.ends_with("<*>") => {}
            true => out.push_str("<*>"),
            false => out.push_str(part),
        }
        rest = after;
    }
}

/// What stands in quotes, the quotes included; a quote without its end stands alone.
fn quoted(text: &str, quote: char) -> (&str, &str) {
    match text[1..].find(quote) {
        Some(end) => text.split_at(end + 2),
        None => text.split_at(1),
    }
}

fn is_word(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '.' | ':' | '/')
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_varies_is_taken_out_and_the_rest_stays() {
        for (message, template) in [
            ("", ""),
            ("pool timed out", "pool timed out"),
            ("order 79 failed after 1500ms", "order <*> failed after <*>"),
            ("connect to 10.0.0.1:5432 refused", "connect to <*> refused"),
            ("user \"ann\" said 'no 3'", "user <*> said <*>"),
            ("can't open /var/log/a7", "can't open <*>"),
            ("订单 79 支付失败", "订单 <*> 支付失败"),
            ("id 4bf92f3577b34da6", "id <*>"),
            ("1 2", "<*> <*>"),
        ] {
            let mut out = String::new();
            super::write(message, &mut out);
            assert_eq!(out, template, "{message}");
        }
    }
}
