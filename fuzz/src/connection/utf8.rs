use crate::input::{Input, pieces};
use ws_frame::{Utf8, Violation};

/// Text that comes in pieces, against `core`: refused at the first piece after which no text can begin so, and complete
/// exactly when it is.
///
/// The input: how often the text is repeated, the sizes of pieces (counted), the text.
pub fn utf8(input: &[u8]) {
    let mut input = Input::new(input);
    let times = 1 + usize::from(input.byte() & 15);
    let sizes = input.counted();
    let text = input.rest().repeat(times);

    let mut utf8 = Utf8::default();
    let (mut from, mut end) = (0, 0);
    for piece in pieces(&text, sizes) {
        end += piece.len();
        let pushed = utf8.push(piece);
        match core::str::from_utf8(&text[from..end]) {
            Ok(_) => from = end,
            Err(error) if error.error_len().is_none() => from += error.valid_up_to(),
            Err(_) => return assert_eq!(pushed, Err(Violation::Utf8), "{:x?}", &text[from..end]),
        }
        assert_eq!(pushed, Ok(()), "{:x?}", &text[from..end]);
        assert_eq!(utf8.is_complete(), from == end);
        assert_eq!(utf8.finish().is_ok(), from == end);
    }
    assert_eq!(core::str::from_utf8(&text).is_ok(), utf8.is_complete());
}
