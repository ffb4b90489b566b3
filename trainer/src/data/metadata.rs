//! Labels as Hugging Face's image folders have them: `metadata.csv` or `metadata.jsonl`, beside the pictures or above their
//! part, with the pictures' paths in a column `file_name`.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value};

use super::labels::Labels;
use super::labels_csv::Table;
use crate::error::{Error, Result};

/// What such tables are called.
pub(crate) const NAMES: [&str; 2] = ["metadata.csv", "metadata.jsonl"];

const KEY: &str = "file_name";

/// Reads a table and gives the pictures called `names`, in the folder `part` of what the table is for, their rows. None if
/// it has no column `file_name`, and so is something else, or no other column.
pub(crate) fn read(path: &Path, bytes: &[u8], part: &str, names: &[&str]) -> Result<Option<Labels>> {
    let lines = path.extension().is_some_and(|ending| ending == "jsonl");
    let table = if lines { of_lines(path, bytes)? } else { key_first(Table::parse(path, bytes)?) };
    table.filter(|table| table.header.len() > 1).map(|table| table.labels(path, names, Some(part))).transpose()
}

fn key_first(table: Table) -> Option<Table> {
    let key = table.header.iter().position(|name| name == KEY)?;
    let moved = |record: csv::StringRecord| {
        let rest = record.iter().enumerate().filter(|(at, _)| *at != key).map(|(_, cell)| cell);
        std::iter::once(&record[key]).chain(rest).collect::<csv::StringRecord>()
    };
    Some(Table { header: moved(table.header), rows: table.rows.into_iter().map(moved).collect() })
}

/// A table of JSON objects, one a line. Lists and objects in them are no labels, and are left out.
fn of_lines(path: &Path, bytes: &[u8]) -> Result<Option<Table>> {
    let mut objects: Vec<Map<String, Value>> = Vec::new();
    for (at, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii();
        if line.is_empty() {
            continue;
        }
        let object = serde_json::from_slice(line).map_err(|error| {
            let problem = format!("line {} is not a JSON object ({error})", at + 1);
            Error::content(
                path.display(),
                problem,
                "repair it, or move the table away to load the pictures without labels",
            )
        })?;
        objects.push(object);
    }
    let plain = |value: &Value| !value.is_array() && !value.is_object();
    let names: BTreeSet<&String> = objects.iter().flat_map(Map::keys).collect();
    let is_label =
        |name: &&String| name.as_str() != KEY && objects.iter().filter_map(|object| object.get(*name)).all(plain);
    if !names.iter().any(|name| *name == KEY) {
        return Ok(None);
    }
    let columns: Vec<&str> =
        std::iter::once(KEY).chain(names.into_iter().filter(is_label).map(String::as_str)).collect();
    let cell = |value: Option<&Value>| match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let row = |object: &Map<String, Value>| columns.iter().map(|name| cell(object.get(*name))).collect();
    Ok(Some(Table { header: columns.iter().collect(), rows: objects.iter().map(row).collect() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::LabelKind;

    fn parse(file: &str, text: &str, part: &str, names: &[&str]) -> Result<Option<Labels>> {
        read(Path::new(file), text.as_bytes(), part, names)
    }

    #[test]
    fn both_notations_say_the_same() {
        let csv = "age,file_name,kind\n5,b.png,cat\n7,a.png,dog\n";
        let lines = "{\"file_name\": \"b.png\", \"age\": 5, \"kind\": \"cat\", \"box\": [1, 2]}\n\n\
                     {\"kind\": \"dog\", \"file_name\": \"a.png\", \"age\": 7}\r\n";
        let labels = parse("metadata.csv", csv, "", &["a.png", "b.png"]).unwrap().unwrap();
        assert_eq!(labels.names(), ["age", "kind"]);
        assert_eq!(labels.kinds()[1], LabelKind::Category(vec!["cat".into(), "dog".into()]));
        assert_eq!(labels.values(), [7.0, 1.0, 5.0, 0.0]);
        assert_eq!(parse("metadata.jsonl", lines, "", &["a.png", "b.png"]).unwrap().unwrap(), labels);
    }

    #[test]
    fn a_table_above_the_parts_tells_them_apart() {
        let csv = "file_name,v\ntrain/0.png,5\ntest/0.png,6\n";
        for (part, value) in [("train/", 5.0), ("test/", 6.0)] {
            let labels = parse("metadata.csv", csv, part, &["0.png"]).unwrap().unwrap();
            assert_eq!(labels.values(), [value]);
        }
        // Rows are never taken by their number.
        let numbered = parse("metadata.csv", "file_name,v\n0,5\n", "", &["x.png"]).unwrap_err().to_string();
        assert!(numbered.contains("metadata.csv: there is no row for x.png"), "{numbered}");
    }

    #[test]
    fn other_tables_are_left_alone_and_broken_ones_named() {
        for (file, text) in [
            ("metadata.csv", "id,v\na.png,1\n"),
            ("metadata.csv", "file_name\na.png\n"),
            ("metadata.jsonl", "{\"v\": 1}\n"),
            ("metadata.jsonl", ""),
        ] {
            assert_eq!(parse(file, text, "", &["a.png"]).unwrap(), None, "{text}");
        }
        let error =
            parse("metadata.jsonl", "{\"file_name\": \"a.png\"}\n[1]\n", "", &["a.png"]).unwrap_err().to_string();
        assert!(error.contains("metadata.jsonl: line 2 is not a JSON object"), "{error}");
        let error = parse("metadata.csv", "file_name,v\na.png,1,2\n", "", &["a.png"]).unwrap_err().to_string();
        assert!(error.contains("metadata.csv"), "{error}");
        // What a row lacks is missing.
        let sparse = "{\"file_name\": \"a.png\", \"v\": null}\n{\"file_name\": \"b.png\", \"v\": 2, \"w\": true}\n";
        let labels = parse("metadata.jsonl", sparse, "", &["a.png", "b.png"]).unwrap().unwrap();
        assert!(labels.row(0)[0].is_nan() && labels.row(1)[0] == 2.0 && labels.text(1, 1) == "true");
    }
}
