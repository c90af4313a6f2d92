//! The formats of others, in their own words: CAP alerts, the lists and envelopes that carry them, what BMKG publishes, tables of river gauges and volcanoes, and tables of any kind in CSV, XLSX and GeoJSON.
//!
//! Every reader takes the bytes of one document and gives back what its publisher said, with notes on how it was read, or an error that says what is wrong and where.
//! Nothing here opens a file, asks the clock, or knows the words of our own messages.
//!
//! [`document::read`] finds out what a document is; [`check::check`] says what is in it and what is wrong with it.

pub mod atom;
pub mod bmkg;
pub mod cap;
pub mod check;
pub mod document;
pub mod edxl;
pub mod media;
pub mod rss;
pub mod station;
pub mod table;

mod field;
mod geometry;
mod json;
mod note;
mod text;
mod xml;

pub use field::FieldError;
pub use note::{Level, Note, NoteKind, Place, Read};
pub use text::quote;
pub use xml::{MAX_DOCUMENT_BYTES, XmlError};
