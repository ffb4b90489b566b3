//! Labels from a csv file beside the pictures.
//!
//! A header, then a row per picture. The first column says which: a file name (with or without its
//! folder and extension) or an index from 0 into the sorted names. Further columns become numbers
//! where all entries are numbers (empty: missing), three numbers where all are colours
//! (`#rrggbb`, or `hue-saturation-lightness` as `210-50-60` or `hsl(210, 50%, 60%)`), else
//! categories.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use super::labels::{LabelKind, Labels};
use crate::error::{Error, Result};

/// A table whose first column says which picture a row is for.
pub(super) struct Table {
    pub(super) header: csv::StringRecord,
    pub(super) rows: Vec<csv::StringRecord>,
}

/// Reads a table and gives the pictures called `names` their rows, in the order of `names`; `path` names it in errors.
pub(crate) fn read(path: &Path, bytes: &[u8], names: &[&str]) -> Result<Labels> {
    let table = Table::parse(path, bytes)?;
    if table.header.len() < 2 {
        let advice = "give it a column of file names and at least one more";
        return Err(Error::content(path.display(), "there are no label columns", advice));
    }
    table.labels(path, names, None)
}

impl Table {
    /// Reads a csv file.
    pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        let malformed = |source| Error::Csv { path: path.to_path_buf(), source };
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
        let header = reader.headers().map_err(malformed)?.clone();
        let rows = reader.records().collect::<csv::Result<Vec<_>>>().map_err(malformed)?;
        Ok(Self { header, rows })
    }

    /// The rows of the pictures called `names`. Names in the table may begin with `part`, the folder of a table that
    /// lies above the pictures; without one, rows may also be numbered.
    pub(super) fn labels(&self, path: &Path, names: &[&str], part: Option<&str>) -> Result<Labels> {
        let mut keys = HashMap::new();
        for (row, record) in self.rows.iter().enumerate() {
            // Names as the pictures have them, whatever system wrote the table.
            let key = record[0].replace('\\', "/").trim_start_matches("./").to_string();
            if keys.insert(key, row).is_some() {
                let problem = format!("{} has two rows", &record[0]);
                return Err(Error::content(path.display(), problem, "remove one"));
            }
        }
        // Tables may tell more of the path than the pictures' names do.
        let mut bases: HashMap<&str, Option<usize>> = HashMap::new();
        for (key, row) in &keys {
            let base = key.rsplit('/').next().unwrap_or(key);
            bases.entry(base).and_modify(|row| *row = None).or_insert(Some(*row));
        }
        let mut order = Vec::with_capacity(names.len());
        for (index, name) in names.iter().enumerate() {
            let above = part.and_then(|part| under(part, name).find_map(|key| keys.get(&key).copied()));
            let number = || if part.is_none() { keys.get(&index.to_string()).copied() } else { None };
            let Some(row) = above.or_else(|| find(&keys, &bases, name)).or_else(number) else {
                let problem = format!("there is no row for {name}");
                let advice = "add one, or move the table away to load the pictures without labels";
                return Err(Error::content(path.display(), problem, advice));
            };
            order.push(row);
        }
        table(&self.header, &self.rows, &order)
    }
}

/// What a picture in the folder `part` may be called in a folder above it: `a/b/0.png`, then `b/0.png`.
fn under(part: &str, name: &str) -> impl Iterator<Item = String> {
    let starts = std::iter::successors(Some(part), |part| part.split_once('/').map(|(_, rest)| rest));
    starts.map(move |start| format!("{start}{name}"))
}

/// The row of a picture, looked up from its most to its least exact name.
fn find(keys: &HashMap<String, usize>, bases: &HashMap<&str, Option<usize>>, name: &str) -> Option<usize> {
    let base = name.rsplit('/').next().unwrap_or(name);
    let stem = base.rsplit_once('.').map_or(base, |(stem, _)| stem);
    let by_name = [name, base, stem].iter().find_map(|key| keys.get(*key));
    by_name.copied().or_else(|| bases.get(base).copied().flatten())
}

/// Kinds are decided by all rows of the file, so that a part of the pictures has the same columns.
fn table(header: &csv::StringRecord, rows: &[csv::StringRecord], order: &[usize]) -> Result<Labels> {
    let (mut names, mut kinds, mut columns) = (Vec::new(), Vec::new(), Vec::new());
    for (at, title) in header.iter().enumerate().skip(1) {
        let cells = || rows.iter().map(move |row| &row[at]);
        if let Some(values) = cells().map(number).collect::<Option<Vec<f32>>>() {
            names.push(title.to_string());
            kinds.push(LabelKind::Number);
            columns.push(values);
        } else if let Some((parts, values)) = colours(cells) {
            for (i, part) in parts.iter().enumerate() {
                names.push(format!("{title}.{part}"));
                kinds.push(LabelKind::Number);
                columns.push(values.iter().map(|colour| colour[i]).collect());
            }
        } else {
            let categories: BTreeSet<&str> = cells().collect();
            let places: HashMap<&str, usize> = categories.iter().enumerate().map(|(i, &name)| (name, i)).collect();
            names.push(title.to_string());
            kinds.push(LabelKind::Category(categories.iter().map(ToString::to_string).collect()));
            columns.push(cells().map(|cell| places[cell] as f32).collect());
        }
    }
    let values = order.iter().flat_map(|&row| columns.iter().map(move |column| column[row]));
    Labels::new(names, kinds, values.collect())
}

fn number(cell: &str) -> Option<f32> {
    if cell.is_empty() { Some(f32::NAN) } else { cell.parse().ok() }
}

/// All cells as colours of one notation, and what its three numbers are called.
fn colours<'a, I: Iterator<Item = &'a str>>(cells: impl Fn() -> I) -> Option<([&'static str; 3], Vec<[f32; 3]>)> {
    if let Some(values) = cells().map(hex).collect() {
        return Some((["r", "g", "b"], values));
    }
    Some((["h", "s", "l"], cells().map(hsl).collect::<Option<_>>()?))
}

fn hex(cell: &str) -> Option<[f32; 3]> {
    let hex = |digits: &&str| digits.len() == 6 && digits.bytes().all(|c| c.is_ascii_hexdigit());
    let digits = cell.strip_prefix('#').filter(hex)?;
    let colour = u32::from_str_radix(digits, 16).ok()?;
    Some([colour >> 16, colour >> 8 & 255, colour & 255].map(|part| part as f32))
}

fn hsl(cell: &str) -> Option<[f32; 3]> {
    let inner = cell.strip_prefix("hsl(").and_then(|rest| rest.strip_suffix(')'));
    let mut parts = match inner {
        Some(inner) => inner.split(','),
        None => "".split(','),
    };
    let mut dashed = cell.split('-');
    let mut next = |most: f32| {
        let part = if inner.is_some() { parts.next() } else { dashed.next() }?;
        let value: f32 = part.trim().trim_end_matches('%').parse().ok()?;
        (0.0..=most).contains(&value).then_some(value)
    };
    let colour = [next(360.0)?, next(100.0)?, next(100.0)?];
    let spent = if inner.is_some() { parts.next() } else { dashed.next() };
    spent.is_none().then_some(colour)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, names: &[&str]) -> Result<Labels> {
        read(Path::new("set.csv"), text.as_bytes(), names)
    }

    const MIXED: &str = "file,kind,skin,size,back,ground\n\
        a.png,round,#0a141e,0.5,356-34-37,\"hsl(10, 20%, 30%)\"\n\
        b.png,flat,#FFFFFF,,0-0-100,\"hsl(360, 0%, 100%)\"\n\
        c.png,round,#000000,-2,12-5-6,\"hsl(1, 2%, 3%)\"\n";

    #[test]
    fn numbers_colours_and_categories_are_told_apart() {
        let labels = parse(MIXED, &["a.png", "b.png"]).unwrap();
        let expected = [
            "kind", "skin.r", "skin.g", "skin.b", "size", "back.h", "back.s", "back.l", "ground.h", "ground.s",
            "ground.l",
        ];
        assert_eq!(labels.names(), expected);
        assert_eq!(labels.kinds()[0], LabelKind::Category(vec!["flat".into(), "round".into()]));
        assert_eq!(labels.row(0), [1.0, 10.0, 20.0, 30.0, 0.5, 356.0, 34.0, 37.0, 10.0, 20.0, 30.0]);
        assert_eq!(labels.text(1, 0), "flat");
        assert!(labels.row(1)[4].is_nan());
        assert_eq!(labels.kinds()[4], LabelKind::Number);
    }

    #[test]
    fn rows_follow_the_pictures_whatever_their_order() {
        let labels = parse(MIXED, &["deep/c.png", "a.webp"]).unwrap_err().to_string();
        assert!(labels.contains("no row for a.webp") && labels.contains("set.csv"), "{labels}");
        let labels = parse(MIXED, &["deep/c.png", "a.png"]).unwrap();
        assert_eq!(labels.column("size"), Some(vec![-2.0, 0.5]));
        let labels = parse("id,v\n0,5\n1,6\n2,7\n", &["x.png", "y.png"]).unwrap();
        assert_eq!(labels.column("v"), Some(vec![5.0, 6.0]));
        let labels = parse("id,v\n007,5\n008,6\n", &["d/008.jpg", "d/007.jpg"]).unwrap();
        assert_eq!(labels.column("v"), Some(vec![6.0, 5.0]));
    }

    #[test]
    fn tables_from_other_systems_fit() {
        let labels = parse("\u{feff}file,v\r\nd\\a.png,5\r\n./d/b.png,6\r\n", &["d/a.png", "d/b.png"]).unwrap();
        assert_eq!(labels.column("v"), Some(vec![5.0, 6.0]));
        let labels = parse("file,v\nset/train/a.png,5\nset/train/b.png,6\n", &["b.png", "a.png"]).unwrap();
        assert_eq!(labels.column("v"), Some(vec![6.0, 5.0]));
        let error = parse("file,v\ncats/a.png,5\ndogs/a.png,6\n", &["a.png"]).unwrap_err().to_string();
        assert!(error.contains("no row for a.png"), "{error}");
    }

    #[test]
    fn near_colours_are_categories() {
        let text = "f,a,b,c\nx,#+12345,361-0-0,1-2\ny,#1234567,1-2-3-4,1-2-3\nz,#1234é,hsl(1),\n";
        let labels = parse(text, &["x", "y", "z"]).unwrap();
        assert_eq!(labels.names(), ["a", "b", "c"]);
        assert!(labels.kinds().iter().all(|kind| matches!(kind, LabelKind::Category(_))));
    }

    #[test]
    fn malformed_files_are_named() {
        for text in ["", "file\na\n", "file,v\na,1\na,2\n", "file,v\na,1,2\n"] {
            let error = parse(text, &["a"]).unwrap_err().to_string();
            assert!(error.contains("set.csv"), "{error}");
        }
    }
}
