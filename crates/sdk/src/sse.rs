//! Event streams, byte by byte, as the WHATWG standard says: CRLF, LF and CR end a line, a byte order mark may lead,
//! `data` lines join, a blank line gives the event, an unfinished one at the end is dropped.

use std::time::Duration;

/// One event of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its name; `message` where none was said.
    pub name: String,
    /// Its data lines, joined by line feeds.
    pub data: String,
    /// The last id the stream has said up to here; empty before the first.
    pub id: String,
}

/// Reads a stream whose bytes come in pieces of any size.
#[derive(Debug, Default)]
pub struct Parser {
    line: Vec<u8>,
    began: bool,
    after_return: bool,
    name: String,
    data: String,
    said_data: bool,
    id: String,
    retry: Option<Duration>,
}

const BYTE_ORDER_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];

impl Parser {
    /// How long the far side wants us to wait before we connect again, if it said so.
    pub fn retry(&self) -> Option<Duration> {
        self.retry
    }

    /// Takes the next piece and gives the events that it completes.
    pub fn feed(&mut self, piece: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        for byte in piece.iter().copied() {
            // A line feed right after a carriage return belongs to the same line end, even in the next piece.
            let second_half = std::mem::replace(&mut self.after_return, byte == b'\r') && byte == b'\n';
            match byte {
                b'\n' if second_half => {}
                b'\n' | b'\r' => events.extend(self.end_line()),
                other => self.line.push(other),
            }
        }
        events
    }

    fn end_line(&mut self) -> Option<Event> {
        let bytes = std::mem::take(&mut self.line);
        let first = !std::mem::replace(&mut self.began, true);
        let bytes = if first { bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&bytes) } else { &bytes };
        if bytes.is_empty() {
            return self.dispatch();
        }
        let line = String::from_utf8_lossy(bytes);
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        self.take(field, value.strip_prefix(' ').unwrap_or(value));
        None
    }

    /// An empty field is a comment; one that is not known means nothing.
    fn take(&mut self, field: &str, value: &str) {
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                if std::mem::replace(&mut self.said_data, true) {
                    self.data.push('\n');
                }
                self.data.push_str(value);
            }
            "id" if !value.contains('\0') => value.clone_into(&mut self.id),
            "retry" if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.retry = value.parse().ok().map(Duration::from_millis).or(self.retry);
            }
            _ => {}
        }
    }

    /// Without data there is no event, but the name is forgotten all the same.
    fn dispatch(&mut self) -> Option<Event> {
        let (name, data) = (std::mem::take(&mut self.name), std::mem::take(&mut self.data));
        if !std::mem::take(&mut self.said_data) {
            return None;
        }
        let name = if name.is_empty() { "message".to_owned() } else { name };
        Some(Event { name, data, id: self.id.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn event(name: &str, data: &str, id: &str) -> Event {
        Event { name: name.to_owned(), data: data.to_owned(), id: id.to_owned() }
    }

    fn read(text: &str) -> Vec<Event> {
        Parser::default().feed(text.as_bytes())
    }

    #[test]
    fn every_rule_of_the_standard_is_kept() {
        let cases: &[(&str, Vec<Event>)] = &[
            ("data: a\n\n", vec![event("message", "a", "")]),
            ("data: YHOO\ndata: +2\ndata: 10\n\n", vec![event("message", "YHOO\n+2\n10", "")]),
            (
                "data:no space\n\ndata:  two\n\n",
                vec![event("message", "no space", ""), event("message", " two", "")],
            ),
            ("event: end\r\ndata: x\r\n\r\n", vec![event("end", "x", "")]),
            ("event: end\rdata: x\r\r", vec![event("end", "x", "")]),
            (": a comment\n\n:\n\ndata: after\n\n", vec![event("message", "after", "")]),
            ("data\n\ndata\ndata\n\ndata:", vec![event("message", "", ""), event("message", "\n", "")]),
            ("data: unfinished\n", vec![]),
            ("event: lost\n\ndata: kept\n\n", vec![event("message", "kept", "")]),
            ("id: 7\ndata: a\n\ndata: b\n\n", vec![event("message", "a", "7"), event("message", "b", "7")]),
            ("id: 7\n\nid\ndata: a\n\n", vec![event("message", "a", "")]),
            ("id: 7\nid: 8\0\ndata: a\n\n", vec![event("message", "a", "7")]),
            ("colour: red\ndata: a:b: c\n\n", vec![event("message", "a:b: c", "")]),
            ("\u{FEFF}data: marked\n\n", vec![event("message", "marked", "")]),
            ("\u{FEFF}\ndata: a\n\n", vec![event("message", "a", "")]),
            ("data: a\n\n\u{FEFF}data: b\n\n", vec![event("message", "a", "")]),
        ];
        for (text, expected) in cases {
            assert_eq!(&read(text), expected, "{text:?}");
        }
    }

    #[test]
    fn the_wish_to_wait_is_kept_when_it_is_a_number() {
        let mut parser = Parser::default();
        parser.feed(b"retry: 3000\nretry: soon\nretry:\nretry: -1\n");
        assert_eq!(parser.retry(), Some(Duration::from_secs(3)));
    }

    #[test]
    fn a_character_cut_in_two_is_whole_again() {
        let text = "data: grün → 緑\r\n\r\n".as_bytes();
        for at in 0..text.len() {
            let mut parser = Parser::default();
            let mut events = parser.feed(&text[..at]);
            events.extend(parser.feed(&text[at..]));
            assert_eq!(events, [event("message", "grün → 緑", "")], "cut at {at}");
        }
    }

    proptest! {
        #[test]
        fn the_pieces_in_which_a_stream_comes_change_nothing(
            text in "(data|id|event|retry|:)?[: ]?[ -~ü]{0,4}((\r\n|\r|\n){1,2}(data: ?|id: |event: )?[a-zü]{0,3}){0,12}",
            cuts in proptest::collection::vec(0usize..80, 0..12),
        ) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let mut parser = Parser::default();
            let pieces: Vec<Event> = cuts.windows(2).flat_map(|pair| parser.feed(&bytes[pair[0]..pair[1]])).collect();
            prop_assert_eq!(pieces, read(&text));
        }
    }
}
