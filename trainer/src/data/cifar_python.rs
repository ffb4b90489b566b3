//! A batch of CIFAR-10's python version: a pickled dictionary with labels and a numpy array.

use crate::pickle::{Id, Pickle};

/// Numbers of a picture.
pub(super) const PLANES: usize = 3 * 32 * 32;

/// The batch as records of the binary version: a class, then the picture's planes.
pub(super) fn records(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let (batch, _) = Pickle::read(bytes).map_err(|problem| format!("not a pickled batch ({problem})"))?;
    let value = |key: &str| batch.value(batch.root(), key).ok_or_else(|| format!("a batch without {key}"));
    let labels = value("labels")?;
    let classes = batch.entries(labels).unwrap_or_default().iter().map(|&class| u8::try_from(batch.int(class)?).ok());
    let classes = classes.collect::<Option<Vec<u8>>>().ok_or("labels that are not classes")?;
    let pictures = array(&batch, value("data")?, classes.len())
        .ok_or_else(|| format!("its data are not an array of {PLANES} bytes for each of {} labels", classes.len()))?;
    if classes.is_empty() {
        return Err("an empty batch".into());
    }
    let records = classes.iter().zip(pictures.chunks_exact(PLANES));
    Ok(records.flat_map(|(class, planes)| std::iter::once(class).chain(planes)).copied().collect())
}

/// The bytes of a numpy array, row by row.
fn array(batch: &Pickle<'_>, id: Id, rows: usize) -> Option<Vec<u8>> {
    // The state is a version, the shape, the type of the numbers, whether columns come first, and the numbers.
    let &[_, shape, numbers, columns_first, data] = batch.entries(batch.state(id)?)? else { return None };
    let shape: Vec<usize> = batch.entries(shape)?.iter().map(|&size| batch.size(size)).collect::<Option<_>>()?;
    let ((_, "dtype"), [kind, ..]) = batch.made(numbers)? else { return None };
    let data = batch.bytes(data)?;
    let fits = shape == [rows, PLANES] && Some(data.len()) == rows.checked_mul(PLANES) && batch.text(*kind)? == "u1";
    if !fits {
        return None;
    }
    Some(match batch.get(columns_first) {
        crate::pickle::Node::Bool(true) => (0..data.len()).map(|i| data[i % PLANES * rows + i / PLANES]).collect(),
        _ => data,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// As Python 2 pickled it: the state's numbers as a string.
    pub(in crate::data) fn batch(records: &[u8]) -> Vec<u8> {
        let rows: Vec<&[u8]> = records.chunks_exact(PLANES + 1).collect();
        let pixels: Vec<u8> = rows.iter().flat_map(|row| &row[1..]).copied().collect();
        pickled(&rows.iter().map(|row| row[0]).collect::<Vec<_>>(), &pixels, false)
    }

    fn pickled(classes: &[u8], pixels: &[u8], columns_first: bool) -> Vec<u8> {
        let mut file = b"\x80\x02}q\x01(U\x06labelsq\x02]q\x03(".to_vec();
        file.extend(classes.iter().flat_map(|&class| [b'K', class]));
        file.extend(
            b"eU\x04dataq\x04cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01",
        );
        file.extend([b'M', classes.len() as u8, 0]);
        file.extend(b"M\x00\x0c\x86cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb");
        file.push(if columns_first { 0x88 } else { 0x89 });
        file.push(b'T');
        file.extend((pixels.len() as u32).to_le_bytes());
        file.extend(pixels);
        file.extend(b"tbu.");
        file
    }

    #[test]
    fn rows_come_back_in_either_order_of_the_array() {
        let rows: Vec<u8> = (0..2 * PLANES).map(|i| (i * 7 / 3) as u8).collect();
        let columns: Vec<u8> = (0..2 * PLANES).map(|i| rows[i % 2 * PLANES + i / 2]).collect();
        let expected = [&[4][..], &rows[..PLANES], &[9], &rows[PLANES..]].concat();
        assert_eq!(records(&pickled(&[4, 9], &rows, false)).unwrap(), expected);
        assert_eq!(records(&pickled(&[4, 9], &columns, true)).unwrap(), expected);
        assert_eq!(records(&batch(&expected)).unwrap(), expected);
    }

    #[test]
    fn other_pickles_say_what_they_lack() {
        let rows = vec![0; 2 * PLANES];
        for (bytes, problem) in [
            (b"hello".to_vec(), "not a pickled batch"),
            (b"\x80\x02}.".to_vec(), "without labels"),
            (pickled(&[4, 9, 1], &rows, false), "for each of 3 labels"),
            (pickled(&[], &[], false), "empty batch"),
        ] {
            let found = records(&bytes).unwrap_err();
            assert!(found.contains(problem), "{found}");
        }
        let whole = pickled(&[4, 9], &rows, false);
        assert!((0..whole.len()).step_by(97).all(|end| records(&whole[..end]).is_err()));
    }
}
