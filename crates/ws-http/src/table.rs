//! The parts of a parsed head, in a text that holds nothing else.

use core::fmt;
use core::ops::Range;

use crate::fields::Fields;

/// What a parser has cut out of a head, part after part, and where each field's name and value lie in it.
#[derive(Clone)]
pub(crate) struct Table {
    text: Vec<u8>,
    fields: Vec<Field>,
}

#[derive(Clone)]
struct Field {
    name: Range<usize>,
    value: Range<usize>,
}

impl Table {
    /// Makes an empty table with room for the parts of a head of this length.
    pub(crate) fn with_capacity(len: usize) -> Self {
        Self { text: Vec::with_capacity(len), fields: Vec::new() }
    }

    /// Appends a part, and returns where it lies.
    pub(crate) fn push(&mut self, part: &[u8]) -> Range<usize> {
        let start = self.len();
        self.text.extend_from_slice(part);
        start..self.len()
    }

    /// Appends the names and values of the field lines.
    pub(crate) fn push_fields(&mut self, fields: &[httparse::Header<'_>]) {
        self.fields.reserve_exact(fields.len());
        for field in fields {
            let (name, value) = (self.push(field.name.as_bytes()), self.push(field.value));
            self.fields.push(Field { name, value });
        }
    }

    /// Returns how many bytes the parts have.
    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// Iterates over names and values, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.fields.iter().map(|field| (self.text(&field.name), self.bytes(&field.value)))
    }

    /// Returns the part that lies there.
    pub(crate) fn text(&self, part: &Range<usize>) -> &str {
        core::str::from_utf8(self.bytes(part)).unwrap_or_default()
    }

    fn bytes(&self, part: &Range<usize>) -> &[u8] {
        self.text.get(part.clone()).unwrap_or_default()
    }
}

impl Fields for Table {
    fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.fields
            .iter()
            .filter(move |field| self.bytes(&field.name).eq_ignore_ascii_case(name.as_bytes()))
            .map(|field| self.bytes(&field.value))
    }
}

impl fmt::Debug for Table {
    /// Writes the names of the fields; their values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|(name, _)| name)).finish()
    }
}
