//! Text put together of pieces.
//!
//! Nearly every piece of a line is short and was made before. So it is kept in a field of fixed size, which is copied
//! as a whole, whatever its length: no call, nothing to predict.

/// Up to so many bytes are copied at once.
const SHORT: usize = 48;

/// A text that is made once and written often.
#[derive(Clone, Debug)]
pub struct Piece {
    bytes: [u8; SHORT],
    len: usize,
    /// The whole text, if it is longer than that.
    long: Option<Box<[u8]>>,
}

impl Piece {
    /// Of this text.
    pub fn new(text: &[u8]) -> Piece {
        let mut bytes = [0; SHORT];
        let long = match bytes.get_mut(..text.len()) {
            Some(short) => {
                short.copy_from_slice(text);
                None
            }
            None => Some(text.into()),
        };
        let len = text.len();
        Piece { bytes, len, long }
    }

    /// How many bytes it has.
    pub fn len(&self) -> usize {
        self.len
    }
}

/// A text that grows at its end.
#[derive(Debug)]
pub struct Text {
    /// What is behind `len` is room.
    bytes: Vec<u8>,
    len: usize,
}

impl Text {
    /// An empty one, with room for so many bytes. It may use the memory of an earlier one.
    pub fn new(mut memory: Vec<u8>, room: usize) -> Text {
        // The last piece is copied as a whole, too.
        memory.resize(room + SHORT, 0);
        let (bytes, len) = (memory, 0);
        Text { bytes, len }
    }

    /// How many bytes it has.
    pub fn len(&self) -> usize {
        self.len
    }

    /// What was written from this place on.
    pub fn since(&self, start: usize) -> &[u8] {
        &self.bytes[start..self.len]
    }

    /// All that was written.
    pub fn into_bytes(mut self) -> Vec<u8> {
        self.bytes.truncate(self.len);
        self.bytes
    }

    #[inline(always)]
    fn place<const N: usize>(&mut self) -> &mut [u8; N] {
        let room = &mut self.bytes[self.len..];
        room.first_chunk_mut().expect("there is room for a line")
    }

    /// Appends so many bytes of a text; it must have them.
    #[inline(always)]
    pub fn push_part<const N: usize>(&mut self, text: [u8; N], len: usize) {
        *self.place() = text;
        self.len += len;
    }

    /// Appends a text, best one whose length is known where it is written.
    #[inline(always)]
    pub fn push(&mut self, text: &str) {
        let room = &mut self.bytes[self.len..];
        room[..text.len()].copy_from_slice(text.as_bytes());
        self.len += text.len();
    }

    /// Appends a piece.
    #[inline(always)]
    pub fn append(&mut self, piece: &Piece) {
        if piece.len > SHORT {
            return self.append_long(piece);
        }
        self.push_part(piece.bytes, piece.len);
    }

    #[cold]
    #[inline(never)]
    fn append_long(&mut self, piece: &Piece) {
        let text = piece.long.as_deref().unwrap_or_default();
        self.bytes[self.len..][..text.len()].copy_from_slice(text);
        self.len += text.len();
    }

    /// Appends what was written before: so many bytes from this place on.
    #[inline(always)]
    pub fn repeat(&mut self, start: usize, len: usize) {
        match self.bytes[start..].first_chunk::<SHORT>() {
            Some(&text) if len <= SHORT => self.push_part(text, len),
            _ => {
                self.bytes.copy_within(start..start + len, self.len);
                self.len += len;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_any_length_stand_one_behind_the_other() {
        let lengths = || (0..200).chain([10_000]);
        let room = 2 * lengths().map(|length| length + 2).sum::<usize>();
        let mut text = Text::new(Vec::new(), room);
        let mut expected = Vec::new();
        for length in lengths() {
            let piece = vec![b'a' + (length % 26) as u8; length];
            let start = text.len();
            text.append(&Piece::new(&piece));
            text.push(", ");
            text.repeat(start, length);
            text.push_part(*b"; ", 1);
            expected.extend_from_slice(&piece);
            expected.extend_from_slice(b", ");
            expected.extend_from_slice(&piece);
            expected.push(b';');
            assert_eq!(text.since(start), &expected[start..]);
        }
        assert_eq!(text.into_bytes(), expected);
    }
}
