//! Sets a table: columns as wide as their widest cell, and the numbers and times in it. Pure.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Rows of equally many cells; the columns that are named stand left, the others right.
pub(crate) fn aligned(cells: &[Vec<String>], left: impl Fn(usize) -> bool) -> String {
    let columns = cells.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            cells
                .iter()
                .map(|row| columns_of(&row[column]))
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut out = String::new();
    for row in cells {
        let start = out.len();
        for (index, (cell, width)) in row.iter().zip(&widths).enumerate() {
            out.push_str(if index > 0 { "  " } else { "" });
            let space = " ".repeat(width - columns_of(cell));
            if left(index) {
                out.push_str(cell);
                out.push_str(&space);
            } else {
                out.push_str(&space);
                out.push_str(cell);
            }
        }
        out.truncate(start + out[start..].trim_end().len());
        out.push('\n');
    }
    out
}

/// A moment in a zone, to the second.
pub(crate) fn moment(nanos: i128, zone: &TimeZone) -> String {
    Timestamp::from_nanosecond(nanos).map_or_else(
        |_| "-".to_owned(),
        |at| {
            at.to_zoned_datetime(zone.clone())
                .strftime("%Y-%m-%d %H:%M:%S")
                .to_string()
        },
    )
}

/// `1 line`, `2,004 lines`.
pub(crate) fn counted(count: u64, one: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        _ => format!("{} {one}s", grouped(count)),
    }
}

/// `6297` as `6,297`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// How many columns of a terminal a text takes: two for what East Asia writes wide and for pictures
/// (Unicode Standard Annex 11, blocks of W and F), none for marks that stand on the letter before.
pub(crate) fn columns_of(text: &str) -> usize {
    text.chars().map(column).sum()
}

fn column(char: char) -> usize {
    match u32::from(char) {
        0x300..=0x36f | 0x200b..=0x200d | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f
        | 0x2e80..=0x303e
        | 0x3041..=0x33ff
        | 0x3400..=0x4dbf
        | 0x4e00..=0x9fff
        | 0xa000..=0xa4cf
        | 0xa960..=0xa97f
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1f64f
        | 0x1f680..=0x1f6ff
        | 0x1f900..=0x1f9ff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::{aligned, columns_of, grouped};

    #[test]
    fn a_number_is_read_by_thousands() {
        for (number, expected) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), expected);
        }
    }

    #[test]
    fn wide_characters_take_two_columns_and_marks_none() {
        for (text, columns) in [
            ("", 0),
            ("abc", 3),
            ("支付", 4),
            ("e\u{301}", 1),
            ("한글ａ", 6),
            ("🐕", 2),
        ] {
            assert_eq!(columns_of(text), columns, "{text}");
        }
        let cells = [["name", "n"], ["支付失败", "10"], ["a", "7"]]
            .map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(
            aligned(&cells, |column| column == 0),
            "name       n\n支付失败  10\na          7\n"
        );
    }
}
