//! What is printed, and where: the screen or a file, for people or for programs.

use crate::arguments::{Everywhere, Format};
use crate::failure::Failure;
use crate::table::Table;
use serde::Serialize;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use stella_contract::page::Page;

/// The place where results go.
pub(crate) struct Output {
    format: Format,
    file: Option<std::path::PathBuf>,
    sink: Mutex<Option<Box<dyn Write + Send>>>,
}

impl Output {
    pub(crate) fn new(everywhere: &Everywhere) -> Self {
        Self { format: everywhere.format, file: everywhere.output.clone(), sink: Mutex::new(None) }
    }

    /// The same place, printed for programs.
    pub(crate) fn as_json(&self) -> bool {
        self.format == Format::Json
    }

    /// One thing: its JSON, or the table it becomes.
    pub(crate) fn show<T: Serialize>(
        &self,
        thing: &T,
        table: impl FnOnce(&T) -> Table,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Json => self.json(thing),
            Format::Table => self.text(&table(thing).to_string()),
        }
    }

    /// One page of a list. For people the next step stands on stderr, so that the list itself stays clean.
    pub(crate) fn page<T: Serialize>(
        &self,
        page: &Page<T>,
        table: impl FnOnce(&[T]) -> Table,
    ) -> Result<(), Failure> {
        if self.format == Format::Json {
            return self.json(page);
        }
        if page.items.is_empty() {
            eprintln!("Nothing matches.");
            return Ok(());
        }
        self.text(&table(&page.items).to_string())?;
        if let Some(token) = &page.next_page_token {
            let of = page.total_estimate.map_or_else(String::new, |total| format!(" of {total}"));
            eprintln!("{}{of} shown. More: --page-token {token}, or --all.", page.items.len());
        }
        Ok(())
    }

    /// One of several things, each on a line of its own: NDJSON, or a sentence.
    pub(crate) fn each<T: Serialize>(
        &self,
        thing: &T,
        line: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Json => self.ndjson(thing),
            Format::Table => self.text(&format!("{}\n", line(thing))),
        }
    }

    /// JSON on one line, whatever the format.
    pub(crate) fn ndjson<T: Serialize>(&self, thing: &T) -> Result<(), Failure> {
        let line = serde_json::to_string(thing).map_err(io::Error::from)?;
        self.text(&format!("{line}\n"))
    }

    /// JSON on many lines, whatever the format.
    pub(crate) fn json<T: Serialize>(&self, thing: &T) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(thing).map_err(io::Error::from)?;
        self.text(&format!("{text}\n"))
    }

    /// Text as it is. It is flushed at once: who watches a stream sees each line as it comes.
    pub(crate) fn text(&self, text: &str) -> Result<(), Failure> {
        let mut sink = lock(&self.sink);
        let sink = match sink.as_mut() {
            Some(sink) => sink,
            None => sink.insert(self.opened()?),
        };
        sink.write_all(text.as_bytes())?;
        Ok(sink.flush()?)
    }

    fn opened(&self) -> Result<Box<dyn Write + Send>, Failure> {
        match &self.file {
            Some(path) => Ok(Box::new(created(path)?)),
            None => Ok(Box::new(io::stdout())),
        }
    }
}

fn created(path: &Path) -> Result<File, Failure> {
    File::create(path).map_err(Failure::file(format!("{} cannot be written", path.display())))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A line that is written over while one waits; nothing where nobody looks.
#[derive(Debug)]
pub(crate) struct Progress {
    seen: bool,
    length: usize,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self { seen: io::stderr().is_terminal(), length: 0 }
    }

    /// Writes the line over the one before.
    pub(crate) fn say(&mut self, line: &str) {
        if !self.seen {
            return;
        }
        let length = line.chars().count();
        let rest = self.length.saturating_sub(length);
        eprint!("\r{line}{}", " ".repeat(rest));
        self.length = length;
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.seen && self.length > 0 {
            eprintln!();
        }
    }
}
