//! The text format 0.0.4: what a family of figures is, and how it is written.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What a family's figures are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only rises.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Durations by boundary.
    Histogram,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// Names and values of labels.
pub type Labels = Vec<(&'static str, String)>;

/// What was measured.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// One number.
    Number(f64),
    /// How many were at most each boundary, in seconds; how many in all; the sum in seconds.
    Durations {
        /// Boundaries in seconds with how many did not exceed them.
        up_to: Vec<(f64, i64)>,
        /// How many in all.
        count: i64,
        /// Seconds in all.
        sum: f64,
    },
}

/// Figures of one name.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// The name.
    pub name: &'static str,
    /// What it says, in a sentence.
    pub help: &'static str,
    /// What its figures are.
    pub kind: Kind,
    /// The figures.
    pub samples: Vec<(Labels, Value)>,
}

impl Family {
    /// A family without figures yet.
    pub fn new(kind: Kind, name: &'static str, help: &'static str) -> Self {
        Self { name, help, kind, samples: Vec::new() }
    }
    /// A counter.
    pub fn counter(name: &'static str, help: &'static str) -> Self {
        Self::new(Kind::Counter, name, help)
    }
    /// A gauge.
    pub fn gauge(name: &'static str, help: &'static str) -> Self {
        Self::new(Kind::Gauge, name, help)
    }
    /// The same with one more number; figures with the same labels are summed.
    #[must_use]
    pub fn with(mut self, labels: Labels, number: f64) -> Self {
        self.add(labels, number);
        self
    }
    /// Adds a number; figures with the same labels are summed.
    pub fn add(&mut self, labels: Labels, number: f64) {
        for (known, value) in &mut self.samples {
            if *known == labels
                && let Value::Number(sum) = value
            {
                *sum += number;
                return;
            }
        }
        self.samples.push((labels, Value::Number(number)));
    }
}

/// The families as text, by name and then by labels.
pub fn text(mut families: Vec<Family>) -> String {
    families.sort_by_key(|family| family.name);
    let mut text = String::new();
    for family in families {
        // A family without figures says nothing, not even its name.
        if family.samples.is_empty() {
            continue;
        }
        let name = family.name;
        // Writing into a string cannot fail.
        let _ = writeln!(text, "# HELP {name} {}", escaped_help(family.help));
        let _ = writeln!(text, "# TYPE {name} {}", family.kind.as_str());
        let mut samples: Vec<(String, Value)> =
            family.samples.iter().map(|(labels, value)| (inside(labels), value.clone())).collect();
        samples.sort_by(|one, two| one.0.cmp(&two.0));
        for (labels, value) in samples {
            write_sample(&mut text, name, &labels, &value);
        }
    }
    text
}

fn write_sample(text: &mut String, name: &str, labels: &str, value: &Value) {
    match value {
        Value::Number(number) => line(text, name, "", labels, &number_text(*number)),
        Value::Durations { up_to, count, sum } => {
            let comma = if labels.is_empty() { "" } else { "," };
            for (bound, number) in up_to {
                let labels = format!("{labels}{comma}le=\"{}\"", number_text(*bound));
                line(text, name, "_bucket", &labels, &number.to_string());
            }
            line(text, name, "_bucket", &format!("{labels}{comma}le=\"+Inf\""), &count.to_string());
            line(text, name, "_sum", labels, &number_text(*sum));
            line(text, name, "_count", labels, &count.to_string());
        }
    }
}

fn line(text: &mut String, name: &str, suffix: &str, labels: &str, value: &str) {
    let _ = match labels {
        "" => writeln!(text, "{name}{suffix} {value}"),
        labels => writeln!(text, "{name}{suffix}{{{labels}}} {value}"),
    };
}

/// Labels in the order of their names.
fn inside(labels: &Labels) -> String {
    let sorted: BTreeMap<&str, &String> = labels.iter().map(|(name, value)| (*name, value)).collect();
    let pairs: Vec<String> =
        sorted.into_iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    pairs.join(",")
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn escaped_help(help: &str) -> String {
    help.replace('\\', "\\\\").replace('\n', "\\n")
}

fn number_text(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() };
    }
    format!("{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_sorted_by_name_then_labels_and_their_labels_are_escaped() {
        let label = |value: &str| vec![("b", value.to_owned()), ("a", "1".to_owned())];
        let durations = Value::Durations { up_to: vec![(0.05, 1), (1.0, 2)], count: 3, sum: 7.5 };
        let mut histogram = Family::new(Kind::Histogram, "a_seconds", "Durations.");
        histogram.samples.push((label("x"), durations));
        let families = vec![
            Family::counter("b_total", "How\nmany \\ of them.")
                .with(label("z"), 2.0)
                .with(label("say \"hi\"\n\\"), 1.0)
                .with(label("z"), 3.0),
            histogram,
            Family::gauge("c", "Nothing was measured."),
        ];
        let expected = r#"# HELP a_seconds Durations.
# TYPE a_seconds histogram
a_seconds_bucket{a="1",b="x",le="0.05"} 1
a_seconds_bucket{a="1",b="x",le="1"} 2
a_seconds_bucket{a="1",b="x",le="+Inf"} 3
a_seconds_sum{a="1",b="x"} 7.5
a_seconds_count{a="1",b="x"} 3
# HELP b_total How\nmany \\ of them.
# TYPE b_total counter
b_total{a="1",b="say \"hi\"\n\\"} 1
b_total{a="1",b="z"} 5
"#;
        assert_eq!(text(families), expected);
    }
}
