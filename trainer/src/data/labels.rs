//! The factors pictures were made from, as one table of numbers.

use std::collections::BTreeSet;

use crate::error::{Error, Result};

/// What a column of labels holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LabelKind {
    /// A quantity. Not a number where the table had no entry.
    Number,
    /// One of these names; the value is the name's place in this list, which is sorted.
    Category(Vec<String>),
}

/// A row of labels per picture.
#[derive(Clone, Debug)]
pub struct Labels {
    names: Vec<String>,
    kinds: Vec<LabelKind>,
    values: Vec<f32>,
}

/// Equal tables; missing entries (NaN) are equal to each other.
impl PartialEq for Labels {
    fn eq(&self, other: &Self) -> bool {
        let same = |(a, b): (&f32, &f32)| a == b || (a.is_nan() && b.is_nan());
        self.names == other.names
            && self.kinds == other.kinds
            && self.values.len() == other.values.len()
            && self.values.iter().zip(&other.values).all(same)
    }
}

impl Labels {
    /// A table with a name and a kind per column, its values row after row.
    pub fn new(names: Vec<String>, kinds: Vec<LabelKind>, values: Vec<f32>) -> Result<Self> {
        let columns = names.len();
        if columns == 0 || kinds.len() != columns || !values.len().is_multiple_of(columns) {
            let (kinds, values) = (kinds.len(), values.len());
            let problem = format!("{columns} names, {kinds} kinds and {values} values do not make a table");
            return Err(Error::content("labels", problem, "give every row all columns"));
        }
        Ok(Self { names, kinds, values })
    }

    /// A table of numbers only.
    pub fn numbers(names: &[impl AsRef<str>], values: Vec<f32>) -> Result<Self> {
        let names: Vec<String> = names.iter().map(|name| name.as_ref().to_string()).collect();
        let kinds = vec![LabelKind::Number; names.len()];
        Self::new(names, kinds, values)
    }

    /// One column of categories, as class labels are.
    pub fn classes(name: &str, categories: &[&str], values: Vec<f32>) -> Result<Self> {
        let categories = categories.iter().map(ToString::to_string).collect();
        Self::new(vec![name.to_string()], vec![LabelKind::Category(categories)], values)
    }

    /// Rows.
    pub fn len(&self) -> usize {
        self.values.len() / self.names.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// How many columns.
    pub fn columns(&self) -> usize {
        self.names.len()
    }

    /// The columns' names.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What each column holds.
    pub fn kinds(&self) -> &[LabelKind] {
        &self.kinds
    }

    /// All values, `[n, columns]`.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The labels of picture `i`. Panics beyond the end, as a slice does.
    pub fn row(&self, i: usize) -> &[f32] {
        &self.values[i * self.columns()..(i + 1) * self.columns()]
    }

    /// One column from top to bottom, found by name.
    pub fn column(&self, name: &str) -> Option<Vec<f32>> {
        let at = self.names.iter().position(|other| other == name)?;
        Some(self.values.iter().skip(at).step_by(self.columns()).copied().collect())
    }

    /// The value in `row` and `column` as text: a category by its name, nothing where missing.
    pub fn text(&self, row: usize, column: usize) -> String {
        let value = self.row(row)[column];
        match &self.kinds[column] {
            LabelKind::Number if value.is_nan() => String::new(),
            LabelKind::Number => value.to_string(),
            LabelKind::Category(names) => names.get(value as usize).cloned().unwrap_or_default(),
        }
    }

    /// Gives the columns of categories that both tables have the same list of names, so that a
    /// value means the same in both.
    pub(crate) fn unify(&mut self, other: &mut Self) {
        for (at, name) in self.names.clone().iter().enumerate() {
            let Some(there) = other.names.iter().position(|their| their == name) else {
                continue;
            };
            if let (LabelKind::Category(ours), LabelKind::Category(theirs)) = (&self.kinds[at], &other.kinds[there])
                && ours != theirs
            {
                let all: BTreeSet<String> = ours.iter().chain(theirs).cloned().collect();
                let all: Vec<String> = all.into_iter().collect();
                self.recode(at, &all);
                other.recode(there, &all);
            }
        }
    }

    /// Counts a column's categories by their places in `all`, which has all of them.
    fn recode(&mut self, column: usize, all: &[String]) {
        let columns = self.columns();
        let kind = LabelKind::Category(all.to_vec());
        if let LabelKind::Category(names) = std::mem::replace(&mut self.kinds[column], kind) {
            let place = |name| all.iter().position(|other| other == name).unwrap_or(0) as f32;
            let places: Vec<f32> = names.iter().map(place).collect();
            for value in self.values.iter_mut().skip(column).step_by(columns) {
                *value = places.get(*value as usize).copied().unwrap_or(*value);
            }
        }
    }

    /// The rows at `indexes`, in that order.
    pub(crate) fn subset(&self, indexes: &[usize]) -> Self {
        let values = indexes.iter().flat_map(|&i| self.row(i)).copied().collect();
        Self { names: self.names.clone(), kinds: self.kinds.clone(), values }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_columns_and_text_agree() {
        let kinds = vec![LabelKind::Number, LabelKind::Category(vec!["a".into(), "b".into()])];
        let values = vec![0.5, 1.0, f32::NAN, 0.0];
        let labels = Labels::new(vec!["n".into(), "c".into()], kinds.clone(), values).unwrap();
        assert_eq!((labels.len(), labels.columns(), labels.is_empty()), (2, 2, false));
        assert_eq!(labels.names(), ["n", "c"]);
        assert_eq!(labels.kinds(), kinds);
        assert_eq!(labels.row(0), [0.5, 1.0]);
        assert_eq!(labels.values().len(), 4);
        assert_eq!(labels.column("c"), Some(vec![1.0, 0.0]));
        assert_eq!(labels.column("x"), None);
        assert_eq!([labels.text(0, 0), labels.text(0, 1), labels.text(1, 0)], ["0.5", "b", ""]);
        let swapped = labels.subset(&[1, 0]);
        assert_eq!(swapped.row(1), [0.5, 1.0]);
        assert_eq!(swapped.subset(&[1, 0]), labels);
        assert_ne!(swapped, labels);
    }

    #[test]
    fn unified_tables_mean_the_same() {
        let mut one = Labels::classes("c", &["a", "c"], vec![0.0, 1.0]).unwrap();
        let mut two = Labels::classes("c", &["b", "c"], vec![0.0, 1.0, 0.0]).unwrap();
        one.unify(&mut two);
        assert_eq!(one.kinds(), two.kinds());
        assert_eq!(one.values(), [0.0, 2.0]);
        assert_eq!(two.values(), [1.0, 2.0, 1.0]);
        assert_eq!([two.text(0, 0), two.text(1, 0)], ["b", "c"]);
        let mut number = Labels::numbers(&["c"], vec![5.0]).unwrap();
        one.unify(&mut number);
        assert_eq!((one.values(), number.values()), (&[0.0, 2.0][..], &[5.0][..]));
    }

    #[test]
    fn classes_and_numbers_are_one_kind_each() {
        let classes = Labels::classes("class", &["cat", "dog"], vec![1.0, 0.0, 1.0]).unwrap();
        assert_eq!((classes.len(), classes.text(2, 0).as_str()), (3, "dog"));
        let numbers = Labels::numbers(&["a", "b"], vec![1.0; 6]).unwrap();
        assert_eq!((numbers.len(), numbers.kinds()), (3, &[LabelKind::Number, LabelKind::Number][..]));
        assert!(Labels::numbers(&["a", "b"], vec![1.0; 5]).is_err());
        assert!(Labels::new(vec![], vec![], vec![]).is_err());
        assert!(Labels::new(vec!["a".into()], vec![], vec![]).is_err());
    }
}
