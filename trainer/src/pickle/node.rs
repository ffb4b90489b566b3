//! What a pickle is made of.

/// A node's place.
pub(crate) type Id = usize;

/// A value.
#[derive(Debug)]
pub(crate) enum Node<'a> {
    None,
    Bool(bool),
    /// An integer; more than 128 bits are not supported.
    Int(i128),
    /// A floating-point number; its value is never needed.
    Float,
    Text(&'a str),
    Bytes(&'a [u8]),
    Tuple(Vec<Id>),
    /// A list or a set.
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    /// A class or function by its module and name.
    Global(&'a str, &'a str),
    /// What a class or function made of its arguments; then the state it was given, and what was put into it.
    Made {
        by: Id,
        of: Id,
        state: Option<Id>,
        items: Vec<(Id, Id)>,
    },
    /// What the file's owner keeps elsewhere.
    Persistent(Id),
}

/// Why a file is not a pickle.
pub(crate) type Problem = String;

pub(super) type Result<T> = std::result::Result<T, Problem>;
