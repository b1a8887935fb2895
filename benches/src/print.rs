//! Prints a table for people and figures for programs.

/// Rows of cells under a heading; the first column left, the others right.
#[derive(Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    #[must_use]
    pub fn new(heading: &[&str]) -> Self {
        Self {
            rows: vec![heading.iter().map(|&cell| cell.to_owned()).collect()],
        }
    }

    pub fn row(&mut self, cells: Vec<String>) {
        assert_eq!(
            cells.len(),
            self.rows[0].len(),
            "a cell for each column: {cells:?}"
        );
        self.rows.push(cells);
    }

    pub fn print(&self, title: &str) {
        println!("\n{title}");
        let columns = self.rows[0].len();
        let width = |column: usize| {
            self.rows
                .iter()
                .map(|row| row[column].chars().count())
                .max()
        };
        let widths: Vec<_> = (0..columns)
            .map(|column| width(column).unwrap_or_default())
            .collect();
        for row in &self.rows {
            let cells = row
                .iter()
                .zip(&widths)
                .enumerate()
                .map(|(at, (cell, &width))| match at {
                    0 => format!("{cell:<width$}"),
                    _ => format!("{cell:>width$}"),
                });
            println!("  {}", cells.collect::<Vec<_>>().join("  ").trim_end());
        }
    }
}

/// One line that a program can read: `figure json.event.allocations 0 count`.
pub fn figure(name: &str, value: Option<f64>, unit: &str) {
    match value {
        Some(value) => println!("figure {name} {} {unit}", short(value)),
        None => println!("figure {name} skipped"),
    }
}

/// Three digits that matter, never an exponent.
#[must_use]
pub fn short(value: f64) -> String {
    if value == value.trunc() || value.abs() >= 1_000.0 {
        format!("{value:.0}")
    } else if value.abs() >= 100.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.3}")
    }
}

/// A cell for what may not have been measured.
#[must_use]
pub fn cell(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), short)
}
