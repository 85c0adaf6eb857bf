//! Columns under headings.

use crate::printable::printable;

/// How the cells of a column stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    /// Words, at the left.
    Left,
    /// Numbers, at the right.
    Right,
}

/// The text of a table: the headings, then the rows, each in one line whatever its cells are. A column
/// without anything in it is left out, and so is the room behind the last cell of a line.
pub fn columns(headings: &[(&str, Stand)], rows: &[Vec<String>]) -> String {
    apart("  ", headings, rows)
}

/// The same with this between the columns.
pub fn apart(gap: &str, headings: &[(&str, Stand)], rows: &[Vec<String>]) -> String {
    let cell =
        |row: &[String], column: usize| row.get(column).map(|it| printable(it)).unwrap_or_default();
    let columns: Vec<(usize, Stand, usize)> = headings
        .iter()
        .enumerate()
        .filter_map(|(column, (heading, stand))| {
            let widest = rows.iter().map(|row| cell(row, column).chars().count()).max()?;
            (widest > 0).then_some((column, *stand, widest.max(heading.chars().count())))
        })
        .collect();
    let mut text = String::new();
    let mut line = |cells: &dyn Fn(usize) -> String| {
        let cells: Vec<String> = columns
            .iter()
            .map(|&(column, stand, width)| match stand {
                Stand::Left => format!("{:width$}", cells(column)),
                Stand::Right => format!("{:>width$}", cells(column)),
            })
            .collect();
        text.push_str(cells.join(gap).trim_end());
        text.push('\n');
    };
    if !columns.is_empty() {
        line(&|column| headings.get(column).map_or_else(String::new, |it| it.0.to_owned()));
        rows.iter().for_each(|row| line(&|column| cell(row, column)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_at_the_left_and_numbers_at_the_right() {
        let headings = [("list", Stand::Left), ("in", Stand::Right), ("", Stand::Left)];
        let rows =
            [vec!["basic".to_owned(), "7".into(), "x, y".into()], vec!["a".into(), "12345".into()]];
        assert_eq!(columns(&headings, &rows), "list      in\nbasic      7  x, y\na      12345\n");
    }

    #[test]
    fn a_column_without_anything_is_left_out() {
        let headings = [("one", Stand::Left), ("two", Stand::Left), ("three", Stand::Right)];
        let rows = [vec!["a".to_owned(), String::new(), "1".into()]];
        assert_eq!(columns(&headings, &rows), "one  three\na        1\n");
        assert_eq!(columns(&headings, &[]), "");
    }
}
