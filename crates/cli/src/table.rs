//! Aligned plain text: one row per line, two spaces between columns, nothing cut off.

use std::fmt;

/// Rows under headings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Table {
    headings: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns.
    pub(crate) fn new(headings: &[&'static str]) -> Self {
        Self { headings: headings.to_vec(), rows: Vec::new() }
    }

    /// One thing: its fields below each other.
    pub(crate) fn of_one(fields: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        let said = fields.into_iter().filter(|(_, value)| !value.is_empty());
        Self { headings: Vec::new(), rows: said.map(|(name, value)| vec![name.to_owned(), value]).collect() }
    }

    /// Adds a row.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    /// One row per thing.
    pub(crate) fn rows<T, const N: usize>(mut self, things: &[T], cells: impl Fn(&T) -> [String; N]) -> Self {
        for thing in things {
            self.row(cells(thing));
        }
        self
    }

    fn widths(&self) -> Vec<usize> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0).max(self.headings.len());
        let heading = |at: usize| self.headings.get(at).map_or(0, |text| text.chars().count());
        let widest = |at: usize| {
            self.rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        (0..columns).map(|at| heading(at).max(widest(at))).collect()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        let mut line = |cells: &mut dyn Iterator<Item = &str>| {
            let padded = cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            let joined = padded.collect::<Vec<_>>().join("  ");
            writeln!(f, "{}", joined.trim_end())
        };
        if !self.headings.is_empty() {
            line(&mut self.headings.iter().copied())?;
        }
        for row in &self.rows {
            line(&mut row.iter().map(String::as_str))?;
        }
        Ok(())
    }
}

/// A value that may be absent.
pub(crate) fn or_dash<T: ToString>(value: Option<&T>) -> String {
    value.map_or_else(|| "-".to_owned(), ToString::to_string)
}

/// A text that may be empty.
pub(crate) fn text_or_dash(text: &str) -> String {
    if text.is_empty() { "-".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_lines_have_no_tail() {
        let mut table = Table::new(&["NAME", "Δ"]);
        table.row(["a".to_owned(), "+1".to_owned()]);
        table.row(["größer".to_owned(), String::new()]);
        assert_eq!(table.to_string(), "NAME    Δ\na       +1\ngrößer\n");
    }

    #[test]
    fn one_thing_leaves_out_what_is_not_known() {
        let table =
            Table::of_one([("id", "x".to_owned()), ("reason", String::new()), ("state", "y".to_owned())]);
        assert_eq!(table.to_string(), "id     x\nstate  y\n");
    }
}
