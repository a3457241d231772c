//! A small table: the first column to the left, numbers to the right, headings dim.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::terminal::{DIM, paint};

/// Rows below headings. All rows have as many cells as there are headings.
#[derive(Debug)]
pub struct Table {
    headings: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table with these headings.
    pub fn new(headings: &[&str]) -> Table {
        Table {
            headings: headings.iter().map(|&heading| heading.to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    /// One more row.
    pub fn row(&mut self, cells: Vec<String>) {
        debug_assert_eq!(cells.len(), self.headings.len());
        self.rows.push(cells);
    }

    /// Writes the table, indented by two.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let widths: Vec<usize> = (0..self.headings.len()).map(|at| self.width(at)).collect();
        writeln!(out, "  {}", paint(DIM, &line(&self.headings, &widths)))?;
        for row in &self.rows {
            writeln!(out, "  {}", line(row, &widths))?;
        }
        Ok(())
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().map(|row| row[column].width());
        cells
            .chain([self.headings[column].width()])
            .max()
            .unwrap_or(0)
    }
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let mut text = String::new();
    for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let padding = " ".repeat(width - cell.width());
        match column {
            0 => text.extend([cell.as_str(), &padding]),
            _ => text.extend(["  ", &padding, cell.as_str()]),
        }
    }
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_to_the_right() {
        let mut table = Table::new(&["consumer", "delivered"]);
        table.row(vec!["慢".to_owned(), "10,000".to_owned()]);
        table.row(vec!["worker-12".to_owned(), "7".to_owned()]);
        let mut out = Vec::new();
        table
            .write(&mut anstream::StripStream::new(&mut out))
            .unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "  consumer   delivered\n  \
             慢            10,000\n  \
             worker-12          7\n"
        );
    }
}
