//! The factors of variation that labels tell.

use super::labels::{LabelKind, Labels};

/// One factor of variation.
#[derive(Clone, Debug)]
pub struct Factor {
    /// Its column's name.
    pub name: String,
    /// One for each image: a quantity, or the number of a category.
    pub values: Vec<f32>,
    /// How many categories, unless it is a quantity.
    pub categories: Option<usize>,
}

/// The labels that vary and are known for every image.
pub fn factors_of(labels: &Labels) -> Vec<Factor> {
    let columns = labels.names().iter().zip(labels.kinds());
    let factor = |(name, kind): (&String, &LabelKind)| {
        let values = labels.column(name)?;
        let categories = match kind {
            LabelKind::Number => None,
            LabelKind::Category(names) => Some(names.len()),
        };
        let varies = values.iter().any(|v| *v != values[0]) && values.iter().all(|v| v.is_finite());
        varies.then(|| Factor { name: name.clone(), values, categories })
    };
    columns.filter_map(factor).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_and_unknown_labels_are_no_factors() {
        let labels = Labels::numbers(&["a", "b", "c"], vec![1.0, 5.0, f32::NAN, 2.0, 5.0, 1.0]).unwrap();
        let names: Vec<_> = factors_of(&labels).into_iter().map(|f| f.name).collect();
        assert_eq!(names, ["a"]);
    }
}
