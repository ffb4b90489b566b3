//! Data sets: pictures as bytes in memory, with the factors they were made from where known.
//!
//! [`DataSource`] turns what the user typed into a [`Dataset`].

mod archive;
mod broken;
mod celeba;
mod cifar;
mod cifar_python;
mod collection;
mod complete;
mod container;
mod export;
mod factors;
mod folder;
mod images;
mod labels;
mod labels_csv;
mod mask;
mod metadata;
mod mnist;
mod msds;
mod names;
mod npy;
mod open;
mod options;
mod parts;
mod pixels;
mod profile;
mod set;
mod skipped;
mod sniff;
mod source;
mod split;
#[cfg(test)]
mod testing;

pub use factors::{Factor, factors_of};
pub use images::read_picture;
pub use labels::{LabelKind, Labels};
pub use mask::{read_mask, read_mask_for};
pub use msds::generate;
pub use options::DataOptions;
pub(crate) use set::to_grey;
pub use set::{Dataset, ImageSet, TestSet};
pub(crate) use sniff::sniff;
pub use source::DataSource;
