//! Server-sent events, read from a byte stream. The browser's own reader cannot send a token, so this is ours.

/// One event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// Its name; empty for the default `message`.
    pub name: String,
    /// Its id, for going on after it.
    pub id: Option<String>,
    /// Its data, lines joined.
    pub data: String,
}

/// Cuts a stream of bytes into events; pieces may end anywhere, also within a character.
#[derive(Debug, Default)]
pub struct Parser {
    rest: Vec<u8>,
    event: Event,
    has_data: bool,
}

impl Parser {
    /// Takes the next piece and gives the events that it completes.
    pub fn take(&mut self, piece: &[u8]) -> Vec<Event> {
        self.rest.extend_from_slice(piece);
        let mut out = Vec::new();
        let mut start = 0;
        while let Some(length) = self.rest[start..].iter().position(|byte| *byte == b'\n') {
            let line = String::from_utf8_lossy(&self.rest[start..start + length]).into_owned();
            start += length + 1;
            out.extend(self.line(line.trim_end_matches('\r')));
        }
        self.rest.drain(..start);
        out
    }

    fn line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return std::mem::take(&mut self.has_data).then_some(event);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => self.event.name = value.to_owned(),
            "id" => self.event.id = Some(value.to_owned()),
            "data" => {
                if self.has_data {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
                self.has_data = true;
            }
            // A comment keeps the connection alive; `retry` is ours to decide.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_the_same_however_the_stream_is_cut() {
        let text = ": hello\n\nevent: feed\nid: 7\ndata: {\"a\":\"ü\"}\ndata: x\r\n\r\ndata: y\n\nid: 9\n\n";
        let whole = Parser::default().take(text.as_bytes());
        assert_eq!(whole.len(), 2);
        assert_eq!(
            whole[0],
            Event { name: "feed".into(), id: Some("7".into()), data: "{\"a\":\"ü\"}\nx".into() }
        );
        for size in 1..12 {
            let mut parser = Parser::default();
            let cut: Vec<Event> = text.as_bytes().chunks(size).flat_map(|piece| parser.take(piece)).collect();
            assert_eq!(cut, whole, "pieces of {size}");
        }
    }

    #[test]
    fn an_event_that_is_cut_off_is_not_told() {
        let mut parser = Parser::default();
        assert_eq!(parser.take(b"data: half"), Vec::new());
        assert_eq!(parser.take(b"\n"), Vec::new());
        assert_eq!(parser.take(b"\n").len(), 1);
    }
}
