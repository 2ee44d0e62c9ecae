//! One pass over a field value.

/// A cursor that only moves on: whatever is parsed with it takes time linear in the bytes it passes.
#[derive(Debug, Clone)]
pub(crate) struct Scanner<'a> {
    rest: &'a [u8],
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(value: &'a [u8]) -> Self {
        Self { rest: value }
    }

    /// Passes a run of token characters; `None` if there is not one.
    pub(crate) fn token(&mut self) -> Option<&'a str> {
        let token = self.run(is_tchar);
        if token.is_empty() { None } else { core::str::from_utf8(token).ok() }
    }

    /// Passes one byte.
    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        count(1);
        Some(*first)
    }

    /// Passes this byte if it comes next.
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let found = self.rest.first() == Some(&byte);
        if found {
            let _ = self.byte();
        }
        found
    }

    /// Passes optional whitespace: spaces and tabs.
    pub(crate) fn skip_whitespace(&mut self) {
        let _ = self.run(|byte| matches!(byte, b' ' | b'\t'));
    }

    /// Passes all bytes up to the first that does not fit.
    pub(crate) fn run(&mut self, fits: impl Fn(u8) -> bool) -> &'a [u8] {
        let len = self.rest.iter().position(|byte| !fits(*byte)).unwrap_or(self.rest.len());
        let (run, rest) = self.rest.split_at_checked(len).unwrap_or_default();
        self.rest = rest;
        count(len);
        run
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}

/// Reports whether the byte may stand in a token (RFC 9110, section 5.6.2).
pub(crate) const fn is_tchar(byte: u8) -> bool {
    matches!(
        byte,
        b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
    ) || byte.is_ascii_alphanumeric()
}

/// Counts bytes looked at, so that the tests of linear time need no clock. Nothing outside of this crate's tests.
#[inline]
pub(crate) fn count(_bytes: usize) {
    #[cfg(test)]
    steps::add(_bytes);
}

#[cfg(test)]
pub(crate) mod steps {
    use core::cell::Cell;

    std::thread_local!(static STEPS: Cell<usize> = const { Cell::new(0) });

    pub(crate) fn add(bytes: usize) {
        STEPS.set(STEPS.get() + bytes);
    }

    /// Returns how many bytes `work` looked at.
    pub(crate) fn of(work: impl FnOnce()) -> usize {
        STEPS.set(0);
        work();
        STEPS.get()
    }
}
