//! One request at a time on a connection.
//!
//! A client may send its next requests before it has its answer. actix reads all it gets at once, and then answers the
//! first as if it had the method and the `Connection` header of the last: a GET with a HEAD behind it loses its body.
//! So bytes are let through to it up to the end of one request, and the rest waits until that is answered.

use httparse::{EMPTY_HEADER, Request, Status};

/// How much of a head is looked at, and how many of its fields: more than actix takes.
const LONGEST_HEAD: usize = 128 << 10;
const MOST_FIELDS: usize = 128;

/// Knows where in the bytes of a connection the requests end. It only ever delays bytes: what is right in them is for
/// actix to say, and whatever this cannot read passes as it is.
#[derive(Debug, Default)]
pub(super) struct Turnstile {
    stage: Stage,
    /// How many requests have begun to pass.
    begun: u64,
}

#[derive(Debug)]
enum Stage {
    /// Between two requests, or in a head of which this has passed.
    Head(Vec<u8>),
    /// In a body with so many bytes to come.
    Body(u64),
    /// In a body that says its length as it goes.
    Chunked(Chunked),
    /// In something else. Everything passes from here on.
    Open,
}

impl Default for Stage {
    fn default() -> Self {
        Self::Head(Vec::new())
    }
}

impl Turnstile {
    /// How many of `bytes`, the next ones of the connection, may pass when so many requests have been answered.
    pub(super) fn admit(&mut self, bytes: &[u8], answered: u64) -> usize {
        let mut passed = 0;
        while passed < bytes.len() {
            let rest = &bytes[passed..];
            passed += match &mut self.stage {
                Stage::Head(head) if head.is_empty() && answered < self.begun => return passed,
                Stage::Head(head) if head.is_empty() && is_one_plain_get(rest) => {
                    self.begun += 1;
                    rest.len()
                }
                Stage::Head(_) => self.head(rest),
                Stage::Body(left) => {
                    let now =
                        usize::try_from(*left).map_or(rest.len(), |left| left.min(rest.len()));
                    *left -= now as u64;
                    if *left == 0 {
                        self.stage = Stage::default();
                    }
                    now
                }
                Stage::Chunked(chunked) => match chunked.end(rest) {
                    Some(end) => {
                        self.stage = Stage::default();
                        end
                    }
                    None => rest.len(),
                },
                Stage::Open => rest.len(),
            };
        }
        passed
    }

    /// Passes what of `bytes` belongs to a head.
    fn head(&mut self, bytes: &[u8]) -> usize {
        let Stage::Head(head) = &mut self.stage else {
            return bytes.len();
        };
        if head.is_empty() {
            self.begun += 1;
        }
        let before = head.len();
        head.extend_from_slice(bytes);
        let mut fields = [EMPTY_HEADER; MOST_FIELDS];
        let mut request = Request::new(&mut fields);
        let (end, next) = match request.parse(head) {
            Ok(Status::Complete(end)) => (end.saturating_sub(before), body_of(&request)),
            Ok(Status::Partial) if head.len() < LONGEST_HEAD => return bytes.len(),
            Ok(Status::Partial) | Err(_) => (bytes.len(), Stage::Open),
        };
        self.stage = next;
        end
    }
}

/// Whether this is the head of a GET and nothing else: what nearly all reads are. None of our GETs reads a body; should one
/// announce a body, actix hangs up after the answer, and it does not matter for what the body is taken here.
fn is_one_plain_get(bytes: &[u8]) -> bool {
    const END: &[u8] = b"\r\n\r\n";
    bytes.starts_with(b"GET ")
        && memchr::memmem::find(bytes, END) == bytes.len().checked_sub(END.len())
}

/// What follows a head.
fn body_of(request: &Request<'_, '_>) -> Stage {
    let field = |name: &str| {
        let field = request
            .headers
            .iter()
            .find(|field| field.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(field.value).ok().map(str::trim)
    };
    if field("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        return Stage::Chunked(Chunked::default());
    }
    if request.method == Some("CONNECT") || field("upgrade").is_some() {
        return Stage::Open;
    }
    match field("content-length").map(str::parse) {
        None | Some(Ok(0)) => Stage::default(),
        Some(Ok(length)) => Stage::Body(length),
        Some(Err(_)) => Stage::Open,
    }
}

/// Where in a chunked body the bytes are.
#[derive(Debug)]
enum Chunked {
    /// In the line that says how long the next chunk is; what follows the number in it is passed over.
    Size { size: u64, is_over: bool },
    /// In a chunk, with so many bytes to come, its end of line among them.
    Chunk(u64),
    /// In the lines after the last chunk. An empty one is the end.
    Trailer { is_empty: bool },
}

impl Default for Chunked {
    fn default() -> Self {
        Self::Size {
            size: 0,
            is_over: false,
        }
    }
}

impl Chunked {
    /// Where in `bytes` the body ends, if it does.
    fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if let Self::Chunk(left @ 1..) = self {
                let now = usize::try_from(*left)
                    .map_or(bytes.len() - at, |left| left.min(bytes.len() - at));
                *left -= now as u64;
                at += now;
                continue;
            }
            if let Self::Chunk(_) = self {
                *self = Self::default();
            }
            at += 1;
            if self.is_over_at(byte) {
                return Some(at);
            }
        }
        None
    }

    /// Reads one byte of a line.
    fn is_over_at(&mut self, byte: u8) -> bool {
        match (&mut *self, byte) {
            (Self::Size { size: 0, .. }, b'\n') => *self = Self::Trailer { is_empty: true },
            (Self::Size { size, .. }, b'\n') => *self = Self::Chunk(size.saturating_add(2)),
            (Self::Size { size, is_over }, byte) => match (byte as char).to_digit(16) {
                Some(digit) if !*is_over => {
                    *size = size.saturating_mul(16).saturating_add(digit.into());
                }
                _ => *is_over = true,
            },
            (Self::Trailer { is_empty: true }, b'\n') => return true,
            (Self::Trailer { is_empty }, byte) => {
                *is_empty = byte == b'\n' || (*is_empty && byte == b'\r');
            }
            (Self::Chunk(_), _) => {}
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: &[u8] = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
    const HEAD: &[u8] = b"HEAD /a HTTP/1.1\nHost: a\n\n";
    const SIZED: &[u8] = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    const CHUNKED: &[u8] = b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
        a;b=c\r\n0\r\n\r\nGET /\r\n02\r\nab\r\n0\r\nX-Sum: 1\r\n\r\n";

    /// What passes at a time, when each request is answered as soon as all of it has passed.
    fn turns(bytes: &[u8], read: usize) -> Vec<Vec<u8>> {
        let (mut turnstile, mut turns, mut rest) = (Turnstile::default(), vec![Vec::new()], bytes);
        let mut answered = 0_u64;
        while !rest.is_empty() {
            let passed = turnstile.admit(&rest[..read.min(rest.len())], answered);
            turns
                .last_mut()
                .expect("a turn")
                .extend_from_slice(&rest[..passed]);
            rest = &rest[passed..];
            if passed == 0 {
                answered += 1;
                turns.push(Vec::new());
            }
        }
        turns
    }

    #[test]
    fn requests_pass_one_at_a_time_however_they_are_cut() {
        let requests = [
            GET, HEAD, SIZED, GET, CHUNKED, HEAD, CHUNKED, SIZED, GET, GET,
        ];
        let all = requests.concat();
        for read in 1..=all.len() {
            assert_eq!(turns(&all, read), requests, "{read} at a time");
        }
    }

    #[test]
    fn what_is_no_request_passes_as_it_is() {
        let nonsense = [
            &b"GET / HTTP/9\r\n\r\n"[..],
            b"\0\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        ];
        for nonsense in nonsense {
            let bytes = [nonsense, GET, HEAD].concat();
            assert_eq!(Turnstile::default().admit(&bytes, 0), bytes.len());
        }
    }

    #[test]
    fn a_head_without_end_is_not_kept() {
        let mut turnstile = Turnstile::default();
        assert_eq!(turnstile.admit(b"GET / HTTP/1.1\r\nX: ", 0), 19);
        for _ in 0..40 {
            assert_eq!(turnstile.admit(&[b'a'; 4096], 0), 4096);
        }
        assert!(matches!(turnstile.stage, Stage::Open));
    }
}
