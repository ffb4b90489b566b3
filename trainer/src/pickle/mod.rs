//! Python pickles as trees, without running anything in them.
//!
//! Protocols 0 to 5. Nodes are kept in one list and refer to one another by place, so that a hostile file can neither
//! nest them into a stack overflow nor make more of them than it has bytes.

mod machine;
mod node;

use self::node::Result;

pub(crate) use self::node::{Id, Node};

/// A pickle.
pub(crate) struct Pickle<'a> {
    nodes: Vec<Node<'a>>,
    root: Id,
}

impl<'a> Pickle<'a> {
    /// Reads the pickle at the start of `bytes`, and gives what follows it.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<(Self, &'a [u8])> {
        machine::run(bytes).map(|(nodes, root, rest)| (Self { nodes, root }, rest))
    }

    /// The value of the whole.
    pub(crate) fn root(&self) -> Id {
        self.root
    }

    /// All values, in the order in which they are read.
    pub(crate) fn nodes(&self) -> &[Node<'a>] {
        &self.nodes
    }

    /// A value.
    pub(crate) fn get(&self, id: Id) -> &Node<'a> {
        self.nodes.get(id).unwrap_or(&Node::None)
    }

    /// Text, also of Python 2, whose text is bytes.
    pub(crate) fn text(&self, id: Id) -> Option<&'a str> {
        match self.get(id) {
            Node::Text(text) => Some(text),
            Node::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
            Node::Made { .. } => self.encoded(id),
            _ => None,
        }
    }

    /// Bytes, also as protocol 2 keeps those of Python 3: as text to encode in Latin-1.
    pub(crate) fn bytes(&self, id: Id) -> Option<Vec<u8>> {
        match self.get(id) {
            Node::Bytes(bytes) => Some(bytes.to_vec()),
            Node::Made { .. } => self.encoded(id)?.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect(),
            _ => None,
        }
    }

    fn encoded(&self, id: Id) -> Option<&'a str> {
        match self.made(id)? {
            (("_codecs", "encode"), [text, _]) => self.text(*text),
            _ => None,
        }
    }

    /// An integer.
    pub(crate) fn int(&self, id: Id) -> Option<i128> {
        if let Node::Int(value) = self.get(id) { Some(*value) } else { None }
    }

    /// A count or a size.
    pub(crate) fn size(&self, id: Id) -> Option<usize> {
        self.int(id).and_then(|value| usize::try_from(value).ok())
    }

    /// The entries of a tuple or a list.
    pub(crate) fn entries(&self, id: Id) -> Option<&[Id]> {
        match self.get(id) {
            Node::Tuple(entries) | Node::List(entries) => Some(entries),
            _ => None,
        }
    }

    /// The pairs of a dictionary, also of an ordered one.
    pub(crate) fn pairs(&self, id: Id) -> Option<&[(Id, Id)]> {
        match self.get(id) {
            Node::Dict(pairs) => Some(pairs),
            Node::Made { items, .. } if self.made(id)?.0 == ("collections", "OrderedDict") => Some(items),
            _ => None,
        }
    }

    /// The value of a dictionary's key.
    pub(crate) fn value(&self, id: Id, key: &str) -> Option<Id> {
        self.pairs(id)?.iter().rev().find(|(k, _)| self.text(*k) == Some(key)).map(|(_, value)| *value)
    }

    /// Module and name of what made the value, and its arguments.
    pub(crate) fn made(&self, id: Id) -> Option<((&'a str, &'a str), &[Id])> {
        let Node::Made { by, of, .. } = self.get(id) else { return None };
        let Node::Global(module, name) = self.get(*by) else { return None };
        Some(((module, name), self.entries(*of)?))
    }

    /// The state that was given to a value after it was made.
    pub(crate) fn state(&self, id: Id) -> Option<Id> {
        if let Node::Made { state, .. } = self.get(id) { *state } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_old_and_new_protocols_are_read() {
        // {'a': [1, -2, 300, 2**33], b'b': (True, None, 0.5)} in protocols 0, 2 and 4.
        let zero = b"(dVa\n(lI1\naI-2\naI300\naL8589934592L\nasS'b'\n(I01\nNF0.5\nts.";
        let two = b"\x80\x02}q\x00(X\x01\x00\x00\x00a]q\x01(K\x01J\xfe\xff\xff\xffM,\x01\x8a\x05\0\0\0\0\x02eU\x01b\x88NG?\xe0\0\0\0\0\0\0\x87u.";
        let four = b"\x80\x04\x95\0\0\0\0\0\0\0\0}\x94(\x8c\x01a\x94]\x94(K\x01J\xfe\xff\xff\xffM,\x01\x8a\x05\0\0\0\0\x02eC\x01b\x94\x88NG?\xe0\0\0\0\0\0\0\x87\x94u.";
        for bytes in [&zero[..], two, four] {
            let with_rest = [bytes, b"rest"].concat();
            let (pickle, rest) = Pickle::read(&with_rest).unwrap();
            assert_eq!(rest, b"rest");
            let list = pickle.value(pickle.root(), "a").unwrap();
            let ints: Vec<_> = pickle.entries(list).unwrap().iter().map(|&id| pickle.int(id)).collect();
            assert_eq!(ints, [Some(1), Some(-2), Some(300), Some(1 << 33)]);
            let tuple = pickle.entries(pickle.value(pickle.root(), "b").unwrap()).unwrap();
            assert!(matches!(pickle.get(tuple[0]), Node::Bool(true)) && matches!(pickle.get(tuple[1]), Node::None));
            assert!(matches!(pickle.get(tuple[2]), Node::Float));
        }
    }

    #[test]
    fn objects_keep_what_made_them() {
        let bytes = b"\x80\x02c_codecs\nencode\nX\x04\0\0\0\xc3\xbfabX\x06\0\0\0latin1\x86R.";
        let (pickle, _) = Pickle::read(bytes).unwrap();
        assert_eq!(pickle.bytes(pickle.root()), Some(vec![255, b'a', b'b']));
        let bytes = b"\x80\x02ccollections\nOrderedDict\n)R(U\x01kK\x05uK\x07b.";
        let (pickle, _) = Pickle::read(bytes).unwrap();
        assert_eq!(pickle.value(pickle.root(), "k").and_then(|v| pickle.size(v)), Some(5));
        assert_eq!(pickle.state(pickle.root()).and_then(|v| pickle.size(v)), Some(7));
    }

    #[test]
    fn nothing_that_is_no_pickle_is_more_than_an_error() {
        let whole = b"\x80\x02}q\x00(X\x01\x00\x00\x00aK\x01U\x01bK\x02u.";
        for end in 0..whole.len() {
            assert!(Pickle::read(&whole[..end]).is_err(), "{end}");
        }
        for bytes in [
            &b"."[..],
            b"a.",
            b"R.",
            b"(K\x01u.",
            b"]K\x01s.",
            b"K\x01K\x02(0.",
            b"h\x05.",
            b"X\xff\xff\xff\xff.",
            b"\xff.",
        ] {
            assert!(Pickle::read(bytes).is_err(), "{bytes:?}");
        }
        // A million lists, each within the next, and one that holds itself.
        let deep = [vec![b']'; 1_000_000], vec![b'a'; 999_999], vec![b'.']].concat();
        assert_eq!(Pickle::read(&deep).unwrap().0.nodes().len(), 1_000_000);
        let (own, _) = Pickle::read(b"]q\x00h\x00a.").unwrap();
        assert_eq!(own.entries(own.root()), Some(&[own.root()][..]));
    }
}
