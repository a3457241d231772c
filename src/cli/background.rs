//! Writing beside the work: what is handed over here is written by a thread of its own, so that whoever makes it need
//! not wait for the system to copy it.

use std::io::{self, Write};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::{self, JoinHandle};

use acksim::trace::Chunks;

/// So many chunks may wait: enough for both sides to go on, few enough to need no memory.
const CHUNKS: usize = 2;

/// Chunks are written in order, a little later. An error shows in one of the next calls, at the latest in that of `end`,
/// after which nothing can be written any more.
pub struct Background {
    full: Option<SyncSender<Vec<u8>>>,
    /// Chunks that were written, to be filled again.
    empty: Receiver<Vec<u8>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Background {
    /// Writes to `out`.
    ///
    /// # Errors
    /// If there can't be another thread.
    pub fn new(mut out: impl Write + Send + 'static) -> io::Result<Background> {
        let (full, chunks) = mpsc::sync_channel::<Vec<u8>>(CHUNKS);
        let (written, empty) = mpsc::channel();
        let thread = thread::Builder::new().spawn(move || {
            for chunk in chunks {
                out.write_all(&chunk)?;
                // Nobody fills it again once everything was handed over.
                let _ = written.send(chunk);
            }
            out.flush()
        })?;
        Ok(Background {
            full: Some(full),
            empty,
            thread: Some(thread),
        })
    }
}

impl Chunks for Background {
    fn take(&mut self, chunk: Vec<u8>) -> io::Result<Vec<u8>> {
        let full = self.full.as_ref();
        if full.is_some_and(|full| full.send(chunk).is_ok()) {
            return Ok(self.empty.try_recv().unwrap_or_default());
        }
        self.end()?;
        Err(io::ErrorKind::BrokenPipe.into())
    }

    /// Waits until everything is written.
    fn end(&mut self) -> io::Result<()> {
        self.full = None;
        match self.thread.take() {
            Some(thread) => thread.join().expect("writing does not panic"),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// Takes so many bytes, then there is no more space.
    #[derive(Clone, Default)]
    struct Disk {
        written: Arc<Mutex<Vec<u8>>>,
        size: usize,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut written = self.written.lock().unwrap();
            if written.len() + bytes.len() > self.size {
                return Err(io::ErrorKind::StorageFull.into());
            }
            written.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn everything_is_written_in_order() {
        let disk = Disk {
            size: 1 << 20,
            ..Disk::default()
        };
        let mut background = Background::new(disk.clone()).unwrap();
        let mut expected = Vec::new();
        for number in 0..2000_u32 {
            background.take(number.to_le_bytes().to_vec()).unwrap();
            expected.extend_from_slice(&number.to_le_bytes());
        }
        background.end().unwrap();
        assert_eq!(*disk.written.lock().unwrap(), expected);
    }

    #[test]
    fn an_error_is_told_at_the_latest_at_the_end() {
        let disk = Disk {
            size: 10,
            ..Disk::default()
        };
        let mut background = Background::new(disk.clone()).unwrap();
        let mut written = (0..5).map(|_| background.take(b"four".to_vec()));
        let written = written.try_for_each(|taken| taken.map(drop));
        let error = written.and_then(|()| background.end()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert_eq!(*disk.written.lock().unwrap(), b"fourfour");
    }
}
